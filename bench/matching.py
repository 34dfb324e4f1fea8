"""The matching core over an order stream: nanoseconds a message, percentiles, trade and state hash, and the ratio to the floor.

    python -m bench.matching STREAM.bin [--floor FLOOR.py] [--rounds 3] [--repeat 3] [--no-record]
    python -m bench.matching mixed-day

STREAM.bin has the standard layout (bench/workloads/stream.py); when its JSON file lies beside it the trades are checked against that, and
a difference ends the run with exit code 1. `mixed-day` is generated (bench/workloads/mixed.py). FLOOR.py is a bare price-time ladder that
takes a stream and prints `{"ns_per_message": {"median": ...}}`; its rounds alternate with ours, so both see the same machine.

What is timed is `run_batch` with all its events written to a buffer that is used again when full, entries in the core's own format, pools
warm. What is not: reading the file, building the books, checking the hashes (a pass of its own), the percentiles (another).

What bounds it. A cancel waits for two loads that miss the first cache, the slot of the id and the order, in the floor as well; they are a
quarter of the core's time on stream 1. The rest is instructions: the floor reads 24 bytes and writes 32 of event, the core reads 56 and
writes 72, asks for room (five free lists and two tables, one cache line), goes through page and directory to the level (two more loads in
sequence), keeps the owner's log (4 to 8 ns a resting order) and counts the orders of a side. So about 2 floors are expected with everything
inlined. What would bring it nearer: loading the next entries' orders ahead (tried: 10 to 20 % on stream 1, more on stream 2).
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from bench.record import append_result
from bench.workloads.mixed import mixed_day
from bench.workloads.stream import Stream, fold_trades, load
from matching import kernels
from matching.compile import kernel
from matching.core import MatchingCore
from matching.records import EVENT, Need
from matching.state import Sizes, make_records

EVENTS_CAPACITY: Final = 1 << 14
HAS_CYCLE_COUNTER: Final = platform.machine() in {"x86_64", "AMD64"} and not config.DISABLE_JIT


class HashMismatchError(Exception):
    """The trades are not those that the stream expects."""


@intrinsic
def cycle_counter(typing_context):  # noqa: ARG001 - the signature is numba's
    """The processor's time stamp counter; it may run at another rate than the clock, and is not serialised."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(64), []), "llvm.readcyclecounter")
        return builder.call(function, [])

    return types.int64(), generate


@kernel
def run_stamped(state, entries, start, events, n_events, cycles):
    """`run_batch` with the cycles of each entry, its question for room included, in `cycles`."""
    capacity = events.shape[0]
    for i in range(start, entries.shape[0]):
        entry = entries[i]
        begin = cycle_counter()
        need, at_least = kernels.needs(state, capacity - n_events, entry)
        if need != Need.NOTHING:
            return i, n_events, need, at_least
        n_events = kernels.apply_entry(state, events, n_events, entry)
        cycles[i] = cycle_counter() - begin
    return entries.shape[0], n_events, np.int64(Need.NOTHING), np.int64(0)


class Run:
    """One core with its books built from the stream's warm-up, ready for the timed part."""

    def __init__(self, stream: Stream) -> None:
        self.core = MatchingCore(sizes_for(stream))
        for _ in range(stream.n_books):
            self.core.open_book()
        self.events = make_records(EVENT, EVENTS_CAPACITY)
        self.fold: tuple[Any, ...] = (np.uint64(0), 0, 0)
        self.n_events = 0
        self.apply(stream.entries[: stream.n_warm])

    def apply(self, entries: np.ndarray, run: Any = kernels.run_batch, extra: tuple[Any, ...] = (), fold: bool = False) -> None:
        """Run all entries, growing and emptying the buffer as asked; `fold` continues the trade hash."""
        index = n_events = 0
        while index < len(entries):
            index, n_events, need, at_least = run(self.core.state, entries, index, self.events, n_events, *extra)
            if need == Need.EVENTS or index == len(entries):
                if fold:
                    with np.errstate(over="ignore"):
                        trade_hash, trades, volume = fold_trades(self.events, n_events, *self.fold)
                    self.fold = (np.uint64(trade_hash), trades, volume)
                self.n_events += n_events
                n_events = 0
                if at_least > len(self.events):
                    self.events = make_records(EVENT, int(at_least))
            elif need != Need.NOTHING:
                self.core.grow(need, at_least)


def sizes_for(stream: Stream) -> Sizes:
    """Room for the whole stream, so that nothing grows inside the timed part."""
    n_warm = stream.n_warm
    return Sizes(
        books=stream.n_books,
        orders=4 * n_warm + 100_000,
        pages=8 * stream.n_books + 64,
        nodes=4 * stream.n_books + 64,
        id_pages=n_warm // 64 + 512,
        id_span=len(stream.entries) // 4096 + 2,
        owners=256,
        chunks=n_warm + 16_384,
    )


def verify(stream: Stream) -> dict[str, Any]:
    """Run once with the trade hash, compare with what the stream expects, run the checker. Raises HashMismatchError."""
    run = Run(stream)
    run.apply(stream.entries[stream.n_warm :], fold=True)
    run.core.check_all()
    trade_hash, trades, volume = run.fold
    found = {"trades": int(trades), "volume": int(volume), "hash": f"{int(trade_hash):016x}"}
    differences = {name: (value, stream.expected[name]) for name, value in found.items() if stream.expected.get(name, value) != value}
    if differences:
        raise HashMismatchError(f"{stream.name}: found and expected differ: {differences}")
    return found | {"checked": bool(stream.expected), "events": run.n_events, "state_hash": run.core.state_hash().hex()}


def measure(stream: Stream) -> float:
    """Nanoseconds a message of one run over the timed part."""
    run = Run(stream)
    entries = stream.entries[stream.n_warm :]
    start = time.perf_counter()
    run.apply(entries)
    return (time.perf_counter() - start) * 1e9 / len(entries)


def percentiles(stream: Stream) -> dict[str, float]:
    """Percentiles of the time of one message in ns, with the counter's own cost (some 10 ns) inside. Empty without such a counter."""
    if not HAS_CYCLE_COUNTER:
        return {}
    Run(stream).apply(stream.entries[stream.n_warm :], run_stamped, (np.zeros(len(stream.entries), np.int64),))
    run = Run(stream)
    entries = stream.entries[stream.n_warm :]
    cycles = np.zeros(len(entries), np.int64)
    start_ns, start_cycles = time.perf_counter_ns(), read_cycles()
    run.apply(entries, run_stamped, (cycles,))
    ns_per_cycle = (time.perf_counter_ns() - start_ns) / (read_cycles() - start_cycles)
    values = np.percentile(cycles, (50, 99, 99.9, 100)) * ns_per_cycle
    return dict(zip(("p50", "p99", "p99.9", "max"), (round(float(value), 1) for value in values), strict=True))


@kernel
def read_cycles():
    """The cycle counter, for calibration from Python."""
    return cycle_counter()


def measure_floor(floor: Path, stream_path: Path, repeat: int) -> float:
    """Median ns a message of the floor, in a process of its own."""
    command = [sys.executable, str(floor), str(stream_path), "--repeat", str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the user names the program
    return float(json.loads(done.stdout)["ns_per_message"]["median"])


def benchmark(stream: Stream, rounds: int, repeat: int, floor: tuple[Path, Path] | None = None) -> dict[str, Any]:
    """Verify, then `rounds` times `repeat` runs, alternating with the floor; all figures of the run."""
    result: dict[str, Any] = {"stream": stream.name, "messages": len(stream.entries) - stream.n_warm} | verify(stream)
    measure(stream)  # warms caches and compiles
    ours: list[float] = []
    floors: list[float] = []
    for _ in range(rounds):
        if floor is not None:
            floors.append(measure_floor(*floor, repeat))
        ours += [measure(stream) for _ in range(repeat)]
    result["ns_per_message"] = {"median": round(float(np.median(ours)), 1), "min": round(min(ours), 1), "runs": len(ours)}
    if floors:
        result["floor_ns"] = round(float(np.median(floors)), 1)
        result["ratio"] = round(float(np.median(ours) / np.median(floors)), 2)
    result["message_ns"] = percentiles(stream)
    return result


def show(result: dict[str, Any]) -> None:
    """Print a result for people."""
    checked = "as expected" if result["checked"] else "nothing to compare with"
    print(f"{result['stream']}: {result['messages']} messages, {result['trades']} trades, {result['events']} events")
    print(f"trade hash {result['hash']} ({checked})")
    print(f"state hash {result['state_hash']}")
    times = result["ns_per_message"]
    print(f"{times['median']} ns a message (median of {times['runs']}, min {times['min']})")
    if "ratio" in result:
        print(f"floor {result['floor_ns']} ns a message in the same run: ratio {result['ratio']}")
    if result["message_ns"]:
        print("one message, ns: " + ", ".join(f"{name} {value}" for name, value in result["message_ns"].items()))


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.matching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stream", help="a stream file, or mixed-day")
    parser.add_argument("--floor", type=Path, help="program that measures the floor on the same stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3, help="runs a round")
    parser.add_argument("--messages", type=int, default=1_000_000, help="length of a generated stream")
    parser.add_argument("--no-record", action="store_true", help="do not append to bench/results")
    options = parser.parse_args(arguments)
    generated = options.stream == "mixed-day"
    if generated and options.floor:
        parser.error("the floor runs over stream files only")
    try:
        stream = mixed_day(options.messages) if generated else load(Path(options.stream))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    floor = (options.floor, Path(options.stream)) if options.floor else None
    try:
        result = benchmark(stream, options.rounds, options.repeat, floor)
    except HashMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    show(result)
    if not options.no_record:
        append_result("matching", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
