"""The rules of matching in plain Python, to compare the kernels with: the oracle. It shares only the vocabulary of `records` with them.

Slow, obvious, and complete: price levels are lists in a sorted dictionary, orders are found by id in a dictionary, and every question is
answered by looking. Events come as `ReferenceEvent` tuples with the fields of EVENT that are logical (no slots).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sortedcontainers import SortedDict

from matching.records import EntryFlag, EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce


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


class ReferenceEntry(NamedTuple):
    """The fields of ENTRY that the rules read."""

    kind: EntryKind
    order_id: int
    book: int = 0
    owner: int = 0
    side: int = Side.BUY
    price_ticks: int = 0
    quantity_lots: int = 0
    time_in_force: int = TimeInForce.GTC
    self_trade: int = SelfTrade.CANCEL_NEWEST
    flags: int = EntryFlag.NONE


@dataclass
class ReferenceOrder:
    order_id: int
    book: int
    owner: int
    side: int
    price_ticks: int
    remaining_lots: int


class ReferenceBooks:
    """All books, opened on first use."""

    def __init__(self) -> None:
        self._levels: dict[tuple[int, int], SortedDict[int, list[ReferenceOrder]]] = {}
        self._orders: dict[int, ReferenceOrder] = {}
        self._events: list[ReferenceEvent] = []

    def apply(self, entry: ReferenceEntry) -> list[ReferenceEvent]:
        """Apply one entry; what happened, in sequence."""
        self._events = []
        if entry.kind == EntryKind.PLACE:
            self._enter(entry)
        elif entry.order_id in self._orders:
            order = self._orders[entry.order_id]
            if entry.kind == EntryKind.AMEND:
                self._amend(order, entry)
            else:
                self._cancel(order, Reason.REQUESTED if entry.kind == EntryKind.CANCEL else Reason.EXPIRED)
        return self._events

    def cancel_owner(self, owner: int, book: int | None, reason: Reason) -> list[ReferenceEvent]:
        """Cancel an owner's orders in one book or in all, by ascending id."""
        self._events = []
        for order_id in sorted(self._orders):
            order = self._orders[order_id]
            if order.owner == owner and book in (None, order.book):
                self._cancel(order, reason)
        return self._events

    def cancel_book(self, book: int, reason: Reason) -> list[ReferenceEvent]:
        """Cancel all orders of a book: bids from the best by priority, then asks."""
        self._events = []
        for order in self.orders(book):
            self._cancel(order, reason)
        return self._events

    def orders(self, book: int) -> list[ReferenceOrder]:
        """Resting orders of a book: bids from the best by priority, then asks."""
        return [order for side in (Side.BUY, Side.SELL) for order in self._queue(book, side)]

    def _queue(self, book: int, side: int) -> Iterator[ReferenceOrder]:
        levels = self._levels.get((book, side), SortedDict())
        for price in reversed(levels) if side == Side.BUY else levels:
            yield from levels[price]

    def _enter(self, entry: ReferenceEntry) -> None:
        makers = [maker for maker in self._queue(entry.book, 1 - entry.side) if self._trades_at(entry, maker.price_ticks)]
        if entry.flags & EntryFlag.POST_ONLY and makers:
            return self._end_entry(entry, entry.quantity_lots, Reason.POST_ONLY_WOULD_CROSS)
        if entry.time_in_force == TimeInForce.FOK and self._tradable(entry, makers) < entry.quantity_lots:
            return self._end_entry(entry, entry.quantity_lots, Reason.FILL_OR_KILL_UNFILLABLE)
        left = entry.quantity_lots
        for maker in makers:
            if left == 0:
                break
            if maker.owner != entry.owner:
                left = self._fill(entry, maker, left)
            elif entry.self_trade == SelfTrade.CANCEL_NEWEST:
                return self._end_entry(entry, left, Reason.SELF_TRADE)
            elif entry.self_trade == SelfTrade.CANCEL_OLDEST:
                self._cancel(maker, Reason.SELF_TRADE)
            elif entry.self_trade == SelfTrade.CANCEL_BOTH:
                self._cancel(maker, Reason.SELF_TRADE)
                return self._end_entry(entry, left, Reason.SELF_TRADE)
            else:
                lots = min(left, maker.remaining_lots)
                self._reduce(maker, lots, Reason.SELF_TRADE)
                if lots == left:
                    return self._end_entry(entry, lots, Reason.SELF_TRADE)
                left -= lots
                self._entry_event(EventKind.REDUCED, entry, lots, left, Reason.SELF_TRADE)
        if left and entry.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            return self._end_entry(entry, left, Reason.IMMEDIATE_REMAINDER)
        if left:
            self._rest(ReferenceOrder(entry.order_id, entry.book, entry.owner, entry.side, entry.price_ticks, left))
            self._entry_event(EventKind.RESTED, entry, left, left, Reason.NONE)
        return None

    @staticmethod
    def _trades_at(entry: ReferenceEntry, price_ticks: int) -> bool:
        return price_ticks <= entry.price_ticks if entry.side == Side.BUY else price_ticks >= entry.price_ticks

    @staticmethod
    def _tradable(entry: ReferenceEntry, makers: list[ReferenceOrder]) -> int:
        """Lots that would trade if self-trade prevention ran its course (never more than all that is there)."""
        total = 0
        for maker in makers:
            if maker.owner != entry.owner:
                total += maker.remaining_lots
            elif entry.self_trade != SelfTrade.CANCEL_OLDEST:
                break  # the own order ends the entry, or takes lots from it that then do not trade
        return total

    def _fill(self, entry: ReferenceEntry, maker: ReferenceOrder, left: int) -> int:
        lots = min(left, maker.remaining_lots)
        maker.remaining_lots -= lots
        self._events.append(
            ReferenceEvent(
                EventKind.FILLED,
                entry.order_id,
                maker.order_id,
                lots,
                left - lots,
                maker.remaining_lots,
                maker.price_ticks,
                entry.book,
                entry.owner,
                maker.owner,
                entry.side,
                Reason.NONE,
            )
        )
        if maker.remaining_lots == 0:
            self._remove(maker)
        return left - lots

    def _amend(self, order: ReferenceOrder, entry: ReferenceEntry) -> None:
        if entry.price_ticks == order.price_ticks and entry.quantity_lots <= order.remaining_lots:
            withdrawn = order.remaining_lots - entry.quantity_lots
            order.remaining_lots = entry.quantity_lots
            self._order_event(EventKind.REDUCED, order, withdrawn, order.remaining_lots, Reason.AMENDED)
            return
        self._order_event(EventKind.REPRICED, order, order.remaining_lots, 0, Reason.AMENDED)
        self._remove(order)
        self._enter(entry._replace(book=order.book, owner=order.owner, side=order.side))

    def _reduce(self, order: ReferenceOrder, lots: int, reason: Reason) -> None:
        if lots == order.remaining_lots:
            self._cancel(order, reason)
            return
        order.remaining_lots -= lots
        self._order_event(EventKind.REDUCED, order, lots, order.remaining_lots, reason)

    def _cancel(self, order: ReferenceOrder, reason: Reason) -> None:
        self._order_event(EventKind.CANCELLED, order, order.remaining_lots, 0, reason)
        self._remove(order)

    def _rest(self, order: ReferenceOrder) -> None:
        self._orders[order.order_id] = order
        self._levels.setdefault((order.book, order.side), SortedDict()).setdefault(order.price_ticks, []).append(order)

    def _remove(self, order: ReferenceOrder) -> None:
        del self._orders[order.order_id]
        levels = self._levels[order.book, order.side]
        levels[order.price_ticks].remove(order)
        if not levels[order.price_ticks]:
            del levels[order.price_ticks]

    def _end_entry(self, entry: ReferenceEntry, lots: int, reason: Reason) -> None:
        self._entry_event(EventKind.CANCELLED, entry, lots, 0, reason)

    def _entry_event(self, kind: EventKind, entry: ReferenceEntry, lots: int, left: int, reason: Reason) -> None:
        self._events.append(ReferenceEvent(kind, entry.order_id, 0, lots, left, 0, entry.price_ticks, entry.book, entry.owner, 0, entry.side, reason))

    def _order_event(self, kind: EventKind, order: ReferenceOrder, lots: int, left: int, reason: Reason) -> None:
        self._events.append(ReferenceEvent(kind, order.order_id, 0, lots, left, 0, order.price_ticks, order.book, order.owner, 0, order.side, reason))
