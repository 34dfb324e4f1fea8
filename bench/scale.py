"""How cost and memory grow: a million resting orders in one book against ten thousand, and a year of quarter-hour books.

    python -m bench.scale [--resting 1000000] [--books 35040] [--messages 1000000] [--repeat 5] [--json] [--no-record]

Depth: two streams of the same mix (bench/workloads/generator.py, parameters of stream 1), one with 10,000 resting orders and one with more, run
in turn; the ratio of their times is that of the core, and beside it that of the floor, which is what the memory under any book costs.

Books: so many books are opened, each gets ten orders, five a side over ten prices. Bytes are those of the core's arrays as allocated (what
was touched of them is less) and the growth of the process; the time to open a book is the mean over all of them, growth included, and the longest.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from bench.checks import ResultMismatchError, progress_line
from bench.core import BookSet, CoreRun, EntryKind, make_entries, workload_of
from bench.matching import verify
from bench.pairs import alternate
from bench.record import RESULTS, append_result
from bench.workloads.floor import FloorRun
from bench.workloads.generator import Parameters
from bench.workloads.standard import cached_stream

SHALLOW: Final = 10_000
ORDERS_A_BOOK: Final = 10
OWNERS: Final = 128
MID_TICKS: Final = 4_000


def compare_depths(resting: int, n_messages: int, n_pairs: int, shallow: int) -> dict[str, Any]:
    """Cost of a message with `resting` orders in the book as a ratio to that with `shallow`. Raises ResultMismatchError."""
    streams = [cached_stream(Parameters(resting=depth, n=n_messages)) for depth in (resting, shallow)]
    workloads = [workload_of(stream) for stream in streams]
    for workload in workloads:
        verify(workload)
    core = alternate(
        lambda: CoreRun(workloads[0]).run(), lambda: CoreRun(workloads[1]).run(), n_pairs, progress_line(f"core, {resting} resting orders", n_pairs)
    ).summary()
    floor = alternate(
        lambda: FloorRun(streams[0]).run(), lambda: FloorRun(streams[1]).run(), n_pairs, progress_line(f"floor, {resting} resting orders", n_pairs)
    ).summary()
    return {
        "resting": resting,
        "shallow": shallow,
        "messages": n_messages,
        "ns_per_message": core["ns_per_message"],
        "shallow_ns": core["floor_ns"],
        "cost_ratio": core["ratio"],
        "cost_ratio_range": core["ratio_range"],
        "floor_ns_per_message": floor["ns_per_message"],
        "floor_shallow_ns": floor["floor_ns"],
        "floor_cost_ratio": floor["ratio"],
    }


def ten_orders_a_book(books: list[int]) -> np.ndarray:
    """Entries that rest: five bids and five asks in each book, each at a price of its own, books in turn."""
    entries = make_entries(ORDERS_A_BOOK * len(books))
    place = np.arange(len(entries)) // len(books)
    entries["kind"] = EntryKind.PLACE
    entries["order_id"] = np.arange(1, len(entries) + 1)
    entries["book"] = np.tile(books, ORDERS_A_BOOK)
    entries["owner"] = entries["order_id"] % OWNERS
    entries["side"] = place % 2
    away = 1 + 3 * (place // 2)
    entries["price_ticks"] = MID_TICKS + entries["book"] % 997 + np.where(entries["side"] == 0, -away, away)
    entries["quantity_lots"] = 1 + place
    return entries


def open_many(n_books: int) -> dict[str, Any]:
    """Memory and times of `n_books` books with ten orders each, starting from a core of the smallest size."""
    process = psutil.Process()
    warm = BookSet()
    warm.submit(ten_orders_a_book([warm.open_book()]))  # compiles, so that the process has what it needs
    before = process.memory_info().rss
    books = BookSet()
    took_ns = np.empty(n_books, np.int64)
    numbers = []
    for index in range(n_books):
        start = time.perf_counter_ns()
        numbers.append(books.open_book())
        took_ns[index] = time.perf_counter_ns() - start
    start = time.perf_counter_ns()
    books.submit(ten_orders_a_book(numbers))
    place_ns = time.perf_counter_ns() - start
    grown = process.memory_info().rss - before
    opening_us = {"mean": float(took_ns.mean()) / 1e3, "p50": float(np.median(took_ns)) / 1e3, "max": int(took_ns.max()) / 1e3}
    return {
        "books": n_books,
        "orders_a_book": ORDERS_A_BOOK,
        "array_mb": round(books.state_bytes() / 1e6, 1),
        "process_mb": round(grown / 1e6, 1),
        "open_us": {name: round(value, 2) for name, value in opening_us.items()},
        "place_us": round(place_ns / 1e3 / (ORDERS_A_BOOK * n_books), 2),
    }


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resting", type=int, default=1_000_000, help="orders in the deep book")
    parser.add_argument("--books", type=int, default=35_040, help="a year of quarter-hours by default")
    parser.add_argument("--messages", type=int, default=1_000_000, help="timed messages of both depths")
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if min(options.resting, options.books, options.repeat) < 1:
        parser.error("--resting, --books and --repeat are 1 or more")
    try:
        books = open_many(options.books)
        depth = compare_depths(options.resting, options.messages, options.repeat, SHALLOW)
    except ValueError as error:
        parser.error(str(error))
    except ResultMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        print(f"{depth['resting']} resting orders: {depth['ns_per_message']['median']} ns a message, {depth['shallow']}: {depth['shallow_ns']} ns")
        print(f"cost ratio {depth['cost_ratio']} {depth['cost_ratio_range']}; of the floor {depth['floor_cost_ratio']}")
        print(f"{books['books']} books with {ORDERS_A_BOOK} orders each: arrays {books['array_mb']} MB, process {books['process_mb']} MB more")
        print(f"opening a book: {books['open_us']} us; placing one of its orders: {books['place_us']} us in one call")
    result = {"depth": depth, "books": books}
    if not options.no_record:
        append_result("scale", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
