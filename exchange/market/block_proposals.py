"""Proposed block trades (大宗协议): the table, a fold of documents and deadlines.

A proposal keeps its client id for as long as an order keeps its key: until it has ended and the retention is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from exchange.market.holds import Hold


class ProposalStatus(IntEnum):
    OPEN = 0
    TRADED = 1
    DECLINED = 2
    WITHDRAWN = 3
    EXPIRED = 4


@dataclass(slots=True)
class BlockProposal:
    """`side` is the proposer's; `changed_ns` is when `status` became what it is."""

    id: int
    client_id: str
    instrument: int
    proposer: int
    counterparty: int
    side: int
    price_ticks: int
    quantity_lots: int
    expires_ns: int
    changed_ns: int
    status: ProposalStatus = ProposalStatus.OPEN

    @property
    def is_open(self) -> bool:
        return self.status is ProposalStatus.OPEN

    def to_canonical(self) -> list[Any]:
        return [
            self.id, self.client_id, self.instrument, self.proposer, self.counterparty, self.side, self.price_ticks, self.quantity_lots,
            self.expires_ns, self.changed_ns, int(self.status),
        ]  # fmt: skip


@dataclass(slots=True)
class BlockProposals:
    """By id, and by the proposer's own ids."""

    by_id: dict[int, BlockProposal] = field(default_factory=dict)
    by_client_id: dict[tuple[int, str], BlockProposal] = field(default_factory=dict)
    next_id: int = 1

    def add(self, proposal: BlockProposal) -> None:
        self.by_id[proposal.id] = proposal
        self.by_client_id[proposal.proposer, proposal.client_id] = proposal
        self.next_id = max(self.next_id, proposal.id + 1)

    def forget_ended_before(self, time_ns: int) -> None:
        """Drop what ended before a time. What is open stays; ids are never given again."""
        for proposal in [p for p in self.by_id.values() if not p.is_open and p.changed_ns < time_ns]:
            del self.by_id[proposal.id]
            del self.by_client_id[proposal.proposer, proposal.client_id]

    def of_account(self, account: int) -> list[BlockProposal]:
        """Those that an account proposed or is asked to confirm, oldest first."""
        return [p for p in self.by_id.values() if account in {p.proposer, p.counterparty}]

    def holds(self) -> Iterator[Hold]:
        """What open proposals hold."""
        for p in self.by_id.values():
            if p.is_open:
                yield Hold(p.instrument, p.proposer, p.side, p.price_ticks, p.quantity_lots)

    def to_canonical(self) -> list[Any]:
        """Empty as long as nothing was ever proposed."""
        if self.next_id == 1:
            return []
        return [self.next_id, [proposal.to_canonical() for _, proposal in sorted(self.by_id.items())]]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "BlockProposals":
        """Inverse of `to_canonical`."""
        table = cls()
        if content:
            next_id, rows = content
            for row in rows:
                proposal = BlockProposal(*row)
                proposal.status = ProposalStatus(proposal.status)
                table.add(proposal)
            table.next_id = next_id
        return table
