"""What a report says in its three sentences, for evidence made by hand."""

from collections.abc import Mapping

import pytest

from clients.laboratory.report.answer import Verdict, compare, three_sentences
from clients.laboratory.report.inputs import Evidence, Observation, Setting
from clients.laboratory.report.markup import Text, same

BILL = "bill_market_cny"
Values = Mapping[int, float | None]


def evidence_of(*by_setting: Mapping[str, Values] | Values, measure: str = BILL) -> Evidence:
    """Settings A, B, ...: seed -> value, or population -> seed -> value."""
    observations = []
    for at, content in enumerate(by_setting):
        populations = content if any(isinstance(value, Mapping) for value in content.values()) else {"": content}
        for population, values in populations.items():
            observations += [Observation(at, str(population), seed, {measure: value}) for seed, value in values.items()]  # type: ignore[union-attr]
    settings = [Setting(same("ABCDEF"[at]), "", None) for at in range(len(by_setting))]
    return Evidence(Text("park", "园区"), settings, observations, {})


VERDICTS = [
    ("higher in every seed", {1: 10, 2: 11, 3: 12}, {1: 15, 2: 16.1, 3: 17}, Verdict.BEHAVIOUR),
    ("now higher, now lower", {1: 10, 2: 11, 3: 12}, {1: 15, 2: 6, 3: 12.5}, Verdict.UNTOLD),
    ("alike", {1: 10, 2: 11}, {1: 10, 2: 11}, Verdict.SAME),
    ("one seed", {1: 10}, {1: 15}, Verdict.ONCE),
    ("one seed in common", {1: 10, 2: 9}, {1: 15, 3: 9}, Verdict.ONCE),
    ("no seed in common", {1: 10}, {2: 15}, Verdict.NO_PAIR),
    ("not defined in one", {1: 10, 2: 9}, {1: None, 2: None}, Verdict.UNDEFINED),
    ("the same difference in every seed", {1: 10, 2: 20}, {1: 11, 2: 21}, Verdict.BEHAVIOUR),
]


@pytest.mark.parametrize(("base", "other", "verdict"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS])
def test_verdicts(base: Values, other: Values, verdict: Verdict) -> None:
    assert compare(evidence_of(base, other), BILL, 1).verdict is verdict


def test_an_interval_is_that_of_student() -> None:
    found = compare(evidence_of({1: 0, 2: 0, 3: 0}, {1: 1, 2: 2, 3: 3}), BILL, 1)
    # t(0.975, 2) = 4.302653 of the tables; standard error 1 / sqrt(3)
    assert found.spread.mean == 2
    assert found.spread.low == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-5)
    assert found.spread.high == pytest.approx(2 + 4.302653 / 3**0.5, abs=1e-5)


def test_intervals_of_several_comparisons_are_wider() -> None:
    base, other = {1: 0, 2: 0, 3: 0}, {1: 1, 2: 2, 3: 3}
    alone = compare(evidence_of(base, other), BILL, 1).spread
    together = compare(evidence_of(base, other, other, other, other), BILL, 1).spread
    # t(0.99375, 2) = 8.860
    assert alone.low is not None
    assert together.low == pytest.approx(2 - 8.860 / 3**0.5, abs=1e-3)


def test_pairing_takes_away_what_seeds_share() -> None:
    base = {seed: 100.0 * seed for seed in range(1, 6)}
    other = {seed: value + 5 + 0.1 * (seed % 2) for seed, value in base.items()}
    assert compare(evidence_of(base, other), BILL, 1).verdict is Verdict.BEHAVIOUR


def test_a_seed_is_one_draw_however_many_populations_played_it() -> None:
    base = {name: {1: 10.0, 2: 10.0} for name in ("zi_c", "zip", "aa")}
    other = {name: {1: 11.0, 2: 13.0} for name in ("zi_c", "zip", "aa")}
    found = compare(evidence_of(base, other), BILL, 1)
    assert found.spread.n == 2
    assert found.verdict is Verdict.UNTOLD
    assert found.by_population == {"aa": 2, "zi_c": 2, "zip": 2}


def sentence(*by_setting: Mapping[str, Values] | Values) -> tuple[str, str, str]:
    """The first sentence in both languages, and what is said of behaviour in English."""
    told, on_all = three_sentences(evidence_of(*by_setting))
    return told[0].en, told[0].zh, on_all.en if on_all else ""


def test_a_difference_is_told_with_its_size() -> None:
    english, chinese, behaviour = sentence({1: 1000, 2: 1100, 3: 1200}, {1: 800, 2: 901, 3: 1000})
    assert english.startswith("Against “A”, “B” lowers bills by 200 CNY (95% interval 198 to 201, 3 paired seeds).")
    assert chinese.startswith("与“A”相比，“B”使账单合计下降 200 元（95% 区间 198 至 201，3 个配对种子）。")
    assert behaviour == (
        "It depends on behaviour: only the scenario's own traders were played; a robust conclusion needs three populations (parkex sweep --robust)."
    )


def test_what_cannot_be_told_apart_is_not_told() -> None:
    english, chinese, behaviour = sentence({1: 1000, 2: 1100, 3: 1200}, {1: 800, 2: 1301, 3: 1180})
    assert english.startswith("On bills, “B” and “A” cannot be told apart: the difference is -6.33 CNY (95% interval -505 to 493")
    assert "无法区分" in chinese
    assert not behaviour


def test_populations_that_disagree_are_named() -> None:
    base = {name: {1: 100.0, 2: 100.0, 3: 100.0} for name in ("zi_c", "zip", "aa")}
    other = {"zi_c": {1: 120.0, 2: 121.0, 3: 120.0}, "zip": {1: 119.0, 2: 120.0, 3: 121.0}, "aa": {1: 99.0, 2: 99.0, 3: 98.0}}
    assert sentence(base, other)[2] == "It depends on behaviour: the sign differs between populations (aa, zi_c, zip)."


def test_two_populations_are_too_few() -> None:
    base = {name: {1: 100.0, 2: 100.0, 3: 100.0} for name in ("", "zi_c", "zip")}
    other = {name: {1: 120.0, 2: 121.0, 3: 120.0} for name in ("", "zi_c", "zip")}
    assert sentence(base, other)[2] == "It depends on behaviour: 2 of the three populations that a robust conclusion needs were played."


def test_three_populations_alike_are_not_enough_without_responses() -> None:
    base = {name: {1: 100.0, 2: 100.0, 3: 100.0} for name in ("zi_c", "zip", "aa")}
    other = {name: {1: 120.0, 2: 121.0, 3: 120.0} for name in ("zi_c", "zip", "aa")}
    assert "not shown to hold where participants respond" in sentence(base, other)[2]


def test_of_several_the_largest_that_can_be_told_is_told() -> None:
    base = {1: 100.0, 2: 100.0, 3: 100.0}
    noisy, small, large = {1: 900.0, 2: -900.0, 3: 500.0}, {1: 101.0, 2: 101.0, 3: 101.0}, {1: 120.0, 2: 120.5, 3: 121.0}
    english, _, _ = sentence(base, noisy, small, large)
    assert english.startswith("Against “A”, “D” raises bills by 20.50 CNY")
    assert "held for all 3 comparisons together" in english
    assert "none of the 2 other sets of rules can be told apart" in sentence(base, noisy, {1: 50.0, 2: 150.0, 3: 110.0})[0]


def test_one_pair_tells_no_rule_from_chance() -> None:
    assert sentence({1: 100.0}, {1: 150.0})[0].endswith("one pair cannot tell a rule from chance.")


def test_points_are_not_percent() -> None:
    told, _ = three_sentences(evidence_of({1: 50.0, 2: 51.0}, {1: 40.0, 2: 41.0}, measure="matched_hourly_percent"))
    assert "by 10.00 points" in told[2].en
    assert "10.00 个百分点" in told[2].zh


ALONE = {
    "bill_market_cny": 1000.0, "saving_against_pool_cny": -20.0, "saving_against_retail_cny": 300.0, "traded_kwh": 55.0,
    "price_mean_cny_per_kwh": 0.5, "allocative_efficiency_percent": 97.5, "matched_hourly_percent": 40.0, "emissions_location_t": 1.5,
    "is_coupled": 0,
}  # fmt: skip


def alone(**changed: float | None) -> list[Text]:
    observations = [Observation(0, "", seed, {**ALONE, **changed}) for seed in (1, 2)]
    return three_sentences(Evidence(Text("park", "园区"), [Setting(same("A"), "", None)], observations, {}))[0]


def test_one_set_of_rules_is_told_by_itself() -> None:
    money, market, carbon = alone()
    assert money.en == (
        "Participants pay 1,000 CNY in all (95% interval 1,000 to 1,000, 2 seeds): 20.00 CNY more than in the pool, and 300 CNY less than each alone "
        "at retail."
    )
    assert "the market realises 97.50 % of the gain that was possible" in market.en
    assert "市场实现了可得收益的 97.50 %" in market.zh
    assert "covers 40.00 % of the use" in carbon.en


@pytest.mark.parametrize(
    ("changed", "place", "said"),
    [
        ({"allocative_efficiency_percent": None, "is_coupled": 1}, 1, "the crossing of single ones is no benchmark"),
        ({"allocative_efficiency_percent": None}, 1, "there was no gain from trade to realise"),
        ({"price_mean_cny_per_kwh": None}, 1, "Nothing was traded."),
        ({"matched_hourly_percent": None}, 2, "Green share, matched by quarter-hour is not defined in these runs."),
        ({"saving_against_pool_cny": None}, 0, "undefined than in the pool"),
    ],
)
def test_what_is_not_defined_is_said(changed: dict[str, float | None], place: int, said: str) -> None:
    assert said in alone(**changed)[place].en
