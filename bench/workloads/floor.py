"""The floor: the barest price-time ladder that still answers every message of a standard stream, to measure a full core against.

    python -m bench.workloads.floor STREAM [--repeat 7]        STREAM: a file, 1 or 2

It has four message types, ids that index an array, prices that index an array, and one event of 32 bytes for each message and each fill.
It has no owners, no checks, no room that can run out, no other order types: what memory and the format of the messages cost, and little more.
Keep it bare. A change that makes it faster is welcome and changes every ratio; a feature is not.
"""

import argparse
import json
import sys
import time
from typing import Final, NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from bench.workloads.lobstrm import ADD, BUY, CANCEL, REPLACE, Stream
from bench.workloads.standard import open_stream
from matching.compile import kernel

FILL: Final = 5  # kind of an event beside the message types
NO_BID: Final = -1
NO_ASK: Final = 1 << 30
NIL: Final = -1
MARGIN_TICKS: Final = 64  # beyond the prices of the stream
EVENTS: Final = 1 << 20  # a ring

ORDER: Final = np.dtype([("next", "i4"), ("prev", "i4"), ("place", "i4"), ("unused", "i4"), ("lots", "i8"), ("order_id", "i8")], align=True)
LEVEL: Final = np.dtype([("head", "i4"), ("tail", "i4"), ("lots", "i8")], align=True)
EVENT: Final = np.dtype([("maker", "i8"), ("taker", "i8"), ("place", "i4"), ("kind", "i4"), ("lots", "i8")], align=True)


class Ladder(NamedTuple):
    """All books. A place is a price less that of the first level; side 0 buys."""

    orders: np.ndarray  # ORDER, by slot
    levels: np.ndarray  # LEVEL[book, side, place]
    occupied: np.ndarray  # uint64[book, side, place >> 6], a bit a level that has orders
    best: np.ndarray  # int64[book, side]
    free_slots: np.ndarray  # int32, a stack
    slot_of: np.ndarray  # int32, by order id
    events: np.ndarray  # EVENT, a ring


def empty_ladder(stream: Stream) -> tuple[Ladder, int]:
    """An empty ladder for the ids, books and prices of a stream, and the price of its first level."""
    first_ticks = int(stream.messages["price"].min()) - MARGIN_TICKS
    n_words = -(-(int(stream.messages["price"].max()) + MARGIN_TICKS - first_ticks) // 64)
    capacity = 4 * stream.n_warm + 100_000
    levels = np.zeros((stream.n_books, 2, 64 * n_words), LEVEL)
    levels["head"] = levels["tail"] = NIL
    ladder = Ladder(
        np.zeros(capacity, ORDER),
        levels,
        np.zeros((stream.n_books, 2, n_words), np.uint64),
        np.tile(np.array([NO_BID, NO_ASK]), (stream.n_books, 1)),
        np.arange(capacity - 1, -1, -1, dtype=np.int32),
        np.full(int(stream.messages["id"].max()) + 1, NIL, np.int32),
        np.zeros(EVENTS, EVENT),
    )
    return ladder, first_ticks


@kernel(inline=True)
def vacate(ladder, book, side, place):
    """The level has no orders any more: clear its bit, and find the next best if it was the best."""
    words = ladder.occupied[book, side]
    words[place >> 6] &= ~(np.uint64(1) << np.uint64(place & 63))
    if place != ladder.best[book, side]:
        return
    word = place >> 6
    if side == BUY:
        while word >= 0 and words[word] == 0:
            word -= 1
        ladder.best[book, side] = NO_BID if word < 0 else 64 * word + 63 - leading_zeros(words[word])
    else:
        while word < words.shape[0] and words[word] == 0:
            word += 1
        ladder.best[book, side] = NO_ASK if word == words.shape[0] else 64 * word + trailing_zeros(words[word])


@kernel(inline=True)
def append(ladder, book, side, place, lots, order_id, slot):
    """Put the order in `slot` at the end of its level."""
    level = ladder.levels[book, side, place]
    order = ladder.orders[slot]
    last = level.tail
    order.next = NIL
    order.prev = last
    order.place = place
    order.lots = lots
    order.order_id = order_id
    level.tail = slot
    level.lots += lots
    if last >= 0:
        ladder.orders[last].next = slot
        return
    level.head = slot
    ladder.occupied[book, side, place >> 6] |= np.uint64(1) << np.uint64(place & 63)
    if side == BUY:
        ladder.best[book, 0] = max(ladder.best[book, 0], place)
    else:
        ladder.best[book, 1] = min(ladder.best[book, 1], place)


@kernel(inline=True)
def remove(ladder, book, side, slot):
    """Take the order in `slot` out of its level."""
    order = ladder.orders[slot]
    level = ladder.levels[book, side, order.place]
    level.lots -= order.lots
    if order.next >= 0:
        ladder.orders[order.next].prev = order.prev
    else:
        level.tail = order.prev
    if order.prev >= 0:
        ladder.orders[order.prev].next = order.next
    else:
        level.head = order.next
        if order.next < 0:
            vacate(ladder, book, side, np.int64(order.place))


@kernel
def run_floor(ladder, messages, first_ticks, n_free):
    """Apply all messages in place. Returns (trades, volume in lots, free slots left, events written)."""
    trades = 0
    volume = 0
    n_events = 0
    for i in range(messages.shape[0]):
        message = messages[i]
        kind = message.type
        book = message.symbol
        side = np.int64(message.side)
        order_id = np.int64(message.id)
        lots = np.int64(message.qty)
        place = message.price - first_ticks
        event = ladder.events[n_events & (EVENTS - 1)]
        event.taker = order_id
        event.kind = kind
        n_events += 1
        if CANCEL <= kind <= REPLACE:
            slot = ladder.slot_of[order_id]
            if slot < 0:
                continue
            remove(ladder, book, side, slot)
            if kind == REPLACE:
                append(ladder, book, side, place, lots, order_id, slot)
            else:
                ladder.slot_of[order_id] = NIL
                ladder.free_slots[n_free] = slot
                n_free += 1
            continue
        other = 1 - side
        while lots > 0:
            touch = ladder.best[book, other]
            if (side == 0 and touch > place) or (side == 1 and touch < place):
                break
            level = ladder.levels[book, other, touch]
            slot = level.head
            while slot >= 0 and lots > 0:
                maker = ladder.orders[slot]
                fill = min(maker.lots, lots)
                lots -= fill
                level.lots -= fill
                event = ladder.events[n_events & (EVENTS - 1)]
                event.maker = maker.order_id
                event.taker = order_id
                event.place = touch
                event.kind = FILL
                event.lots = fill
                n_events += 1
                trades += 1
                volume += fill
                if fill < maker.lots:
                    maker.lots -= fill
                else:
                    ladder.slot_of[maker.order_id] = NIL
                    ladder.free_slots[n_free] = slot
                    n_free += 1
                    slot = maker.next
            level.head = slot
            if slot < 0:
                level.tail = NIL
                vacate(ladder, book, other, touch)
            else:
                ladder.orders[slot].prev = NIL
        if lots > 0 and kind == ADD:
            n_free -= 1
            slot = ladder.free_slots[n_free]
            append(ladder, book, side, place, lots, order_id, slot)
            ladder.slot_of[order_id] = slot
    return trades, volume, n_free, n_events


class FloorRun:
    """One run over one stream: books built on construction, `run` is the timed part."""

    def __init__(self, stream: Stream) -> None:
        self._ladder, self._first_ticks = empty_ladder(stream)
        self._timed = stream.messages[stream.n_warm :]
        n_free = len(self._ladder.free_slots)
        self._n_free = run_floor(self._ladder, stream.messages[: stream.n_warm], self._first_ticks, n_free)[2]
        self.results: dict[str, int] = {}

    def run(self) -> float:
        """Nanoseconds a message; afterwards `results` holds trades, volume and live orders."""
        start = time.perf_counter_ns()
        trades, volume, n_free, _ = run_floor(self._ladder, self._timed, self._first_ticks, self._n_free)
        took_ns = time.perf_counter_ns() - start
        self.results = {"trades": int(trades), "volume": int(volume), "live": len(self._ladder.free_slots) - int(n_free)}
        return took_ns / len(self._timed)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.workloads.floor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stream", nargs="?", default="1", help="a stream file, 1 or 2")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args(arguments)
    try:
        stream = open_stream(options.stream)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    FloorRun(stream).run()  # compiles
    times = []
    for _ in range(options.repeat):
        run = FloorRun(stream)
        times.append(run.run())
    nanoseconds = {"median": round(float(np.median(times)), 1), "min": round(min(times), 1)}
    print(json.dumps({"messages": len(stream.messages) - stream.n_warm} | run.results | {"ns_per_message": nanoseconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
