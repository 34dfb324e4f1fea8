"""`kill -9` of an exchange with orders in flight: nothing acknowledged is lost, nothing is executed twice, every state is that of the replay.

    python -m bench.crash --kills 1000 --seed 1 --json

Four clients in this process keep 16 commands each unanswered: orders of several kinds, amends, cancels, mass cancels and baskets, two of them with
cancel on disconnect. The server, a process of its own with its journal on disk (fdatasync), is killed at random moments, a tenth of them while it is
still recovering, and started on the same data. The clients connect again, ask for the executions they missed, send again what had no answer, and a
few commands that had one. After each recovery the node's state hash is compared with an auditor's, a third process that has folded the journal from
its beginning; at the end of each park the auditor compares every answer, execution, open order, position and balance with the journal.

`kills_in_flight`: with unanswered commands. `lost`: told to a client, and not in the journal with just that outcome. `doubled`: executed twice, or
by nobody's order. `complaints`: anything else that does not agree. Exit code 1 when one of the last three is not zero or a hash differs. A park that
failed is kept, and named with the seed that repeats its load (not the moments at which the system ran it).
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.crash.campaign import Figures, Park
from bench.record import append_result

KILLS_A_PARK = 100


def summary(figures: Figures, seed: int, seconds: float) -> dict[str, Any]:
    """The line that is printed."""
    counts = {name: getattr(figures, name) for name in Figures.__slots__ if not name.endswith("_ms")}
    return counts | {
        "recovery_ms": _spread(figures.recovery_ms), "back_ms": _spread(figures.back_ms), "seconds_a_kill": round(seconds / max(1, figures.kills), 3),
        "seed": seed,
    }  # fmt: skip


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "max": max(values)} if values else {}


def run_campaign(kills: int, seed: int, directory: Path, *, read_model: bool = False, cold: bool = False) -> Figures:
    """Parks one after the other, each with a seed of its own. Ends with the first that is not sound."""
    figures = Figures()
    while figures.kills < kills and figures.sound:
        park_seed = seed * 10_000 + figures.kills
        place = directory / f"park-{park_seed}"
        place.mkdir(parents=True)
        figures.add(asyncio.run(Park(place, park_seed, read_model=read_model, cold=cold).run(min(KILLS_A_PARK, kills - figures.kills))))
        if figures.sound:
            shutil.rmtree(place)
        else:
            print(f"kept {place}", file=sys.stderr)
        print(f"{figures.kills} kills, {figures.acknowledged} acknowledged", file=sys.stderr)
    return figures


def main() -> None:
    """Run, print, record."""
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="where the data directories are made; default: a temporary one")
    parser.add_argument("--read-model", action="store_true", help="with the SQL read model in the server, as parkex serve has it")
    parser.add_argument("--cold", action="store_true", help="start every life from nothing instead of forking a warm parent")
    parser.add_argument("--json", action="store_true", help="only the JSON line on stdout (the default prints it as well)")
    arguments = parser.parse_args()
    directory = arguments.directory or Path(tempfile.mkdtemp(prefix="parkex-crash-"))
    began_s = time.perf_counter()
    figures = run_campaign(arguments.kills, arguments.seed, directory, read_model=arguments.read_model, cold=arguments.cold)
    result = summary(figures, arguments.seed, time.perf_counter() - began_s)
    append_result("crash", {key: value for key, value in result.items() if key != "complaints"} | {"complaints": len(figures.complaints)})
    print(json.dumps(result))
    if arguments.directory is None and figures.sound:
        shutil.rmtree(directory)
    sys.exit(0 if figures.sound and figures.kills_in_flight >= 0.75 * figures.kills else 1)


if __name__ == "__main__":
    main()
