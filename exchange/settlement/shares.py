"""Exact sums, quotients and shares of whole columns at once, in int64 where a stated bound allows it and in Python integers where it does not.

Every function checks its bound from the largest values it is given, so no input overflows silently.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.units import INT64_MAX, divide_half_even

Int64Array = NDArray[np.int64]

# Half of int64: room for the last addition of a sum that was bounded by products.
_BOUND: Final = INT64_MAX // 2


def magnitude(values: Int64Array) -> int:
    """Largest absolute value, 0 of nothing."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def dot(values: Int64Array, weights: Int64Array) -> Int64Array | None:
    """Sum of values x weights along the last axis, int64; None where max|values| max|weights| T could pass int64."""
    if magnitude(values) * magnitude(weights) * max(values.shape[-1], 1) > _BOUND:
        return None
    return np.asarray(np.multiply(values, weights).sum(axis=-1), np.int64)


def divide_half_even_columns(numerators: Int64Array, denominator: int) -> Int64Array:
    """`divide_half_even` of every entry; `denominator` > 0 and at most a quarter of int64."""
    quotients, remainders = np.divmod(numerators, denominator)
    twice = 2 * remainders
    up: Int64Array = quotients + ((twice > denominator) | ((twice == denominator) & (quotients & 1 == 1)))
    return up


def rounded_dot(values: Int64Array, weights: Int64Array, denominator: int) -> Int64Array:
    """Sum of values x weights along the last axis over `denominator`, each row rounded half-even once. Raises OverflowError beyond int64."""
    sums = dot(values, weights)
    if sums is not None:
        return divide_half_even_columns(sums, denominator)
    exact = (values.astype(object) * weights.astype(object)).sum(axis=-1)
    return np.array([divide_half_even(int(total), denominator) for total in np.atleast_1d(exact)], np.int64).reshape(np.shape(exact))


def split_columns(totals: Int64Array, weights: Int64Array) -> Int64Array:
    """totals[T] >= 0 in proportion to weights[k, T] >= 0, whole numbers that sum to each total exactly: [k, T].

    Largest remainder (Hamilton), ties to the earlier row. Where no row has a weight all shares are zero. Products are int64 while
    max(totals) max(weights) stays within half of int64, else Python integers.
    """
    if not weights.size:
        return np.zeros(weights.shape, np.int64)
    kind = np.int64 if magnitude(totals) * magnitude(weights) <= _BOUND else object
    wide = weights.astype(kind, copy=False)
    sums = wide.sum(axis=0)
    products = wide * totals.astype(kind)
    divisors = np.maximum(sums, 1)
    shares = products // divisors
    remainders = products - shares * divisors
    missing = np.where(sums > 0, totals.astype(kind) - shares.sum(axis=0), 0)
    order = np.argsort(-remainders, axis=0, kind="stable")
    ranks = np.empty(order.shape, np.int64)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(len(weights))[:, np.newaxis], order.shape), axis=0)
    whole: Int64Array = (shares + (ranks < missing)).astype(np.int64)
    return whole
