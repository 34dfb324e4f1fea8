"""The long way: orders with conditions, and any order in a book with them, in a phase or with a band.

`state.scratch[0]` holds the order that enters: a copy of the entry, or an order taken from beside the ladder. The functions here are not
inlined, so they may be called from several places.
"""

import numpy as np

from matching.compile import kernel
from matching.counting import count_tradable, is_outside_band
from matching.events import write_book_event, write_entry_event, write_order_event
from matching.ids import find_slot
from matching.ladder import better, crosses, level_price
from matching.meeting import ICEBERG, MINIMUM_FLAGS, leave_ladder, meet, refresh_unusual, set_reserve
from matching.orders import (
    first_order,
    free_order,
    has_cold,
    link_order,
    minimum_of,
    new_order,
    order_after,
    order_lots,
    order_price,
    order_side_index,
    owner_of,
    reduce_order,
    side_of_ladder,
)
from matching.ordinary import is_immediate
from matching.records import BookPhase, EntryFlag, EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.state import HAS_COLD, LADDER_BITS, LADDERS, NIL, Ladder

POST_ONLY = int(EntryFlag.POST_ONLY)
REPRICE = int(EntryFlag.REPRICE)
ALL_OR_NONE = int(EntryFlag.ALL_OR_NONE)
MINIMUM = int(EntryFlag.MINIMUM)
STOP = int(EntryFlag.STOP)
WAITING_LADDERS = (int(Ladder.WAITING_BUYS), int(Ladder.WAITING_SELLS))
STOP_LADDERS = (int(Ladder.SELL_STOPS), int(Ladder.BUY_STOPS))
PRICE_MIN, PRICE_MAX = -(2**31), 2**31 - 1


@kernel(internal=True)
def fill_scratch(state, slot, book, side, price_ticks):
    """Fill the scratch entry with an order as it stands, to enter again. Modifies the state in place."""
    entry = state.scratch[0]
    entry.kind = EntryKind.PLACE
    entry.order_id = state.orders[slot].order_id
    entry.quantity_lots = order_lots(state, slot)
    entry.price_ticks = price_ticks
    entry.book = book
    entry.owner = owner_of(state, slot)
    entry.side = side
    entry.legs = 0
    if not has_cold(state, slot):
        entry.time_in_force = TimeInForce.GTC
        entry.self_trade = SelfTrade.CANCEL_NEWEST
        entry["flags"] = 0
        entry.label = 0
        entry.display_lots = 0
        entry.min_lots = 0
        entry.stop_ticks = 0
        return
    cold = state.cold[slot]
    entry.time_in_force = cold.time_in_force
    entry.self_trade = cold.self_trade
    entry["flags"] = cold["flags"]
    entry.label = cold.label
    entry.display_lots = cold.display_lots
    entry.min_lots = cold.min_lots
    entry.stop_ticks = cold.stop_ticks


@kernel(internal=True)
def load_order(state, slot):
    """Fill the scratch entry with an order that hangs in a ladder. Modifies the state in place."""
    side_index = order_side_index(state, slot)
    fill_scratch(state, slot, side_index >> LADDER_BITS, side_of_ladder(side_index & (LADDERS - 1)), order_price(state, slot))


@kernel(internal=True)
def load_triggered(state, book, slot):
    """Fill the scratch entry with a stop that has been triggered, and is none any more. Modifies the state in place."""
    cold = state.cold[slot]
    fill_scratch(state, slot, book, np.int64(cold.side), np.int64(cold.limit_ticks))
    entry = state.scratch[0]
    entry["flags"] = np.int64(entry["flags"]) & ~STOP
    entry.stop_ticks = 0


@kernel(internal=True)
def keep_cold(state, slot, entry, kept_flags):
    """Write the cold half of an order from the entry, or mark that it has none. Modifies the state in place."""
    order = state.orders[slot]
    if kept_flags == 0 and entry.label == 0:
        order.owner = entry.owner
        return
    order.owner = np.int64(entry.owner) | HAS_COLD
    cold = state.cold[slot]
    cold.reserve_lots = 0
    cold.display_lots = entry.display_lots if kept_flags & ICEBERG != 0 else 0
    cold.min_lots = entry.min_lots if kept_flags & MINIMUM != 0 else 0
    cold.label = entry.label
    cold.limit_ticks = entry.price_ticks
    cold.stop_ticks = entry.stop_ticks
    cold.side = entry.side
    cold["flags"] = kept_flags
    beside = kept_flags & (MINIMUM_FLAGS | STOP) != 0
    cold.time_in_force = entry.time_in_force if beside else 0
    cold.self_trade = entry.self_trade if beside else 0


@kernel(internal=True)
def rest(state, events, n_events, slot, remaining_lots):
    """The entering order comes to rest in the ladder, an iceberg with its peak. Returns (n_events, slot)."""
    entry = state.scratch[0]
    if slot < 0:
        slot = new_order(state, np.int64(entry.order_id), entry.owner)
    kept = np.int64(entry["flags"]) & ICEBERG
    keep_cold(state, slot, entry, kept)
    shown = remaining_lots
    if kept != 0:
        shown = min(remaining_lots, np.int64(entry.display_lots))
        set_reserve(state, slot, remaining_lots - shown)
    link_order(state, LADDERS * np.int64(entry.book) + np.int64(entry.side), slot, np.int64(entry.price_ticks), shown)
    n_events = write_entry_event(events, n_events, EventKind.RESTED, entry, slot, shown, remaining_lots, np.int64(Reason.NONE))
    return n_events, slot


@kernel(internal=True)
def wait_for_minimum(state, events, n_events, slot):
    """The entering order waits beside the ladder, by price and time. Returns (n_events, slot)."""
    entry = state.scratch[0]
    book = np.int64(entry.book)
    lots = np.int64(entry.quantity_lots)
    if slot < 0:
        slot = new_order(state, np.int64(entry.order_id), entry.owner)
    keep_cold(state, slot, entry, np.int64(entry["flags"]) & MINIMUM_FLAGS)
    link_order(state, LADDERS * book + Ladder.WAITING_BUYS + np.int64(entry.side), slot, np.int64(entry.price_ticks), lots)
    state.books[book].waiting += 1
    refresh_unusual(state.books, state.sides, book)
    return write_entry_event(events, n_events, EventKind.WAITING, entry, slot, lots, lots, np.int64(Reason.NONE)), slot


@kernel(internal=True)
def link_stop(state, slot, stop_ticks):
    """Hang the order in the scratch entry by its stop price, by id in one price. Modifies the state in place."""
    entry = state.scratch[0]
    book = np.int64(entry.book)
    link_order(state, LADDERS * book + Ladder.BUY_STOPS - np.int64(entry.side), slot, stop_ticks, np.int64(entry.quantity_lots))
    order = state.orders[slot]
    before = np.int64(order.prev)
    while before >= 0 and state.orders[before].order_id > order.order_id:
        before = np.int64(state.orders[before].prev)
    if before != order.prev:
        level = state.levels[order.level]
        level.tail = order.prev
        state.orders[order.prev].next = NIL
        after = np.int64(level.head) if before < 0 else np.int64(state.orders[before].next)
        order.prev = before
        order.next = after
        state.orders[after].prev = slot
        if before < 0:
            level.head = slot
        else:
            state.orders[before].next = slot
    state.books[book].stops += 1
    refresh_unusual(state.books, state.sides, book)


@kernel(internal=True)
def wait_for_stop(state, events, n_events, slot):
    """The entering order waits for its stop price. Returns (n_events, slot)."""
    entry = state.scratch[0]
    lots = np.int64(entry.quantity_lots)
    if slot < 0:
        slot = new_order(state, np.int64(entry.order_id), entry.owner)
    keep_cold(state, slot, entry, np.int64(entry["flags"]))
    link_stop(state, slot, np.int64(entry.stop_ticks))
    return write_entry_event(events, n_events, EventKind.WAITING, entry, slot, lots, lots, np.int64(Reason.NONE)), slot


@kernel(internal=True)
def end_entering(state, events, n_events, slot, lots, reason):
    """The entering order ends: CANCELLED, if a reason is given, and its slot goes back. Returns (n_events, reason, 0, -1)."""
    if reason != Reason.NONE:
        n_events = write_entry_event(events, n_events, EventKind.CANCELLED, state.scratch[0], slot, lots, np.int64(0), reason)
    if slot >= 0:
        free_order(state, slot)
    return n_events, reason, np.int64(0), np.int64(NIL)


@kernel(internal=True)
def set_phase_of(state, events, n_events, book, phase, reason):
    """Move a book to a phase: PHASE_CHANGED. Returns the new count of events."""
    state.books[book].phase = phase
    refresh_unusual(state.books, state.sides, book)
    return write_book_event(events, n_events, EventKind.PHASE_CHANGED, book, phase, np.int64(0), reason)


@kernel(internal=True)
def match_any(state, events, n_events, slot):
    """Trade the entering order against the ladder and what waits, by price and the ladder first.

    A trade outside the band moves the book to AUCTION instead. Returns (n_events, lots left, reason if the order ends here).
    """
    entry = state.scratch[0]
    book = np.int64(entry.book)
    side = np.int64(entry.side)
    other = state.sides[LADDERS * book + (side ^ 1)]
    remaining = np.int64(entry.quantity_lots)
    reason = np.int64(Reason.NONE)
    waiting = first_order(state, book, Ladder.WAITING_BUYS + (side ^ 1)) if state.books[book].waiting > 0 else np.int64(NIL)
    while remaining > 0 and reason == Reason.NONE:
        has_level = other.best_level >= 0 and crosses(side, entry.price_ticks, np.int64(other.best_ticks))
        while waiting >= 0 and minimum_of(state, waiting) > remaining:
            waiting = order_after(state, waiting)
        maker_slot = np.int64(NIL)
        price_ticks = np.int64(0)
        if waiting >= 0:
            price_ticks = level_price(state, np.int64(state.orders[waiting].level))
            if crosses(side, entry.price_ticks, price_ticks) and (not has_level or better(side ^ 1, price_ticks, np.int64(other.best_ticks))):
                maker_slot = waiting
        if maker_slot < 0:
            if not has_level:
                break
            maker_slot = np.int64(state.levels[other.best_level].head)
            price_ticks = np.int64(other.best_ticks)
        trades = entry.self_trade == SelfTrade.ALLOW or owner_of(state, maker_slot) != entry.owner
        if trades and is_outside_band(state, book, price_ticks):
            n_events = set_phase_of(state, events, n_events, book, np.int64(BookPhase.AUCTION), np.int64(Reason.VOLATILITY))
            break
        if maker_slot == waiting:
            waiting = order_after(state, waiting)
        n_events, remaining, reason = meet(state, events, n_events, entry, slot, maker_slot, price_ticks, remaining)
    return n_events, remaining, reason


@kernel(internal=True)
def would_cross(state, entry):
    """Whether an entry crosses anything that rests in the ladder."""
    other = state.sides[LADDERS * np.int64(entry.book) + (np.int64(entry.side) ^ 1)]
    return other.best_level >= 0 and crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks))


@kernel(internal=True)
def price_behind(state):
    """Whether a post-only order in the scratch entry may rest; with REPRICE its price is moved behind the other side. Modifies the entry."""
    entry = state.scratch[0]
    if not would_cross(state, entry):
        return True
    other = state.sides[LADDERS * np.int64(entry.book) + (np.int64(entry.side) ^ 1)]
    behind = np.int64(other.best_ticks) - 1 if entry.side == Side.BUY else np.int64(other.best_ticks) + 1
    if entry["flags"] & REPRICE == 0 or behind < PRICE_MIN or behind > PRICE_MAX:
        return False
    entry.price_ticks = behind
    return True


@kernel(internal=True)
def required_lots(entry):
    """Lots that an entry has to trade at once to trade at all; 0: none."""
    if entry.time_in_force == TimeInForce.FOK or entry["flags"] & ALL_OR_NONE != 0:
        return np.int64(entry.quantity_lots)
    return np.int64(entry.min_lots) if entry["flags"] & MINIMUM != 0 else np.int64(0)


@kernel(internal=True)
def enter_any(state, events, n_events, slot):
    """The order in the scratch entry enters: matches, rests, waits or ends. `slot`: its own, NIL for a new one.

    Returns (n_events, reason of its end or NONE, lots that rest or wait, slot or -1).
    """
    entry = state.scratch[0]
    lots = np.int64(entry.quantity_lots)
    if state.books[entry.book].phase != BookPhase.CONTINUOUS:
        if entry["flags"] & MINIMUM_FLAGS != 0:
            n_events, slot = wait_for_minimum(state, events, n_events, slot)
        else:
            n_events, slot = rest(state, events, n_events, slot, lots)
        return n_events, np.int64(Reason.NONE), lots, slot
    if entry["flags"] & POST_ONLY != 0:
        if not price_behind(state):
            return end_entering(state, events, n_events, slot, lots, np.int64(Reason.POST_ONLY_WOULD_CROSS))
        n_events, slot = rest(state, events, n_events, slot, lots)
        return n_events, np.int64(Reason.NONE), lots, slot
    required = required_lots(entry)
    if required > 0 and count_tradable(state, entry, np.int64(entry.self_trade)) < required:
        if entry.time_in_force == TimeInForce.FOK:
            return end_entering(state, events, n_events, slot, lots, np.int64(Reason.FILL_OR_KILL_UNFILLABLE))
        if entry.time_in_force == TimeInForce.IOC:
            return end_entering(state, events, n_events, slot, lots, np.int64(Reason.MINIMUM_UNFILLABLE))
        n_events, slot = wait_for_minimum(state, events, n_events, slot)
        return n_events, np.int64(Reason.NONE), lots, slot
    n_events, remaining, reason = match_any(state, events, n_events, slot)
    if remaining == 0 or reason != Reason.NONE:
        return end_entering(state, events, n_events, slot, remaining, reason)
    if is_immediate(entry.time_in_force):
        return end_entering(state, events, n_events, slot, remaining, np.int64(Reason.IMMEDIATE_REMAINDER))
    n_events, slot = rest(state, events, n_events, slot, remaining)
    return n_events, np.int64(Reason.NONE), remaining, slot


@kernel(internal=True)
def enter(state, events, n_events, slot):
    """`enter_any`, and then what is left of an order that it released from its minimum, and so on. Returns as `enter_any`."""
    book = np.int64(state.scratch[0].book)
    n_events, reason, lots, slot = enter_any(state, events, n_events, slot)
    while state.core[0].released >= 0:
        released = state.core[0].released
        state.core[0].released = NIL
        cold = state.cold[released]
        fill_scratch(state, released, book, np.int64(cold.side), np.int64(cold.limit_ticks))
        n_events, _, _, _ = enter_any(state, events, n_events, released)
    return n_events, reason, lots, slot


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


@kernel(internal=True)
def place_any(state, events, n_events, entry):
    """A new order on the long way, with all that it sets off. Returns (n_events, reason, lots that rest or wait, slot) of the order's own entry."""
    begin = n_events
    state.scratch[0] = entry
    book = np.int64(entry.book)
    if entry["flags"] & STOP != 0:
        own = state.scratch[0]
        if state.books[book].phase != BookPhase.CONTINUOUS or not is_reached(state.books[book], entry.side, entry.stop_ticks):
            n_events, slot = wait_for_stop(state, events, n_events, np.int64(NIL))
            return n_events, np.int64(Reason.NONE), np.int64(entry.quantity_lots), slot
        own["flags"] = np.int64(own["flags"]) & ~STOP
        own.stop_ticks = 0
        n_events = write_triggered(events, n_events, own, np.int64(NIL))
    n_events, reason, lots, slot = enter(state, events, n_events, np.int64(NIL))
    n_events = follow_up(state, events, n_events, book, begin, 0, 0)
    return n_events, reason, lots, slot


@kernel(internal=True)
def amend_any(state, events, n_events, entry):
    """A resting or waiting order gets a new price and quantity, with all that sets off. The order is there. Returns as `place_any`."""
    begin = n_events
    slot = find_slot(state, np.int64(entry.order_id))
    load_order(state, slot)
    own = state.scratch[0]
    book = np.int64(own.book)
    old_lots = np.int64(own.quantity_lots)
    lots = np.int64(entry.quantity_lots)
    beside = own["flags"] & (MINIMUM_FLAGS | STOP) != 0
    if entry.price_ticks == own.price_ticks and lots <= old_lots:
        n_events = write_order_event(state, events, n_events, EventKind.REDUCED, slot, old_lots - lots, lots, np.int64(Reason.AMENDED))
        reduce_any(state, slot, old_lots - lots)
        if beside:
            state.cold[slot].self_trade = entry.self_trade
        return n_events, np.int64(Reason.NONE), lots, slot
    n_events = write_order_event(state, events, n_events, EventKind.REPRICED, slot, old_lots, np.int64(0), np.int64(Reason.AMENDED))
    if has_cold(state, slot):
        set_reserve(state, slot, np.int64(0))
    leave_ladder(state, slot)
    own.price_ticks = entry.price_ticks
    own.quantity_lots = entry.quantity_lots
    own.self_trade = entry.self_trade
    own.min_lots = min(np.int64(own.min_lots), lots)
    if own["flags"] & STOP != 0:
        n_events, slot = wait_for_stop(state, events, n_events, slot)
        return n_events, np.int64(Reason.NONE), lots, slot
    own["flags"] = np.int64(own["flags"]) | np.int64(entry["flags"])
    n_events, reason, lots, slot = enter(state, events, n_events, slot)
    n_events = follow_up(state, events, n_events, book, begin, 0, 0)
    return n_events, reason, lots, slot


@kernel(internal=True)
def reduce_any(state, slot, lots):
    """Take less than all lots from any order, from an iceberg's reserve first. Modifies the state in place."""
    if has_cold(state, slot):
        cold = state.cold[slot]
        from_reserve = min(lots, np.int64(cold.reserve_lots))
        set_reserve(state, slot, np.int64(cold.reserve_lots) - from_reserve)
        lots -= from_reserve
        cold.min_lots = min(np.int64(cold.min_lots), np.int64(state.orders[slot].remaining_lots) - lots)
    if lots > 0:
        reduce_order(state, slot, lots)


@kernel(internal=True)
def change_phase(state, events, n_events, book, phase):
    """SET_PHASE that is not refused, with what a return to CONTINUOUS sets off. Returns the new count of events."""
    n_events = set_phase_of(state, events, n_events, book, phase, np.int64(Reason.NONE))
    if phase != BookPhase.CONTINUOUS:
        return n_events
    begin = n_events
    tail = queue_reached(state, book, np.int64(state.books[book].last_ticks), 0) if state.books[book].has_traded else np.int64(0)
    n_events = try_waiting(state, events, n_events, book)
    return follow_up(state, events, n_events, book, begin, 0, tail)


@kernel(internal=True)
def set_band(state, entry):
    """SET_BAND. Modifies the state in place."""
    book = np.int64(entry.book)
    record = state.books[book]
    record.has_band = 1 if entry.price_ticks <= entry.stop_ticks else 0
    record.band_low_ticks = entry.price_ticks if record.has_band else 0
    record.band_high_ticks = entry.stop_ticks if record.has_band else 0
    refresh_unusual(state.books, state.sides, book)
