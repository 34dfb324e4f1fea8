"""Keys, four eyes, audit log and alerts: requests, results and rows. The rows of proposals and alerts are notifications too."""

from typing import Annotated, Any

from msgspec import Meta

from exchange.protocol.messages.wire import NoParams, Params, PositiveInt64, Request, UInt32

PageSize = Annotated[int, Meta(ge=1, le=1_000)]


class ProposeParams(Params, frozen=True):
    """A business document that another person has to approve, as in OperatorSubmitParams, and why."""

    schema: str
    document: Any
    reason: str


class KeysParams(Params, frozen=True):
    """Keys of one account; absent: of all that the session may see. Who neither operates nor audits sees those of the own account."""

    account: UInt32 | None = None


class AuditParams(Params, frozen=True):
    """Entries from number `from_number` on, however old; absent: the last `limit` ones."""

    from_number: PositiveInt64 | None = None
    limit: PageSize = 100


class AlertsParams(Params, frozen=True):
    """The last `limit` alerts, of one rule or of all."""

    rule: str | None = None
    limit: PageSize = 100


class OperatorPropose(Request, tag="operator.propose"):
    params: ProposeParams


class OperatorProposals(Request, tag="operator.proposals"):
    params: NoParams = NoParams()


class KeysList(Request, tag="keys.list"):
    params: KeysParams = KeysParams()


class AuditLog(Request, tag="audit.log"):
    params: AuditParams = AuditParams()


class Alerts(Request, tag="surveillance.alerts"):
    params: AlertsParams = AlertsParams()


class KeyRow(Params, frozen=True):
    """One key. `status`: live, revoked, expired. Times in ns, 0: never."""

    key_id: str
    account: int
    person: str
    public_key: str
    scopes: list[str]
    status: str
    not_after_ns: int
    last_used_ns: int
    ended_ns: int
    sessions: int


class KeysResult(Params, frozen=True):
    keys: list[KeyRow]


class ProposalRow(Params, frozen=True):
    """`status`: waiting, approved, rejected, withdrawn, expired. `digest` is the one to approve, hex."""

    proposal: int
    schema: str
    document: Any
    digest: str
    reason: str
    account: int
    key_id: str
    person: str
    proposed_ns: int
    expires_ns: int
    status: str
    decided_by: str


class ProposalsResult(Params, frozen=True):
    """Rules of approval, and proposals until the retention is over, oldest first."""

    mode: str
    window_ns: int
    money_micro: int
    issue_lots: int
    proposals: list[ProposalRow]


class AuditResult(Params, frozen=True):
    """`count` entries end with the hash `head`; `entries` are those asked for, in order. docs/rules.md, "Audit log", has their fields."""

    count: int
    head: str
    entries: list[Any]


class AlertRow(Params, frozen=True):
    """What surveillance found (docs/rules.md, "Surveillance"). `events` are ids [command sequence, index] of the executions behind it.

    `evidence` has the amounts it was measured by, `parameters` the limits it was measured against.
    """

    number: int
    rule: str
    at_ns: int
    instrument: str
    accounts: list[int]
    events: list[list[int]]
    evidence: dict[str, int]
    parameters: dict[str, int]


class AlertsResult(Params, frozen=True):
    """`count` alerts since the process began; those asked for, newest first."""

    count: int
    alerts: list[AlertRow]
