"""Share of a load that green energy of the same time covers: by hour (24/7) and over the whole span (docs/rules.md, "Scope 2").

CFE = sum over intervals of min(load, green) / sum of load. Pure; integers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.units import NS_PER_HOUR, PPM

Int64Array = NDArray[np.int64]


class Share(NamedTuple):
    """A part of a whole, exact. `ppm` is rounded down: a share that is not reached is not shown as reached."""

    part: int
    whole: int

    @property
    def ppm(self) -> int:
        return self.part * PPM // self.whole if self.whole > 0 else 0

    def at_least(self, threshold_ppm: int) -> bool:
        """Exact; nothing reaches a threshold without a whole."""
        return self.whole > 0 and self.part * PPM >= threshold_ppm * self.whole

    def at_most(self, threshold_ppm: int) -> bool:
        """Exact."""
        return self.part * PPM <= threshold_ppm * self.whole


def matched_wh(load_wh: Int64Array, green_wh: Int64Array, interval: Int64Array) -> Int64Array:
    """Load covered within intervals: [n] from [n, T] and the number of the interval of each column, which does not fall."""
    if load_wh.shape[1] == 0:
        return np.zeros(load_wh.shape[0], np.int64)
    first = np.flatnonzero(np.diff(interval, prepend=interval[0] - 1))
    by_interval = np.minimum(np.add.reduceat(load_wh, first, axis=1), np.add.reduceat(green_wh, first, axis=1))
    matched: Int64Array = by_interval.sum(axis=1)
    return matched


def hour_of(start_ns: Int64Array) -> Int64Array:
    """The hour of each period; hours of every zone with whole hours are hours of UTC."""
    hours: Int64Array = start_ns // NS_PER_HOUR
    return hours
