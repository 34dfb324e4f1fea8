"""Orders in their pool: the queue of a level, the id index, and the log of each owner's orders.

An order's slot is found by its id through pages of 4,096 ids; a page goes back when its last order ends. An owner's log holds, in
ascending order, the ids of his orders that ever rested; ended ones stay until the log has grown eightfold, then it is compacted. So the
hot path writes one place in sequence and an end writes none, and a mass cancel costs the owner's orders.
"""

from typing import NamedTuple

import numpy as np

from matching.compile import kernel
from matching.ladder import give_back, leave_level, level_price, next_level, occupy_level, reach_level, take
from matching.state import CHUNK, FANOUT_BITS, ID_PAGE, ID_PAGE_BITS, NIL, Pool


class OrderAt(NamedTuple):
    """A resting order by slot; see `order_at`."""

    order_id: int
    owner: int
    side: int
    book: int
    price_ticks: int
    remaining_lots: int


@kernel(inline=True)
def find_slot(state, order_id):
    """Slot of a resting order, NIL for any other id. Reads only."""
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    if index < 0 or index >= state.id_directory.shape[0]:
        return np.int64(NIL)
    page = np.int64(state.id_directory[index])
    if page < 0:
        return np.int64(NIL)
    return np.int64(state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))])


@kernel
def look_up(state, order_id):
    """`find_slot` for callers in Python."""
    return find_slot(state, order_id)


@kernel(inline=True)
def remember_id(state, order_id, slot):
    """Enter an id into the index; there is room for it. Modifies the state in place."""
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    page = np.int64(state.id_directory[index])
    if page < 0:
        page = take(state.pools[Pool.ID_PAGES], state.id_pages)
        state.id_directory[index] = page
    state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))] = slot
    state.id_pages[page].live += 1


@kernel(inline=True)
def forget_id(state, order_id):
    """Remove an id that is in the index; its page goes back with the last one. Modifies the state in place."""
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    page = np.int64(state.id_directory[index])
    state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))] = NIL
    state.id_pages[page].live -= 1
    if state.id_pages[page].live == 0:
        state.id_directory[index] = NIL
        give_back(state.pools[Pool.ID_PAGES], state.id_pages, page)


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
    state.sides[side_index].orders += 1


@kernel(inline=True)
def unlink_order(state, slot):
    """Take an order out of its level; its record stays as it is. Modifies the state in place."""
    order = state.orders[slot]
    level_index = np.int64(order.level)
    level = state.levels[level_index]
    level.quantity_lots -= order.remaining_lots
    state.sides[state.pages[level_index >> FANOUT_BITS].side_index].orders -= 1
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
def add_order(state, side_index, order_id, owner, price_ticks, remaining_lots):
    """A new resting order at the tail of its level; returns its slot. There is room. Modifies the state in place."""
    slot = take(state.pools[Pool.ORDERS], state.orders)
    order = state.orders[slot]
    order.order_id = order_id
    order.owner = owner
    link_order(state, side_index, slot, price_ticks, remaining_lots)
    remember_id(state, order_id, slot)
    append_to_log(state, owner, order_id)
    return slot


@kernel(inline=True)
def free_order(state, slot):
    """Forget an order that is not in any level. Modifies the state in place."""
    forget_id(state, np.int64(state.orders[slot].order_id))
    give_back(state.pools[Pool.ORDERS], state.orders, slot)


@kernel(inline=True)
def end_order(state, slot):
    """Take an order out of its level and forget it. Modifies the state in place."""
    unlink_order(state, slot)
    free_order(state, slot)


@kernel(inline=True)
def reduce_order(state, slot, quantity_lots):
    """Take less than all lots from a resting order; it keeps its place in the queue. Modifies the state in place."""
    order = state.orders[slot]
    order.remaining_lots -= quantity_lots
    state.levels[order.level].quantity_lots -= quantity_lots


@kernel(inline=True)
def append_to_log(state, owner, order_id):
    """Note an id, higher than all before, in its owner's log. There is room for a chunk. Modifies the state in place."""
    record = state.owners[owner]
    if record.newest < 0 or record.filled == CHUNK:
        extend_log(state, record)
    state.chunk_ids[np.int64(np.uint32(record.newest)) * CHUNK + record.filled] = order_id
    record.filled += 1
    record.entries += 1


@kernel(internal=True)
def extend_log(state, record):
    """Make room for one more id in a full log, by compaction if it has grown eightfold since the last. Modifies the state in place."""
    if record.entries >= record.compact_at:
        compact_log(state, record)
    if record.newest >= 0 and record.filled < CHUNK:
        return
    chunk = take(state.pools[Pool.CHUNKS], state.chunks)
    state.chunks[chunk].next = NIL
    state.chunks[chunk].older = record.newest
    if record.newest >= 0:
        state.chunks[record.newest].next = chunk
    else:
        record.oldest = chunk
    record.newest = chunk
    record.filled = 0


@kernel(internal=True)
def compact_log(state, record):
    """Keep only the ids of live orders in an owner's log and give back the chunks left over. Modifies the state in place."""
    entries = np.int64(record.entries)
    read = np.int64(record.oldest)
    write = read
    kept = 0
    for i in range(entries):
        order_id = state.chunk_ids[read * CHUNK + i % CHUNK]
        if find_slot(state, order_id) >= 0:
            if kept > 0 and kept % CHUNK == 0:
                write = np.int64(state.chunks[write].next)
            state.chunk_ids[write * CHUNK + kept % CHUNK] = order_id
            kept += 1
        if i % CHUNK == CHUNK - 1:
            read = np.int64(state.chunks[read].next)
    spare = np.int64(state.chunks[write].next) if kept > 0 else np.int64(record.oldest)
    while spare >= 0:
        following = np.int64(state.chunks[spare].next)
        give_back(state.pools[Pool.CHUNKS], state.chunks, spare)
        spare = following
    if kept > 0:
        state.chunks[write].next = NIL
    else:
        record.oldest = NIL
    record.newest = write if kept > 0 else NIL
    record.filled = (kept - 1) % CHUNK + 1 if kept > 0 else 0
    record.entries = kept
    record.compact_at = max(8 * kept, 2 * CHUNK)


@kernel(internal=True)
def sort_last_in_log(state, owner):
    """Move the last id of a log down to its place; for orders restored out of sequence. Modifies the state in place."""
    record = state.owners[owner]
    chunk = np.int64(record.newest)
    place = np.int64(record.filled) - 1
    order_id = state.chunk_ids[chunk * CHUNK + place]
    while place > 0 or state.chunks[chunk].older >= 0:
        below_chunk = chunk if place > 0 else np.int64(state.chunks[chunk].older)
        below_place = place - 1 if place > 0 else CHUNK - 1
        below_id = state.chunk_ids[below_chunk * CHUNK + below_place]
        if below_id < order_id:
            break
        state.chunk_ids[chunk * CHUNK + place] = below_id
        chunk, place = below_chunk, below_place
    state.chunk_ids[chunk * CHUNK + place] = order_id


@kernel
def owner_orders(state, owner, book, slots):
    """Write the slots of an owner's resting orders in ascending id order, of one book or (book < 0) of all. Returns how many there
    are, also when `slots` (int32 or int64 array, modified in place) was too short for all of them: then only the first are written.
    """
    if owner >= state.owners.shape[0]:
        return 0
    record = state.owners[owner]
    chunk = np.int64(record.oldest)
    n = 0
    for i in range(np.int64(record.entries)):
        slot = find_slot(state, state.chunk_ids[chunk * CHUNK + i % CHUNK])
        if slot >= 0 and (book < 0 or order_side_index(state, slot) >> 1 == book):
            if n < slots.shape[0]:
                slots[n] = slot
            n += 1
        if i % CHUNK == CHUNK - 1:
            chunk = np.int64(state.chunks[chunk].next)
    return n


@kernel(inline=True)
def order_side_index(state, slot):
    """2 * book + side of a resting order."""
    return np.int64(state.pages[np.int64(state.orders[slot].level) >> FANOUT_BITS].side_index)


@kernel
def order_at(state, slot):
    """The resting order in a slot. Reads only."""
    order = state.orders[slot]
    side_index = order_side_index(state, slot)
    return OrderAt(
        np.int64(order.order_id),
        np.int64(order.owner),
        side_index & 1,
        side_index >> 1,
        level_price(state, np.int64(order.level)),
        np.int64(order.remaining_lots),
    )


@kernel
def first_order(state, book, side):
    """Slot of the first order of one side of a book (best price, then priority), NIL if it is empty. Reads only."""
    level = np.int64(state.sides[2 * book + side].best_level)
    return np.int64(state.levels[level].head) if level >= 0 else np.int64(NIL)


@kernel
def order_after(state, slot):
    """Slot of the order behind this one in its level, else the first of the next worse level, else NIL. Reads only."""
    order = state.orders[slot]
    if order.next >= 0:
        return np.int64(order.next)
    level = next_level(state, order_side_index(state, slot) & 1, np.int64(order.level))
    return np.int64(state.levels[level].head) if level >= 0 else np.int64(NIL)


@kernel
def dump_book(state, book, views):
    """Write the orders of a book, bids from the best by priority, then asks, to `views` (ORDER_VIEW), which has room for all."""
    n = 0
    for side in range(2):
        slot = first_order(state, book, side)
        while slot >= 0:
            order = state.orders[slot]
            view = views[n]
            view.order_id = order.order_id
            view.remaining_lots = order.remaining_lots
            view.owner = order.owner
            view.price_ticks = level_price(state, np.int64(order.level))
            view.slot = slot
            view.side = side
            n += 1
            slot = order_after(state, slot)
    return n


@kernel
def dump_levels(state, book, side, views):
    """Write the best levels of one side to `views` (LEVEL_VIEW) until it is full. Returns how many were written."""
    level = np.int64(state.sides[2 * book + side].best_level)
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
