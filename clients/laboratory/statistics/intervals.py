"""Means with intervals, and differences of runs that share their random numbers.

Sources: Student (1908); Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13 (percentile interval); Law, "Simulation Modeling
and Analysis" (2015), chapters 9 to 11 (paired t, common random numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from clients.laboratory.statistics.draws import indices

LEVEL: Final = 0.95
# A difference of the smallest detectable size is found with this probability.
POWER: Final = 0.8
RESAMPLES: Final = 2_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean of `n` values with its interval; the ends are None below two values, the mean is None below one."""

    n: int
    mean: float | None
    low: float | None
    high: float | None

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Paired:
    """Difference of pairs. `p`: two-sided, of no difference. `detectable`: smallest difference that this many pairs find with probability POWER.
    `variance_reduction_percent`: what pairing took away of the variance that independent samples would have; negative where it added.
    """

    interval: Interval
    p: float | None
    detectable: float | None
    variance_reduction_percent: float | None


def mean_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Student's t interval of the mean."""
    n = len(values)
    if n < 2:
        return Interval(n, float(values[0]) if n else None, None, None)
    sample = np.asarray(values, np.float64)
    mean, half = float(sample.mean()), _t_quantile(0.5 + level / 2, n - 1) * _standard_error(sample)
    return Interval(n, mean, mean - half, mean + half)


def paired_difference(first: Sequence[float], second: Sequence[float], level: float = LEVEL) -> Paired:
    """Of `second` less `first`, pair by pair (one pair a seed). Differences that are all the same leave no doubt: p is 0, or 1 where they are zero.

    Raises ValueError where the two are not equally long.
    """
    differences = _differences(first, second)
    interval = mean_interval(differences.tolist(), level)
    n = len(differences)
    if n < 2 or interval.mean is None:
        return Paired(interval, None, None, None)
    error = _standard_error(differences)
    p = 2 * float(stdtr(n - 1, -abs(interval.mean) / error)) if error > 0 else float(interval.mean == 0)
    return Paired(interval, p, smallest_detectable(error, n, level), variance_reduction_percent(first, second))


def bootstrap_difference(
    first: Sequence[float], second: Sequence[float], *, seed: int, level: float = LEVEL, resamples: int = RESAMPLES
) -> Interval:
    """Percentile interval of the mean paired difference, pairs drawn again with replacement from the stream of `seed`."""
    differences = _differences(first, second)
    n = len(differences)
    if n < 2:
        return Interval(n, float(differences[0]) if n else None, None, None)
    drawn = indices(seed, 0, resamples * n, n).reshape(resamples, n)
    means = np.sort(differences[drawn].mean(axis=1))
    outside = int((1 - level) / 2 * resamples)
    return Interval(n, float(differences.mean()), float(means[outside]), float(means[resamples - 1 - outside]))


def smallest_detectable(standard_error: float, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest true difference that a two-sided t test of n pairs finds with probability `power`: (t of the level + t of the power) x error.

    Bloom (1995), "Minimum detectable effects", Evaluation Review 19.
    """
    return (_t_quantile(0.5 + level / 2, n - 1) + _t_quantile(power, n - 1)) * standard_error


def variance_reduction_percent(first: Sequence[float], second: Sequence[float]) -> float | None:
    """1 - Var(second - first) / (Var(first) + Var(second)): what common random numbers save; None where nothing varies or below two pairs."""
    differences = _differences(first, second)
    if len(differences) < 2:
        return None
    independent = float(np.var(np.asarray(first, np.float64), ddof=1) + np.var(np.asarray(second, np.float64), ddof=1))
    return 100 * (1 - float(np.var(differences, ddof=1)) / independent) if independent > 0 else None


def _differences(first: Sequence[float], second: Sequence[float]) -> Floats:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values are no pairs")
    difference: Floats = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    return difference


def _standard_error(sample: Floats) -> float:
    # Equal values that a sum cannot represent have no spread, whatever the rounding of their mean says.
    return 0.0 if bool((sample == sample[0]).all()) else float(sample.std(ddof=1)) / sqrt(len(sample))


def _t_quantile(probability: float, degrees: int) -> float:
    return float(stdtrit(degrees, probability))
