"""The exchange's order path in process over an order stream: admit, reserve, match, post, events; as a ratio to the floor of the same run.

    python -m bench.order_path [--stream FILE|1|2] [--repeat 7] [--batch 4096] [--json] [--no-record]

The commands are those of the stream with accounts, client order ids and stamps (bench/park.py), in batches as the journal commits them.
Trades, volume, trade hash and live orders must be those of the stream and every command accepted, else the run ends with exit code 1. The last
line of stdout is one JSON line; progress goes to stderr.

What is timed is `Exchange.apply` batch after batch: idempotency keys (none retires, so each command inserts one into a table that ends with
two million), admission, holds, matching, postings and fees, executions with their running hash, outcomes, and what Python does for a batch.
What is not: decoding, the journal and its hash, publishing. The latency is that of a batch of one command inside the compiled loop, without
the Python around it; commands at which the loop asks for room are left out of it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.checks import ResultMismatchError, compare, progress_line
from bench.cycles import HAS_CYCLE_COUNTER, cycle_counter, latencies
from bench.pairs import alternate
from bench.park import Prepared, prepare
from bench.record import RESULTS, append_result
from bench.workloads.floor import FloorRun
from bench.workloads.lobstrm import Stream, fold_trade
from bench.workloads.standard import open_stream
from exchange.order_path.check import check_exchange
from exchange.order_path.loop import Stop, run_commands
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import COMMAND_WORDS, EXECUTION_WORDS
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import state_hash_hex
from matching.compile import kernel

BATCH: Final = 4096


@kernel
def fold_executions(executions, trade_hash, trades, volume):
    """Continue trade hash (uint64), count and volume over EXECUTION_WORDS records."""
    folded = np.uint64(trade_hash)
    for i in range(executions.shape[0]):
        row = executions[i]
        if row.kind == ExecutionKind.TRADE:
            folded = fold_trade(folded, row.counter_order_id, row.order_id, row.price_ticks, row.quantity_lots)
            trades += 1
            volume += row.quantity_lots
    return folded, trades, volume


@kernel
def run_stamped(state, commands, start, first_sequence, cycles):
    """Each command as a batch of one, with its cycles in `cycles`, up to the end or to one that the loop stops at. Returns the next index."""
    for i in range(start, commands.shape[0]):
        before = cycle_counter()
        _, stop, _, _ = run_commands(state, commands[i : i + 1], 0, first_sequence + i)
        if stop != Stop.DONE:
            return i
        cycles[i] = cycle_counter() - before
    return commands.shape[0]


class PathRun:
    """One exchange over one stream: accounts, contracts and resting orders are there on construction, `run` is the timed part."""

    def __init__(self, prepared: Prepared, batch: int = BATCH) -> None:
        self.exchange = prepared.exchange()
        self.fold = (0, 0, 0)  # trade hash, trades, volume in lots
        self.rejects: dict[str, int] = {}
        self._batch = batch
        self._timed = prepared.commands[prepared.stream.n_warm :]
        self._apply(prepared.commands[: prepared.stream.n_warm])

    def run(self) -> float:
        """Nanoseconds a command."""
        start = time.perf_counter_ns()
        self._apply(self._timed)
        return (time.perf_counter_ns() - start) / len(self._timed)

    def run_folded(self) -> None:
        """Run with `fold` and `rejects` kept up to date; not for timing."""
        self._apply(self._timed, self._take)

    def run_stamped(self) -> np.ndarray:
        """Run one command at a time and return their cycles, int64; -1 where the loop asked for room."""
        cycles = np.full(len(self._timed), -1, np.int64)
        first_sequence = self.exchange.last_sequence + 1
        commands = self._timed.view(COMMAND_WORDS).view(np.recarray)
        index = 0
        while index < len(commands):
            index = int(run_stamped(self.exchange.state, commands, index, first_sequence, cycles))
            if index < len(commands):
                self.exchange.apply(self._timed[index : index + 1], b"", first_sequence + index)
                index += 1
        return cycles

    def live_orders(self) -> int:
        """Orders that rest in all books."""
        return int(self.exchange.state.accounts.open_orders.sum())

    def _apply(self, commands: np.ndarray, take: Callable[[BatchResult], None] | None = None) -> None:
        exchange = self.exchange
        for first in range(0, len(commands), self._batch):
            result = exchange.apply(commands[first : first + self._batch], b"", exchange.last_sequence + 1)
            if take is not None:
                take(result)

    def _take(self, result: BatchResult) -> None:
        trade_hash, trades, volume = self.fold
        self.fold = tuple(int(value) for value in fold_executions(result.executions.view(EXECUTION_WORDS), np.uint64(trade_hash), trades, volume))
        for code in result.outcomes["code"][result.outcomes["code"] != RejectCode.ACCEPTED].tolist():
            name = RejectCode(code).name
            self.rejects[name] = self.rejects.get(name, 0) + 1


def verify(prepared: Prepared, batch: int) -> dict[str, Any]:
    """Run once, compare with what the stream expects, check every invariant. Raises ResultMismatchError."""
    run = PathRun(prepared, batch)
    run.run_folded()
    check_exchange(run.exchange)
    trade_hash, trades, volume = run.fold
    found = {"trades": trades, "volume": volume, "hash": f"{trade_hash:016x}", "live": run.live_orders()}
    checked = compare(f"order path on {prepared.stream.name}", found, prepared.stream.expected)
    if run.rejects:
        raise ResultMismatchError(f"order path on {prepared.stream.name}: commands were rejected: {run.rejects}")
    return found | {"checked": checked, "state_hash": state_hash_hex(run.exchange), "event_hash": run.exchange.event_hash}


def benchmark(stream: Stream, n_pairs: int, batch: int = BATCH) -> dict[str, Any]:
    """All figures. Raises ResultMismatchError."""
    prepared = prepare(stream)
    result: dict[str, Any] = {"stream": stream.name, "batch": batch, "messages": len(stream.messages) - stream.n_warm} | verify(prepared, batch)
    show = progress_line(f"order path on {stream.name}", n_pairs)
    result |= alternate(lambda: PathRun(prepared, batch).run(), lambda: FloorRun(stream).run(), n_pairs, show).summary()
    if not HAS_CYCLE_COUNTER:
        return result | {"latency_ns": None}
    return result | latencies(PathRun(prepared, batch).run_stamped())


def show_result(result: dict[str, Any]) -> None:
    """Print a result for people."""
    times, (low, high) = result["ns_per_message"], result["ratio_range"]
    print(f"{result['stream']}: {result['messages']} commands in batches of {result['batch']}, {result['trades']} trades, hash {result['hash']}")
    print(f"state hash {result['state_hash']}")
    print(f"{times['median']} ns a command (min {times['min']}); floor {result['floor_ns']}: ratio {result['ratio']} ({low} to {high})")
    if result["latency_ns"]:
        percentiles = ", ".join(f"{name} {value}" for name, value in result["latency_ns"].items())
        print(f"one command, ns: {percentiles}; {result['counter_cost_ns']} of each for reading the counter")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.order_path", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", default="1", help="a stream file, 1 or 2")
    parser.add_argument("--repeat", type=int, default=7, help="pairs of runs")
    parser.add_argument("--batch", type=int, default=BATCH, help="commands a call")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if min(options.repeat, options.batch) < 1:
        parser.error("--repeat and --batch are 1 or more")
    try:
        stream = open_stream(options.stream)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        result = benchmark(stream, options.repeat, options.batch)
    except ResultMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        show_result(result)
    if not options.no_record:
        append_result("order_path", result, options.results)
    print(json.dumps({name: value for name, value in result.items() if name != "latency_histogram"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
