"""An auditor that reads commands and events only, and keeps its own books from them.

It knows the promises of docs/matching.md and not how they are kept: every lot of an entry leaves through exactly one event or stays; nobody
trades before those with priority; limits, minimums, fill-or-kill and baskets hold; peaks go to the end. It raises AssertionError.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from matching.records import BookPhase, EntryFlag, EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry, ReferenceEvent, ReferenceOrder

NEW = (EntryKind.PLACE, EntryKind.BASKET)


@dataclass
class Known:
    """An order as entries and events tell of it."""

    entry: ReferenceEntry
    limit: int
    left: int
    need: int  # lots that it must trade at once, 0 once it has
    self_trade: int
    is_stop: bool
    shown: int = 0  # in the ladder
    beside: bool = False
    at_once: int = 0  # what it must still trade in this command, since it has begun to
    passive: bool = False  # post-only: must not trade as it enters


@dataclass
class BookRecord:
    queues: dict[int, dict[int, list[int]]] = field(default_factory=lambda: {side: {} for side in Side})
    phase: int = BookPhase.CONTINUOUS
    last: int | None = None
    reached: list[int] = field(default_factory=list)  # prices traded in this command, and the last before it
    uncrossed: tuple[int, int] = (0, 0)  # price, lots still to come

    def best(self, side: int) -> int | None:
        prices = self.queues[side]
        return None if not prices else max(prices) if side == Side.BUY else min(prices)

    def is_crossed(self) -> bool:
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid >= ask


class Auditor:
    def __init__(self) -> None:
        self.orders: dict[int, Known] = {}
        self.books: dict[int, BookRecord] = defaultdict(BookRecord)
        self._amended: ReferenceEntry | None = None
        self._refill_due = 0

    def read(self, command: Sequence[ReferenceEntry], events: Sequence[ReferenceEvent]) -> None:
        """One command, of one entry or a whole basket, and all its events."""
        refused = {event.order_id for event in events if event.kind == EventKind.REJECTED}
        self._amended = command[0] if command[0].kind == EntryKind.AMEND else None
        for entry in command:
            if entry.kind in NEW and entry.order_id not in refused:
                assert entry.order_id not in self.orders
                self.orders[entry.order_id] = _known(entry)
        for record in self.books.values():
            record.reached = [] if record.last is None else [record.last]
        for event in events:
            self._check_dues(event)
            getattr(self, f"_on_{event.kind.name.lower()}")(event)
        assert not self._refill_due
        self._check_command(command, events)

    def check_orders(self, book: int, orders: Sequence[ReferenceOrder]) -> None:
        """What is in the book is what is left of the entries, in the sequence that the events tell."""
        mine = {order_id: known for order_id, known in self.orders.items() if known.entry.book == book and known.left}
        assert {order.order_id: (order.remaining_lots, order.shown_lots, order.price_ticks) for order in orders} == {
            order_id: (known.left, known.shown, known.limit) for order_id, known in mine.items()
        }
        for side in Side:
            prices = sorted(self.books[book].queues[side].items(), reverse=side == Side.BUY)
            queued = [order_id for _, queue in prices for order_id in queue]
            assert [order.order_id for order in orders if order.shown_lots and order.side == side] == queued

    # Events

    def _on_rested(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        entry, record = known.entry, self.books[event.book]
        assert not known.shown
        assert not known.is_stop
        assert entry.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
        assert event.remaining_lots == known.left
        assert event.quantity_lots == (min(entry.display_lots, known.left) if entry.flags & EntryFlag.ICEBERG else known.left)
        if event.price_ticks != known.limit:
            assert known.passive
            assert event.price_ticks == _behind(record.best(1 - entry.side), entry.side)
        known.limit = event.price_ticks
        known.shown, known.beside, known.need, known.passive = event.quantity_lots, False, 0, False
        record.queues[entry.side].setdefault(known.limit, []).append(event.order_id)
        assert record.phase != BookPhase.CONTINUOUS or not record.is_crossed()

    def _on_filled(self, event: ReferenceEvent) -> None:
        order, counter = self.orders[event.order_id], self.orders[event.counter_id]
        record = self.books[event.book]
        for known, left in ((order, event.remaining_lots), (counter, event.counter_remaining_lots)):
            known.left -= event.quantity_lots
            assert known.left == left >= 0
            assert _is_within(known, event.price_ticks)
        record.last = event.price_ticks
        record.reached.append(event.price_ticks)
        if event.reason == Reason.AUCTION:
            self._auction_fill(event, order, counter, record)
            return
        assert record.phase == BookPhase.CONTINUOUS
        assert event.price_ticks == counter.limit
        assert order.entry.owner != counter.entry.owner or order.self_trade == SelfTrade.ALLOW
        assert not order.shown
        assert not order.passive
        assert not order.is_stop
        order.beside = False
        if order.need:
            order.at_once, order.need = order.need, 0
        order.at_once = max(order.at_once - event.quantity_lots, 0)
        if counter.beside:
            self._fill_of_waiting(event, counter, record)
        else:
            self._fill_of_resting(event.counter_id, counter, event.quantity_lots)

    def _fill_of_waiting(self, event: ReferenceEvent, counter: Known, record: BookRecord) -> None:
        best = record.best(counter.entry.side)
        assert best is None or _is_better(counter.limit, best, counter.entry.side)
        assert not counter.is_stop
        assert event.quantity_lots >= counter.need
        assert counter.left == 0 or event.remaining_lots == 0
        counter.beside, counter.need = False, 0

    def _fill_of_resting(self, order_id: int, known: Known, lots: int) -> None:
        self._require_first(order_id, known)
        self._take_shown(order_id, known, lots)

    def _auction_fill(self, event: ReferenceEvent, buy: Known, sell: Known, record: BookRecord) -> None:
        assert record.phase == BookPhase.AUCTION
        price, due = record.uncrossed
        assert event.price_ticks == price
        record.uncrossed = (price, due - event.quantity_lots)
        for order_id, known, side in ((event.order_id, buy, Side.BUY), (event.counter_id, sell, Side.SELL)):
            assert known.entry.side == side
            self._fill_of_resting(order_id, known, event.quantity_lots)

    def _on_refilled(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        assert known.entry.flags & EntryFlag.ICEBERG
        assert event.remaining_lots == known.left
        assert event.quantity_lots == min(known.entry.display_lots, known.left)
        known.shown = event.quantity_lots
        self.books[event.book].queues[known.entry.side].setdefault(known.limit, []).append(event.order_id)

    def _on_cancelled(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        assert event.quantity_lots == known.left
        if event.reason in (Reason.FILL_OR_KILL_UNFILLABLE, Reason.BASKET_UNFILLABLE, Reason.POST_ONLY_WOULD_CROSS, Reason.MINIMUM_UNFILLABLE):
            assert known.left == known.entry.quantity_lots, "ends untouched"
        self._leave(event.order_id, known)
        known.left = 0
        known.beside = False

    def _on_reduced(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        known.left -= event.quantity_lots
        assert event.remaining_lots == known.left > 0
        known.need = min(known.need, known.left)
        if known.beside:
            known.entry = known.entry._replace(quantity_lots=known.left)
        if event.reason == Reason.AMENDED:
            known.shown = min(known.shown, known.left)
            if self._amended is not None and known.beside:
                known.self_trade = self._amended.self_trade
        elif known.shown:
            self._require_first(event.order_id, known)
            self._take_shown(event.order_id, known, event.quantity_lots)

    def _on_repriced(self, event: ReferenceEvent) -> None:
        known, entry = self.orders[event.order_id], self._amended
        assert entry is not None
        assert event.quantity_lots == known.left
        assert event.price_ticks == known.limit
        self._leave(event.order_id, known)
        known.beside = False
        known.limit, known.left, known.self_trade = entry.price_ticks, entry.quantity_lots, entry.self_trade
        flags = known.entry.flags
        known.need = known.left if flags & EntryFlag.ALL_OR_NONE and known.need else min(known.need, known.left)
        known.passive = bool(entry.flags & EntryFlag.POST_ONLY)
        known.entry = known.entry._replace(quantity_lots=entry.quantity_lots)

    def _on_waiting(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        assert known.is_stop or known.need
        assert event.quantity_lots == event.remaining_lots == known.left
        known.beside = True

    def _on_triggered(self, event: ReferenceEvent) -> None:
        known = self.orders[event.order_id]
        assert known.is_stop
        stop = known.entry.stop_ticks
        assert any(price >= stop if known.entry.side == Side.BUY else price <= stop for price in self.books[event.book].reached)
        known.is_stop = known.beside = False

    def _on_phase_changed(self, event: ReferenceEvent) -> None:
        record = self.books[event.book]
        assert record.phase != event.quantity_lots
        if event.reason == Reason.VOLATILITY:
            assert (record.phase, event.quantity_lots) == (BookPhase.CONTINUOUS, BookPhase.AUCTION)
        record.phase = event.quantity_lots

    def _on_uncrossed(self, event: ReferenceEvent) -> None:
        record = self.books[event.book]
        lots = event.quantity_lots + event.remaining_lots * 2**32
        assert (lots > 0) == record.is_crossed()
        record.uncrossed = (event.price_ticks, lots)

    def _on_rejected(self, event: ReferenceEvent) -> None:
        assert event.reason >= Reason.UNKNOWN_KIND

    # Promises

    def _require_first(self, order_id: int, known: Known) -> None:
        record = self.books[known.entry.book]
        best = record.best(known.entry.side)
        assert best == known.limit, f"{order_id} at {known.limit} went before {best}"
        assert record.queues[known.entry.side][best][0] == order_id

    def _take_shown(self, order_id: int, known: Known, lots: int) -> None:
        known.shown -= lots
        assert known.shown >= 0
        if known.shown == 0:
            self._leave(order_id, known)
            if known.left:
                assert not self._refill_due or known.entry.side == Side.SELL
                self._refill_due += 1

    def _leave(self, order_id: int, known: Known) -> None:
        queue = self.books[known.entry.book].queues[known.entry.side]
        for price in [price for price, ids in queue.items() if order_id in ids]:
            queue[price].remove(order_id)
            if not queue[price]:
                del queue[price]
        known.shown = 0

    def _check_dues(self, event: ReferenceEvent) -> None:
        """A used-up peak is shown again at once."""
        if self._refill_due:
            assert event.kind == EventKind.REFILLED
            self._refill_due -= 1
        else:
            assert event.kind != EventKind.REFILLED

    def _check_command(self, command: Sequence[ReferenceEntry], events: Sequence[ReferenceEvent]) -> None:
        for known in self.orders.values():
            assert known.at_once == 0, f"{known.entry.order_id} traded less than its minimum"
            assert (known.left > 0) == (known.shown > 0 or known.beside), f"{known.entry.order_id} is nowhere"
            if known.is_stop and known.beside and self.books[known.entry.book].phase == BookPhase.CONTINUOUS:
                last, stop = self.books[known.entry.book].last, known.entry.stop_ticks
                assert last is None or (last < stop if known.entry.side == Side.BUY else last > stop), f"{known.entry.order_id} was reached"
        for record in self.books.values():
            assert record.uncrossed[1] == 0
            assert record.phase != BookPhase.CONTINUOUS or not record.is_crossed()
        if command[0].kind == EntryKind.BASKET and len(command) == command[0].legs:
            how = {event.kind for event in events if event.order_id in {leg.order_id for leg in command}} - {EventKind.FILLED}
            assert how in (set(), {EventKind.REJECTED}, {EventKind.CANCELLED})
        self.orders = {order_id: known for order_id, known in self.orders.items() if known.left}


def _known(entry: ReferenceEntry) -> Known:
    flags = entry.flags
    need = entry.quantity_lots if flags & EntryFlag.ALL_OR_NONE else entry.min_lots if flags & EntryFlag.MINIMUM else 0
    if entry.time_in_force == TimeInForce.FOK:
        need = entry.quantity_lots
    known = Known(entry, entry.price_ticks, entry.quantity_lots, need, entry.self_trade, bool(flags & EntryFlag.STOP))
    known.passive = bool(flags & EntryFlag.POST_ONLY)
    return known


def _behind(best: int | None, side: int) -> int | None:
    return None if best is None else best - 1 if side == Side.BUY else best + 1


def _is_better(price: int, other: int, side: int) -> bool:
    return price > other if side == Side.BUY else price < other


def _is_within(known: Known, price: int) -> bool:
    return price <= known.limit if known.entry.side == Side.BUY else price >= known.limit
