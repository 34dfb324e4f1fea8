"""Clocks of a node. The core never asks a clock: time enters the state only as the stamp of a command."""

import time
from collections.abc import Callable
from typing import Protocol

from exchange.errors import ClockSteppedError
from exchange.units import NS_PER_SECOND


class Clock(Protocol):
    """Market time."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class SystemClock:
    """Market time is wall time. A step of the wall clock against the monotonic clock is refused until `confirm` is called."""

    STEP_LIMIT_NS = NS_PER_SECOND

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self.confirm()

    def confirm(self) -> None:
        """The operator confirms the wall clock as it is now."""
        self._offset_ns = self._wall_ns() - self._monotonic_ns()

    def now_ns(self) -> int:
        """Raises ClockSteppedError when the wall clock has moved against the monotonic clock by more than a second since it was confirmed."""
        wall_ns = self._wall_ns()
        if abs(wall_ns - self._monotonic_ns() - self._offset_ns) > self.STEP_LIMIT_NS:
            raise ClockSteppedError("the wall clock was stepped by more than a second; confirm it to go on")
        return wall_ns


class TurnClock:
    """Market time that stands still within a turn and is moved by whoever conducts the turns."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance_to(self, now_ns: int) -> None:
        """Never backwards."""
        self._now_ns = max(self._now_ns, now_ns)
