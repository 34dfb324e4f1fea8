"""Putting books back from a snapshot: orders as they were seen, without matching."""

import numpy as np

from matching.compile import kernel
from matching.entering import link_stop
from matching.meeting import ICEBERG, MINIMUM_FLAGS, refresh_unusual, set_reserve
from matching.orders import link_order, new_order
from matching.owners import sort_last_in_log
from matching.records import EntryFlag, EntryKind, Need
from matching.room import id_needs, pool_needs
from matching.scratch import keep_cold
from matching.state import LADDERS, NIL, Ladder

STOP = int(EntryFlag.STOP)


@kernel
def restore_order(state, book, view):
    """Hang an order (ORDER_VIEW) in its ladder of a book, at the end of its price; dense ids come in any sequence.

    Returns (slot, Need, at_least): without room nothing was changed. Modifies the state in place.
    """
    entry = state.scratch[0]
    entry.kind = EntryKind.PLACE
    entry.order_id = view.order_id
    entry.quantity_lots = view.remaining_lots
    entry.price_ticks = view.price_ticks
    entry.book = book
    entry.owner = view.owner
    entry.side = view.side
    entry.time_in_force = view.time_in_force
    entry.self_trade = view.self_trade
    entry["flags"] = view["flags"]
    entry.label = view.label
    entry.display_lots = view.display_lots
    entry.min_lots = view.min_lots
    entry.stop_ticks = view.stop_ticks
    need, at_least = pool_needs(state, np.int64(1))
    if need == Need.NOTHING:
        need, at_least = id_needs(state, entry)
    if need != Need.NOTHING:
        return np.int64(NIL), need, at_least
    flags = np.int64(view["flags"])
    slot = new_order(state, np.int64(view.order_id), view.owner)
    keep_cold(state, slot, entry, flags)
    if state.core[0].hash_shift == 0:
        sort_last_in_log(state.owners[view.owner], state.chunks, state.chunk_slots, state.orders)
        state.core[0].last_order_id = max(state.core[0].last_order_id, view.order_id)
    base = LADDERS * np.int64(book)
    if flags & STOP != 0:
        link_stop(state, slot, np.int64(view.stop_ticks))
    elif flags & MINIMUM_FLAGS != 0:
        link_order(state, base + Ladder.WAITING_BUYS + np.int64(view.side), slot, view.price_ticks, np.int64(view.remaining_lots))
        state.books[book].waiting += 1
        refresh_unusual(state.books, state.sides, book)
    else:
        if flags & ICEBERG != 0:
            set_reserve(state, slot, np.int64(view.remaining_lots) - np.int64(view.shown_lots))
        link_order(state, base + np.int64(view.side), slot, view.price_ticks, np.int64(view.shown_lots))
    return slot, np.int64(Need.NOTHING), np.int64(0)


@kernel
def refresh(state, book, phase):
    """Set the phase of a book and say in its ladders what follows from its record. Modifies the state in place."""
    state.books[book].phase = phase
    refresh_unusual(state.books, state.sides, book)
