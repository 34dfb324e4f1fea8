"""Durable order acks over sockets, beside a bare echo server on the same stack in the same run.

    python -m bench.gateway [--connections C] [--window W] [--rate R] [--seconds S] [--repeat N] [--surveillance] [--backend picows|websockets]
                            [--json] [--no-record]

The server is a process of its own on the first core, the load generator one on the second; the journal is flushed to a disk for each group
before anyone is told. Without `--rate` each connection keeps `--window` orders in flight; with it orders are due at fixed times, and a round trip
counts from there. Without any of these options every row of bench/README.md runs and stands under `rows`. Exchange and echo server alternate; the
figures are those of the run with the median CPU an order.
All orders are new limit orders of 1 kWh, buyers and sellers in pairs, at one of 64 prices, so that about every second one trades.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.gateway.rows import ROWS, Row, measure
from bench.record import RESULTS, append_result
from exchange.gateway.server import BACKENDS, DEFAULT_BACKEND


def show(name: str, figures: dict[str, Any]) -> None:
    """One row for people."""
    rtt = figures.get("rtt_us") or {}
    latency = ", ".join(f"{percentile} {value} us" for percentile, value in rtt.items())
    print(f"{name}: {figures.get('acks_per_s')} acks/s, {figures.get('server_cpu_us_per_order')} us of server CPU an order; {latency}")
    for key in ("echo", "surveillance", "lateness_ms", "sessions", "server_rss_mb"):
        if key in figures:
            print(f"    {key}: {figures[key]}")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="bench.gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, help="connections, each a member of its own (10)")
    parser.add_argument("--window", type=int, help="orders in flight on each connection (32)")
    parser.add_argument("--rate", type=float, help="orders a second at fixed times, instead of a window")
    parser.add_argument("--seconds", type=float, help="measured seconds of each run (5)")
    parser.add_argument("--surveillance", action="store_true", help="each run also with surveillance, and the ratio of the two")
    parser.add_argument("--repeat", type=int, default=3, help="pairs of runs")
    parser.add_argument("--row", choices=[row.name for row in ROWS], action="append", help="only these rows of the table; may be repeated")
    parser.add_argument("--backend", choices=BACKENDS, default=DEFAULT_BACKEND, help="WebSocket stack of the server")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()), help="where the journal goes: a disk, not memory")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--no-record", action="store_true", help="do not append to the results")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory of the results")
    options = parser.parse_args(arguments)
    own = Row("", options.connections or 10, options.window or 32, options.rate, options.seconds or 5.0, surveillance=options.surveillance)
    if min(own.connections, own.window, own.seconds, own.rate or 1, options.repeat) <= 0:
        parser.error("--connections, --window, --rate, --seconds and --repeat are positive")
    result: dict[str, Any] = {"backend": options.backend, "cores": os.cpu_count()}
    given = options.surveillance or any(value is not None for value in (options.connections, options.window, options.rate, options.seconds))
    if options.row is None and given:
        result |= measure(own, options.backend, options.directory, options.repeat)
        if not options.json:
            show(f"{own.connections} connections", result)
    else:
        result["rows"] = {}
        for row in ROWS:
            if options.row is None or row.name in options.row:
                print(f"{row.name}: {row.text}", file=sys.stderr)
                result["rows"][row.name] = measure(row, options.backend, options.directory, options.repeat)
                if not options.json:
                    show(row.name, result["rows"][row.name])
    if not options.no_record:
        append_result("gateway", result, options.results)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
