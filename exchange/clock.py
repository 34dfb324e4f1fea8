"""Clocks of a node. The core never asks a clock: time enters the state only as the stamp of a command."""

import time
from collections.abc import Callable
from typing import Protocol

from exchange.errors import ClockSteppedError
from exchange.units import NS_PER_SECOND


class Clock(Protocol):
    """Market time."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC. Raises ClockSteppedError while the clock is in doubt."""
        ...

    def resume_from(self, last_ns: int) -> None:
        """A journal goes on whose last command is stamped `last_ns`."""
        ...

    def confirmation(self) -> Callable[[], None]:
        """What is to be called once the operator has confirmed the clock as it is now."""
        ...


class SystemClock:
    """Market time is wall time. A step of the wall clock against the monotonic clock is refused until `confirm` is called."""

    STEP_LIMIT_NS = NS_PER_SECOND

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._last_ns = 0
        self.confirm()

    def resume_from(self, last_ns: int) -> None:
        """A clock that is more than a second behind what the journal has seen was set back while nobody was looking: it is in doubt."""
        self._last_ns = last_ns

    def confirmation(self) -> Callable[[], None]:
        """A step between now and the call is not confirmed by it."""
        offset_ns = self._wall_ns() - self._monotonic_ns()

        def confirm() -> None:
            self._offset_ns, self._last_ns = offset_ns, 0

        return confirm

    def confirm(self) -> None:
        """Believe the wall clock as it is now."""
        self.confirmation()()

    def now_ns(self) -> int:
        """Raises ClockSteppedError when the wall clock has moved against the monotonic clock by more than a second since it was confirmed."""
        wall_ns = self._wall_ns()
        if abs(wall_ns - self._monotonic_ns() - self._offset_ns) > self.STEP_LIMIT_NS:
            raise ClockSteppedError("the wall clock was stepped by more than a second; confirm it to go on")
        if wall_ns < self._last_ns - self.STEP_LIMIT_NS:
            raise ClockSteppedError("the wall clock is behind the last command of the journal; confirm it to go on")
        return wall_ns


class TurnClock:
    """Market time that stands still within a turn and is moved by whoever conducts the turns."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def resume_from(self, last_ns: int) -> None:
        """Its conductor says what time it is, whatever the journal has seen."""

    def confirmation(self) -> Callable[[], None]:
        """There is nothing to doubt."""
        return lambda: None

    def advance_to(self, now_ns: int) -> None:
        """Never backwards."""
        self._now_ns = max(self._now_ns, now_ns)
