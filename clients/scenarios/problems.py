"""Everything wrong with a file, collected, so that a person mends it once and not twenty times."""

from typing import Final

from exchange.errors import InputError

SHOWN_MAX: Final = 20


class Problems:
    """Problems of one input, in the order they were found."""

    def __init__(self, source: str, outcome: str = "nothing was imported") -> None:
        """`source` names the file in the message, `outcome` says what became of it."""
        self._source = source
        self._outcome = outcome
        self._shown: list[str] = []
        self.count = 0

    def add(self, reason: str, line: int | None = None, file: str | None = None) -> None:
        """Note a problem; `reason` says what is wrong and what was expected, `line` counts from 1, `file` where it is not the source itself."""
        self.count += 1
        if self.count <= SHOWN_MAX:
            place = [part for part in (file, f"line {line}" if line is not None else None) if part]
            self._shown.append(": ".join([*place, reason]))

    def raise_if_any(self) -> None:
        """Raise one InputError with all problems (the first twenty in words)."""
        if not self.count:
            return
        plural = "problem" if self.count == 1 else "problems"
        rest = [f"... and {self.count - SHOWN_MAX} more"] if self.count > SHOWN_MAX else []
        raise InputError("\n".join([f"{self._source}: {self.count} {plural}, {self._outcome}", *(f"  {text}" for text in self._shown + rest)]))
