"""Clocks of a node. The core never asks a clock: time enters the state only as the stamp of a command."""

import time
from typing import Protocol

from exchange.errors import ParkexError
from exchange.units import NS_PER_SECOND


class Clock(Protocol):
    """Market time."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...


class SystemClock:
    """Market time is wall time. A step of the wall clock against the monotonic clock is refused until `confirm` is called."""

    STEP_LIMIT_NS = NS_PER_SECOND

    def __init__(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        """The operator confirms the wall clock as it is now."""
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Raises ParkexError when the wall clock has moved against the monotonic clock by more than a second since it was confirmed."""
        wall_ns = time.time_ns()
        if abs(wall_ns - time.monotonic_ns() - self._offset_ns) > self.STEP_LIMIT_NS:
            raise ParkexError("the wall clock was stepped by more than a second; confirm it to go on")
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
