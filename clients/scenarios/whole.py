"""Splitting a whole number into whole parts: nothing is lost to rounding and no order of terms matters."""

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.units import INT64_MAX


def whole_parts(total: int, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Parts proportional to `weights` (int64[n], >= 0, not all zero) that sum to `total` (>= 0) exactly; int64[n].

    Part i is floor(total * W[i] / W) - floor(total * W[i-1] / W) with W[i] the running sum, so each part is within one of its exact share and
    the running total of the parts is never more than one behind the exact curve. Raises InputError when the weights are all zero.
    """
    running = np.cumsum(weights, dtype=np.int64)
    whole = int(running[-1]) if len(running) else 0
    if whole <= 0:
        raise InputError("a quantity cannot be split over weights that are all zero")
    if total and whole > INT64_MAX // total:
        edges = np.array([total * int(value) // whole for value in running], dtype=np.int64)
    else:
        edges = running * total // whole
    return np.diff(edges, prepend=0)


def half_even(numerator: NDArray[np.int64], denominator: int) -> NDArray[np.int64]:
    """Elementwise quotient rounded half-even, as `exchange.units.divide_half_even`; `denominator` > 0."""
    quotient, remainder = np.divmod(numerator, denominator)
    twice = 2 * remainder
    up = (twice > denominator) | ((twice == denominator) & (quotient % 2 != 0))
    return np.asarray(quotient + up, dtype=np.int64)
