"""What is said of a manipulation, from outcomes made by hand."""

import pytest

from clients.laboratory.gaming.play import Outcome
from clients.laboratory.gaming.verdicts import Verdict, judge


def outcomes(name: str, gains_cny: list[int], extent_wh: int = 1_000, refused: int = 0) -> list[Outcome]:
    return [
        Outcome(
            name=name, seed=seed, gain_micro=gain * 1_000_000, others_lose_micro=2_000_000, operator_gains_micro=-3_000_000, extent_wh=extent_wh,
            refused_orders=refused, wrongly_certified_wh=seed, honest_bill_micro=-100_000_000, state_hash="", alerts={"squeeze": seed},
        )
        for seed, gain in enumerate(gains_cny)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "gains_cny", "extent_wh", "refused", "verdict"),
    [
        ("withholding", [10, 11, 9, 10], 1_000, 0, Verdict.GAINS),
        ("withholding", [-10, -11, -9, -10], 1_000, 0, Verdict.NO_GAIN),
        ("withholding", [-10, 11, 9, -10], 1_000, 0, Verdict.UNDECIDED),
        ("withholding", [10], 1_000, 0, Verdict.UNDECIDED),
        ("withholding", [0, 0, 0], 1_000, 0, Verdict.NO_GAIN),
        ("over-selling-limit", [-10, -11, -9, -10], 0, 5, Verdict.PREVENTED),
        ("over-selling-limit", [-10, 11, 9, -10], 0, 5, Verdict.PREVENTED),
        ("wash-pairs-declared", [10, 11, 9, 10], 0, 5, Verdict.GAINS),
        ("squeeze", [0, 0, 0, 0], 0, 0, Verdict.NO_GAIN),
        ("grey-as-green", [-10, -11, -9, -10], 0, -5, Verdict.PREVENTED),
        ("grey-as-green", [10, 11, 9, 10], 100, -5, Verdict.GAINS),
    ],
)
def test_a_verdict_follows_from_what_came_about_and_from_the_money(
    name: str, gains_cny: list[int], extent_wh: int, refused: int, verdict: Verdict
) -> None:
    assert [gain.verdict for gain in judge(outcomes(name, gains_cny, extent_wh, refused))] == [verdict]


def test_more_questions_ask_for_more_evidence() -> None:
    weak = outcomes("withholding", [2, 9, 5, 8])
    assert judge(weak)[0].verdict is Verdict.GAINS
    others = [one for name in ("wash-pairs", "squeeze", "split-accounts") for one in outcomes(name, [-9, 8, -10, 10])]
    assert {gain.name: gain.verdict for gain in judge(weak + others)}["withholding"] is Verdict.UNDECIDED


def test_figures_are_means_over_seeds_and_certificates_a_sum() -> None:
    gain = judge(outcomes("squeeze", [10, 20, 30]))[0]
    assert (gain.gain.mean, gain.gain_percent, gain.others_lose_cny, gain.operator_gains_cny) == (20.0, 20.0, 2.0, -3.0)
    assert (gain.extent_kwh, gain.alerts, gain.wrongly_certified_wh) == (1.0, {"squeeze": 1.0}, 3)
    assert gain.gain.low is not None
    assert 0 > gain.gain.low > -20
