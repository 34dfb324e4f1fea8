"""What an entry sets off in its book: orders whose minimum is there now, and stops that a trade has reached (docs/matching.md)."""

import numpy as np

from matching.compile import kernel
from matching.counting import count_tradable
from matching.entering import enter, link_stop, required_lots
from matching.events import write_entry_event
from matching.meeting import leave_ladder
from matching.orders import first_order, order_after
from matching.records import BookPhase, EventKind, Reason, Side
from matching.scratch import fill_scratch, load_order, load_triggered
from matching.state import LADDERS, NIL, Ladder

WAITING_LADDERS = (int(Ladder.WAITING_BUYS), int(Ladder.WAITING_SELLS))
STOP_LADDERS = (int(Ladder.SELL_STOPS), int(Ladder.BUY_STOPS))


@kernel(internal=True)
def find_ready(state, book):
    """Slot of the first waiting order that could trade its minimum now, left in the scratch entry; NIL if none could."""
    for ladder in WAITING_LADDERS:
        slot = first_order(state, book, ladder)
        while slot >= 0:
            load_order(state, slot)
            entry = state.scratch[0]
            if count_tradable(state, entry, np.int64(entry.self_trade)) >= required_lots(entry):
                return slot
            slot = order_after(state, slot)
    return np.int64(NIL)


@kernel(internal=True)
def try_waiting(state, events, n_events, book):
    """Let orders that wait for their minimum enter until none can. Returns the new count of events."""
    while state.books[book].phase == BookPhase.CONTINUOUS and state.books[book].waiting > 0:
        slot = find_ready(state, book)
        if slot < 0:
            break
        leave_ladder(state, slot)
        n_events, _, _, _ = enter(state, events, n_events, slot)
    return n_events


@kernel(internal=True)
def queue_reached(state, book, price_ticks, tail):
    """Move the stops that a trade at a price reaches to the queue, by id; they keep their slots. Returns the new end of the queue."""
    begin = tail
    for ladder in STOP_LADDERS:
        stops = state.sides[LADDERS * book + ladder]
        while stops.best_level >= 0 and (
            price_ticks <= stops.best_ticks if ladder == Ladder.SELL_STOPS else price_ticks >= stops.best_ticks
        ):
            slot = np.int64(state.levels[stops.best_level].head)
            leave_ladder(state, slot)
            order_id = state.orders[slot].order_id
            at = tail
            while at > begin and state.orders[state.queue[at - 1]].order_id > order_id:
                state.queue[at] = state.queue[at - 1]
                at -= 1
            state.queue[at] = slot
            tail += 1
    return tail


@kernel(internal=True)
def follow_up(state, events, n_events, book, scanned, head, tail):
    """What an entry sets off in its book: waiting orders when one has come to rest, then stops, and so on until nothing is left.

    `scanned`: first event that has not been looked at; state.queue[head:tail] are stops already triggered. Returns the new count of events.
    """
    while True:
        rested = False
        for i in range(scanned, n_events):
            rested = rested or events[i].kind == EventKind.RESTED
        if rested and state.books[book].waiting > 0:
            n_events = try_waiting(state, events, n_events, book)
        if state.books[book].stops > 0:
            for i in range(scanned, n_events):
                if events[i].kind == EventKind.FILLED:
                    tail = queue_reached(state, book, np.int64(events[i].price_ticks), tail)
        scanned = n_events
        if head == tail:
            return n_events
        if state.books[book].phase != BookPhase.CONTINUOUS:
            for at in range(head, tail):
                slot = state.queue[at]
                cold = state.cold[slot]
                fill_scratch(state, slot, book, np.int64(cold.side), np.int64(cold.limit_ticks))
                link_stop(state, slot, np.int64(cold.stop_ticks))
            return n_events
        slot = state.queue[head]
        head += 1
        load_triggered(state, book, slot)
        n_events = write_triggered(events, n_events, state.scratch[0], slot)
        n_events, _, _, _ = enter(state, events, n_events, slot)


@kernel(internal=True)
def write_triggered(events, n_events, entry, slot):
    """A stop enters now. Returns the new count of events."""
    lots = np.int64(entry.quantity_lots)
    return write_entry_event(events, n_events, EventKind.TRIGGERED, entry, slot, lots, lots, np.int64(Reason.NONE))


@kernel(internal=True)
def is_reached(record, side, stop_ticks):
    """Whether the last trade of a book has reached a stop price."""
    if record.has_traded == 0:
        return False
    return record.last_ticks >= stop_ticks if side == Side.BUY else record.last_ticks <= stop_ticks
