"""Student's t over seeds: intervals, paired differences, Holm's adjustment, what a number of seeds can show."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance
from typing import Final

from scipy.special import stdtr, stdtrit

# A difference of the smallest detectable size is found with this probability.
POWER: Final = 0.8


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean of `n` values with its interval; `low` and `high` are None below two values, `mean` is None below one."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean difference of pairs with its interval, two-sided p, smallest detectable difference, and the variance that pairing took away in percent."""

    interval: Interval
    p: float | None
    detectable: float | None
    variance_reduction_percent: float | None


def interval(values: Sequence[float], level: float) -> Interval:
    n = len(values)
    if n < 2:
        return Interval(n, values[0] if values else None, None, None)
    mean = fmean(values)
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * sqrt(variance(values) / n)
    return Interval(n, mean, mean - half, mean + half)


def paired(first: Sequence[float], second: Sequence[float], level: float) -> Paired:
    """Of `second` less `first`. Differences that are all the same leave nothing to doubt: p is 0, or 1 where they are zero."""
    differences = [b - a for a, b in zip(first, second, strict=True)]
    found, n = interval(differences, level), len(differences)
    if n < 2:
        return Paired(found, None, None, None)
    assert found.mean is not None
    error = sqrt(variance(differences) / n)
    p = 2 * float(stdtr(n - 1, -abs(found.mean) / error)) if error > 0 else float(found.mean == 0)
    detectable = (float(stdtrit(n - 1, 0.5 + level / 2)) + float(stdtrit(n - 1, POWER))) * error
    independent = variance(first) + variance(second)
    reduction = 100 * (1 - variance(differences) / independent) if independent > 0 else None
    return Paired(found, p, detectable, reduction)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the sequence given (S. Holm, Scandinavian Journal of Statistics 6 (1979))."""
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted
