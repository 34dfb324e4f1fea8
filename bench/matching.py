"""The matching core over an order stream, as a ratio to the floor of the same run.

    python -m bench.matching [--stream FILE|1|2|mixed-day] [--repeat 7] [--json] [--ids dense] [--no-record]

Streams have the standard layout (bench/workloads/lobstrm.py); 1 and 2 are the standard ones and are made on first use; `mixed-day` does
everything the core can (bench/workloads/mixed.py) and has no floor. Trades, volume, trade hash and live orders are compared with the
stream's JSON file first, and a difference ends the run with exit code 1. The last line of stdout is one JSON line; progress goes to stderr.

What is timed is `run_batch` with all its events written to a buffer that is used again when full, entries in the core's own format, books
warm. What is not: reading the file, building the books, checking the results (a pass of its own), the latencies (another). See bench/README.md.

What bounds it. A cancel waits for two loads that miss the first cache, the slot of the id and the order; in the floor they wait their turn,
the core asks for them ahead, since a batch tells what comes. On stream 2 that hides most of what the memory costs, and the core stands
beside the floor or below it; stream 1 is bound by the rest, instructions and bytes: the floor reads 24 bytes and writes 32 of event, the core
reads 48 and writes 56, asks for room (five free lists and two tables, one cache line), goes through page and directory to the level (two more
loads in sequence) and keeps the owner's log (two words an order that rests, one when it ends).

With ids of the caller (`--ids caller`) the index is a table of 8 bytes a place, at most half full: 256 KiB for the 10,000 orders of stream 1,
which the second cache holds, 2 MiB for stream 2. Of 16 bytes a place and as large as the pool of orders it took 8 MiB and missed that cache
with every add and every cancel, twice with the search for a free place: five floors on stream 1 instead of two.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.checks import ResultMismatchError, compare, progress_line
from bench.core import ENGINES, CoreRun, Workload, workload_of
from bench.cycles import HAS_CYCLE_COUNTER, latencies
from bench.pairs import alternate
from bench.record import RESULTS, append_result
from bench.workloads.floor import FloorRun
from bench.workloads.lobstrm import Stream
from bench.workloads.mixed import mixed_day
from bench.workloads.standard import open_stream


def verify(workload: Workload, ids: str = "dense") -> dict[str, Any]:
    """Run once with the trade hash, compare with what is expected, check every invariant. Raises ResultMismatchError."""
    run = CoreRun(workload, ids)
    run.run_folded()
    run.core.check_all()
    found = {"trades": run.fold.trades, "volume": run.fold.volume, "hash": f"{run.fold.hash:016x}", "live": run.live_orders()}
    checked = compare(workload.name, found, workload.expected)
    return found | {"checked": checked, "events": run.n_events, "state_hash": run.state_hash()}


def measure(workload: Workload, stream: Stream | None, n_pairs: int, ids: str = "dense") -> dict[str, Any]:
    """Times of the core, as pairs with the floor where there is a stream that the floor can run."""
    show = progress_line(workload.name, n_pairs)
    if stream is None:
        CoreRun(workload, ids).run()
        times = []
        for number in range(n_pairs):
            times.append(CoreRun(workload, ids).run())
            show(number + 1)
        nanoseconds = {"median": round(float(np.median(times)), 1), "min": round(min(times), 1)}
        return {"ns_per_message": nanoseconds, "floor_ns": None, "ratio": None}

    def floor() -> float:
        run = FloorRun(stream)
        took_ns = run.run()
        compare(f"the floor on {stream.name}", run.results, stream.expected)
        return took_ns

    return alternate(lambda: CoreRun(workload, ids).run(), floor, n_pairs, show).summary()


def message_latencies(workload: Workload, ids: str = "dense") -> dict[str, Any]:
    """Percentiles and histogram of one message in ns; none without a cycle counter."""
    if not HAS_CYCLE_COUNTER:
        return {"latency_ns": None}
    CoreRun(workload, ids).run_stamped()
    return latencies(CoreRun(workload, ids).run_stamped())


def benchmark(workload: Workload, stream: Stream | None, n_pairs: int, ids: str = "dense") -> dict[str, Any]:
    """All figures of one workload. Raises ResultMismatchError."""
    result = {"stream": workload.name, "ids": ids, "messages": workload.n_timed} | verify(workload, ids)
    return result | measure(workload, stream, n_pairs, ids) | message_latencies(workload, ids)


def show(result: dict[str, Any]) -> None:
    """Print a result for people."""
    checked = "as expected" if result["checked"] else "nothing to compare with"
    print(f"{result['stream']}: {result['messages']} messages, {result['trades']} trades, {result['events']} events, {result['live']} live orders")
    print(f"trade hash {result['hash']} ({checked}), state hash {result['state_hash']}")
    times = result["ns_per_message"]
    print(f"{times['median']} ns a message (min {times['min']})")
    if result["ratio"] is not None:
        low, high = result["ratio_range"]
        print(f"floor {result['floor_ns']} ns a message: ratio {result['ratio']} ({low} to {high} over {result['pairs']} pairs)")
    if result["latency_ns"]:
        percentiles = ", ".join(f"{name} {value}" for name, value in result["latency_ns"].items())
        print(f"one message, ns: {percentiles}; {result['counter_cost_ns']} of each for reading the counter")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.matching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", default="1", help="a stream file, 1, 2 or mixed-day")
    parser.add_argument("--repeat", type=int, default=7, help="pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--ids", choices=sorted(ENGINES), default="dense", help="how order ids are made")
    parser.add_argument("--messages", type=int, default=1_000_000, help="length of mixed-day")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if options.repeat < 1:
        parser.error("--repeat is 1 or more")
    try:
        stream = None if options.stream == "mixed-day" else open_stream(options.stream)
        workload = mixed_day(options.messages) if stream is None else workload_of(stream)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        result = benchmark(workload, stream, options.repeat, options.ids)
    except ResultMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        show(result)
    if not options.no_record:
        append_result("matching", result, options.results)
    print(json.dumps({name: value for name, value in result.items() if name != "latency_histogram"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
