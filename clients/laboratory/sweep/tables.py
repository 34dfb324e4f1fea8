"""What a terminal shows of a sweep: means, differences with their verdicts, and the tables of the other questions."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.table import Table

from clients.laboratory.sweep.findings import BEHAVIOUR, NO_DIFFERENCE, ROBUST, Analysis, Conclusion, Difference
from clients.laboratory.sweep.folder import population_name
from clients.laboratory.sweep.null import NullTest
from clients.laboratory.sweep.points import Point
from clients.laboratory.sweep.populations import AS_WRITTEN
from clients.laboratory.sweep.search import Found
from clients.laboratory.sweep.sensitivity import Effect

UNDEFINED: Final = "-"


def number(value: float | None) -> str:
    """Four digits that matter, whole above a thousand."""
    if value is None:
        return UNDEFINED
    if abs(value) >= 1000 or value == 0:
        return f"{value:,.0f}"
    decimals = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3 if abs(value) >= 1 else 4
    return f"{value:.{decimals}f}"


def spread(mean: float | None, low: float | None, high: float | None) -> str:
    """A mean and its interval."""
    return number(mean) if low is None else f"{number(mean)} [{number(low)}, {number(high)}]"


def means_table(analysis: Analysis, population: str) -> Table:
    """One row a measure, one column a cell."""
    mine = [estimate for estimate in analysis.estimates if estimate.population == population]
    cells = list(dict.fromkeys(estimate.cell for estimate in mine))
    table = _table(f"Mean and {100 * analysis.level:g}% interval, {population_name(population)}", "measure", *cells)
    for measure in analysis.measures:
        table.add_row(measure, *(spread(e.mean, e.low, e.high) for e in mine if e.measure == measure))
    return table


def differences_table(analysis: Analysis, population: str) -> Table:
    """One row a cell and measure."""
    table = _table(
        f"Difference to the baseline over the same seeds, {population_name(population)}",
        "cell", "measure", "difference", "seeds", "p (Holm)", "detectable", "variance cut", "verdict",
    )  # fmt: skip
    conclusions = {(found.cell, found.measure): found for found in analysis.conclusions}
    for difference in analysis.differences:
        if difference.population == population:
            table.add_row(*_difference_row(difference, conclusions[difference.cell, difference.measure]))
    return table


def _difference_row(difference: Difference, conclusion: Conclusion) -> tuple[str, ...]:
    reduction = difference.variance_reduction_percent
    return (
        difference.cell, difference.measure, spread(difference.mean, difference.low, difference.high), str(difference.n),
        UNDEFINED if difference.p_holm is None else f"{difference.p_holm:.3f}", number(difference.detectable),
        UNDEFINED if reduction is None else f"{reduction:.0f}%", verdict(conclusion),
    )  # fmt: skip


def verdict(conclusion: Conclusion) -> str:
    """In words, with the reasons why a difference is not robust."""
    if conclusion.verdict == NO_DIFFERENCE:
        return "no difference found"
    direction = "higher" if (conclusion.mean or 0) > 0 else "lower"
    if conclusion.verdict == ROBUST:
        return f"robust: {direction}"
    if conclusion.verdict == BEHAVIOUR:
        return f"{direction}, depends on behaviour: {'; '.join(conclusion.reasons)}"
    return "too few seeds"


def regrets_table(analysis: Analysis) -> Table:
    """What participants save by acting otherwise: of each cell and role the alternative that saves most."""
    table = _table("Best response of one participant of each role: what it saves", "cell", "role", "participant", "alternative", "CNY")
    best = {}
    for regret in sorted(analysis.regrets, key=lambda r: r.gain_cny if r.gain_cny is not None else float("-inf")):
        best[regret.cell, regret.role] = regret
    for place in dict.fromkeys((regret.cell, regret.role) for regret in analysis.regrets):
        found = best[place]
        table.add_row(*place, found.participant, found.alternative, spread(found.gain_cny, found.low, found.high))
    return table


def compare_table(analysis: Analysis, mechanisms: Mapping[str, str]) -> Table:
    """Mechanisms (by cell) in rows, measures in columns; a star where the difference to the first mechanism is found."""
    found = {(c.cell, c.measure) for c in analysis.conclusions if c.verdict in {ROBUST, BEHAVIOUR}}
    table = _table(f"Mean and half of the {100 * analysis.level:g}% interval; * differs from the first", "mechanism", *analysis.measures)
    for cell, mechanism in mechanisms.items():
        row = [estimate for estimate in analysis.estimates if (estimate.cell, estimate.population) == (cell, AS_WRITTEN)]
        table.add_row(mechanism, *(_half(e.mean, e.low, e.high) + ("*" if (cell, e.measure) in found else "") for e in row))
    return table


def _half(mean: float | None, low: float | None, high: float | None) -> str:
    return number(mean) if low is None or high is None else f"{number(mean)} ± {number((high - low) / 2)}"


def search_table(found: Found, shown: int = 10) -> Table:
    """The best points tried, then the winner and the rules as written over fresh seeds."""
    objective = found.objective
    table = _table(f"{objective.direction} {objective.measure}: best of {len(found.tried)} trials", "rules", objective.measure, "seeds")
    distinct = {tuple(point.overrides.items()): point for point in found.tried if point.values}
    ranked = sorted(distinct.values(), key=lambda point: point.mean, reverse=objective.direction == "maximise")
    for point in ranked[:shown]:
        table.add_row(rules(point), number(point.mean), str(len(point.values)))
    table.add_section()
    for what, point in (("best rules, fresh seeds", found.best_again), ("rules as written, fresh seeds", found.written_again)):
        table.add_row(what, number(point.mean) if point.values else point.reason, str(len(point.values)))
    return table


def rules(point: Point) -> str:
    return ", ".join(f"{key}={value}" for key, value in point.overrides.items()) or "as written"


def sensitivity_table(method: str, measure: str, effects: Sequence[Effect]) -> Table:
    """Rules by the size of their effect."""
    size, interplay = ("mu*", "sigma") if method == "morris" else ("total share", "of it with others")
    table = _table(f"Effect of the rules on {measure} ({method})", "rule", size, "± (95%)", interplay)
    for effect in sorted(effects, key=lambda e: -e.size):
        table.add_row(effect.key, number(effect.size), number(effect.half_width), number(effect.interplay))
    return table


def null_table(test: NullTest) -> Table:
    """Shares of equal rules that differ."""
    alarms = test.any_measure
    table = _table(f"Equal rules that differ, percent of {alarms.trials} splits of the seeds", "measure", "differs")
    for measure, percent in test.by_measure_percent.items():
        table.add_row(measure, f"{percent:.1f}")
    table.add_section()
    table.add_row("any, after Holm", f"{100 * alarms.share:.1f} [{100 * alarms.low:.1f}, {100 * alarms.high:.1f}]")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(columns):
        table.add_column(name, overflow="fold", justify="left" if index == 0 else "right")
    return table
