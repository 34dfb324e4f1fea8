"""From results to findings: every cell against the baseline over the same seeds, all questions of a sweep judged together."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import msgspec

from clients.laboratory.statistics.comparisons import holm
from clients.laboratory.statistics.intervals import LEVEL, Paired, mean_interval, paired_difference
from clients.laboratory.sweep.findings import FORMAT, Analysis, Difference, Estimate, Regret
from clients.laboratory.sweep.plan import Plan
from clients.laboratory.sweep.results import failures
from clients.laboratory.sweep.robustness import conclude
from clients.laboratory.sweep.samples import Samples, samples_of
from clients.laboratory.sweep.task import Result
from exchange.errors import InputError

# What a participant pays, and what it has left in its storage for that.
_BILL, _STORED = "bill_market_cny", "storage_value_change_cny"


def analyse(plan: Plan, results: Mapping[str, Result], measures: Sequence[str], level: float = LEVEL) -> Analysis:
    """Raises InputError for a measure that no run has, or a level that is none."""
    if not 0.5 <= level < 1:
        raise InputError(f"--level {level:g}: expected at least 0.5 and less than 1, such as 0.95")
    samples = samples_of(plan, results)
    differences = _differences(plan, samples, measures, level)
    regrets = _regrets(plan, samples, level)
    return Analysis(
        format=FORMAT,
        level=level,
        measures=list(measures),
        estimates=_estimates(plan, samples, measures, level),
        differences=differences,
        regrets=regrets,
        conclusions=conclude(plan, samples, measures, differences, regrets, level),
        failures=failures(samples.by_place.values()),
    )


def known_measures(results: Iterable[Result]) -> list[str]:
    """Names of all measures that a run has, in the sequence of the first."""
    return list(dict.fromkeys(name for result in results for name in result.measures))


def _estimates(plan: Plan, samples: Samples, measures: Sequence[str], level: float) -> list[Estimate]:
    found = []
    for population, cell, measure in product(plan.populations, plan.cells, measures):
        sample = mean_interval(list(samples.values(measure, cell.name, population).values()), level)
        found.append(
            Estimate(cell=cell.name, population=population, measure=measure, n=sample.n, mean=sample.mean, low=sample.low, high=sample.high)
        )
    return found


def _differences(plan: Plan, samples: Samples, measures: Sequence[str], level: float) -> list[Difference]:
    """Of all cells but the first; p values adjusted within each population."""
    baseline, found = plan.cells[0].name, []
    for population in plan.populations:
        places = list(product((cell.name for cell in plan.cells[1:]), measures))
        pairs = [samples.against(measure, baseline, cell, population, "", level) for cell, measure in places]
        asked = [index for index, pair in enumerate(pairs) if pair.p is not None]
        adjusted = dict(zip(asked, holm([pairs[index].p or 0.0 for index in asked]), strict=True))
        for index, ((cell, measure), pair) in enumerate(zip(places, pairs, strict=True)):
            found.append(_difference(cell, population, measure, pair, adjusted.get(index)))
    return found


def _difference(cell: str, population: str, measure: str, pair: Paired, p_holm: float | None) -> Difference:
    spread = pair.interval
    return Difference(
        cell=cell, population=population, measure=measure, n=spread.n, mean=spread.mean, low=spread.low, high=spread.high, p=pair.p, p_holm=p_holm,
        detectable=pair.detectable, variance_reduction_percent=pair.variance_reduction_percent,
    )  # fmt: skip


def _regrets(plan: Plan, samples: Samples, level: float) -> list[Regret]:
    """What each response saves its participant in each cell, against the same seeds without it."""
    found = []
    for cell, response in product(plan.cells, plan.responses):
        usual, tried = (_net_bills(samples.of(cell.name, "", name), response.participant) for name in ("", response.name))
        seeds = [seed for seed in usual if seed in tried]
        spread = paired_difference([tried[seed] for seed in seeds], [usual[seed] for seed in seeds], level).interval
        found.append(
            Regret(
                cell=cell.name,
                role=response.role,
                participant=response.participant,
                alternative=response.alternative,
                n=spread.n,
                gain_cny=spread.mean,
                low=spread.low,
                high=spread.high,
            )
        )
    return found


def _net_bills(runs: Mapping[int, Result], participant: str) -> dict[int, float]:
    """Bill less the value left in storage, by seed."""
    rows = {seed: result.participants.get(participant, {}) for seed, result in runs.items()}
    return {seed: float(row[_BILL] or 0) - float(row.get(_STORED) or 0) for seed, row in rows.items() if _BILL in row}


def as_rows(entries: Iterable[msgspec.Struct]) -> list[dict[str, object]]:
    """Rows of a table."""
    return [msgspec.structs.asdict(entry) for entry in entries]
