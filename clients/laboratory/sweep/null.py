"""The null test: rules that are the same must not differ. Two halves of the seeds of one set of rules stand for two sweeps of equal rules.

Many random halves are compared as a sweep compares two cells, Holm's adjustment over all measures included. A sound test finds a difference in at
most as many of them as its level allows.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clients.laboratory.statistics.comparisons import FalseAlarms, false_alarms, holm
from clients.laboratory.statistics.intervals import paired_difference
from exchange.errors import InputError

SPLITS: Final = 1000
_SEEDS_MIN: Final = 8


@dataclass(frozen=True, slots=True)
class NullTest:
    """How often halves differ: in any measure after adjustment (`any_measure`), and in each measure alone, in percent of the splits."""

    level: float
    any_measure: FalseAlarms
    by_measure_percent: Mapping[str, float]

    @property
    def holds(self) -> bool:
        """Whether the splits do not contradict that at most 1 - level of equal rules seem to differ."""
        return self.any_measure.within(1 - self.level)


def null_test(values: Mapping[str, Mapping[int, float]], level: float, splits: int = SPLITS) -> NullTest:
    """Of the values of each measure by seed, all of one set of rules. A measure that never varies cannot differ. Raises InputError for few seeds."""
    seeds = sorted(set.intersection(*(set(of_seed) for of_seed in values.values()))) if values else []
    if len(seeds) < _SEEDS_MIN:
        raise InputError(f"the null test has {len(seeds)} seeds with all measures; it needs at least {_SEEDS_MIN}")
    differ = dict.fromkeys(values, 0)

    def differs(split: int) -> bool:
        first, second = _halves(seeds, split)
        found = [paired_difference([of[s] for s in first], [of[s] for s in second], level).p for of in values.values()]
        p_values = [1.0 if p is None else p for p in found]
        for name, p in zip(values, p_values, strict=True):
            differ[name] += p < 1 - level
        return min(holm(p_values)) < 1 - level

    alarms = false_alarms(differs, splits)
    return NullTest(level, alarms, {name: 100 * count / splits for name, count in differ.items()})


def _halves(seeds: Sequence[int], split: int) -> tuple[list[int], list[int]]:
    """Two disjoint halves in a random sequence that depends on the split and the seeds alone."""
    order = sorted(seeds, key=lambda seed: hashlib.sha256(f"{split}/{seed}".encode()).digest())
    half = len(order) // 2
    return order[:half], order[half : 2 * half]
