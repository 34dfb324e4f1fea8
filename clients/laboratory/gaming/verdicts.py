"""From the outcomes of all seeds to what is said of each manipulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Final

from clients.laboratory.gaming.play import Outcome
from clients.laboratory.gaming.suite import SUITE
from clients.laboratory.statistics.comparisons import holm
from clients.laboratory.statistics.intervals import LEVEL, Interval, mean_interval, paired_difference

MICRO: Final = 1_000_000
_WH_PER_KWH: Final = 1_000


class Verdict(StrEnum):
    """GAINS: the group pays less, at the level of the suite, also where the exchange refused something: orders that never trade can deceive too.
    PREVENTED: else, where nothing of it came about in any seed though it was tried: orders were refused, or certificates never followed.
    """

    PREVENTED = "prevented"
    GAINS = "gains"
    NO_GAIN = "does not gain"
    UNDECIDED = "cannot be told"


@dataclass(frozen=True, slots=True)
class Gain:
    """One manipulation over all seeds. Money is CNY a run; `gain` is what the group pays less, with its interval; `p` is adjusted for the whole suite
    (Holm), None below two seeds. `extent_kwh` (of energy, or of certificates) and counts are means a run; `wrongly_certified_wh` is the sum of all
    runs, which must be 0. `gain_percent`: of the size of the group's honest bill, None where it had none.
    """

    name: str
    verdict: Verdict
    gain: Interval
    gain_percent: float | None
    p: float | None
    others_lose_cny: float
    operator_gains_cny: float
    extent_kwh: float
    refused_orders: float
    alerts: Mapping[str, float]
    wrongly_certified_wh: int


def judge(outcomes: Sequence[Outcome], level: float = LEVEL) -> list[Gain]:
    """One Gain for each manipulation of the outcomes, in the sequence of the suite."""
    by_name = {name: [one for one in outcomes if one.name == name] for name in SUITE}
    played = {name: sorted(found, key=lambda one: one.seed) for name, found in by_name.items() if found}
    raw = {name: _p_of([one.gain_micro / MICRO for one in found], level) for name, found in played.items()}
    adjusted = dict(zip(raw, holm([1.0 if p is None else p for p in raw.values()]), strict=True))
    return [_gain(name, found, None if raw[name] is None else adjusted[name], level) for name, found in played.items()]


def _gain(name: str, outcomes: Sequence[Outcome], p: float | None, level: float) -> Gain:
    gains = mean_interval([one.gain_micro / MICRO for one in outcomes], level)
    honest = fmean(one.honest_bill_micro / MICRO for one in outcomes)
    rules = {rule for one in outcomes for rule in one.alerts}
    extent_kwh = fmean(one.extent_wh / _WH_PER_KWH for one in outcomes)
    assert gains.mean is not None
    return Gain(
        name=name, verdict=_verdict(outcomes, gains, p, level), gain=gains, gain_percent=100 * gains.mean / abs(honest) if honest else None, p=p,
        others_lose_cny=fmean(one.others_lose_micro / MICRO for one in outcomes),
        operator_gains_cny=fmean(one.operator_gains_micro / MICRO for one in outcomes), extent_kwh=extent_kwh,
        refused_orders=fmean(one.refused_orders for one in outcomes),
        alerts={rule: fmean(one.alerts.get(rule, 0) for one in outcomes) for rule in sorted(rules)},
        wrongly_certified_wh=sum(one.wrongly_certified_wh for one in outcomes),
    )  # fmt: skip


def _verdict(outcomes: Sequence[Outcome], gain: Interval, p: float | None, level: float) -> Verdict:
    is_sure = p is not None and p < 1 - level
    if is_sure and gain.mean is not None and gain.mean > 0:
        return Verdict.GAINS
    was_tried = SUITE[outcomes[0].name].is_of_green or any(one.refused_orders > 0 for one in outcomes)
    if was_tried and not any(one.extent_wh for one in outcomes):
        return Verdict.PREVENTED
    if is_sure or not any(one.gain_micro for one in outcomes):
        return Verdict.NO_GAIN
    return Verdict.UNDECIDED


def _p_of(gains_cny: Sequence[float], level: float) -> float | None:
    return paired_difference([0.0] * len(gains_cny), gains_cny, level).p
