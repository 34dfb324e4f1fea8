"""Who may send which document, and the scope that its key needs. What has no row here is the operator's (docs/rules.md, "Roles")."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from exchange.accounts.permissions import Role
from exchange.protocol.document import Document
from exchange.protocol.value_chain.accounting import RecordActivity
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    CarryOverAllowances,
    ReportEmissions,
    SettleAllowanceDebt,
    SurrenderAllowances,
    VerifyEmissions,
)
from exchange.protocol.value_chain.park_scheme import IssueParkCredits, SurrenderParkCredits, VerifyParkPerformance
from exchange.protocol.value_chain.projects import (
    ConfirmCreditOwner,
    IssueCredits,
    ProposeProject,
    RegisterProject,
    ReverseCredits,
    SubmitMonitoring,
    ValidateProject,
    VerifyReductions,
)
from exchange.protocol.value_chain.units import (
    ConvertUnits,
    FreezeUnits,
    LockUnits,
    PreferLots,
    TransferUnits,
    UnfreezeUnits,
    UnlockUnits,
    WithdrawUnits,
)

# Who may hold units.
HOLDERS: Final = frozenset({Role.ENTERPRISE, Role.GENERATOR, Role.PROSUMER, Role.STORAGE, Role.MARKET_MAKER, Role.ESCO})
# Who enters units into the registry.
REGISTRARS: Final = frozenset({Role.OPERATOR, Role.REGISTRAR})


class Senders(NamedTuple):
    """`scope`: trade for a participant's own business, verify for a signed opinion, operate for an act of administration. `others`: the scope of
    roles whose keys never carry that one.
    """

    roles: frozenset[Role]
    scope: str
    others: Mapping[Role, str] = MappingProxyType({})

    def scope_of(self, role: Role) -> str:
        """The scope that a key of one of the roles needs; an operator's always that of administration."""
        return "operate" if role is Role.OPERATOR else self.others.get(role, self.scope)


_HOLDER_ONLY: Final = Senders(HOLDERS, "trade")
_BENEFICIARY: Final = Senders(HOLDERS | {Role.BANK, Role.OPERATOR}, "trade")
_BY_ORDER: Final = Senders(frozenset({Role.OPERATOR, Role.REGISTRAR, Role.REGULATOR}), "operate", MappingProxyType({Role.REGULATOR: "audit"}))


# One row a document of the value chain that others than the operator send.
SENDERS: Final[dict[type[Document], Senders]] = {
    TransferUnits: _HOLDER_ONLY,
    LockUnits: _HOLDER_ONLY,
    PreferLots: _HOLDER_ONLY,
    ConvertUnits: _HOLDER_ONLY,
    UnlockUnits: _BENEFICIARY,
    FreezeUnits: _BY_ORDER,
    UnfreezeUnits: _BY_ORDER,
    WithdrawUnits: Senders(frozenset({Role.OPERATOR, Role.REGISTRAR}), "operate"),
    RecordActivity: Senders(HOLDERS | {Role.OPERATOR}, "trade"),
    **dict.fromkeys((ReportEmissions, SurrenderAllowances, CarryOverAllowances, SettleAllowanceDebt), Senders(HOLDERS, "trade")),
    **dict.fromkeys((ProposeProject, ConfirmCreditOwner, SubmitMonitoring, SurrenderParkCredits), Senders(HOLDERS, "trade")),
    **dict.fromkeys((VerifyEmissions, ValidateProject, VerifyReductions, VerifyParkPerformance), Senders(frozenset({Role.VERIFIER}), "verify")),
    **dict.fromkeys((AllocateAllowances, RegisterProject, IssueCredits, ReverseCredits, IssueParkCredits), Senders(REGISTRARS, "operate")),
}
