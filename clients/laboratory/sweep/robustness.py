"""Which differences may be called robust.

A difference is found where its p, adjusted for everything that the sweep asked, is below the level. It is robust only if its sign is the same for at
least three populations, each with an interval that excludes zero, and stays the same when one participant of each role acts as pays it best.
Otherwise it depends on behaviour: the rules would do that to some traders, and we do not know that they are the ones who come.
"""

from collections.abc import Mapping, Sequence

from clients.laboratory.statistics.comparisons import POPULATIONS_MIN
from clients.laboratory.statistics.intervals import LEVEL
from clients.laboratory.sweep.findings import BEHAVIOUR, NO_DIFFERENCE, ROBUST, TOO_FEW, Conclusion, Difference, Regret
from clients.laboratory.sweep.plan import Plan
from clients.laboratory.sweep.populations import AS_WRITTEN
from clients.laboratory.sweep.samples import Samples


def conclude(
    plan: Plan, samples: Samples, measures: Sequence[str], differences: Sequence[Difference], regrets: Sequence[Regret], level: float
) -> list[Conclusion]:
    """One conclusion for each cell but the baseline and each measure, after the first population of the plan."""
    by_place: dict[tuple[str, str], list[Difference]] = {}
    for difference in differences:
        by_place.setdefault((difference.cell, difference.measure), []).append(difference)
    found = []
    for cell in plan.cells[1:]:
        best = best_responses(regrets, cell.name)
        for measure in measures:
            own = by_place[cell.name, measure]
            reasons = [*_reasons_of_populations(own), *_reasons_of_responses(plan, samples, best, own[0])]
            found.append(_conclusion(own[0], reasons, best, level))
    return found


def best_responses(regrets: Sequence[Regret], cell: str) -> dict[str, Regret]:
    """Of each role the alternative that saves most in a cell, where one saves at all."""
    best: dict[str, Regret] = {}
    for regret in regrets:
        if regret.cell == cell and regret.gain_cny is not None and regret.gain_cny > 0:
            known = best.get(regret.role)
            if known is None or known.gain_cny is None or regret.gain_cny > known.gain_cny:
                best[regret.role] = regret
    return best


def _conclusion(own: Difference, reasons: list[str], best: Mapping[str, Regret], level: float) -> Conclusion:
    if own.p_holm is None:
        verdict, reasons = TOO_FEW, []
    elif own.p_holm >= 1 - level:
        verdict, reasons = NO_DIFFERENCE, []
    else:
        verdict = BEHAVIOUR if reasons else ROBUST
    gains = [regret.gain_cny for regret in best.values() if regret.gain_cny is not None]
    return Conclusion(
        cell=own.cell, measure=own.measure, verdict=verdict, mean=own.mean, low=own.low, high=own.high, p_holm=own.p_holm, reasons=reasons,
        largest_regret_cny=max(gains, default=None),
    )  # fmt: skip


def _reasons_of_populations(differences: Sequence[Difference]) -> list[str]:
    """`differences` are those of one cell and measure, one for each population; the first is what the conclusion is about."""
    reasons = []
    named = sum(difference.population != AS_WRITTEN for difference in differences)
    if named < POPULATIONS_MIN:
        reasons.append(f"{named} of {POPULATIONS_MIN} populations tried")
    sign = _sign(differences[0].mean)
    return reasons + [f"not shown for {d.population or 'the agents as written'}" for d in differences[1:] if not _is_shown(d, sign)]


def _is_shown(difference: Difference, sign: int) -> bool:
    """Whether the whole interval has the sign."""
    return difference.low is not None and difference.high is not None and sign * difference.low > 0 and sign * difference.high > 0


def _reasons_of_responses(plan: Plan, samples: Samples, best: Mapping[str, Regret], own: Difference) -> list[str]:
    if not plan.responses:
        return ["no response tried"]
    sign, reasons = _sign(own.mean), []
    for role, regret in best.items():
        response = f"{regret.participant} {regret.alternative}"
        under = samples.against(own.measure, plan.cells[0].name, own.cell, AS_WRITTEN, response, LEVEL).interval
        if under.mean is None or _sign(under.mean) != sign:
            reasons.append(f"not when {role} {response}")
    return reasons


def _sign(value: float | None) -> int:
    return 0 if not value else 1 if value > 0 else -1
