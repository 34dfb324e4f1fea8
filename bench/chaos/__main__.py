"""`python -m bench.chaos`: hours of simulated trading under faults, and what an auditor found.

    python -m bench.chaos [--seed S] [--hours H] [--hours-a-world W] [--json]

Worlds of a few hours each, from the seeds S, S+1, ...: a world that fails is repeated alone by its own seed. Exit code 1 when anything was lost,
doubled or wrong.
"""

import argparse
import dataclasses
import json
import sys
import time
from typing import Final

from bench.chaos.world import Tally, run_world

HOURS_A_WORLD: Final = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description="simulated trading under faults")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world")
    parser.add_argument("--hours", type=int, default=10, help="simulated hours in all")
    parser.add_argument("--hours-a-world", type=int, default=HOURS_A_WORLD)
    parser.add_argument("--json", action="store_true", help="one line of JSON, the last of stdout")
    options = parser.parse_args()
    total = Tally()
    began = time.perf_counter()
    seed, left = options.seed, options.hours
    while left > 0:
        hours = min(left, options.hours_a_world)
        tally = run_world(seed, hours)
        total.add(tally)
        left -= hours
        for problem in tally.found[:10]:
            print(f"seed {seed}, {hours} h: {problem}", file=sys.stderr)
        spent_s = time.perf_counter() - began
        print(f"{total.hours} of {options.hours} h, {total.commands:,} commands, {total.kills} kills, {spent_s:.0f} s", file=sys.stderr)
        seed += 1
    result = {"seed": options.seed, **dataclasses.asdict(total), "wall_s": round(time.perf_counter() - began, 1)}
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:16} {value}")
    return 1 if total.lost or total.doubled or total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
