"""Entries, events and orders of the oracle: the logical fields of ENTRY, EVENT and ORDER_VIEW, no slots."""

from dataclasses import dataclass
from typing import NamedTuple

from matching.records import EntryFlag, EventKind, Reason, SelfTrade, Side, TimeInForce


class ReferenceEntry(NamedTuple):
    """All fields of ENTRY; enums are plain numbers, since an entry may hold any."""

    kind: int
    order_id: int = 0
    book: int = 0
    owner: int = 0
    side: int = Side.BUY
    price_ticks: int = 0
    quantity_lots: int = 0
    time_in_force: int = TimeInForce.GTC
    self_trade: int = SelfTrade.CANCEL_NEWEST
    flags: int = EntryFlag.NONE
    legs: int = 0
    label: int = 0
    display_lots: int = 0
    min_lots: int = 0
    stop_ticks: int = 0


class ReferenceEvent(NamedTuple):
    kind: EventKind
    order_id: int
    counter_id: int
    quantity_lots: int
    remaining_lots: int
    counter_remaining_lots: int
    price_ticks: int
    book: int
    owner: int
    counter_owner: int
    side: int
    reason: Reason


class ReferenceOrder(NamedTuple):
    """An order of a book as seen from outside."""

    order_id: int
    remaining_lots: int
    shown_lots: int
    display_lots: int
    min_lots: int
    label: int
    owner: int
    price_ticks: int
    stop_ticks: int
    flags: int
    side: int
    time_in_force: int
    self_trade: int


class QueuePosition(NamedTuple):
    """What stands before an order in the queue of its price: orders, and the lots that they show."""

    orders_ahead: int
    lots_ahead: int


ENTERING = EntryFlag.POST_ONLY | EntryFlag.REPRICE  # flags that say how an order enters and mean nothing once it is in the book
CONDITIONAL = EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE


@dataclass(slots=True, eq=False)
class Order:
    """An order while it lives. `arrival` and `turn` are readings of the books' one counter."""

    order_id: int
    owner: int
    side: int
    price_ticks: int
    remaining_lots: int
    time_in_force: int
    self_trade: int
    flags: int
    label: int
    display_lots: int
    min_lots: int
    stop_ticks: int
    shown_lots: int = 0
    arrival: int = 0  # when it first came to rest or to wait; 0 before
    turn: int = 0  # when it came to the place where it stands

    @classmethod
    def of(cls, entry: ReferenceEntry) -> "Order":
        """The order that a PLACE or BASKET entry asks for; fields whose flag is not set are 0."""
        minimum = entry.min_lots if entry.flags & EntryFlag.MINIMUM else 0
        return cls(
            entry.order_id,
            entry.owner,
            entry.side,
            entry.price_ticks,
            entry.quantity_lots,
            entry.time_in_force,
            entry.self_trade,
            entry.flags,
            entry.label,
            display_lots=entry.display_lots if entry.flags & EntryFlag.ICEBERG else 0,
            min_lots=entry.quantity_lots if entry.flags & EntryFlag.ALL_OR_NONE else minimum,
            stop_ticks=entry.stop_ticks if entry.flags & EntryFlag.STOP else 0,
        )

    def view(self) -> ReferenceOrder:
        """What ORDER_VIEW shows."""
        in_ladder = self.shown_lots > 0
        return ReferenceOrder(
            self.order_id,
            self.remaining_lots,
            self.shown_lots,
            self.display_lots,
            self.min_lots,
            self.label,
            self.owner,
            self.price_ticks,
            self.stop_ticks,
            self.flags,
            self.side,
            0 if in_ladder else self.time_in_force,
            0 if in_ladder else self.self_trade,
        )

    def is_behind(self, price_ticks: int) -> bool:
        """Whether `price_ticks` would give the order a better price than its limit, or just that."""
        return price_ticks <= self.price_ticks if self.side == Side.BUY else price_ticks >= self.price_ticks

    def show_peak(self) -> None:
        """Show all of it, or of an iceberg the next peak."""
        self.shown_lots = min(self.display_lots, self.remaining_lots) if self.flags & EntryFlag.ICEBERG else self.remaining_lots
