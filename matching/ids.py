"""From an order's id to its slot.

Dense ids (the sequencer's) are found through pages of 4,096; a page goes back when its last order ends. The caller's own ids, any 64 bits,
are found in a table with open addressing, at most half full: linear probing from a multiplicative hash, and an entry that leaves closes
its gap, so a table never fills with the dead. A core has one of the two for its life.

A place of the table is 8 bytes, eight to a cache line: the upper half of the id's hash and the slot. The id itself stands in the order, which
whoever finds it reads next; the hash tells nearly all others apart without a look at their orders, and says where an entry's search begins.
"""

import numpy as np
from numba.core import config

from matching.compile import kernel
from matching.ladder import give_back, take
from matching.state import ID_PAGE, ID_PAGE_BITS, NIL, Pool

_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio, odd: Knuth, The Art of Computer Programming 3, 6.4


def _hash_without_jit(order_id):
    return np.uint32((int(order_id) * _MULTIPLIER & 2**64 - 1) >> 32)


@kernel(inline=True)
def _compiled_hash(order_id):
    return np.uint32((np.uint64(order_id) * np.uint64(_MULTIPLIER)) >> np.uint64(32))


# The upper half of the product of an id, uint32.
hash_of = _hash_without_jit if config.DISABLE_JIT else _compiled_hash


@kernel(inline=True)
def home(id_hash, shift):
    """Where the search for an id of that hash begins in a table of 2**(64 - shift) places."""
    return np.int64(id_hash) >> (shift - 32)


@kernel(inline=True)
def find_in_table(table, orders, shift, order_id):
    """Slot of one of the caller's ids, NIL for any other. Reads only."""
    mask = table.shape[0] - 1
    id_hash = hash_of(order_id)
    place = home(id_hash, shift)
    slot = np.int64(table[place].slot)
    while slot >= 0:
        if table[place].id_hash == id_hash and orders[slot].order_id == order_id:
            break
        place = (place + 1) & mask
        slot = np.int64(table[place].slot)
    return slot


@kernel(inline=True)
def add_to_table(table, shift, order_id, slot):
    """Enter an id that is not there; the table has room. Modifies it in place."""
    mask = table.shape[0] - 1
    id_hash = hash_of(order_id)
    place = home(id_hash, shift)
    while table[place].slot >= 0:
        place = (place + 1) & mask
    table[place].id_hash = id_hash
    table[place].slot = slot


@kernel(inline=True)
def remove_from_table(table, shift, order_id, slot):
    """Take out the id of the order in `slot`, which is there, and move back what was pushed on by it. Modifies the table in place."""
    mask = table.shape[0] - 1
    gap = home(hash_of(order_id), shift)
    while table[gap].slot != slot:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while table[place].slot >= 0:
        wanted = home(table[place].id_hash, shift)
        # It may move into the gap if its home does not lie behind the gap, on the ring.
        if ((place - wanted) & mask) >= ((place - gap) & mask):
            table[gap].id_hash = table[place].id_hash
            table[gap].slot = table[place].slot
            gap = place
        place = (place + 1) & mask
    table[gap].slot = NIL


@kernel
def fill_table(state):
    """Enter the id of every live order into an empty table. Modifies the state in place; `log_at` says which slots live."""
    shift = state.core[0].hash_shift
    for slot in range(state.orders.shape[0]):
        if state.orders[slot].log_at != DEAD:
            add_to_table(state.id_table, shift, state.orders[slot].order_id, slot)


# `log_at` of a slot on the free list.
DEAD = 2**32 - 1


@kernel(inline=True)
def find_slot(state, order_id):
    """Slot of an order in a book, NIL for any other id. Reads only."""
    shift = state.core[0].hash_shift
    if shift != 0:
        return find_in_table(state.id_table, state.orders, shift, order_id)
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
    shift = state.core[0].hash_shift
    if shift != 0:
        add_to_table(state.id_table, shift, order_id, slot)
        state.core[0].live_ids += 1
        return
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    page = np.int64(state.id_directory[index])
    if page < 0:
        page = take(state.pools[Pool.ID_PAGES], state.id_pages)
        state.id_directory[index] = page
    state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))] = slot
    state.id_pages[page].live += 1


@kernel(inline=True)
def forget_id(state, order_id, slot):
    """Remove the id of the order in `slot` from the index; its page goes back with the last one. Modifies the state in place."""
    shift = state.core[0].hash_shift
    if shift != 0:
        remove_from_table(state.id_table, shift, order_id, slot)
        state.core[0].live_ids -= 1
        return
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    page = np.int64(state.id_directory[index])
    state.id_slots[page * ID_PAGE + (order_id & (ID_PAGE - 1))] = NIL
    state.id_pages[page].live -= 1
    if state.id_pages[page].live == 0:
        state.id_directory[index] = NIL
        give_back(state.pools[Pool.ID_PAGES], state.id_pages, page)
