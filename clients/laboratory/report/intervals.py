"""Means with intervals for a report: Student's t over seeds, the same seeds paired."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtrit


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of `n` seeds and what holds it at the stated level; both ends are the mean where `n` is 1."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def tells(self) -> bool:
        """Whether zero is outside."""
        return self.n > 1 and (self.low > 0 or self.high < 0)


def interval(values: Sequence[float], *, together: int = 1) -> Interval:
    """Student's t interval of 95 %; of `together` intervals all hold with 95 % (Bonferroni). `values` is not empty."""
    n = len(values)
    mean = sum(values) / n
    if n == 1:
        return Interval(mean, mean, mean, 1)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(stdtrit(n - 1, 1 - 0.05 / (2 * together))) * deviation / sqrt(n)
    return Interval(mean, mean - half, mean + half, n)
