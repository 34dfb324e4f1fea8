"""Entries on the long way, each with all that it sets off: a new order, an amend, a phase, a band."""

import numpy as np

from matching.compile import kernel
from matching.entering import enter, set_phase_of, wait_for_stop
from matching.events import write_order_event
from matching.follow_up import follow_up, is_reached, queue_reached, try_waiting, write_triggered
from matching.ids import find_slot
from matching.meeting import MINIMUM_FLAGS, leave_ladder, refresh_unusual, set_reserve
from matching.orders import has_cold, reduce_order
from matching.records import BookPhase, EventKind, Reason
from matching.scratch import STOP, load_order
from matching.state import NIL


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
