"""What a book of the oracle holds, shows and tells."""

from collections.abc import Iterator
from fractions import Fraction

from sortedcontainers import SortedKeyList

from matching.records import BookPhase, EventKind, Reason, Side
from matching.reference.auction import Clearing, clear, clear_at_k
from matching.reference.values import Order, QueuePosition, ReferenceEvent


def by_price_then_time(order: Order) -> tuple[int, int]:
    return (-order.price_ticks if order.side == Side.BUY else order.price_ticks, order.turn)


def first_triggered_first(order: Order) -> tuple[int, int]:
    return (order.stop_ticks if order.side == Side.BUY else -order.stop_ticks, order.order_id)


class BookQueues:
    """The orders of one book in their places. Events go to `events`, times come from `counter`; both are shared by all books."""

    def __init__(self, number: int, events: list[ReferenceEvent], counter: Iterator[int]) -> None:
        self.number = number
        self.phase = BookPhase.CONTINUOUS
        self.band: tuple[int, int] | None = None
        self.last_trade: int | None = None
        self.ladder: dict[int, SortedKeyList] = {side: SortedKeyList(key=by_price_then_time) for side in Side}
        self.waiting: dict[int, SortedKeyList] = {side: SortedKeyList(key=by_price_then_time) for side in Side}
        self.stops: dict[int, SortedKeyList] = {side: SortedKeyList(key=first_triggered_first) for side in Side}
        self._events = events
        self._counter = counter

    # Looking

    def orders(self) -> Iterator[Order]:
        """All orders in canonical order."""
        for queues in (self.ladder, self.waiting, self.stops):
            yield from queues[Side.BUY]
            yield from queues[Side.SELL]

    def best(self, side: int) -> int | None:
        return self.ladder[side][0].price_ticks if self.ladder[side] else None

    def is_crossed(self) -> bool:
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        return bid is not None and ask is not None and bid >= ask

    def queue_position(self, order: Order) -> QueuePosition:
        ahead = [other for other in self.ladder[order.side] if other.price_ticks == order.price_ticks and other.turn < order.turn]
        return QueuePosition(len(ahead), sum(other.shown_lots for other in ahead))

    def indicative(self, reference_ticks: int, k_ppm: int | None = None) -> Clearing:
        bids, asks = self.ladder[Side.BUY], self.ladder[Side.SELL]
        if k_ppm is None:
            return clear(bids, asks, reference_ticks)
        return clear_at_k(bids, asks, reference_ticks, Fraction(k_ppm, 1_000_000))

    def _take_out(self, order: Order) -> None:
        """Out of the list in which it stands, if it does."""
        for queues in (self.ladder, self.waiting, self.stops):
            if order in queues[order.side]:
                queues[order.side].remove(order)

    # Events

    def _change_phase(self, phase: BookPhase, reason: Reason) -> None:
        self.phase = phase
        self._tell_of_book(EventKind.PHASE_CHANGED, phase, reason)

    def _tell(self, kind: EventKind, order: Order, lots: int, left: int, reason: Reason = Reason.NONE) -> None:
        self._events.append(
            ReferenceEvent(kind, order.order_id, 0, lots, left, 0, order.price_ticks, self.number, order.owner, 0, order.side, reason)
        )

    def _tell_fill(self, order: Order, counter: Order, lots: int, price_ticks: int, reason: Reason) -> None:
        left, counter_left = order.remaining_lots, counter.remaining_lots
        who = (order.owner, counter.owner, order.side)
        self._events.append(
            ReferenceEvent(EventKind.FILLED, order.order_id, counter.order_id, lots, left, counter_left, price_ticks, self.number, *who, reason)
        )

    def _tell_of_book(self, kind: EventKind, lots: int, reason: Reason, price_ticks: int = 0, more: int = 0) -> None:
        self._events.append(ReferenceEvent(kind, 0, 0, lots, more, 0, price_ticks, self.number, 0, 0, 0, reason))
