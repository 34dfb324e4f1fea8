"""Shapley values: exact from all coalitions, or sampled over permutations with their standard errors; and how far an allocation is from the core.

A game is int64[2**n]: the value of each coalition by its bit mask (member i is bit i), the empty one 0. Papers: Shapley (1953), "A value for
n-person games"; Castro, Gomez and Tejada (2009), "Polynomial calculation of the Shapley value based on sampling".
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Sampled(NamedTuple):
    """Sums of marginal contributions over `draws` permutations, int of each member, and the standard error of each mean."""

    sums: list[int]
    draws: int
    standard_errors: list[float]


def exact_shapley(game: Integers) -> list[Fraction]:
    """Values of the members, exact; they sum to the value of the grand coalition. Time 2**n x n."""
    n = len(game).bit_length() - 1
    masks = np.arange(len(game))
    sizes = np.zeros(len(game), np.int64)
    for member in range(n):
        sizes += masks >> member & 1
    values = []
    for member in range(n):
        without = np.flatnonzero(masks >> member & 1 == 0)
        marginal = game[without | 1 << member] - game[without]
        weighted = 0
        for size in range(n):
            of_size = int(marginal[sizes[without] == size].sum())
            weighted += factorial(size) * factorial(n - size - 1) * of_size
        values.append(Fraction(weighted, factorial(n)))
    return values


def sampled_shapley(marginals: Callable[[Sequence[int]], Integers], permutations: Sequence[Sequence[int]]) -> Sampled:
    """Means over permutations; `marginals` gives what each member (in the order of the permutation) adds to those before it."""
    rows = np.array([_by_member(permutation, marginals(permutation)) for permutation in permutations])
    draws = len(rows)
    spread = rows.std(axis=0, ddof=1) if draws > 1 else np.full(rows.shape[1], np.inf)
    return Sampled([int(value) for value in rows.sum(axis=0)], draws, [float(value) / sqrt(draws) for value in spread])


def _by_member(permutation: Sequence[int], added: Integers) -> Integers:
    row = np.empty_like(added)
    row[list(permutation)] = added
    return row


def largest_excess(game: Integers, allocation: Sequence[Fraction | int]) -> Fraction:
    """Most that a coalition other than all or none could gain by leaving; the allocation is in the core if it is not above zero.

    Zero for a game of fewer than two members.
    """
    n = len(allocation)
    given = [Fraction(0)] * len(game)
    for mask in range(1, len(game)):
        last = mask.bit_length() - 1
        given[mask] = given[mask ^ 1 << last] + allocation[last]
    return max((int(game[mask]) - given[mask] for mask in range(1, 2**n - 1)), default=Fraction(0))
