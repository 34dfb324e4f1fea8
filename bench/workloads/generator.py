"""The generator of the standard order streams: messages and the trades they must make, from a seed.

    python -m bench.workloads.generator OUT.bin [--symbols 1] [--resting 10000] [--seed 1] ...

All random numbers are drawn beforehand in a fixed sequence (numpy PCG64), then one compiled pass turns them into messages against a book of
its own (bench/workloads/tracked_book.py), so that every cancel and replace names an order that is live. The same parameters give the same
bytes. The mix: half adds, two fifths cancels, 7 % aggressive, 3 % replaces; a cancel is the likelier the more orders rest, which keeps
about `resting` of them in each book.
"""

import argparse
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.workloads import tracked_book
from bench.workloads.lobstrm import ADD, BUY, CANCEL, IOC, MESSAGE, REPLACE, Stream, write
from bench.workloads.tracked_book import BAND_TICKS, MID_TICKS, NO_ASK, NO_BID, Tracked
from matching.compile import kernel

DONE, LIVE_FULL, OUTSIDE_BAND = 0, 1, 2
LIVE_ROOM = 2  # times `resting` orders of a book that there is room for at first
LIVE_MIN = 8  # orders of a book below which everything is an add
SAMPLE_EVERY = 1_000  # messages between samples of spread, levels and live orders
KINDS = ("add", "ioc", "agg_limit", "cancel", "replace")
PASSIVE, IMMEDIATE, AGGRESSIVE, CANCELLED, REPLACED = range(5)


@dataclass(frozen=True)
class Parameters:
    """What a stream is made from. The defaults are those of stream 1."""

    symbols: int = 1
    n: int = 2_000_000  # timed messages, behind symbols * resting adds
    resting: int = 10_000  # orders that about rest in each book
    mean: float = 60  # ticks from the mid to a passive price
    maxd: int = 200  # ticks from the mid at most
    shape: float = 1.5  # of the gamma distribution of that distance
    touch: float = 0.1  # share of passive prices at the best price or one tick better
    move: float = 0.005  # chance a message that the mid moves one tick
    amax: int = 140  # lots of an aggressive order at most; one in twenty is ten times as large
    seed: int = 1

    @property
    def slug(self) -> str:
        """A name that tells the seed and every parameter that differs from stream 1."""
        plain = asdict(Parameters())
        return "stream" + "".join(f"-{name}{value}" for name, value in asdict(self).items() if name == "seed" or value != plain[name])


class Draws(NamedTuple):
    """One of each for every message."""

    kind: np.ndarray  # float64 in [0, 1)
    pick: np.ndarray
    near: np.ndarray
    distance_ticks: np.ndarray  # int64
    passive_lots: np.ndarray
    aggressive_lots: np.ndarray
    side: np.ndarray
    move: np.ndarray  # float64
    book: np.ndarray


class Statistics(NamedTuple):
    """What the pass counts beside the book. By index of KINDS; samples are (count, sum of spreads, of levels, of live orders)."""

    counts: np.ndarray
    first_seen: np.ndarray
    samples: np.ndarray
    checkpoints: np.ndarray  # messages after which the results are noted, ascending
    noted: np.ndarray  # tracked_book.TALLY, by checkpoint


def draw(parameters: Parameters) -> Draws:
    """All random numbers of a stream, in the sequence that fixes its bytes."""
    p = parameters
    rng = np.random.Generator(np.random.PCG64(p.seed))
    n_warm = p.resting * p.symbols
    total = n_warm + p.n
    kind, pick, near = rng.random(total), rng.random(total), rng.random(total)
    distance = np.minimum(1 + rng.gamma(p.shape, p.mean / p.shape, total).astype(np.int64), p.maxd)
    passive = rng.integers(1, 101, total)
    small = rng.integers(1, p.amax + 1, total)
    aggressive = np.where(rng.random(total) < 0.05, small * 10, small)
    side = rng.integers(0, 2, total)
    move = rng.random(total)
    book = np.zeros(total, np.int64)
    if p.symbols > 1:
        book = rng.integers(0, p.symbols, total)
        book[:n_warm] = rng.permutation(np.repeat(np.arange(p.symbols), p.resting))
    return Draws(kind, pick, near, distance, passive, aggressive, side, move, book)


@kernel(inline=True)
def passive_price(tracked, draws, k, book, side):
    """A price that does not cross: at or one better than the own best price, or some ticks from the mid."""
    bid = np.int64(tracked.best[book, 0])
    ask = np.int64(tracked.best[book, 1])
    mid = np.int64(tracked.mid[book])
    away = 1 - 2 * side  # from a bid up to the ask, from an ask down to the bid
    if draws.near[k] < tracked.limits[0].touch:
        own, has_own = (bid, bid != NO_BID) if side == BUY else (ask, ask != NO_ASK)
        price = own if has_own else mid - away
        improved = price + away
        between = improved < ask if side == BUY else improved > bid
        if draws.pick[k] < 0.25 and between:
            price = improved
    else:
        price = mid - away * draws.distance_ticks[k]
    return min(price, ask - 1) if side == BUY else max(price, bid + 1)


@kernel(inline=True)
def choose_kind(tracked, draws, k, book, n_warm, resting):
    """What message `k` is, by index of KINDS. The share of cancels grows with the orders that rest above `resting`."""
    x = draws.kind[k]
    n_live = np.int64(tracked.n_live[book])
    if k < n_warm or n_live < LIVE_MIN:
        return PASSIVE
    if x < 0.07:
        return IMMEDIATE if x < 0.035 else AGGRESSIVE
    if x < 0.10:
        return REPLACED
    share = min(max(0.40 + 0.5 * (n_live - resting) / resting, 0.05), 0.85)
    return CANCELLED if x < 0.10 + share else PASSIVE


@kernel(inline=True)
def aggressive_side(tracked, book, side):
    """The side that trades: towards the mid when the touch is away from it, and never into an empty book."""
    bid = np.int64(tracked.best[book, 0])
    ask = np.int64(tracked.best[book, 1])
    mid = np.int64(tracked.mid[book])
    if ask <= mid and bid < mid:
        side = 0
    elif bid >= mid and ask > mid:
        side = 1
    if side == 0 and ask == NO_ASK:
        side = 1
    if side == 1 and bid == NO_BID:
        side = 0
    return side


@kernel(inline=True)
def write_message(message, kind, side, book, lots, order_id, price, delta):
    message.type = kind
    message.side = side
    message.symbol = book
    message.qty = lots
    message.id = order_id
    message.price = price
    message.delta = delta


@kernel(inline=True)
def write_new_order(tracked, draws, k, book, kind, message):
    """A passive add, or an aggressive order that trades and rests if it is no IOC."""
    tally = tracked.tally[0]
    tally.max_id += 1
    order_id = np.int64(tally.max_id)
    side = np.int64(draws.side[k])
    if kind == PASSIVE:
        price = passive_price(tracked, draws, k, book, side)
        lots = np.int64(draws.passive_lots[k])
        tracked_book.rest(tracked, book, order_id, side, price, lots)
        write_message(message, ADD, side, book, lots, order_id, price, 0)
        return
    side = aggressive_side(tracked, book, side)
    slip = np.int64(draws.pick[k] * 4)
    price = np.int64(tracked.best[book, 1]) + slip if side == BUY else np.int64(tracked.best[book, 0]) - slip
    lots = np.int64(draws.aggressive_lots[k])
    write_message(message, IOC if kind == IMMEDIATE else ADD, side, book, lots, order_id, price, 0)
    left = tracked_book.match(tracked, book, order_id, side, price, lots)
    tally.aggressive_that_traded += left < lots
    if left > 0 and kind == AGGRESSIVE:
        tracked_book.rest(tracked, book, order_id, side, price, left)


@kernel(inline=True)
def write_change(tracked, draws, k, book, kind, message):
    """A cancel or a replace of a random live order; a replace always changes the price."""
    order_id = np.int64(tracked.live[book, np.int64(draws.pick[k] * tracked.n_live[book])])
    order = tracked.orders[order_id]
    side, old_price, old_lots = np.int64(order.side), np.int64(order.price), np.int64(order.lots)
    tracked_book.withdraw(tracked, book, order_id)
    if kind == CANCELLED:
        write_message(message, CANCEL, side, book, old_lots, order_id, old_price, 0)
        return
    price = passive_price(tracked, draws, k, book, side)
    if price == old_price:
        price += 2 * side - 1
    lots = np.int64(draws.passive_lots[k])
    tracked_book.rest(tracked, book, order_id, side, price, lots)
    write_message(message, REPLACE, side, book, lots, order_id, price, lots - old_lots)


@kernel(inline=True)
def take_sample(tracked, book, samples):
    bid = np.int64(tracked.best[book, 0])
    ask = np.int64(tracked.best[book, 1])
    samples[0] += 1
    if ask != NO_ASK and bid != NO_BID:
        samples[1] += ask - bid
    samples[2] += tracked.n_levels[book, 0] + tracked.n_levels[book, 1]
    samples[3] += tracked.tally[0].live


@kernel
def write_messages(tracked, draws, statistics, n_warm, resting, messages):
    """Fill `messages` (MESSAGE), the tracked books and the statistics in place. Returns DONE, LIVE_FULL or OUTSIDE_BAND."""
    tally = tracked.tally[0]
    limits = tracked.limits[0]
    checkpoint = 0
    for k in range(messages.shape[0]):
        book = np.int64(draws.book[k])
        if k == n_warm:
            tally.levels_created = 0
            tally.levels_deleted = 0
            statistics.counts[:] = 0
        if draws.move[k] < limits.move:
            tracked.mid[book] += 1 if draws.move[k] < limits.move / 2 else -1
        if tracked.n_live[book] == tracked.live.shape[1]:
            return LIVE_FULL
        kind = choose_kind(tracked, draws, k, book, n_warm, resting)
        if kind >= CANCELLED:
            write_change(tracked, draws, k, book, kind, messages[k])
        else:
            write_new_order(tracked, draws, k, book, kind, messages[k])
        if tally.outside_band:
            return OUTSIDE_BAND
        if statistics.counts[kind] == 0:
            statistics.first_seen[kind] = k
        statistics.counts[kind] += 1
        if k >= n_warm and k % SAMPLE_EVERY == 0:
            take_sample(tracked, book, statistics.samples)
        if k + 1 == statistics.checkpoints[checkpoint]:
            statistics.noted[checkpoint] = tally
            checkpoint += 1
    return DONE


def generate(parameters: Parameters, name: str = "stream.bin") -> Stream:
    """The stream of these parameters with its expected results; `name` is the file name that the results tell.

    Raises ValueError for fewer than SAMPLE_EVERY timed messages, or when prices leave 1 to BAND_TICKS - 1.
    """
    p = parameters
    if p.n < SAMPLE_EVERY or min(p.symbols, p.resting, p.amax, p.maxd) < 1 or p.symbols > 2**16:
        raise ValueError(f"a stream has {SAMPLE_EVERY} timed messages or more, and 1 to 65536 symbols")
    n_warm = p.resting * p.symbols
    total = n_warm + p.n
    draws = draw(p)
    checkpoints = sorted({n for n in (n_warm, n_warm + 10_000, n_warm + 100_000, n_warm + 1_000_000) if n < total} | {total})
    live_capacity = LIVE_ROOM * p.resting + 64
    while True:
        tracked = tracked_book.empty(p.symbols, total, live_capacity, p.touch, p.move)
        statistics = Statistics(
            np.zeros(len(KINDS), np.int64), np.zeros(len(KINDS), np.int64), np.zeros(4, np.int64), np.array(checkpoints),
            np.zeros(len(checkpoints), tracked_book.TALLY),
        )  # fmt: skip
        messages = np.zeros(total, MESSAGE)
        status = write_messages(tracked, draws, statistics, n_warm, p.resting, messages)
        if status == OUTSIDE_BAND:
            raise ValueError(f"prices left the band from 1 to {BAND_TICKS - 1} ticks around {MID_TICKS}")
        if status == DONE:
            return Stream(name, p.symbols, n_warm, p.resting, messages, expected_results(p, name, messages, tracked, statistics))
        live_capacity *= 2


def expected_results(parameters: Parameters, name: str, messages: np.ndarray, tracked: Tracked, statistics: Statistics) -> dict[str, Any]:
    """What the JSON file of a stream says."""
    tally = tracked.tally[0]
    n_samples, spreads, levels, live = (int(value) for value in statistics.samples)
    seen = sorted((int(statistics.first_seen[i]), i) for i in range(len(KINDS)) if statistics.counts[i])
    at = {
        str(n): {"trades": int(t["trades"]), "volume": int(t["volume"]), "hash": f"{int(t['hash']):016x}", "live": int(t["live"])}
        for n, t in zip(statistics.checkpoints.tolist(), statistics.noted, strict=True)
    }
    return {
        "messages": len(messages),
        "warm": parameters.resting * parameters.symbols,
        "symbols": parameters.symbols,
        "max_id": int(tally["max_id"]),
        "mix_after_warm": {KINDS[i]: int(statistics.counts[i]) for _, i in seen},
        "trades": int(tally["trades"]),
        "volume": int(tally["volume"]),
        "hash": f"{int(tally['hash']):016x}",
        "live_orders": int(tally["live"]),
        "live_qty": int(tally["live_lots"]),
        "makers_fully_filled": int(tally["filled_makers"]),
        "aggressive_msgs_that_traded": int(tally["aggressive_that_traded"]),
        "levels_created": int(tally["levels_created"]),
        "levels_deleted": int(tally["levels_deleted"]),
        "mean_spread": spreads / n_samples,
        "mean_levels_per_side": levels / n_samples / 2,
        "mean_live_orders": live / n_samples,
        "price_min": int(messages["price"].min()),
        "price_max": int(messages["price"].max()),
        "at": at,
        "args": {"out": name} | asdict(parameters),
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.workloads.generator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for name, value in asdict(Parameters()).items():
        parser.add_argument(f"--{name}", type=float if name in {"mean", "shape", "touch", "move"} else int, default=value)
    options = vars(parser.parse_args(arguments))
    path = options.pop("out")
    try:
        stream = generate(Parameters(**options), path.name)
    except ValueError as error:
        parser.error(str(error))
    write(path, stream)
    print(f"{path}: {len(stream.messages)} messages, {stream.expected['trades']} trades, hash {stream.expected['hash']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
