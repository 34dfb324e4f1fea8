"""Orders in their pool and in the queues of their prices.

An order is a hot half of 32 bytes and a cold one that few have (`HAS_COLD`): an iceberg's reserve, a minimum, a stop's limit, a label.
"""

from typing import NamedTuple

import numpy as np

from matching.compile import kernel
from matching.ids import DEAD, forget_id, remember_id
from matching.ladder import give_back, leave_level, level_price, next_level, occupy_level, reach_level, take
from matching.owners import append_to_log, remove_from_log
from matching.records import EntryFlag
from matching.state import FANOUT_BITS, HAS_COLD, LADDER_BITS, LADDERS, NIL, OWNER_MASK, Ladder, Pool

ALL_OR_NONE = int(EntryFlag.ALL_OR_NONE)


class OrderAt(NamedTuple):
    """An order by slot; see `order_at`."""

    order_id: int
    owner: int
    side: int
    book: int
    price_ticks: int
    remaining_lots: int


@kernel(inline=True)
def link_order(state, side_index, slot, price_ticks, remaining_lots):
    """Append an order to the tail of its price level. Modifies the state in place."""
    level_index = reach_level(state, side_index, price_ticks)
    level = state.levels[level_index]
    tail = np.int64(level.tail)
    order = state.orders[slot]
    order.next = NIL
    order.prev = tail
    order.level = level_index
    order.remaining_lots = remaining_lots
    if tail >= 0:
        state.orders[tail].next = slot
    else:
        level.head = slot
        occupy_level(state, side_index, level_index, price_ticks)
    level.tail = slot
    level.quantity_lots += remaining_lots


@kernel(inline=True)
def unlink_order(state, slot):
    """Take an order out of its level; its record stays as it is. Modifies the state in place."""
    order = state.orders[slot]
    level_index = np.int64(order.level)
    level = state.levels[level_index]
    level.quantity_lots -= np.int64(order.remaining_lots)
    if order.prev >= 0:
        state.orders[order.prev].next = order.next
    else:
        level.head = order.next
    if order.next >= 0:
        state.orders[order.next].prev = order.prev
    else:
        level.tail = order.prev
    if level.head < 0:
        leave_level(state, level_index)


@kernel(inline=True)
def new_order(state, order_id, owner):
    """A slot for an order that comes to rest for the first time, in the index and in its owner's log. There is room."""
    slot = take(state.pools[Pool.ORDERS], state.orders)
    order = state.orders[slot]
    order.order_id = order_id
    order.owner = owner
    remember_id(state, order_id, slot)
    append_to_log(state, state.pools[Pool.CHUNKS], owner, slot)
    return slot


@kernel(inline=True)
def add_order(state, side_index, order_id, owner, price_ticks, remaining_lots):
    """A new resting order without a cold half at the tail of its level; returns its slot. There is room. Modifies the state in place."""
    slot = new_order(state, order_id, owner)
    link_order(state, side_index, slot, price_ticks, remaining_lots)
    return slot


@kernel(inline=True)
def free_order(state, slot):
    """Forget an order that is not in any level. Modifies the state in place."""
    order = state.orders[slot]
    forget_id(state, np.int64(order.order_id), slot)
    remove_from_log(state, state.pools[Pool.CHUNKS], owner_of(state, slot), np.int64(order.log_at))
    order.log_at = DEAD
    give_back(state.pools[Pool.ORDERS], state.orders, slot)


@kernel(inline=True)
def end_order(state, slot):
    """Take an order of the ladder out of its level and forget it. Modifies the state in place."""
    unlink_order(state, slot)
    free_order(state, slot)


@kernel(inline=True)
def reduce_order(state, slot, quantity_lots):
    """Take less than all shown lots from a resting order; it keeps its place in the queue. Modifies the state in place."""
    order = state.orders[slot]
    order.remaining_lots -= np.uint32(quantity_lots)
    state.levels[order.level].quantity_lots -= quantity_lots


@kernel(inline=True)
def owner_of(state, slot):
    """Owner of an order."""
    return np.int64(state.orders[slot].owner) & OWNER_MASK


@kernel(inline=True)
def has_cold(state, slot):
    """Whether the cold half of an order counts."""
    return np.int64(state.orders[slot].owner) & HAS_COLD != 0


@kernel(inline=True)
def order_lots(state, slot):
    """All lots of an order, its reserve included."""
    lots = np.int64(state.orders[slot].remaining_lots)
    return lots + np.int64(state.cold[slot].reserve_lots) if has_cold(state, slot) else lots


@kernel(inline=True)
def order_side_index(state, slot):
    """Index of the ladder that an order hangs in: LADDERS * book + Ladder."""
    return np.int64(state.pages[np.int64(state.orders[slot].level) >> FANOUT_BITS].side_index)


@kernel(inline=True)
def side_of_ladder(ladder):
    """The side of the orders in a ladder: in those of stops the best is the one triggered first, so they lie the other way round."""
    return (ladder & 1) ^ (ladder >> 2)


@kernel(inline=True)
def order_price(state, slot):
    """Limit of an order: its level's price, unless it hangs by its stop price."""
    level = np.int64(state.orders[slot].level)
    if (np.int64(state.pages[level >> FANOUT_BITS].side_index) & (LADDERS - 1)) >= Ladder.SELL_STOPS:
        return np.int64(state.cold[slot].limit_ticks)
    return level_price(state, level)


@kernel
def order_at(state, slot):
    """The order in a slot. Reads only."""
    order = state.orders[slot]
    side_index = order_side_index(state, slot)
    return OrderAt(
        np.int64(order.order_id),
        owner_of(state, slot),
        side_of_ladder(side_index & (LADDERS - 1)),
        side_index >> LADDER_BITS,
        order_price(state, slot),
        order_lots(state, slot),
    )


@kernel(inline=True)
def first_in_ladder(state, side_index):
    """Slot of the first order of a ladder (best price, then priority), NIL if it is empty. Reads only."""
    level = np.int64(state.sides[side_index].best_level)
    return np.int64(state.levels[level].head) if level >= 0 else np.int64(NIL)


@kernel(internal=True)
def first_order(state, book, ladder):
    """Slot of the first order of one ladder of a book, NIL if it is empty. Reads only."""
    return first_in_ladder(state, LADDERS * book + ladder)


@kernel(inline=True)
def next_in_ladder(state, slot):
    """Slot of the order behind this one in its level, else the first of the next worse level, else NIL. Reads only."""
    order = state.orders[slot]
    if order.next >= 0:
        return np.int64(order.next)
    level = next_level(state, order_side_index(state, slot) & 1, np.int64(order.level))
    return np.int64(state.levels[level].head) if level >= 0 else np.int64(NIL)


@kernel(internal=True)
def order_after(state, slot):
    """`next_in_ladder` where it is not worth its own code."""
    return next_in_ladder(state, slot)


@kernel(inline=True)
def minimum_of(state, slot):
    """Lots that an order with a minimum trades at least, all of them for all-or-none."""
    cold = state.cold[slot]
    if cold["flags"] & ALL_OR_NONE:
        return np.int64(state.orders[slot].remaining_lots)
    return np.int64(cold.min_lots)
