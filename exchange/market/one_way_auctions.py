"""One-way auctions (单向竞价): the table of auctions and their sealed bids, a fold of documents and deadlines.

Nothing here is a query: bids leave this table for their own bidder alone until the auction has ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from exchange.market.holds import Hold


class AuctionStatus(IntEnum):
    OPEN = 0
    CLEARED = 1
    FAILED = 2  # nothing met the reserve, or too little where that fails it, or the instrument was halted
    CANCELLED = 3


class BidStatus(IntEnum):
    SEALED = 0
    ENDED = 1  # the auction has; `allotted_lots` is what the bid got
    WITHDRAWN = 2


@dataclass(slots=True)
class SealedBid:
    """`arrival` is the bid's place in time, which an amend may lose; `placed_as` is its first price and quantity, by which a resend is known."""

    id: int
    client_id: str
    account: int
    price_ticks: int
    quantity_lots: int
    arrival: int
    placed_as: tuple[int, int]
    revision: int = 1
    status: BidStatus = BidStatus.SEALED
    allotted_lots: int = 0

    def to_canonical(self) -> list[Any]:
        return [
            self.id, self.client_id, self.account, self.price_ticks, self.quantity_lots, self.arrival, list(self.placed_as), self.revision,
            int(self.status), self.allotted_lots,
        ]  # fmt: skip


@dataclass(slots=True)
class OneWayAuction:
    """`side` is the applicant's, `tie` a matching.mechanisms.TieRule; `price_ticks` is -1 until something trades. Bids by (account, client id)."""

    id: int
    reference: str
    instrument: int
    applicant: int
    side: int
    quantity_lots: int
    reserve_price_ticks: int
    tie: int
    seed: int
    fails_if_undersubscribed: bool
    opens_ns: int
    closes_ns: int
    status: AuctionStatus = AuctionStatus.OPEN
    ended_ns: int = 0
    price_ticks: int = -1
    traded_lots: int = 0
    next_arrival: int = 1
    bids: dict[tuple[int, str], SealedBid] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status is AuctionStatus.OPEN

    def sealed(self) -> list[SealedBid]:
        """Bids that take part, in the order of their arrival."""
        return sorted((bid for bid in self.bids.values() if bid.status is BidStatus.SEALED), key=lambda bid: bid.arrival)

    @property
    def sealed_lots(self) -> int:
        """Quantity of all bids that take part."""
        return sum(bid.quantity_lots for bid in self.bids.values() if bid.status is BidStatus.SEALED)

    def arrive(self) -> int:
        """The next place in time."""
        self.next_arrival += 1
        return self.next_arrival - 1

    @property
    def offer(self) -> Hold:
        """What the applicant holds: its units, or cash at the reserve price."""
        return Hold(self.instrument, self.applicant, self.side, self.reserve_price_ticks, self.quantity_lots)

    def hold_of(self, bid: SealedBid) -> Hold:
        """What a bid holds: cash at its limit, or its units."""
        return Hold(self.instrument, bid.account, 1 - self.side, bid.price_ticks, bid.quantity_lots)

    def without_bids(self) -> "OneWayAuction":
        """A copy of what everybody may know."""
        return replace(self, bids={}, next_arrival=0)

    def to_canonical(self) -> list[Any]:
        return [
            self.id, self.reference, self.instrument, self.applicant, self.side, self.quantity_lots, self.reserve_price_ticks, self.tie, self.seed,
            self.fails_if_undersubscribed, self.opens_ns, self.closes_ns, int(self.status), self.ended_ns, self.price_ticks, self.traded_lots,
            self.next_arrival, [bid.to_canonical() for bid in sorted(self.bids.values(), key=lambda bid: bid.id)],
        ]  # fmt: skip

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "OneWayAuction":
        """Inverse of `to_canonical`."""
        *values, rows = content
        auction = cls(*values)
        auction.status = AuctionStatus(auction.status)
        for row in rows:
            bid = SealedBid(*row)
            bid.status = BidStatus(bid.status)
            bid.placed_as = (bid.placed_as[0], bid.placed_as[1])
            auction.bids[bid.account, bid.client_id] = bid
        return auction


@dataclass(slots=True)
class OneWayAuctions:
    """Auctions by id and by the operator's own reference. They stay; bids leave when the retention is over."""

    by_id: dict[int, OneWayAuction] = field(default_factory=dict)
    by_reference: dict[str, OneWayAuction] = field(default_factory=dict)
    next_bid_id: int = 1

    @property
    def next_id(self) -> int:
        return len(self.by_id) + 1

    def add(self, auction: OneWayAuction) -> None:
        self.by_id[auction.id] = auction
        self.by_reference[auction.reference] = auction

    def take_bid_id(self) -> int:
        """The next id, never given again."""
        self.next_bid_id += 1
        return self.next_bid_id - 1

    def forget_bids_before(self, time_ns: int) -> None:
        """Drop the bids of auctions that ended before a time."""
        for auction in self.by_id.values():
            if not auction.is_open and auction.ended_ns < time_ns:
                auction.bids.clear()

    def holds(self) -> Iterator[Hold]:
        """What open auctions hold."""
        for auction in self.by_id.values():
            if auction.is_open:
                yield auction.offer
                yield from (auction.hold_of(bid) for bid in auction.sealed())

    def to_canonical(self) -> list[Any]:
        """Empty as long as there was no auction."""
        if not self.by_id:
            return []
        return [self.next_bid_id, [auction.to_canonical() for _, auction in sorted(self.by_id.items())]]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "OneWayAuctions":
        """Inverse of `to_canonical`."""
        table = cls()
        if content:
            table.next_bid_id, rows = content
            for row in rows:
                table.add(OneWayAuction.from_canonical(row))
        return table
