"""Clocks of a simulated machine: one that only goes forward, and a wall clock beside it that drifts and is stepped."""

from collections.abc import Callable

from exchange.units import NS_PER_SECOND


class MachineClocks:
    """`elapsed_s` tells the simulation's time; the wall clock began at `start_ns`."""

    def __init__(self, start_ns: int, elapsed_s: Callable[[], float], drift_ppm: int = 0) -> None:
        self._start_ns = start_ns
        self._elapsed_s = elapsed_s
        self._drift_ppm = drift_ppm
        self._stepped_ns = 0

    def step(self, seconds: float) -> None:
        """What a careless administrator or a broken time server does to the wall clock."""
        self._stepped_ns += int(seconds * NS_PER_SECOND)

    def monotonic_ns(self) -> int:
        return int(self._elapsed_s() * NS_PER_SECOND)

    def wall_ns(self) -> int:
        monotonic_ns = self.monotonic_ns()
        return self._start_ns + monotonic_ns + monotonic_ns * self._drift_ppm // 1_000_000 + self._stepped_ns
