"""What the commands share: results compared with those expected, and a line of progress."""

import sys
from collections.abc import Callable
from typing import Any, Final

NAME_IN_STREAM: Final = {"trades": "trades", "volume": "volume", "hash": "hash", "live": "live_orders"}


class ResultMismatchError(Exception):
    """The trades are not those that the stream expects; the message names both."""


def compare(name: str, found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether there was something to compare with; raises ResultMismatchError for a difference."""
    pairs = [(key, value, expected[NAME_IN_STREAM[key]]) for key, value in found.items() if NAME_IN_STREAM[key] in expected]
    differences = ", ".join(f"{key} {value} instead of {wanted}" for key, value, wanted in pairs if value != wanted)
    if differences:
        raise ResultMismatchError(f"{name}: {differences}")
    return bool(pairs)


def progress_line(name: str, n_steps: int) -> Callable[[int], None]:
    """A function that shows on stderr how far a measurement has come: one line, rewritten where stderr is a terminal."""
    end = "\r" if sys.stderr.isatty() else "\n"

    def show(step: int) -> None:
        print(f"{name}: {step} of {n_steps}", end="\n" if step == n_steps else end, file=sys.stderr, flush=True)

    return show
