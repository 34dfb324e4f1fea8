"""Who may send which document, and the scope that its key needs. What has no row here is the operator's (docs/rules.md, "Roles")."""

from typing import Final, NamedTuple

from exchange.accounts.permissions import Role
from exchange.protocol.document import Document
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

# Who may hold units.
HOLDERS: Final = frozenset({Role.ENTERPRISE, Role.GENERATOR, Role.PROSUMER, Role.STORAGE, Role.MARKET_MAKER, Role.ESCO})
# Who enters units into the registry.
REGISTRARS: Final = frozenset({Role.OPERATOR, Role.REGISTRAR})


class Senders(NamedTuple):
    """`scope`: trade for a participant's own business, verify for a signed opinion, operate for an act of administration."""

    roles: frozenset[Role]
    scope: str


# One row a document of the value chain that others than the operator send.
SENDERS: Final[dict[type[Document], Senders]] = {
    **dict.fromkeys((ReportEmissions, SurrenderAllowances, CarryOverAllowances, SettleAllowanceDebt), Senders(HOLDERS, "trade")),
    **dict.fromkeys((ProposeProject, ConfirmCreditOwner, SubmitMonitoring, SurrenderParkCredits), Senders(HOLDERS, "trade")),
    **dict.fromkeys((VerifyEmissions, ValidateProject, VerifyReductions, VerifyParkPerformance), Senders(frozenset({Role.VERIFIER}), "verify")),
    **dict.fromkeys((AllocateAllowances, RegisterProject, IssueCredits, ReverseCredits, IssueParkCredits), Senders(REGISTRARS, "operate")),
}
