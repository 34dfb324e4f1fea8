"""Results of a sweep by their place in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from clients.laboratory.statistics.intervals import Paired, paired_difference
from clients.laboratory.sweep.plan import Plan
from clients.laboratory.sweep.points import measure_of
from clients.laboratory.sweep.task import Result


@dataclass(frozen=True, slots=True)
class Samples:
    """Results of a sweep by cell, population, response and seed."""

    by_place: Mapping[tuple[str, str, str, int], Result]

    def of(self, cell: str, population: str, response: str = "") -> dict[int, Result]:
        """Finished runs by seed."""
        return {seed: r for (c, p, q, seed), r in self.by_place.items() if (c, p, q) == (cell, population, response) and r.is_done}

    def values(self, measure: str, cell: str, population: str, response: str = "") -> dict[int, float]:
        """A measure by seed, where it is defined."""
        found = {seed: measure_of(result, measure) for seed, result in self.of(cell, population, response).items()}
        return {seed: float(value) for seed, value in found.items() if value is not None}

    def against(self, measure: str, baseline: str, cell: str, population: str, response: str, level: float) -> Paired:
        """A cell less the baseline over the seeds that both have."""
        before, after = (self.values(measure, name, population, response) for name in (baseline, cell))
        seeds = [seed for seed in before if seed in after]
        return paired_difference([before[seed] for seed in seeds], [after[seed] for seed in seeds], level)


def samples_of(plan: Plan, results: Mapping[str, Result]) -> Samples:
    """Results by key as `Runner.play` gives them, in the places that the plan has for them."""
    found = {(t.cell, t.population, t.response, t.seed): results[t.key] for t in plan.tasks if t.key in results}
    return Samples(found)
