"""Three sentences on what was asked, written by rules from the numbers: money, market, carbon.

One set of rules: what it comes to, with an interval where there are several seeds. Several: each is compared with the first, seed by seed. A
difference is told only where its interval excludes zero, all comparisons of a measure held together; it is called robust only by a sweep that tried
three populations and responses, else the sentence says that it depends on behaviour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Final

from clients.laboratory.report.inputs import Evidence
from clients.laboratory.report.markup import Text, same
from clients.laboratory.report.measure_names import format_value, measure_name, with_unit
from clients.laboratory.report.wording import joined, say
from clients.laboratory.statistics.intervals import Interval, mean_interval
from clients.laboratory.sweep import findings
from clients.laboratory.sweep.populations import AS_WRITTEN

# What each sentence is about: the first of its measures that all runs have defined.
MONEY: Final = ("bill_market_cny",)
MARKET: Final = ("welfare_efficiency_percent", "allocative_efficiency_percent", "traded_kwh", "price_mean_cny_per_kwh")
CARBON: Final = ("matched_hourly_percent", "emissions_location_t", "self_sufficiency_percent")
LEVEL: Final = 0.95
POPULATIONS_FOR_ROBUST: Final = 3


class Verdict(StrEnum):
    """What may be said of a difference. The values are keys of the wording."""

    ROBUST = "v_robust"
    BEHAVIOUR = "v_behaviour"
    UNTOLD = "v_untold"
    SAME = "v_same"
    ONCE = "v_once"
    NO_PAIR = "v_no_pair"
    UNDEFINED = "v_undefined"


# What a sweep concludes, and what that is here.
_CONCLUDED: Final = {findings.ROBUST: Verdict.ROBUST, findings.BEHAVIOUR: Verdict.BEHAVIOUR, findings.NO_DIFFERENCE: Verdict.UNTOLD}


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting against the first one on one measure. `spread.mean` is None without a pair, its ends below two seeds.

    `by_population`: mean difference of each. `p_holm` is what a sweep found, None elsewhere.
    """

    measure: str
    setting: int
    verdict: Verdict
    spread: Interval
    by_population: dict[str, float]
    p_holm: float | None = None


def compare(evidence: Evidence, measure: str, setting: int) -> Difference:
    """The difference of `setting` from the first one, seed by seed; where a sweep has concluded on it, that."""
    base, other = evidence.values(measure, 0), evidence.values(measure, setting)
    pairs = {key: other[key] - base[key] for key in base if key in other}
    by_population = {name: fmean(d for (population, _), d in pairs.items() if population == name) for name in sorted({key[0] for key in pairs})}
    if pairs and not any(pairs.values()):
        seeds = len({seed for _, seed in pairs})
        return Difference(measure, setting, Verdict.SAME, Interval(seeds, 0.0, 0.0, 0.0), by_population)
    concluded = _conclusion(evidence, measure, setting)
    if concluded is not None and concluded.mean is not None and concluded.verdict in _CONCLUDED:
        n = len({seed for _, seed in pairs})
        spread = Interval(n, concluded.mean, concluded.low, concluded.high)
        return Difference(measure, setting, _CONCLUDED[concluded.verdict], spread, by_population, concluded.p_holm)
    # Populations share the weather of a seed, so a seed is one draw, whatever number of populations played it.
    of_seed = [fmean(d for (_, own), d in pairs.items() if own == seed) for seed in sorted({seed for _, seed in pairs})]
    spread = mean_interval(of_seed, 1 - (1 - LEVEL) / (len(evidence.settings) - 1))
    return Difference(measure, setting, _verdict(spread) if base and other else Verdict.UNDEFINED, spread, by_population)


def three_sentences(evidence: Evidence) -> tuple[list[Text], Text | None]:
    """Money, market, carbon; and how far they depend on behaviour, where the same can be said of all of them."""
    if len(evidence.settings) == 1:
        return [_money(evidence), _market(evidence), _carbon(evidence)], None
    told = [_told(evidence, candidates) for candidates in (MONEY, MARKET, CARBON)]
    said = [behaviour for _, behaviour in told if behaviour is not None]
    if said and len(set(said)) == 1:
        return [sentence for sentence, _ in told], said[0]
    return [joined([sentence, behaviour], (" ", "")) if behaviour else sentence for sentence, behaviour in told], None


def difference_text(measure: str, value: float, *, signed: bool = True) -> Text:
    """A difference with its sign and unit; of shares in points."""
    text = format_value(measure, value)
    text = f"+{text}" if signed and value > 0 else text
    return Text(f"{text} points", f"{text} 个百分点") if measure.endswith("_percent") else with_unit(measure, text)


def _verdict(spread: Interval) -> Verdict:
    """Without a sweep that tried populations and responses nothing is called robust."""
    if spread.mean is None:
        return Verdict.NO_PAIR
    if spread.low is None or spread.high is None:
        return Verdict.ONCE
    return Verdict.BEHAVIOUR if spread.low > 0 or spread.high < 0 else Verdict.UNTOLD


def _conclusion(evidence: Evidence, measure: str, setting: int) -> findings.Conclusion | None:
    if evidence.sweep is None or evidence.sweep.analysis is None:
        return None
    return evidence.sweep.analysis.conclusion(list(evidence.sweep.cells)[setting], measure)


def _worth_telling(evidence: Evidence, candidates: Sequence[str]) -> list[Difference]:
    """Differences of the first measure that all runs have and that is not the same everywhere, else of the first that they have."""
    defined = [name for name in candidates if all(evidence.values(name, setting) for setting in range(len(evidence.settings)))]
    found = [[compare(evidence, name, setting) for setting in range(1, len(evidence.settings))] for name in defined or candidates[:1]]
    moving = (differences for differences in found if any(difference.verdict is not Verdict.SAME for difference in differences))
    return next(moving, found[0])


def _told(evidence: Evidence, candidates: Sequence[str]) -> tuple[Text, Text | None]:
    """The sentence on the largest difference that can be told, or on the largest at all; how far a told one depends on behaviour."""
    found = _worth_telling(evidence, candidates)
    told = [difference for difference in found if difference.verdict in {Verdict.ROBUST, Verdict.BEHAVIOUR}]
    chosen = max(told or found, key=lambda difference: abs(difference.spread.mean or 0.0))
    measure, mean = chosen.measure, chosen.spread.mean
    base, other, name = evidence.settings[0].label, evidence.settings[chosen.setting].label, measure_name(measure)
    if not any(evidence.values(measure, setting) for setting in range(len(evidence.settings))):
        return say("undefined", measure=_capital(name)), None
    if mean is None:
        return say("no_pair", measure=name, base=base, other=other), None
    if chosen.verdict is Verdict.SAME:
        return say("same_everywhere", measure=_capital(name), base=base, other=other), None
    amount = difference_text(measure, mean)
    if chosen.verdict is Verdict.ONCE:
        return say("once", measure=name, base=base, other=other, amount=amount), None
    if chosen.verdict is Verdict.UNTOLD:
        key = "untold" if len(found) == 1 else "untold_all"
        spread = _spread(measure, chosen.spread, len(found), chosen.p_holm)
        return say(key, measure=name, base=base, other=other, amount=amount, spread=spread, count=len(found)), None
    moves = say("raises" if mean > 0 else "lowers")
    size, spread = difference_text(measure, abs(mean), signed=False), _spread(measure, _size(chosen.spread), len(found), chosen.p_holm)
    return say("told", base=base, other=other, moves=moves, measure=name, amount=size, spread=spread), _on_behaviour(chosen)


def _size(spread: Interval) -> Interval:
    """How far something moves, whichever way."""
    if spread.mean is None or spread.mean >= 0 or spread.low is None or spread.high is None:
        return spread
    return Interval(spread.n, -spread.mean, -spread.high, -spread.low)


def _on_behaviour(difference: Difference) -> Text:
    """How far a difference that was told holds for other traders than those who played. The scenario's own mix is no population to be counted."""
    if difference.verdict is Verdict.ROBUST:
        return say("robust")
    named = [name for name in difference.by_population if name != AS_WRITTEN]
    if len({value > 0 for value in difference.by_population.values()}) > 1:
        return say("behaviour_signs", list=_listed(difference.by_population))
    if not named:
        return say("behaviour_own")
    if len(named) < POPULATIONS_FOR_ROBUST:
        return say("behaviour_few", count=len(named))
    return say("behaviour_response", count=len(named), list=_listed(named))


def _listed(populations: Iterable[str]) -> Text:
    return joined([same(name) if name != AS_WRITTEN else say("as_written") for name in populations], (", ", "、"))


def p_text(p_holm: float) -> str:
    return "< 0.001" if p_holm < 0.001 else f"{p_holm:.3f}"


def _spread(measure: str, spread: Interval, together: int, p_holm: float | None) -> Text:
    """The interval of a difference; of a sweep with its p, which decides there."""
    low, high = _ends(measure, spread)
    if p_holm is not None:
        return say("interval_holm", low=low, high=high, seeds=spread.n, p=p_text(p_holm))
    return say("interval_together" if together > 1 else "interval_paired", low=low, high=high, seeds=spread.n, count=together)


def _ends(measure: str, spread: Interval) -> tuple[str, str]:
    assert spread.low is not None
    assert spread.high is not None
    return format_value(measure, spread.low), format_value(measure, spread.high)


def _capital(text: Text) -> Text:
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


def _own(evidence: Evidence, measure: str) -> Interval:
    return mean_interval(list(evidence.values(measure, 0).values()), LEVEL)


def _own_spread(evidence: Evidence, measure: str) -> Text:
    spread = _own(evidence, measure)
    if spread.low is None:
        return say("single_seed", seed=evidence.seeds[0])
    low, high = _ends(measure, spread)
    return say("interval", low=low, high=high, seeds=spread.n)


def _shown(evidence: Evidence, measure: str, *, unit: bool = False) -> Text:
    mean = _own(evidence, measure).mean
    if mean is None:
        return say("undefined_value")
    return with_unit(measure, format_value(measure, mean)) if unit else same(format_value(measure, mean))


def _money(evidence: Evidence) -> Text:
    bill = "bill_market_cny"
    if _own(evidence, bill).mean is None:
        return say("undefined", measure=_capital(measure_name(bill)))
    against = {}
    for name in ("pool", "retail"):
        saving = _own(evidence, f"saving_against_{name}_cny").mean
        against[name] = say("undefined_value") if saving is None else _less_or_more(saving)
    return say("money_one", bill=_shown(evidence, bill), spread=_own_spread(evidence, bill), **against)


def _less_or_more(saving_cny: float) -> Text:
    return say("less" if saving_cny >= 0 else "more", amount=format_value("bill_market_cny", abs(saving_cny)))


def _market(evidence: Evidence) -> Text:
    efficiency, price = "allocative_efficiency_percent", "price_mean_cny_per_kwh"
    if _own(evidence, price).mean is None:
        return say("nothing_traded")
    if _own(evidence, efficiency).mean is not None:
        said = say("efficiency_known", percent=_shown(evidence, efficiency, unit=True))
    else:
        said = say("efficiency_coupled" if _own(evidence, "is_coupled").mean else "efficiency_unknown")
    traded = _shown(evidence, "traded_kwh")
    return say("market_one", traded=traded, price=_shown(evidence, price), spread=_own_spread(evidence, price), efficiency=said)


def _carbon(evidence: Evidence) -> Text:
    matched = "matched_hourly_percent"
    if _own(evidence, matched).mean is None:
        return say("undefined", measure=_capital(measure_name(matched)))
    emissions = _shown(evidence, "emissions_location_t")
    return say("carbon_one", matched=_shown(evidence, matched, unit=True), emissions=emissions, spread=_own_spread(evidence, matched))
