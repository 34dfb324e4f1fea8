"""One book of the oracle: what happens to an order in it."""

from collections.abc import Iterator
from copy import copy
from itertools import takewhile

from matching.records import BookPhase, EntryFlag, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.reference.queues import BookQueues, by_price_then_time
from matching.reference.values import CONDITIONAL, ENTERING, Order, ReferenceEntry, ReferenceEvent

TICKS_MIN, TICKS_MAX = -(2**31), 2**31 - 1


def _other(side: int) -> Side:
    return Side.SELL if side == Side.BUY else Side.BUY


class Book(BookQueues):
    """One method for each kind of entry; what is refused never comes here."""

    def __init__(self, number: int, events: list[ReferenceEvent], counter: Iterator[int]) -> None:
        super().__init__(number, events, counter)
        self._triggered: list[Order] = []  # stops that were reached and have not entered yet; they still stand in `stops`
        self._try_waiting = False  # an order has come to rest since the waiting orders were tried

    @staticmethod
    def keeps_priority(order: Order, entry: ReferenceEntry) -> bool:
        return entry.price_ticks == order.price_ticks and entry.quantity_lots <= order.remaining_lots

    # Entries

    def place(self, order: Order) -> None:
        self._enter(order)
        self._settle()

    def cancel(self, order: Order, reason: Reason) -> None:
        self._take_out(order)
        self._end(order, reason)

    def amend(self, order: Order, entry: ReferenceEntry) -> None:
        if self.keeps_priority(order, entry):
            if order.shown_lots == 0:
                order.self_trade = entry.self_trade
            self._reduce(order, order.remaining_lots - entry.quantity_lots, Reason.AMENDED)
            return
        self._tell(EventKind.REPRICED, order, order.remaining_lots, 0, Reason.AMENDED)
        self._take_out(order)
        if order.shown_lots:
            order.time_in_force = TimeInForce.GTC
        order.shown_lots = 0
        order.price_ticks = entry.price_ticks
        order.remaining_lots = entry.quantity_lots
        order.self_trade = entry.self_trade
        order.flags |= entry.flags
        order.min_lots = order.remaining_lots if order.flags & EntryFlag.ALL_OR_NONE else min(order.min_lots, order.remaining_lots)
        if order.flags & EntryFlag.STOP:
            self._wait(order)
            return
        self._enter(order)
        self._settle()

    def set_phase(self, phase: int) -> None:
        self._change_phase(BookPhase(phase), Reason.NONE)
        if phase == BookPhase.CONTINUOUS:
            if self.last_trade is not None:
                self._queue_stops_reached_by(self.last_trade)
            self._try_waiting = True
            self._settle()

    def set_band(self, low_ticks: int, high_ticks: int) -> None:
        self.band = (low_ticks, high_ticks) if low_ticks <= high_ticks else None

    def uncross(self, reference_ticks: int, k_ppm: int | None) -> None:
        price_ticks, lots = self.indicative(reference_ticks, k_ppm)
        self._tell_of_book(EventKind.UNCROSSED, lots % 2**32, Reason.NONE, price_ticks, lots // 2**32)
        while lots:
            buy, sell = self.ladder[Side.BUY][0], self.ladder[Side.SELL][0]
            traded = min(lots, buy.shown_lots, sell.shown_lots)
            lots -= traded
            for order in (buy, sell):
                order.remaining_lots -= traded
                order.shown_lots -= traded
            self._tell_fill(buy, sell, traded, price_ticks, Reason.AUCTION)
            self._refill(buy)
            self._refill(sell)
            self.last_trade = price_ticks

    # An order on its way in

    def _enter(self, order: Order) -> None:
        """A new order, one that is amended, or one that comes from beside the ladder."""
        if order.flags & EntryFlag.STOP:
            reached = self.last_trade is not None and self._reaches(self.last_trade, order)
            if self.phase != BookPhase.CONTINUOUS or not reached:
                self._wait(order)
                return
            self._trigger(order)
        if self.phase != BookPhase.CONTINUOUS:
            if order.flags & CONDITIONAL:
                self._wait(order)
            else:
                self._rest(order)
        elif order.flags & EntryFlag.POST_ONLY:
            self._enter_post_only(order)
        elif order.time_in_force == TimeInForce.FOK and self.would_trade(order) < order.remaining_lots:
            self._end(order, Reason.FILL_OR_KILL_UNFILLABLE)
        elif order.flags & CONDITIONAL and self.would_trade(order) < order.min_lots:
            if order.time_in_force == TimeInForce.IOC:
                self._end(order, Reason.MINIMUM_UNFILLABLE)
            else:
                self._wait(order)
        else:
            self._trade(order)
            self._rest_or_end(order)

    def _enter_post_only(self, order: Order) -> None:
        best = self.best(_other(order.side))
        if best is not None and order.is_behind(best):
            behind = best - 1 if order.side == Side.BUY else best + 1
            if not order.flags & EntryFlag.REPRICE or not TICKS_MIN <= behind <= TICKS_MAX:
                self._end(order, Reason.POST_ONLY_WOULD_CROSS)
                return
            order.price_ticks = behind
        self._rest(order)

    def would_trade(self, order: Order) -> int:
        """How many lots an entering order would trade now: it does so with copies."""
        events: list[ReferenceEvent] = []
        rehearsal = Book(self.number, events, self._counter)
        rehearsal.band = self.band
        side = _other(order.side)
        for queues, copies in ((self.ladder, rehearsal.ladder), (self.waiting, rehearsal.waiting)):
            copies[side].update(copy(each) for each in takewhile(lambda each: order.is_behind(each.price_ticks), queues[side]))
        trial = copy(order)
        if trial.self_trade == SelfTrade.DECREMENT:
            trial.self_trade = SelfTrade.CANCEL_NEWEST  # the count ends at the first own order
        rehearsal._trade(trial)
        return sum(event.quantity_lots for event in events if event.kind == EventKind.FILLED and event.order_id == order.order_id)

    def _trade(self, order: Order) -> None:
        """Trade with what it crosses, until it is used up, was ended, or the band interrupts."""
        order.flags &= ~CONDITIONAL
        order.min_lots = 0
        while order.remaining_lots:
            resting = self._next_to_meet(order)
            if resting is None:
                return
            if resting.owner == order.owner and order.self_trade != SelfTrade.ALLOW:
                self._prevent(order, resting)
            elif self.band is not None and not self.band[0] <= resting.price_ticks <= self.band[1]:
                self._triggered.clear()
                self._change_phase(BookPhase.AUCTION, Reason.VOLATILITY)
                return
            else:
                self._fill(order, resting)

    def _next_to_meet(self, order: Order) -> Order | None:
        """The first of the ladder, or one that waits at a strictly better price; it must cross."""
        side = _other(order.side)
        candidates = [*self.ladder[side][:1], *(each for each in self.waiting[side] if each.min_lots <= order.remaining_lots)]
        candidates = [each for each in candidates if order.is_behind(each.price_ticks)]
        return min(candidates, key=lambda each: (by_price_then_time(each)[0], each.shown_lots == 0, each.turn), default=None)

    def _fill(self, order: Order, resting: Order) -> None:
        waited = resting.shown_lots == 0
        lots = min(order.remaining_lots, resting.remaining_lots if waited else resting.shown_lots)
        order.remaining_lots -= lots
        resting.remaining_lots -= lots
        self._tell_fill(order, resting, lots, resting.price_ticks, Reason.NONE)
        self.last_trade = resting.price_ticks
        self._queue_stops_reached_by(resting.price_ticks)
        if waited:
            self._take_out(resting)
            self._trade(resting)
            self._rest_or_end(resting)
        else:
            resting.shown_lots -= lots
            self._refill(resting)

    def _refill(self, resting: Order) -> None:
        """Show the next peak at the end of the queue, or leave the ladder, if nothing is shown any more."""
        if resting.shown_lots:
            return
        self.ladder[resting.side].remove(resting)
        if resting.remaining_lots:
            resting.show_peak()
            resting.turn = next(self._counter)
            self.ladder[resting.side].add(resting)
            self._tell(EventKind.REFILLED, resting, resting.shown_lots, resting.remaining_lots)

    def _prevent(self, order: Order, resting: Order) -> None:
        """Self-trade prevention."""
        if order.self_trade == SelfTrade.DECREMENT:
            lots = min(order.remaining_lots, resting.shown_lots or resting.remaining_lots)
            self._decrement(resting, lots)
            self._decrement(order, lots)
            return
        if order.self_trade in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH):
            self.cancel(resting, Reason.SELF_TRADE)
        if order.self_trade in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH):
            self._end(order, Reason.SELF_TRADE)

    def _decrement(self, order: Order, lots: int) -> None:
        if lots == order.remaining_lots:
            self._take_out(order)
            self._end(order, Reason.SELF_TRADE)
        elif lots == order.shown_lots:
            order.remaining_lots -= lots
            order.shown_lots = 0
            self._tell(EventKind.REDUCED, order, lots, order.remaining_lots, Reason.SELF_TRADE)
            self._refill(order)
        else:
            order.shown_lots = max(order.shown_lots - lots, 0)
            self._reduce(order, lots, Reason.SELF_TRADE)

    def _reduce(self, order: Order, lots: int, reason: Reason) -> None:
        """Take lots away, of an iceberg from the reserve first."""
        order.remaining_lots -= lots
        order.shown_lots = min(order.shown_lots, order.remaining_lots)
        order.min_lots = min(order.min_lots, order.remaining_lots)
        self._tell(EventKind.REDUCED, order, lots, order.remaining_lots, reason)

    # Where it stays

    def _rest_or_end(self, order: Order) -> None:
        if not order.remaining_lots:
            return
        if order.time_in_force == TimeInForce.IOC:
            self._end(order, Reason.IMMEDIATE_REMAINDER)
        else:
            self._rest(order)

    def _rest(self, order: Order) -> None:
        order.flags &= ~ENTERING
        order.show_peak()
        self._arrive(order)
        self.ladder[order.side].add(order)
        self._try_waiting = True
        self._tell(EventKind.RESTED, order, order.shown_lots, order.remaining_lots)

    def _wait(self, order: Order) -> None:
        self._arrive(order)
        (self.stops if order.flags & EntryFlag.STOP else self.waiting)[order.side].add(order)
        self._tell(EventKind.WAITING, order, order.remaining_lots, order.remaining_lots)

    def _arrive(self, order: Order) -> None:
        order.turn = next(self._counter)
        order.arrival = order.arrival or order.turn

    def _end(self, order: Order, reason: Reason) -> None:
        lots, order.remaining_lots = order.remaining_lots, 0
        self._tell(EventKind.CANCELLED, order, lots, 0, reason)

    # What follows an entry

    def _settle(self) -> None:
        """Try those that wait for a minimum whenever an order has come to rest, then the next triggered stop, until there is none."""
        while self.phase == BookPhase.CONTINUOUS and (self._try_waiting or self._triggered):
            if self._try_waiting:
                self._enter_waiting()
                continue
            stop = self._triggered.pop(0)
            self._take_out(stop)
            self._trigger(stop)
            self._enter(stop)
        self._try_waiting = False

    def _enter_waiting(self) -> None:
        """Let the first that now could trade its minimum enter; if there is none, all were tried."""
        for order in [*self.waiting[Side.BUY], *self.waiting[Side.SELL]]:
            if self.would_trade(order) >= order.min_lots:
                self._take_out(order)
                self._trade(order)
                self._rest_or_end(order)
                return
        self._try_waiting = False

    @staticmethod
    def _reaches(price_ticks: int, stop: Order) -> bool:
        return price_ticks >= stop.stop_ticks if stop.side == Side.BUY else price_ticks <= stop.stop_ticks

    def _queue_stops_reached_by(self, price_ticks: int) -> None:
        queued = {stop.order_id for stop in self._triggered}
        reached = [stop for side in Side for stop in self.stops[side] if self._reaches(price_ticks, stop) and stop.order_id not in queued]
        self._triggered += sorted(reached, key=lambda stop: stop.order_id)

    def _trigger(self, stop: Order) -> None:
        stop.flags &= ~EntryFlag.STOP
        stop.stop_ticks = 0
        self._tell(EventKind.TRIGGERED, stop, stop.remaining_lots, stop.remaining_lots)
