"""The sparse ladder: price levels in pages of 64 under a tree with 64 children a node, one tree a book side.

The nodes just above the pages are the directories (4,096 ticks). A side remembers its hot directory, so a price near the last one costs
no walk; any int32 price works, and an empty side holds nothing. The best level is cached. As nothing better than the best exists,
the next best after it is found by following the best bit downwards; no masks, no search.
"""

import numpy as np

from matching.bits import best_bit, bit, bits_behind
from matching.compile import kernel
from matching.records import Side
from matching.state import FANOUT, FANOUT_BITS, NIL, PRICE_BIAS, Pool


@kernel(inline=True)
def crosses(side, limit_ticks, price_ticks):
    """Whether an order of `side` with that limit trades at that price of the other side."""
    return price_ticks <= limit_ticks if side == Side.BUY else price_ticks >= limit_ticks


@kernel(inline=True)
def better(side, a_ticks, b_ticks):
    """Whether price a stands strictly before price b among the resting orders of `side`."""
    return a_ticks > b_ticks if side == Side.BUY else a_ticks < b_ticks


@kernel(inline=True)
def take(pool, records):
    """Take the first free record of a pool that has one. Modifies the pool in place."""
    slot = np.int64(np.uint32(pool.head))
    pool.head = records[slot].next
    pool.free -= 1
    return slot


@kernel(inline=True)
def give_back(pool, records, slot):
    """Put a record on the free list of its pool. Modifies both in place."""
    records[slot].next = pool.head
    pool.head = slot
    pool.free += 1


@kernel(inline=True)
def level_price(state, level):
    """Price of a level of an occupied page."""
    return np.int64(state.pages[level >> FANOUT_BITS].first_ticks) + (level & (FANOUT - 1))


@kernel(internal=True)
def take_node(state, parent, digit):
    """Take a node and hang it under `parent` (NIL: a root). Modifies the state in place."""
    node = take(state.pools[Pool.NODES], state.nodes)
    record = state.nodes[node]
    record.parent = parent
    record.digit = digit
    if parent >= 0:
        state.children[parent * FANOUT + digit] = node
        state.nodes[parent].summary |= bit(digit)
    return node


@kernel(internal=True)
def raise_root(state, side):
    """Put a node above the root, which covers 64 times as many prices. Modifies the state in place."""
    old = np.int64(side.root)
    digit = np.int64(side.prefix) & (FANOUT - 1)
    root = take_node(state, np.int64(NIL), np.int64(0))
    state.children[root * FANOUT + digit] = old
    state.nodes[root].summary = bit(digit)
    state.nodes[old].parent = root
    state.nodes[old].digit = digit
    side.root = root
    side.prefix = np.int64(side.prefix) >> FANOUT_BITS
    side.height += 1


@kernel(internal=True)
def reach_directory(state, side, key):
    """The directory of `key`, made with the nodes above it where missing; it becomes the hot one. Modifies the state in place."""
    if side.root < 0:
        side.root = take_node(state, np.int64(NIL), np.int64(0))
        side.prefix = key
        side.height = 0
    while key >> (FANOUT_BITS * np.int64(side.height)) != side.prefix:
        raise_root(state, side)
    node = np.int64(side.root)
    for floor in range(np.int64(side.height) - 1, -1, -1):
        digit = (key >> (FANOUT_BITS * floor)) & (FANOUT - 1)
        child = np.int64(state.children[node * FANOUT + digit])
        node = child if child >= 0 else take_node(state, node, digit)
    side.hot_key = key
    side.hot_node = node
    return node


@kernel(internal=True)
def take_page(state, side_index, node, place):
    """Take a page for the 64 prices around `place` and hang it under its directory. Modifies the state in place."""
    page = take(state.pools[Pool.PAGES], state.pages)
    digit = (place >> FANOUT_BITS) & (FANOUT - 1)
    record = state.pages[page]
    record.parent = node
    record.first_ticks = (place >> FANOUT_BITS << FANOUT_BITS) - PRICE_BIAS
    record.side_index = side_index
    state.children[node * FANOUT + digit] = page
    state.nodes[node].summary |= bit(digit)
    return page


@kernel(inline=True)
def reach_level(state, side_index, price_ticks):
    """The level of a price, its page made where missing. Modifies the state in place; the caller puts an order there at once."""
    side = state.sides[side_index]
    place = np.int64(price_ticks) + PRICE_BIAS
    key = place >> (2 * FANOUT_BITS)
    node = np.int64(side.hot_node) if key == side.hot_key else reach_directory(state, side, key)
    page = np.int64(state.children[node * FANOUT + ((place >> FANOUT_BITS) & (FANOUT - 1))])
    if page < 0:
        page = take_page(state, side_index, node, place)
    return page * FANOUT + (place & (FANOUT - 1))


@kernel(inline=True)
def occupy_level(state, side_index, level, price_ticks):
    """Mark a level that gets its first order, and make it the best if it is. Modifies the state in place."""
    state.pages[level >> FANOUT_BITS].occupied |= bit(level & (FANOUT - 1))
    side = state.sides[side_index]
    if side.best_level < 0 or better(side_index & 1, price_ticks, np.int64(side.best_ticks)):
        side.best_level = level
        side.best_ticks = price_ticks


@kernel(internal=True)
def release_page(state, page):
    """Give back a page that became empty and the nodes above it that did. Returns the first node still occupied (NIL: the side is
    empty) and its height over the directories. Modifies the state in place.
    """
    record = state.pages[page]
    side = state.sides[record.side_index]
    digit = ((np.int64(record.first_ticks) + PRICE_BIAS) >> FANOUT_BITS) & (FANOUT - 1)
    node = np.int64(record.parent)
    give_back(state.pools[Pool.PAGES], state.pages, page)
    height = 0
    while node >= 0:
        above = state.nodes[node]
        state.children[node * FANOUT + digit] = NIL
        above.summary &= ~bit(digit)
        if above.summary != 0:
            return node, height
        digit = np.int64(above.digit)
        parent = np.int64(above.parent)
        if node == side.hot_node:
            side.hot_key = NIL
        give_back(state.pools[Pool.NODES], state.nodes, node)
        node = parent
        height += 1
    side.root = NIL
    return np.int64(NIL), 0


@kernel(internal=True)
def best_level_below(state, side, node, height):
    """The best level under a node `height` floors over the directories."""
    for _ in range(height + 1):
        node = np.int64(state.children[node * FANOUT + best_bit(side, state.nodes[node].summary)])
    return node * FANOUT + best_bit(side, state.pages[node].occupied)


@kernel(internal=True)
def leave_level(state, level):
    """Clear a level that lost its last order; pages and nodes that became empty go back, the best moves on. Modifies in place."""
    page = level >> FANOUT_BITS
    record = state.pages[page]
    side_index = np.int64(record.side_index)
    side = state.sides[side_index]
    record.occupied &= ~bit(level & (FANOUT - 1))
    if record.occupied != 0:
        if level == side.best_level:
            side.best_level = page * FANOUT + best_bit(side_index & 1, record.occupied)
            side.best_ticks = level_price(state, np.int64(side.best_level))
        return
    node, height = release_page(state, page)
    if level == side.best_level:
        if node < 0:
            side.best_level = NIL
        else:
            side.best_level = best_level_below(state, side_index & 1, node, height)
            side.best_ticks = level_price(state, np.int64(side.best_level))


@kernel(internal=True)
def next_level(state, side, level):
    """The next worse occupied level of the same side, or NIL. Reads only."""
    page = level >> FANOUT_BITS
    behind = state.pages[page].occupied & bits_behind(side, level & (FANOUT - 1))
    if behind != 0:
        return page * FANOUT + best_bit(side, behind)
    node = np.int64(state.pages[page].parent)
    digit = ((np.int64(state.pages[page].first_ticks) + PRICE_BIAS) >> FANOUT_BITS) & (FANOUT - 1)
    height = 0
    while node >= 0:
        behind = state.nodes[node].summary & bits_behind(side, digit)
        if behind != 0:
            child = np.int64(state.children[node * FANOUT + best_bit(side, behind)])
            if height == 0:
                return child * FANOUT + best_bit(side, state.pages[child].occupied)
            return best_level_below(state, side, child, height - 1)
        digit = np.int64(state.nodes[node].digit)
        node = np.int64(state.nodes[node].parent)
        height += 1
    return np.int64(NIL)
