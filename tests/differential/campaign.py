"""Core and oracle compared on random commands of every profile, over all cores of the machine.

    python -m tests.differential.campaign --commands 10000000 --seed 1

After every command the events are compared and the whole state of the books that they speak of; now and then the state of all books and
what is told of them, and the checker walks the arrays. A failure
names the profile and the seed of its run, and the call that repeats it. Progress goes to stderr, one JSON line with the counts to stdout.
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from typing import NamedTuple

from matching.records import EntryKind
from matching.state import Sizes
from tests.differential.streams import PROFILES, StreamDrawer
from tests.matching.books import TINY, Pair

COMMANDS_A_RUN = 2_000
COMMANDS_A_CHECK = 100


class Run(NamedTuple):
    """One random run, repeated by `compare(Run(...))`."""

    seed: int
    profile: str
    callers_ids: bool = False
    n_commands: int = COMMANDS_A_RUN


class DifferenceError(Exception):
    """Core and oracle differ, or one of them broke; says how to repeat it."""


def compare(run: Run) -> Counter[str]:
    """Let core and oracle apply one run. Counts of commands and events by kind; DifferenceError where they differ."""
    rng = random.Random(f"{run.seed} {run.profile}")
    pair = Pair(n_books=rng.randrange(1, 4), sizes=rng.choice((TINY, Sizes())), events_capacity=rng.choice((1, 7, 4096)), callers_ids=run.callers_ids)
    drawer = StreamDrawer(pair.reference, rng, PROFILES[run.profile])
    counts: Counter[str] = Counter()
    for index in range(run.n_commands):
        command = drawer.draw()
        try:
            events = pair.submit(*command)
            for book in {event.book for event in events}.intersection(pair.books):
                pair.compare_book(book)
            if index % COMMANDS_A_CHECK == 0 or index == run.n_commands - 1:
                pair.compare_state()
                pair.core.check_all()
        except Exception as error:
            raise DifferenceError(f"command {index} of tests.differential.campaign.compare({run}): {command}") from error
        kind = command[0].kind
        counts[EntryKind(kind).name if kind in list(EntryKind) else "UNKNOWN"] += 1
        counts.update(event.kind.name for event in events)
    return counts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--profile", choices=PROFILES, help="only this one")
    args = parser.parse_args(argv)
    profiles = [args.profile] if args.profile else list(PROFILES)
    n_runs = -(-args.commands // COMMANDS_A_RUN)
    runs = [Run(args.seed * 1_000_000 + index, profiles[index % len(profiles)], index // len(profiles) % 4 == 3) for index in range(n_runs)]
    counts: Counter[str] = Counter()
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        for done, found in enumerate(pool.imap_unordered(compare, runs), 1):
            counts.update(found)
            if done % 25 == 0 or done == n_runs:
                rate = done * COMMANDS_A_RUN / (time.monotonic() - started)
                print(f"{done * COMMANDS_A_RUN:,} commands agree, {rate:,.0f} a second", file=sys.stderr, flush=True)
    result = {"commands": n_runs * COMMANDS_A_RUN, "seed": args.seed, "runs": n_runs, "seconds": round(time.monotonic() - started)}
    print(json.dumps(result | {"counts": dict(sorted(counts.items()))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
