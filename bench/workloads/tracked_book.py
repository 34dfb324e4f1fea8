"""The generator's own book: dense levels over a fixed band, orders by id, and the list from which a random live order is picked.

It shares no code with the matching core, since it tells what the core must do. Plain and memory-hungry: only the generator uses it.
"""

from typing import Final, NamedTuple

import numpy as np

from bench.workloads.lobstrm import BUY, fold_trade
from matching.compile import kernel

BAND_TICKS: Final = 20_000
MID_TICKS: Final = 10_000
NO_BID: Final = 0
NO_ASK: Final = BAND_TICKS

# Ids begin at 1, so 0 ends a list and is an empty level.
ORDER: Final = np.dtype([("next", "i4"), ("prev", "i4"), ("price", "i4"), ("lots", "i4"), ("live_at", "i4"), ("side", "i4")], align=True)
LEVEL: Final = np.dtype([("head", "i4"), ("tail", "i4")], align=True)
LIMITS: Final = np.dtype([("touch", "f8"), ("move", "f8")], align=True)
TALLY: Final = np.dtype(
    [
        ("hash", "u8"),
        ("trades", "i8"),
        ("volume", "i8"),
        ("live", "i8"),
        ("live_lots", "i8"),
        ("max_id", "i8"),
        ("filled_makers", "i8"),
        ("aggressive_that_traded", "i8"),
        ("levels_created", "i8"),
        ("levels_deleted", "i8"),
        ("outside_band", "i8"),
    ],
    align=True,
)


class Tracked(NamedTuple):
    """All books of a stream. Side 0 buys."""

    orders: np.ndarray  # ORDER, by id
    levels: np.ndarray  # LEVEL[book, side, price]
    n_levels: np.ndarray  # int64[book, side]
    best: np.ndarray  # int64[book, side], NO_BID and NO_ASK when empty
    mid: np.ndarray  # int64[book]
    live: np.ndarray  # int32[book, place], ids of the live orders in no order
    n_live: np.ndarray  # int64[book]
    tally: np.ndarray  # TALLY[1]
    limits: np.ndarray  # LIMITS[1]


def empty(n_books: int, max_id: int, live_capacity: int, touch: float, move: float) -> Tracked:
    """Empty books; memory is touched where prices are used."""
    limits = np.zeros(1, LIMITS)
    limits["touch"], limits["move"] = touch, move
    return Tracked(
        np.zeros(max_id + 1, ORDER),
        np.zeros((n_books, 2, BAND_TICKS + 1), LEVEL),
        np.zeros((n_books, 2), np.int64),
        np.tile(np.array([NO_BID, NO_ASK]), (n_books, 1)),
        np.full(n_books, MID_TICKS),
        np.zeros((n_books, live_capacity), np.int32),
        np.zeros(n_books, np.int64),
        np.zeros(1, TALLY),
        limits,
    )


@kernel(inline=True)
def rest(tracked, book, order_id, side, price, lots):
    """Put an order at the end of its level and of the live list. Outside the band it is only noted that it was."""
    tally = tracked.tally[0]
    if price <= NO_BID or price >= NO_ASK:
        tally.outside_band = 1
        return
    level = tracked.levels[book, side, price]
    order = tracked.orders[order_id]
    order.side = side
    order.price = price
    order.lots = lots
    order.next = 0
    order.prev = level.tail
    if level.head == 0:
        level.head = order_id
        tracked.n_levels[book, side] += 1
        tally.levels_created += 1
        if side == BUY:
            tracked.best[book, 0] = max(tracked.best[book, 0], price)
        else:
            tracked.best[book, 1] = min(tracked.best[book, 1], price)
    else:
        tracked.orders[level.tail].next = order_id
    level.tail = order_id
    order.live_at = tracked.n_live[book]
    tracked.live[book, tracked.n_live[book]] = order_id
    tracked.n_live[book] += 1
    tally.live += 1
    tally.live_lots += lots


@kernel(inline=True)
def drop_level(tracked, book, side, price):
    """A level lost its last order: find the next best price if it was the best."""
    tracked.tally[0].levels_deleted += 1
    tracked.n_levels[book, side] -= 1
    if price != tracked.best[book, side]:
        return
    if tracked.n_levels[book, side] == 0:
        tracked.best[book, side] = NO_BID if side == BUY else NO_ASK
        return
    step = 2 * side - 1
    price += step
    while tracked.levels[book, side, price].head == 0:
        price += step
    tracked.best[book, side] = price


@kernel(inline=True)
def withdraw(tracked, book, order_id):
    """Take an order out of its level and the live list, whose last id takes its place."""
    tally = tracked.tally[0]
    order = tracked.orders[order_id]
    side = np.int64(order.side)
    price = np.int64(order.price)
    level = tracked.levels[book, side, price]
    if order.prev:
        tracked.orders[order.prev].next = order.next
    else:
        level.head = order.next
    if order.next:
        tracked.orders[order.next].prev = order.prev
    else:
        level.tail = order.prev
    tracked.n_live[book] -= 1
    last_id = tracked.live[book, tracked.n_live[book]]
    tracked.live[book, order.live_at] = last_id
    tracked.orders[last_id].live_at = order.live_at
    tally.live -= 1
    tally.live_lots -= order.lots
    if level.head == 0:
        drop_level(tracked, book, side, price)


@kernel(inline=True)
def match(tracked, book, order_id, side, price, lots):
    """Trade an order against the other side up to its price; returns the lots left."""
    tally = tracked.tally[0]
    other = 1 - side
    while lots > 0:
        touch = np.int64(tracked.best[book, other])
        if not NO_BID < touch < NO_ASK or (touch > price if side == BUY else touch < price):
            break
        maker_id = np.int64(tracked.levels[book, other, touch].head)
        maker = tracked.orders[maker_id]
        fill = min(np.int64(maker.lots), lots)
        lots -= fill
        tally.trades += 1
        tally.volume += fill
        tally.hash = fold_trade(tally.hash, maker_id, order_id, touch, fill)
        if fill == maker.lots:
            tally.filled_makers += 1
            withdraw(tracked, book, maker_id)
        else:
            maker.lots -= fill
            tally.live_lots -= fill
    return lots
