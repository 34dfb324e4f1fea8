"""What happens when, over all days of a run: contracts are listed, rounds are held, days are metered and settled. Times are ns since the epoch."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.world.day import WorldDay
from exchange.units import NS_PER_MINUTE, PERIOD_NS

Integers = NDArray[np.int64]

# Before the opening; and after the end of the day, when its readings are there.
LISTED_BEFORE_NS: Final = 30 * NS_PER_MINUTE
SETTLED_AFTER_NS: Final = 10 * NS_PER_MINUTE


class Step(IntEnum):
    """In the order in which they are taken at one moment."""

    SETTLE = 0
    LIST = 1
    UNITS = 2
    ROUND = 3


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One step of one day; of a ROUND `index` is its place in `rounds_of`, of UNITS the step of the day."""

    at_ns: int
    step: Step
    day: int
    index: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class RoundsAt:
    """The books of a day that hold a round at one moment: int64[m] each."""

    at_ns: int
    periods: Integers
    rounds: Integers


def rounds_of(day: WorldDay) -> list[RoundsAt]:
    """All rounds of a day by time. A round at the gate itself is a nanosecond before it: what is stamped at the gate comes too late."""
    n_rounds, periods = day.round_ns.shape
    times = np.minimum(day.round_ns, day.gate_ns[np.newaxis, :] - 1).reshape(-1)
    rounds, columns = np.divmod(np.arange(n_rounds * periods), periods)
    order = np.lexsort((rounds, columns, times))
    times, rounds, columns = times[order], rounds[order], columns[order]
    # A book has one round at a moment: those that fall together are held one after the other.
    found = []
    for start, end in _runs(times):
        seen = np.unique(columns[start:end], return_index=True)[1]
        left = np.arange(start, end)
        while left.size:
            found.append(RoundsAt(int(times[start]), columns[left[seen]], rounds[left[seen]]))
            left = np.delete(left, seen)
            seen = np.unique(columns[left], return_index=True)[1]
    return found


def _runs(values: Integers) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(values)) + 1
    return zip(np.concatenate([[0], edges]).tolist(), np.concatenate([edges, [len(values)]]).tolist(), strict=True)


class Agenda:
    """All steps of a run in their sequence; a day's own are added when it comes into sight, which is when it is listed."""

    def __init__(self) -> None:
        self._due: list[Due] = []

    def add_listing(self, day: WorldDay) -> None:
        heapq.heappush(self._due, Due(listed_ns(day), Step.LIST, day.index))

    def add_day(self, day: WorldDay, rounds: list[RoundsAt], unit_steps_ns: list[int]) -> None:
        for index, at_ns in enumerate(unit_steps_ns):
            heapq.heappush(self._due, Due(at_ns, Step.UNITS, day.index, index))
        for index, entry in enumerate(rounds):
            heapq.heappush(self._due, Due(entry.at_ns, Step.ROUND, day.index, index))
        heapq.heappush(self._due, Due(int(day.start_ns[-1]) + PERIOD_NS + SETTLED_AFTER_NS, Step.SETTLE, day.index))

    def __iter__(self) -> Iterator[Due]:
        while self._due:
            yield heapq.heappop(self._due)


def listed_ns(day: WorldDay) -> int:
    """When the contracts of a day are listed."""
    return day.opens_ns - LISTED_BEFORE_NS
