"""A day, a year and a sweep of the laboratory, each in processes of their own.

    python -m bench.simulation [--days 365] [--sweep-days 200] [--json] [--no-record]

`day_s`: the demo park's day, 28 participants, 96 quarter-hours, continuous trading in as many rounds as 50,000 orders take, with settlement and
certificates, median of five after one that warms up. `year_s`: a year of 100 participants, 35,040 quarter-hours, ten rounds of orders each, bills and
certificates included; `year_orders` and `year_peak_mb` are its orders and its peak memory. `sweep_efficiency`: wall seconds of a sweep of park-days
on all cores, start of its workers and writing of results included, over the seconds of the same park-days one after the other divided by the cores;
1 is ideal. `sweep_cpu_ratio` is the same in CPU seconds, which other programs on the machine hardly move. `state_hash` is that of the day.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from bench.checks import ResultMismatchError
from bench.record import RESULTS, append_result
from bench.simulation.parts import PARTS


def main() -> int:
    arguments = _arguments()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.size)))
        return 0
    result: dict[str, Any] = {"days": arguments.days, "sweep_days": arguments.sweep_days, "cores": os.cpu_count()}
    for part, size in (("day", 1), ("year", arguments.days), ("sweep", arguments.sweep_days)):
        result |= _in_own_process(part, size)
    if not arguments.no_record:
        append_result("simulation", result, RESULTS)
    if not arguments.json:
        for key, value in result.items():
            print(f"{key:20} {value}", file=sys.stderr)
    print(json.dumps(result))
    return 0


def _in_own_process(part: str, size: int) -> dict[str, Any]:
    """What a part measures, with memory of its own. Raises ResultMismatchError where it fails."""
    print(f"{part} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.simulation", "--part", part, "--size", str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - this program
    if done.returncode:
        raise ResultMismatchError(f"{part} ended with code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description="speed of the market designer's laboratory")
    parser.add_argument("--days", type=int, default=365, help="of the year")
    parser.add_argument("--sweep-days", type=int, default=200, help="park-days of the sweep")
    parser.add_argument("--json", action="store_true", help="one line of JSON, the last of stdout, and nothing else")
    parser.add_argument("--no-record", action="store_true", help="do not append to bench/results")
    parser.add_argument("--part", choices=sorted(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ResultMismatchError as error:
        print(f"bench.simulation: {error}", file=sys.stderr)
        sys.exit(1)
