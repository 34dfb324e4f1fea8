"""Looking into the books: orders in canonical order, depth, an owner's orders, queue positions. All functions read only."""

from typing import NamedTuple

import numpy as np

from matching.compile import kernel
from matching.ladder import level_price, next_level
from matching.orders import first_order, has_cold, minimum_of, next_in_ladder, order_lots, order_price, order_side_index, owner_of, side_of_ladder
from matching.owners import is_live
from matching.records import EntryFlag
from matching.state import CHUNK_BITS, LADDER_BITS, LADDERS, Ladder

STOP = int(EntryFlag.STOP)
# The ladders in the order of a dump.
CANONICAL = (Ladder.BIDS, Ladder.ASKS, Ladder.WAITING_BUYS, Ladder.WAITING_SELLS, Ladder.BUY_STOPS, Ladder.SELL_STOPS)


class QueuePosition(NamedTuple):
    """What stands before an order at its price in the ladder, as shown; both -1 for an order that is not in it."""

    orders_ahead: int
    lots_ahead: int


@kernel
def count_ladder_orders(state, book, ladder):
    """Orders in one ladder of a book. Costs its orders."""
    n = 0
    slot = first_order(state, book, ladder)
    while slot >= 0:
        n += 1
        slot = next_in_ladder(state, slot)
    return n


@kernel(internal=True)
def view_order(state, slot, view):
    """Fill an ORDER_VIEW with the order in a slot."""
    order = state.orders[slot]
    ladder = order_side_index(state, slot) & (LADDERS - 1)
    view.order_id = order.order_id
    view.remaining_lots = order_lots(state, slot)
    view.shown_lots = order.remaining_lots if ladder < Ladder.WAITING_BUYS else 0
    view.owner = owner_of(state, slot)
    view.price_ticks = order_price(state, slot)
    view.slot = slot
    view.side = side_of_ladder(ladder)
    if has_cold(state, slot):
        cold = state.cold[slot]
        view.display_lots = cold.display_lots
        view.min_lots = minimum_of(state, slot)
        view.label = cold.label
        view["flags"] = cold["flags"]
        view.time_in_force = cold.time_in_force
        view.self_trade = cold.self_trade
        view.stop_ticks = level_price(state, np.int64(order.level)) if cold["flags"] & STOP != 0 else 0


@kernel
def dump_ladder(state, book, ladder, views, n):
    """Write the orders of one ladder, best price first, by priority, to `views` (zeroed ORDER_VIEW with room) from `n` on. Returns the new count."""
    slot = first_order(state, book, ladder)
    while slot >= 0:
        view_order(state, slot, views[n])
        n += 1
        slot = next_in_ladder(state, slot)
    return n


@kernel
def dump_levels(state, book, side, views):
    """Write the best levels of one side of the ladder to `views` (LEVEL_VIEW) until it is full. Returns how many were written."""
    level = np.int64(state.sides[LADDERS * book + side].best_level)
    n = 0
    while level >= 0 and n < views.shape[0]:
        view = views[n]
        view.quantity_lots = state.levels[level].quantity_lots
        view.price_ticks = level_price(state, level)
        view.orders = 0
        slot = np.int64(state.levels[level].head)
        while slot >= 0:
            view.orders += 1
            slot = np.int64(state.orders[slot].next)
        n += 1
        level = next_level(state, side, level)
    return n


@kernel
def owner_orders(state, owner, book, slots):
    """Write the slots of an owner's orders in the order of the log, of one book or (book < 0) of all. Returns how many there are, also when
    `slots` (integer array, modified in place) was too short for all of them: then only the first are written.
    """
    if owner >= state.owners.shape[0]:
        return 0
    record = state.owners[owner]
    chunk = np.int64(record.oldest)
    n = 0
    while chunk >= 0:
        for at in range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS):
            if is_live(state.chunks, at):
                slot = np.int64(state.chunk_slots[at])
                if book < 0 or order_side_index(state, slot) >> LADDER_BITS == book:
                    if n < slots.shape[0]:
                        slots[n] = slot
                    n += 1
        chunk = np.int64(state.chunks[chunk].next)
    return n


@kernel
def queue_position(state, slot):
    """What stands before an order (QueuePosition). Costs the orders before it."""
    if order_side_index(state, slot) & (LADDERS - 1) >= Ladder.WAITING_BUYS:
        return QueuePosition(np.int64(-1), np.int64(-1))
    orders = np.int64(0)
    lots = np.int64(0)
    before = np.int64(state.orders[slot].prev)
    while before >= 0:
        orders += 1
        lots += np.int64(state.orders[before].remaining_lots)
        before = np.int64(state.orders[before].prev)
    return QueuePosition(orders, lots)
