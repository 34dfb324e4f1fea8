"""The long way in: an order with conditions, or any order in a book with them, in a phase or with a band.

`state.scratch[0]` holds the order that enters (scratch.py). The functions here are not inlined, so they may be called from several places.
"""

import numpy as np

from matching.compile import kernel
from matching.counting import count_tradable, is_outside_band
from matching.events import write_book_event, write_entry_event
from matching.ladder import better, crosses, level_price
from matching.meeting import ICEBERG, MINIMUM_FLAGS, meet, refresh_unusual, set_reserve
from matching.orders import first_order, free_order, link_order, minimum_of, new_order, order_after, owner_of
from matching.ordinary import is_immediate
from matching.records import BookPhase, EntryFlag, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.scratch import MINIMUM, fill_scratch, keep_cold
from matching.state import LADDERS, NIL, Ladder

POST_ONLY = int(EntryFlag.POST_ONLY)
REPRICE = int(EntryFlag.REPRICE)
ALL_OR_NONE = int(EntryFlag.ALL_OR_NONE)
PRICE_MIN, PRICE_MAX = -(2**31), 2**31 - 1


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
