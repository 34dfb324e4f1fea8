"""Strategy-proof mechanisms show no gain from a lie about one's limit, the others show theirs."""

import json
from functools import cache

import numpy as np
import pytest

from clients.cli.compare_command import CompareOptions, run_compare_command
from clients.laboratory.gaming.misreports import LIARS, SHADES_PPM, MisreportGain, misreports, runs_of
from clients.laboratory.gaming.unit_traders import BUYER, SELLER, TRADERS_A_SIDE, UnitWorld, unit_scenario, with_lie
from clients.laboratory.run.engine import simulate
from clients.laboratory.scenario.resolve import load_scenario
from exchange.errors import InputError
from exchange.units import POWER_LOT_WH

PROOF = ("mcafee", "sbb", "muda", "huang", "vcg")
IGNORES_LIMITS = ("mmr", "sdr", "none")


@cache
def measured(mechanism: str) -> dict[tuple[str, int], MisreportGain]:
    """With one seed."""
    found = misreports(load_scenario("park", {}), [mechanism], [1])
    return {(one.liar, one.shade_ppm): one for one in found}


@pytest.mark.parametrize("mechanism", PROOF)
def test_no_lie_gains_under_a_strategy_proof_mechanism(mechanism: str) -> None:
    """Not on the mean, and not in any market: the truth is best whatever the others report and whatever lot is drawn. Some lies cost."""
    gains = measured(mechanism)
    assert len(gains) == len(LIARS) * len(SHADES_PPM)
    for one in gains.values():
        assert one.gain.n == 96
        assert one.gain.low is not None
        assert one.gain.low <= 0
        assert one.most <= 0
    assert any(one.verdict == "loses" for one in gains.values())


@pytest.mark.parametrize("mechanism", IGNORES_LIMITS)
def test_a_mechanism_that_reads_no_limits_is_indifferent(mechanism: str) -> None:
    assert {(one.gain.mean, one.gain.low, one.gain.high, one.most) for one in measured(mechanism).values()} == {(0.0, 0.0, 0.0, 0.0)}


@pytest.mark.parametrize(("mechanism", "shade_ppm"), [("pay-as-bid", 100_000), ("cda", 30_000)])
def test_shading_gains_where_the_own_price_counts(mechanism: str, shade_ppm: int) -> None:
    for liar in LIARS:
        assert measured(mechanism)[liar, shade_ppm].verdict == "gains"
        assert measured(mechanism)[liar, -30_000].verdict == "loses"


def test_a_small_shade_gains_under_the_uniform_price() -> None:
    """The last accepted order moves the price by half of its shade."""
    found = misreports(load_scenario("park", {}), ["uniform"], range(1, 11), shades_ppm=[30_000])
    buyer, seller = found
    assert (buyer.verdict, buyer.gain.n) == ("gains", 960)
    assert min(buyer.most, seller.most) > 0


def test_the_traders_are_in_the_domain() -> None:
    """One lot each, on one side, truthful, limits between what the grid pays and charges; a lie changes its own row alone."""
    scenario = unit_scenario(load_scenario("park", {}), "mcafee")
    world = UnitWorld(scenario, 3)
    day, record = world.day(0), simulate(scenario, 3, world=world)
    assert (record.want_buy_lots.sum(axis=1) > 0).tolist() == [True] * TRADERS_A_SIDE + [False] * TRADERS_A_SIDE
    assert (record.want_buy_lots + record.want_sell_lots == 1).all()
    assert int(record.load_wh.sum()) == TRADERS_A_SIDE * 96 * POWER_LOT_WH
    assert len(record.trades) > 96
    assert (record.value_ticks == day.value_ticks).all()
    assert (day.value_ticks >= day.surplus_price_ticks).all()
    assert (day.value_ticks <= day.deficit_price_ticks).all()
    assert len(np.unique(day.value_ticks)) > 500
    lying = with_lie(scenario, SELLER, 30_000)
    assert [row for row, pair in enumerate(zip(scenario.participants, lying.participants, strict=True)) if pair[0] != pair[1]] == [SELLER]
    assert BUYER != SELLER


def options(**changes: object) -> CompareOptions:
    values: dict[str, object] = {"scenario": "park", "mechanisms": "vcg", "seeds": 1, "first_seed": 1, "misreporting": True}
    return CompareOptions(**(values | changes))  # type: ignore[arg-type]


def test_the_command_prints_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert runs_of(["vcg"], [1]) == 7
    run_compare_command(options(as_json=True))
    found = json.loads(capsys.readouterr().out)
    assert [(one["mechanism"], one["liar"], one["shade_ppm"], one["gain"]["mean"]) for one in found] == [
        ("vcg", one.liar, one.shade_ppm, one.gain.mean) for one in measured("vcg").values()
    ]
    run_compare_command(options())
    text = capsys.readouterr().out
    assert "96 markets" in text
    assert "3 % below its limit" in text
    assert "loses" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mechanisms": "vcg,nothing"}, "expected at least one of"),
        ({"days": 2}, "--days says nothing with --misreporting"),
        ({"level": 1.5}, "--level 1.5"),
        ({"scenario": "nowhere"}, "nowhere"),
    ],
)
def test_what_the_command_cannot_take(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run_compare_command(options(**changes))
