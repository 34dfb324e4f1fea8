"""What a sweep found, as analysis.json holds it: estimates, paired differences, regrets, conclusions."""

from typing import Final

import msgspec

FORMAT: Final = "parkex-sweep-analysis-1"

ROBUST: Final = "robust"
BEHAVIOUR: Final = "depends_on_behaviour"
NO_DIFFERENCE: Final = "no_difference_found"
TOO_FEW: Final = "too_few_seeds"


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Mean of a measure over `n` seeds in which it was defined, with the interval at the level of the analysis; None below two seeds."""

    cell: str
    population: str
    measure: str
    n: int
    mean: float | None
    low: float | None
    high: float | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A measure in a cell less the same in the baseline, seed by seed.

    `p_holm` is adjusted for all measures and cells of the population. `detectable`: the smallest difference that so many seeds show four times in
    five at the level. `variance_reduction_percent`: by how much pairing seeds lowered the variance of the difference against independent seeds.
    """

    cell: str
    population: str
    measure: str
    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    detectable: float | None
    variance_reduction_percent: float | None


class Regret(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant saves by acting otherwise while all others stay, over the run; `low` and `high` None below two seeds."""

    cell: str
    role: str
    participant: str
    alternative: str
    n: int
    gain_cny: float | None
    low: float | None
    high: float | None


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of a measure in a cell: `verdict` is one of the constants above, `reasons` why it is not robust.

    `largest_regret_cny`: the most that a participant tried saves in this cell by acting otherwise; None where none was tried.
    """

    cell: str
    measure: str
    verdict: str
    mean: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    reasons: list[str] = []
    largest_regret_cny: float | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """analysis.json. `failures`: how many runs failed for which reason."""

    format: str
    level: float
    measures: list[str]
    estimates: list[Estimate]
    differences: list[Difference]
    regrets: list[Regret]
    conclusions: list[Conclusion]
    failures: dict[str, int]

    def conclusion(self, cell: str, measure: str) -> Conclusion | None:
        """None where the measure was not asked for, or for the baseline."""
        return next((found for found in self.conclusions if (found.cell, found.measure) == (cell, measure)), None)
