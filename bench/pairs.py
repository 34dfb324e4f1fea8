"""Two subjects measured in turn: paired ratios, so that a machine that slows down for a while slows both."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """Nanoseconds of each subject by pair."""

    subject_ns: list[float]
    floor_ns: list[float]

    def summary(self) -> dict[str, Any]:
        """Median and least of the subject, median of the floor, median and range of the paired ratios."""
        ratios = np.array(self.subject_ns) / np.array(self.floor_ns)
        return {
            "ns_per_message": {"median": round(float(np.median(self.subject_ns)), 1), "min": round(min(self.subject_ns), 1)},
            "floor_ns": round(float(np.median(self.floor_ns)), 1),
            "ratio": round(float(np.median(ratios)), 2),
            "ratio_range": [round(float(ratios.min()), 2), round(float(ratios.max()), 2)],
            "pairs": len(ratios),
        }


def alternate(subject: Callable[[], float], floor: Callable[[], float], n_pairs: int, progress: Callable[[int], None]) -> Pairs:
    """Run both `n_pairs` times, each first in every other pair, after one run of each that does not count (it compiles and warms).

    `progress` is called with the number of the pair behind it.
    """
    subject()
    floor()
    subject_ns: list[float] = []
    floor_ns: list[float] = []
    for pair in range(n_pairs):
        turns = [(subject, subject_ns), (floor, floor_ns)]
        for measure, times in turns if pair % 2 else reversed(turns):
            times.append(measure())
        progress(pair + 1)
    return Pairs(subject_ns, floor_ns)
