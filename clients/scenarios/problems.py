"""Everything wrong with a file, collected, so that a person mends it once and not twenty times."""

from collections.abc import Iterable, Iterator
from typing import Final

from exchange.errors import InputError

SHOWN_MAX: Final = 20
# The others are named by the numbers of their lines, in this many runs of lines at most.
RUNS_MAX: Final = 200


class Problems:
    """Problems of one input, in the order they were found."""

    def __init__(self, source: str, outcome: str = "nothing was imported") -> None:
        """`source` names the file in the message, `outcome` says what became of it."""
        self._source = source
        self._outcome = outcome
        self._shown: list[str] = []
        self._further_lines: set[int] = set()
        self.count = 0

    def add(self, reason: str, line: int | None = None, file: str | None = None) -> None:
        """Note a problem; `reason` says what is wrong and what was expected, `line` counts from 1, `file` where it is not the source itself."""
        self.count += 1
        if self.count <= SHOWN_MAX:
            place = [part for part in (file, f"line {line}" if line is not None else None) if part]
            self._shown.append(": ".join([*place, reason]))
        elif line is not None:
            self._further_lines.add(line)

    def raise_if_any(self) -> None:
        """Raise one InputError with all problems (the first twenty in words, the others by their lines); nothing of the input counts then."""
        if not self.count:
            return
        plural = "problem" if self.count == 1 else "problems"
        where = f" in line{'s' if len(self._further_lines) > 1 else ''} {_in_words(self._further_lines)}" if self._further_lines else ""
        rest = [f"... and {self.count - SHOWN_MAX} more{where}"] if self.count > SHOWN_MAX else []
        raise InputError("\n".join([f"{self._source}: {self.count} {plural}, {self._outcome}", *(f"  {text}" for text in self._shown + rest)]))


def _runs(lines: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbouring lines."""
    first = last = 0
    for line in sorted(lines):
        if line != last + 1 or not first:
            if first:
                yield first, last
            first = line
        last = line
    if first:
        yield first, last


def _in_words(lines: set[int]) -> str:
    """Line numbers as runs: 7, 9 to 12."""
    runs = [str(first) if first == last else f"{first} to {last}" for first, last in _runs(lines)]
    return ", ".join(runs[:RUNS_MAX]) + (f", ..., {max(lines)}" if len(runs) > RUNS_MAX else "")
