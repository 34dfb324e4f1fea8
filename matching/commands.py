"""The ways into a book, for callers with a loop of their own: each takes the short way where it may and the long one elsewhere.

Every function takes (state, events, n_events, ...), modifies the state in place, writes EVENT records from `events[n_events]` on and
returns the new count first. None checks for room or refuses: ask `room` and `refusals` before. Preconditions that the caller has to keep:
the book is open, quantities are 1 to QUANTITY_LOTS_MAX, owners are not negative, ids are new. Every lot of an entry leaves through exactly
one event (fill, cancel, reduce) or rests.
"""

import numpy as np

from matching.compile import kernel
from matching.events import write_order_event
from matching.ids import find_slot
from matching.ladder import level_price
from matching.long_way import amend_any, place_any, reduce_any
from matching.meeting import withdraw_all
from matching.orders import end_order, has_cold, order_lots, order_side_index, reduce_order, side_of_ladder, unlink_order
from matching.ordinary import enter_ordinary, is_ordinary
from matching.owners import compact_log, entry_bit
from matching.records import EntryFlag, EventKind, MassCancel, Reason
from matching.state import CHUNK_BITS, HAS_COLD, LADDER_BITS, LADDERS, NIL, Pool

BY_BOOK = int(MassCancel.BY_BOOK)
BY_SIDE = int(MassCancel.BY_SIDE)
BY_LABEL = int(MassCancel.BY_LABEL)


@kernel(inline=True)
def place_order(state, events, n_events, entry):
    """A new order (ENTRY). Returns (n_events, reason of its end or NONE, lots that rest or wait, slot or -1); what it sets off in its book
    is among the events.
    """
    if is_ordinary(state, entry):
        return enter_ordinary(state, events, n_events, entry, np.int64(NIL))
    return place_any(state, events, n_events, entry)


@kernel(inline=True)
def amend_ordinary(state, events, n_events, entry, slot):
    """A new price and remaining quantity for an ordinary order in a book without conditions; the entry's other fields are the order's own."""
    order = state.orders[slot]
    old_lots = np.int64(order.remaining_lots)
    new_lots = np.int64(entry.quantity_lots)
    amended = np.int64(Reason.AMENDED)
    if entry.price_ticks == level_price(state, np.int64(order.level)) and new_lots <= old_lots:
        n_events = write_order_event(state, events, n_events, EventKind.REDUCED, slot, old_lots - new_lots, new_lots, amended)
        reduce_order(state, slot, old_lots - new_lots)
        return n_events, np.int64(Reason.NONE), new_lots, slot
    n_events = write_order_event(state, events, n_events, EventKind.REPRICED, slot, old_lots, np.int64(0), amended)
    unlink_order(state, slot)
    return enter_ordinary(state, events, n_events, entry, slot)


@kernel(inline=True)
def amend_order(state, events, n_events, entry):
    """A new price and remaining quantity for an order that is there. Returns as `place_order`.

    The book, owner and side of the entry are the order's own, its label 0.
    """
    slot = find_slot(state, np.int64(entry.order_id))
    order = state.orders[slot]
    side_index = order_side_index(state, slot)
    if order.owner >= HAS_COLD or state.sides[side_index].unusual != 0 or entry["flags"] != EntryFlag.NONE:
        return amend_any(state, events, n_events, entry)
    return amend_ordinary(state, events, n_events, entry, slot)


@kernel(internal=True)
def cut_order(state, events, n_events, slot, lots, reason):
    """Take less than all lots from the order in a slot, which keeps its place: one REDUCED. Returns the new count of events."""
    n_events = write_order_event(state, events, n_events, EventKind.REDUCED, slot, lots, order_lots(state, slot) - lots, reason)
    reduce_any(state, slot, lots)
    return n_events


@kernel(inline=True)
def withdraw_order(state, events, n_events, slot, reason):
    """End the order in a slot: one CANCELLED. Returns the new count of events."""
    if state.orders[slot].owner >= HAS_COLD:
        return withdraw_all(state, events, n_events, slot, reason)
    lots = np.int64(state.orders[slot].remaining_lots)
    n_events = write_order_event(state, events, n_events, EventKind.CANCELLED, slot, lots, np.int64(0), reason)
    end_order(state, slot)
    return n_events


@kernel(inline=True)
def cancel_order(state, events, n_events, order_id, reason):
    """End an order: one CANCELLED event. An unknown id changes nothing. Returns the new count of events."""
    slot = find_slot(state, order_id)
    if slot >= 0:
        n_events = withdraw_order(state, events, n_events, slot, reason)
    return n_events


@kernel(internal=True)
def fits(state, slot, filters, book, side, label):
    """Whether an order is meant by a mass cancel."""
    side_index = order_side_index(state, slot)
    if filters & BY_BOOK != 0 and side_index >> LADDER_BITS != book:
        return False
    if filters & BY_SIDE != 0 and side_of_ladder(side_index & (LADDERS - 1)) != side:
        return False
    own_label = np.int64(state.cold[slot].label) if has_cold(state, slot) else np.int64(0)
    return filters & BY_LABEL == 0 or own_label == label


@kernel
def mass_cancel(state, events, n_events, owner, filters, book, side, label, reason):
    """End the orders of an owner that fit (`filters`: MassCancel), in the order of the owner's log. Costs the owner's orders.

    Room for `owners.count_owner_entries` events is enough. Returns the new count of events.
    """
    if owner >= state.owners.shape[0]:
        return n_events
    record = state.owners[owner]
    chunk = np.int64(record.oldest)
    while chunk >= 0:
        # Read first: a chunk goes back with its last order.
        live = np.uint32(state.chunks[chunk].live)
        following = np.int64(state.chunks[chunk].next)
        for at in range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS):
            if live & entry_bit(at) != 0:
                slot = np.int64(state.chunk_slots[at])
                if fits(state, slot, filters, book, side, label):
                    n_events = withdraw_all(state, events, n_events, slot, reason)
        chunk = following
    compact_log(state.pools[Pool.CHUNKS], record, state.chunks, state.chunk_slots, state.orders)
    return n_events
