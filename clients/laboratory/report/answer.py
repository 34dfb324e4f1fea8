"""Three sentences on what was asked, written by rules from the numbers: money, market, carbon.

One set of rules: what it comes to, with an interval where there are several seeds. Several: each is compared with the first, seed by seed. A difference
is told only where its interval excludes zero, all comparisons of a measure held together; it is called robust only by a sweep that tried three
populations and responses, else the sentence says that it depends on behaviour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from clients.laboratory.report.inputs import Evidence
from clients.laboratory.report.intervals import Interval, interval
from clients.laboratory.report.markup import Text, same
from clients.laboratory.report.measure_names import format_value, measure_name, with_unit
from clients.laboratory.report.wording import joined, say

# What each sentence is about: the first of its measures that all runs have defined.
MONEY: Final = ("bill_market_cny",)
MARKET: Final = ("allocative_efficiency_percent", "welfare_efficiency_percent", "traded_kwh")
CARBON: Final = ("matched_hourly_percent", "emissions_location_t", "self_sufficiency_percent")
POPULATIONS_FOR_ROBUST: Final = 3


class Verdict(StrEnum):
    """What may be said of a difference. The values are keys of the wording."""

    ROBUST = "v_robust"
    BEHAVIOUR = "v_behaviour"
    UNTOLD = "v_untold"
    SAME = "v_same"
    ONCE = "v_once"
    NO_PAIR = "v_no_pair"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting against the first one on one measure. `by_population`: mean difference of each. `spread` is None without a pair."""

    measure: str
    setting: int
    verdict: Verdict
    spread: Interval | None
    by_population: dict[str, float]


def compare(evidence: Evidence, measure: str, setting: int) -> Difference:
    """The difference of `setting` from the first one, seed by seed."""
    base, other = evidence.values(measure, 0), evidence.values(measure, setting)
    pairs = {key: other[key] - base[key] for key in base if key in other}
    if not pairs:
        return Difference(measure, setting, Verdict.NO_PAIR, None, {})
    by_population = {name: _mean([d for (population, _), d in pairs.items() if population == name]) for name in sorted({key[0] for key in pairs})}
    seeds = sorted({seed for _, seed in pairs})
    # Populations share the weather of a seed, so a seed is one draw, whatever number of populations played it.
    spread = interval([_mean([d for (_, own), d in pairs.items() if own == seed]) for seed in seeds], together=len(evidence.settings) - 1)
    return Difference(measure, setting, _verdict(evidence, measure, setting, spread, by_population, list(pairs.values())), spread, by_population)


def three_sentences(evidence: Evidence) -> list[Text]:
    if len(evidence.settings) == 1:
        sentences = [_money(evidence), _market(evidence), _carbon(evidence)]
    else:
        sentences = [_told(evidence, _first_defined(evidence, candidates)) for candidates in (MONEY, MARKET, CARBON)]
    return [*sentences, say("one_seed_only")] if len(evidence.seeds) == 1 else sentences


def amount_text(measure: str, value: float, *, signed: bool = True) -> Text:
    """A value with its unit; a difference with its sign."""
    text = format_value(measure, value)
    return with_unit(measure, f"+{text}" if signed and value > 0 else text)


def _verdict(
    evidence: Evidence, measure: str, setting: int, spread: Interval, by_population: dict[str, float], differences: Sequence[float]
) -> Verdict:
    if not any(differences):
        return Verdict.SAME
    if spread.n == 1:
        return Verdict.ONCE
    if not spread.tells:
        return Verdict.UNTOLD
    if evidence.sweep is not None and not _one_sign_missing(by_population) and evidence.sweep.is_robust(measure, setting):
        return Verdict.ROBUST
    return Verdict.BEHAVIOUR


def _one_sign_missing(by_population: dict[str, float]) -> bool:
    return len({value > 0 for value in by_population.values()}) > 1


def _first_defined(evidence: Evidence, candidates: Sequence[str]) -> str:
    everywhere = [name for name in candidates if all(evidence.values(name, setting) for setting in range(len(evidence.settings)))]
    return everywhere[0] if everywhere else candidates[0]


def _told(evidence: Evidence, measure: str) -> Text:
    """The sentence on the largest difference that can be told, or on the largest at all."""
    found = [compare(evidence, measure, setting) for setting in range(1, len(evidence.settings))]
    if not any(evidence.values(measure, setting) for setting in range(len(evidence.settings))):
        return say("undefined", measure=measure_name(measure))
    told = [difference for difference in found if difference.verdict in {Verdict.ROBUST, Verdict.BEHAVIOUR}]
    chosen = max(told or found, key=lambda difference: abs(difference.spread.mean) if difference.spread else -1.0)
    base, other, name = evidence.settings[0].label, evidence.settings[chosen.setting].label, measure_name(measure)
    if chosen.spread is None:
        return say("no_pair", measure=name, base=base, other=other)
    if chosen.verdict is Verdict.SAME:
        return say("same_everywhere", measure=_capital(name), base=base, other=other)
    amount, spread = amount_text(measure, chosen.spread.mean), _spread(measure, chosen.spread, len(found))
    if chosen.verdict is Verdict.ONCE:
        return say("once", measure=name, base=base, other=other, amount=amount)
    if chosen.verdict is Verdict.UNTOLD:
        key = "untold" if len(found) == 1 else "untold_all"
        return say(key, measure=name, base=base, other=other, amount=amount, spread=spread, count=len(found))
    moves = say("raises" if chosen.spread.mean > 0 else "lowers")
    size = amount_text(measure, abs(chosen.spread.mean), signed=False)
    sentence = say("told", base=base, other=other, moves=moves, measure=name, amount=size, spread=spread)
    return joined([sentence, _on_behaviour(chosen)], (" ", ""))


def _on_behaviour(difference: Difference) -> Text:
    names = [population or "" for population in difference.by_population]
    listed = joined([same(name) if name else say("as_written") for name in names], (", ", "、"))
    if difference.verdict is Verdict.ROBUST:
        return say("robust")
    if _one_sign_missing(difference.by_population):
        return say("behaviour_signs", list=listed)
    if len(names) < POPULATIONS_FOR_ROBUST:
        return say("behaviour_few", count=len(names))
    return say("behaviour_response", count=len(names), list=listed)


def _spread(measure: str, spread: Interval, together: int) -> Text:
    low, high = format_value(measure, spread.low), format_value(measure, spread.high)
    return say("interval_together" if together > 1 else "interval_paired", low=low, high=high, seeds=spread.n, count=together)


def _capital(text: Text) -> Text:
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _own(evidence: Evidence, measure: str) -> Interval | None:
    values = list(evidence.values(measure, 0).values())
    return interval(values) if values else None


def _own_spread(evidence: Evidence, measure: str, spread: Interval) -> Text:
    if spread.n == 1:
        return say("single_seed", seed=evidence.seeds[0])
    return say("interval", low=format_value(measure, spread.low), high=format_value(measure, spread.high), seeds=spread.n)


def _shown(measure: str, value: Interval | None) -> Text:
    return say("undefined_value") if value is None else same(format_value(measure, value.mean))


def _percent_shown(measure: str, value: Interval | None) -> Text:
    return say("undefined_value") if value is None else with_unit(measure, format_value(measure, value.mean))


def _money(evidence: Evidence) -> Text:
    bill = _own(evidence, "bill_market_cny")
    if bill is None:
        return say("undefined", measure=measure_name("bill_market_cny"))
    against = {}
    for name in ("pool", "retail"):
        saving = _own(evidence, f"saving_against_{name}_cny")
        against[name] = say("undefined_value") if saving is None else _less_or_more(saving.mean)
    return say("money_one", bill=_shown("bill_market_cny", bill), spread=_own_spread(evidence, "bill_market_cny", bill), **against)


def _less_or_more(saving_cny: float) -> Text:
    return say("less" if saving_cny >= 0 else "more", amount=format_value("bill_market_cny", abs(saving_cny)))


def _market(evidence: Evidence) -> Text:
    traded, price = _own(evidence, "traded_kwh"), _own(evidence, "price_mean_cny_per_kwh")
    if traded is None or price is None:
        return say("nothing_traded")
    efficiency = _own(evidence, "allocative_efficiency_percent")
    coupled = _own(evidence, "is_coupled")
    if efficiency is not None:
        said = say("efficiency_known", percent=_percent_shown("allocative_efficiency_percent", efficiency))
    else:
        said = say("efficiency_coupled" if coupled is not None and coupled.mean else "efficiency_unknown")
    return say(
        "market_one", traded=_shown("traded_kwh", traded), price=_shown("price_mean_cny_per_kwh", price),
        spread=_own_spread(evidence, "price_mean_cny_per_kwh", price), efficiency=said,
    )  # fmt: skip


def _carbon(evidence: Evidence) -> Text:
    matched, emissions = _own(evidence, "matched_hourly_percent"), _own(evidence, "emissions_location_t")
    if matched is None or emissions is None:
        return say("undefined", measure=measure_name("matched_hourly_percent"))
    return say(
        "carbon_one", matched=_percent_shown("matched_hourly_percent", matched), emissions=_shown("emissions_location_t", emissions),
        spread=_own_spread(evidence, "matched_hourly_percent", matched),
    )  # fmt: skip
