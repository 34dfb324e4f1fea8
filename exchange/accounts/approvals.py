"""Four eyes (四眼原则): rules, proposals that wait for another person, and what one person has done alone today. A fold of documents and deadlines.

    waiting -> approved and carried out | rejected | withdrawn | expired
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Final

from exchange.units import NS_PER_DAY

WAITING_MAX: Final = 1_000
WINDOW_MAX_NS: Final = 30 * NS_PER_DAY


class ApprovalMode(StrEnum):
    SINGLE = "single"
    FOUR_EYES = "four_eyes"


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """See exchange.protocol.administration.SetApprovalRules."""

    mode: ApprovalMode = ApprovalMode.SINGLE
    window_ns: int = NS_PER_DAY
    money_micro: int = 0
    issue_lots: int = 0

    def to_canonical(self) -> list[Any]:
        return [str(self.mode), self.window_ns, self.money_micro, self.issue_lots]


class Status(IntEnum):
    WAITING = 0
    APPROVED = 1
    REJECTED = 2
    WITHDRAWN = 3
    EXPIRED = 4


@dataclass(slots=True)
class Proposal:
    """`document` is what will be carried out, as journaled. `decided_by` is the person who ended it."""

    id: int
    account: int
    key_id: str
    person: str
    document: bytes
    reason: str
    proposed_ns: int
    expires_ns: int
    changed_ns: int
    decided_by: str = ""
    status: Status = Status.WAITING

    def to_canonical(self) -> list[Any]:
        return [
            self.id, self.account, self.key_id, self.person, self.document, self.reason, self.proposed_ns, self.expires_ns, self.changed_ns,
            self.decided_by, int(self.status),
        ]  # fmt: skip


@dataclass(slots=True)
class Approvals:
    """`moved_micro` and `issued_lots` are what passed without approval since the day began that ends at `day_ends_ns`."""

    rules: ApprovalRules = field(default_factory=ApprovalRules)
    initial: ApprovalRules = field(default_factory=ApprovalRules)
    by_id: dict[int, Proposal] = field(default_factory=dict)
    next_id: int = 1
    day_ends_ns: int = 0
    moved_micro: int = 0
    issued_lots: int = 0

    def add(self, proposal: Proposal) -> None:
        self.by_id[proposal.id] = proposal
        self.next_id = max(self.next_id, proposal.id + 1)

    def waiting(self) -> list[Proposal]:
        return [p for p in self.by_id.values() if p.status is Status.WAITING]

    def forget_ended_before(self, time_ns: int) -> None:
        """Drop what ended before a time; the audit log keeps it."""
        for proposal in [p for p in self.by_id.values() if p.status is not Status.WAITING and p.changed_ns < time_ns]:
            del self.by_id[proposal.id]

    def to_canonical(self) -> list[Any]:
        """Empty as long as the rules of the genesis hold and nothing was ever done under four eyes."""
        if self.rules == self.initial and self.next_id == 1 and not self.day_ends_ns:
            return []
        return [
            self.rules.to_canonical(), self.next_id, self.day_ends_ns, self.moved_micro, self.issued_lots,
            [p.to_canonical() for _, p in sorted(self.by_id.items())],
        ]  # fmt: skip

    def restore(self, content: list[Any]) -> None:
        """Inverse of `to_canonical`."""
        if not content:
            return
        (mode, *amounts), next_id, self.day_ends_ns, self.moved_micro, self.issued_lots, rows = content
        self.rules = ApprovalRules(ApprovalMode(mode), *amounts)
        for row in rows:
            proposal = Proposal(*row)
            proposal.status = Status(proposal.status)
            self.add(proposal)
        self.next_id = next_id
