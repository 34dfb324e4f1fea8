"""The null test: rules that are the same must not differ. Two halves of the seeds of one set of rules stand for two sweeps of equal rules.

Many random halves are compared as a sweep compares two cells, Holm's adjustment over all measures included. A sound test finds a difference in at
most as many of them as its level allows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from clients.laboratory.sweep.inference import holm, paired
from exchange.errors import InputError

SPLITS: Final = 1000
_SEEDS_MIN: Final = 8
# The share found in so many splits lies within so many standard errors of the true one.
_ERRORS: Final = 3


@dataclass(frozen=True, slots=True)
class NullTest:
    """Shares of splits that differ: in any measure after adjustment, and in each measure alone. `allowed` has room for the error of counting."""

    splits: int
    level: float
    any_percent: float
    by_measure_percent: Mapping[str, float]
    allowed_percent: float

    @property
    def holds(self) -> bool:
        return self.any_percent <= self.allowed_percent


def null_test(values: Mapping[str, Mapping[int, float]], level: float, splits: int = SPLITS) -> NullTest:
    """Of the values of each measure by seed, all of one set of rules. A measure that never varies cannot differ. Raises InputError for few seeds."""
    seeds = sorted(set.intersection(*(set(of_seed) for of_seed in values.values()))) if values else []
    if len(seeds) < _SEEDS_MIN:
        raise InputError(f"the null test has {len(seeds)} seeds with all measures; it needs at least {_SEEDS_MIN}")
    differ = dict.fromkeys(values, 0)
    any_differs = 0
    for split in range(splits):
        first, second = _halves(seeds, split)
        p_values = [paired([of[s] for s in first], [of[s] for s in second], level).p for of in values.values()]
        adjusted = holm([1.0 if p is None else p for p in p_values])
        any_differs += min(adjusted) < 1 - level
        for name, p in zip(values, p_values, strict=True):
            differ[name] += p is not None and p < 1 - level
    error = sqrt(level * (1 - level) / splits)
    shares = {name: 100 * count / splits for name, count in differ.items()}
    return NullTest(splits, level, 100 * any_differs / splits, shares, 100 * (1 - level + _ERRORS * error))


def _halves(seeds: Sequence[int], split: int) -> tuple[list[int], list[int]]:
    """Two disjoint halves in a random sequence that depends on the split and the seeds alone."""
    order = sorted(seeds, key=lambda seed: hashlib.sha256(f"{split}/{seed}".encode()).digest())
    half = len(order) // 2
    return order[:half], order[half : 2 * half]
