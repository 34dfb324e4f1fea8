"""Matching engines from PyPI on a prefix of standard stream 1, in the same run as our core: nanoseconds a message and ratios.

    python -m bench.peers [--messages 100000] [--seconds 20] [--repeat 3] [--engine NAME ...] [--json] [--no-record]

`pip install 'parkex[peers]'` brings the engines; one that is not there, fails, is too slow to place the resting orders, or makes other trades
than it must is reported as that. The trades must be those of our core on as many messages as the engine got through in its seconds.

These engines are called from Python once a message; so are the two first rows of ours. The third is how our core is meant to be called: a
batch of messages a call. Each run of an engine is paired with a run of our core beside it (`ratio`, in batches).
"""

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bench.core import CoreRun, Workload, workload_of
from bench.peer_engines import ENGINES, Peer
from bench.record import RESULTS, append_result
from bench.workloads.lobstrm import ADD, CANCEL, IOC, Stream
from bench.workloads.standard import open_stream

MASK: Final = 2**64 - 1
CHECK_EVERY: Final = 64  # messages between looks at the clock
WARM_FACTOR: Final = 6  # times --seconds to place the resting orders


class Timed(NamedTuple):
    """One run of an engine: messages it got through, nanoseconds each, and its trades."""

    n_messages: int
    ns_per_message: float
    trades: list[tuple[int, int, int, int]]


class TooSlowError(Exception):
    """The resting orders were not placed in time; the message says how many were."""


def rows_of(messages: np.ndarray) -> list[tuple[int, ...]]:
    """(type, side, id, price, lots) of each message as Python integers."""
    return list(zip(*(messages[name].tolist() for name in ("type", "side", "id", "price", "qty")), strict=True))


def send(peer: Peer, rows: list[tuple[int, ...]], seconds: float) -> tuple[int, float]:
    """Messages sent until the end or until the time is over, and the nanoseconds they took."""
    start = time.perf_counter()
    for index, (kind, side, order_id, price, lots) in enumerate(rows):
        if index % CHECK_EVERY == 0 and time.perf_counter() - start > seconds:
            return index, (time.perf_counter() - start) * 1e9
        if kind == CANCEL:
            peer.cancel(order_id)
            continue
        if kind not in {ADD, IOC}:
            peer.cancel(order_id)
        peer.add(order_id, side, price, lots, kind == IOC)
    return len(rows), (time.perf_counter() - start) * 1e9


def run_peer(engine: type[Peer], warm: list[tuple[int, ...]], timed: list[tuple[int, ...]], seconds: float) -> Timed:
    """Place the resting orders, then send what can be sent in `seconds`. Raises TooSlowError, and whatever the engine raises."""
    peer = engine()
    n_warm, _ = send(peer, warm, WARM_FACTOR * seconds)
    if n_warm < len(warm):
        raise TooSlowError(f"placed {n_warm} of {len(warm)} resting orders in {WARM_FACTOR * seconds:g} s")
    peer.trades.clear()
    n_messages, took_ns = send(peer, timed, seconds)
    return Timed(n_messages, took_ns / n_messages, peer.trades)


def hash_of(trades: list[tuple[int, int, int, int]]) -> str:
    """The trade hash, in Python's integers."""
    h = 0
    for maker, taker, price, lots in trades:
        h = ((h ^ (maker * 0x100000001B3 + taker * 0x9E3779B1 + price * 0x85EBCA77 + lots)) * 0x9E3779B97F4A7C15) & MASK
    return f"{h:016x}"


def expected_hash(stream: Stream, n_messages: int) -> str:
    """What our core trades on so many messages."""
    run = CoreRun(workload_of(stream.prefix(n_messages)))
    run.run_folded()
    return f"{run.fold.hash:016x}"


def compare_engine(engine: type[Peer], stream: Stream, workload: Workload, seconds: float, n_repeat: int) -> dict[str, Any]:
    """One row: the engine's median time and its paired ratio to our core, or why there is none."""
    row: dict[str, Any] = {"engine": engine.package}
    rows = rows_of(stream.messages)
    warm, timed = rows[: stream.n_warm], rows[stream.n_warm :]
    times, ratios = [], []
    began = time.perf_counter()
    try:
        row["version"] = importlib.metadata.version(engine.package)
        while len(times) < n_repeat and (not times or time.perf_counter() - began < seconds):
            core_ns = CoreRun(workload).run()
            result = run_peer(engine, warm, timed, seconds)
            if hash_of(result.trades) != expected_hash(stream, result.n_messages):
                return row | {"status": "makes other trades than it must", "messages": result.n_messages, "trades": len(result.trades)}
            times.append(result.ns_per_message)
            ratios.append(result.ns_per_message / core_ns)
    except ImportError as error:
        return row | {"status": "not installed" if isinstance(error, ModuleNotFoundError | importlib.metadata.PackageNotFoundError) else str(error)}
    except TooSlowError as error:
        return row | {"status": f"too slow: {error}"}
    except Exception as error:  # noqa: BLE001 - a foreign engine may fail in any way, and the others still run
        return row | {"status": f"fails: {type(error).__name__}: {error}"}
    return row | {
        "status": "ok",
        "messages": result.n_messages,
        "ns_per_message": round(float(np.median(times))),
        "ratio": round(float(np.median(ratios)), 1),
        "runs": len(times),
    }


def our_rows(workload: Workload) -> list[dict[str, Any]]:
    """Our core one message a call, through `submit` with its checks and through the kernel, and in batches."""
    for run in (CoreRun.run, CoreRun.run_one_by_one):
        run(CoreRun(workload))
    batches_ns = CoreRun(workload).run()
    rows = []
    for name, took_ns in (
        ("parkex, submit, one a call", CoreRun(workload).run_submitted()),
        ("parkex, run_batch, one a call", CoreRun(workload).run_one_by_one()),
        ("parkex, in batches", batches_ns),
    ):
        ns = round(took_ns, 1 if took_ns < 100 else None)
        rows.append({"engine": name, "status": "ok", "messages": workload.n_timed, "ns_per_message": ns, "ratio": round(took_ns / batches_ns, 1)})
    return rows


def compare_all(stream: Stream, engines: tuple[type[Peer], ...], seconds: float, n_repeat: int) -> list[dict[str, Any]]:
    """All rows, ours first."""
    workload = workload_of(stream)
    rows = our_rows(workload)
    for engine in engines:
        print(f"{engine.package} ...", file=sys.stderr, flush=True)
        rows.append(compare_engine(engine, stream, workload, seconds, n_repeat))
    return rows


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="timed messages of stream 1")
    parser.add_argument("--seconds", type=float, default=20, help="for one run of one engine")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engine", action="append", choices=[engine.package for engine in ENGINES], help="only this one; may be repeated")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    if min(options.messages, options.repeat) < 1 or options.seconds <= 0:
        parser.error("--messages, --repeat and --seconds are positive")
    engines = tuple(engine for engine in ENGINES if not options.engine or engine.package in options.engine)
    stream = open_stream("1").prefix(options.messages)
    rows = compare_all(stream, engines, options.seconds, options.repeat)
    if not options.json:
        for row in rows:
            figures = f"{row['ns_per_message']:>12} ns {row['ratio']:>10} x" if row["status"] == "ok" else row["status"]
            print(f"{row['engine'] + ' ' + row.get('version', ''):36}{figures}")
    result = {"stream": stream.name, "messages": len(stream.messages) - stream.n_warm, "rows": rows}
    if not options.no_record:
        append_result("peers", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
