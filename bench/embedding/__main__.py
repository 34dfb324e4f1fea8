"""The matching core driven from C, one message a call and in batches, as a ratio to the floor of the same run.

    python -m bench.embedding [--stream FILE|1|2] [--batch 64 --batch 1] [--repeat 7] [--json] [--no-record]

stream.c is compiled by the system's C compiler (CC names another), loaded, and given the core's function pointers. Trades, volume, trade hash
and live orders are compared with the stream's JSON file first, for each size of a batch, and a difference ends the run with exit code 1. The
last line of stdout is one JSON line; progress goes to stderr.

What is timed is the loop in C over all timed messages: `process` called with `batch` entries in the core's own format, every event written to
a buffer that each call begins anew, books warm. What is not: reading the stream, building the books, the trade hash (a pass of its own).
A batch lets the core ask for what later entries will read (matching/batch.py); a message alone waits for its loads, as the floor does.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench.checks import ResultMismatchError, compare, progress_line
from bench.embedding.program import StreamProgram, stream_bytes
from bench.pairs import alternate
from bench.record import RESULTS, append_result
from bench.workloads.floor import FloorRun
from bench.workloads.lobstrm import Stream
from bench.workloads.standard import open_stream

BATCHES: Final = (64, 1)


def verify(program: StreamProgram, stream: Stream, content: bytes, batch: int) -> dict[str, Any]:
    """Run once with the trade hash and compare with what is expected. Raises ResultMismatchError."""
    result = program.run(content, batch, fold=True)
    found = {"trades": result.trades, "volume": result.volume, "hash": f"{result.hash:016x}", "live": result.live_orders}
    checked = compare(f"{stream.name} from C, {batch} a call", found, stream.expected)
    return found | {"checked": checked, "events": result.n_events}


def measure(program: StreamProgram, stream: Stream, content: bytes, batch: int, n_pairs: int) -> dict[str, Any]:
    """Times as pairs with the floor."""

    def floor() -> float:
        run = FloorRun(stream)
        took_ns = run.run()
        compare(f"the floor on {stream.name}", run.results, stream.expected)
        return took_ns

    show = progress_line(f"{stream.name} from C, {batch} a call", n_pairs)
    return alternate(lambda: float(program.run(content, batch).ns_per_message), floor, n_pairs, show).summary()


def benchmark(program: StreamProgram, stream: Stream, batches: list[int], n_pairs: int) -> dict[str, Any]:
    """All figures of one stream. Raises ResultMismatchError."""
    content = stream_bytes(stream)
    found = [verify(program, stream, content, batch) for batch in batches]
    times = {str(batch): measure(program, stream, content, batch, n_pairs) for batch in batches}
    if any(other != found[0] for other in found):
        raise ResultMismatchError(f"{stream.name} from C: the size of a batch changes the result")
    return {"stream": stream.name, "messages": len(stream.messages) - stream.n_warm} | found[0] | {"batches": times}


def show(result: dict[str, Any]) -> None:
    """Print a result for people."""
    checked = "as expected" if result["checked"] else "nothing to compare with"
    print(f"{result['stream']} from C: {result['messages']} messages, {result['trades']} trades, trade hash {result['hash']} ({checked})")
    for batch, times in result["batches"].items():
        low, high = times["ratio_range"]
        nanoseconds = times["ns_per_message"]["median"]
        print(f"{batch:>5} a call: {nanoseconds} ns a message, {times['ratio']} floors ({low} to {high} over {times['pairs']} pairs)")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.embedding", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stream", default="1", help="a stream file, 1 or 2")
    parser.add_argument("--batch", type=int, action="append", help="messages a call; may be repeated (64 and 1)")
    parser.add_argument("--repeat", type=int, default=7, help="pairs of runs")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    batches = options.batch or list(BATCHES)
    if min(options.repeat, *batches) < 1:
        parser.error("--repeat and --batch are 1 or more")
    try:
        stream = open_stream(options.stream)
        with tempfile.TemporaryDirectory() as directory:
            program = StreamProgram(Path(directory))
    except (OSError, ValueError, RuntimeError) as error:
        parser.error(str(error))
    try:
        result = benchmark(program, stream, batches, options.repeat)
    except ResultMismatchError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.json:
        show(result)
    if not options.no_record:
        append_result("embedding", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
