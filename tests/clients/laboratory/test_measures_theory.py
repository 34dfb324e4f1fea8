"""Auction theory on markets worked out by hand, and properties that hold for every market."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.measures.misreporting import gain_from_misreporting
from clients.laboratory.measures.positions import positions_of
from clients.laboratory.measures.theory import losses_by_kind, theory_measures, wanted_crossing
from clients.laboratory.run.record import RunRecord
from exchange.errors import InputError
from tests.clients.laboratory.records import battery, member, record_of, scenario_of, trade

# The call auction of the rules' golden test: five bids, five asks, 1,000 kWh at 0.50 to 0.52 CNY/kWh.
BIDS = [(6200, 400), (5800, 300), (5500, 300), (5000, 500), (4400, 400)]
ASKS = [(3600, 300), (4000, 400), (4600, 300), (5200, 400), (6000, 500)]


def golden(trades: list[dict[str, int]]) -> RunRecord:
    members = [member(f"E{row:02}") for row in range(10)]
    load = [[kwh] for _, kwh in BIDS] + [[0]] * 5
    generation = [[0]] * 5 + [[kwh] for _, kwh in ASKS]
    value = [[ticks] for ticks, _ in BIDS] + [[0]] * 5
    cost = [[6500]] * 5 + [[ticks] for ticks, _ in ASKS]
    return record_of(scenario_of(*members), load_kwh=load, generation_kwh=generation, value_ticks=value, cost_ticks=cost, trades=trades)


EFFICIENT = [(0, 5, 300), (0, 6, 100), (1, 6, 300), (2, 7, 300)]


def uniform(price: int, pairs: Any = EFFICIENT) -> list[dict[str, int]]:
    return [trade(0, buyer, seller, kwh * 10, price) for buyer, seller, kwh in pairs]


def test_the_efficient_trades_of_the_golden_auction() -> None:
    figures = theory_measures(golden(uniform(5100)))
    assert figures["surplus_maximal_cny"] == pytest.approx(248 + 174 + 165 - 108 - 160 - 138)
    assert figures["surplus_realised_cny"] == figures["surplus_maximal_cny"]
    assert figures["allocative_efficiency_percent"] == 100
    assert figures["volume_equilibrium_kwh"] == 1000
    assert figures["volume_against_equilibrium_percent"] == 100
    assert figures["price_equilibrium_cny_per_kwh"] == 0.51
    assert figures["price_above_equilibrium_cny_per_kwh"] == 0
    assert figures["smith_alpha_percent"] == 0
    assert figures["profit_dispersion_cny"] == 0
    assert (figures["loss_intramarginal_cny"], figures["loss_extramarginal_cny"]) == (0, 0)
    # Buyers gain 44 + 21 + 12 of the 181 CNY at 0.51.
    assert figures["buyers_surplus_percent"] == pytest.approx(100 * 77 / 181)
    assert figures["sellers_surplus_percent"] == pytest.approx(100 * 104 / 181)


CASES: list[tuple[str, list[tuple[int, int, int]], dict[str, float]]] = [
    # E03's 300 kWh at 0.55 do not trade, nor the ask of 0.46: 0.04 and 0.05 CNY/kWh against 0.51.
    ("one pair missing", EFFICIENT[:3], {"loss_intramarginal_buyers_cny": 12, "loss_intramarginal_sellers_cny": 15, "loss_extramarginal_cny": 0}),
    # The ask of 0.52 takes the place of the one of 0.46.
    (
        "an extramarginal seller",
        [*EFFICIENT[:3], (2, 8, 300)],
        {"loss_intramarginal_sellers_cny": 15, "loss_extramarginal_sellers_cny": 3, "loss_extramarginal_buyers_cny": 0},
    ),
    # The bid of 0.44 takes the place of the one of 0.55.
    (
        "an extramarginal buyer",
        [*EFFICIENT[:3], (4, 7, 300)],
        {"loss_intramarginal_buyers_cny": 12, "loss_extramarginal_buyers_cny": 21, "loss_intramarginal_sellers_cny": 0},
    ),
    # E01 buys 100 kWh more than it wants from an ask of 0.52; the grid pays 0.28 for them.
    ("too much bought", [*EFFICIENT, (0, 8, 100)], {"loss_extramarginal_buyers_cny": 23, "loss_extramarginal_sellers_cny": 1}),
    # The seller of 0.46 sells 100 kWh that it does not have to the bid of 0.50 and pays 0.65 for them.
    ("too much sold", [*EFFICIENT, (3, 7, 100)], {"loss_extramarginal_sellers_cny": 14, "loss_extramarginal_buyers_cny": 1}),
]


@pytest.mark.parametrize(("name", "pairs", "expected"), CASES, ids=[case[0] for case in CASES])
def test_losses_by_kind(name: str, pairs: list[tuple[int, int, int]], expected: dict[str, float]) -> None:
    figures = theory_measures(golden(uniform(5100, pairs)))
    assert {key: figures[key] for key in expected} == pytest.approx(expected)


def test_prices_against_the_equilibrium() -> None:
    trades = [trade(0, 0, 5, 1000, 4590), trade(0, 1, 6, 3000, 5355)]
    figures = theory_measures(golden(trades))
    # -10% on a quarter of the lots, +5% on the others.
    assert figures["smith_alpha_percent"] == pytest.approx(100 * np.sqrt((0.1**2 + 3 * 0.05**2) / 4))
    assert figures["price_above_equilibrium_cny_per_kwh"] == pytest.approx((-0.051 + 3 * 0.0255) / 4)


def test_profit_dispersion_is_what_a_price_moves_from_one_side_to_the_other() -> None:
    # 0.50 instead of 0.51: each owner's profit differs by 0.01 CNY on its own kWh.
    expected = np.sqrt((400**2 + 300**2 + 300**2 + 300**2 + 400**2 + 300**2) * 0.01**2 / 10)
    assert theory_measures(golden(uniform(5000)))["profit_dispersion_cny"] == pytest.approx(expected)


def test_what_the_operator_keeps_is_a_share_of_the_surplus() -> None:
    trades = [row | {"buyer_price_ticks": 5200, "price_ticks": 5000} for row in uniform(5000)]
    figures = theory_measures(golden(trades))
    assert figures["operator_budget_surplus_cny"] == 20
    assert figures["operator_surplus_percent"] == pytest.approx(100 * 20 / 181)
    assert figures["buyers_surplus_percent"] == pytest.approx(100 * (77 - 10) / 181)


def test_who_buys_and_sells_alike_has_a_share_of_its_own() -> None:
    # E04 takes 300 kWh from E07 at 0.48 and hands them to E02 at 0.52.
    through = [trade(0, 4, 7, 3000, 4800), trade(0, 2, 4, 3000, 5200)]
    figures = theory_measures(golden(uniform(5100, EFFICIENT[:3]) + through))
    assert figures["resellers_surplus_percent"] == pytest.approx(100 * 12 / 181)
    assert figures["buyers_surplus_percent"] == pytest.approx(100 * (77 - 3) / 181)
    assert figures["sellers_surplus_percent"] == pytest.approx(100 * (104 - 9) / 181)


def test_nothing_is_crossed_where_storage_couples_periods() -> None:
    scenario = scenario_of(member("F1"), member("S1"), member("B1", storage=battery()))
    record = record_of(scenario, load_kwh=[[10], [0], [0]], generation_kwh=[[0], [8], [0]], trades=[trade(0, 0, 1, 80, 5000)])
    figures = theory_measures(record)
    assert figures["is_coupled"] == 1
    assert figures["allocative_efficiency_percent"] is None
    assert figures["surplus_realised_cny"] == pytest.approx(8 * (0.6 - 0.28))


def test_an_empty_market_has_no_shares() -> None:
    figures = theory_measures(record_of(scenario_of(member("F1")), load_kwh=[[0]], generation_kwh=[[0]]))
    assert figures["surplus_realised_cny"] == 0
    for key in ("buyers_surplus_percent", "allocative_efficiency_percent", "smith_alpha_percent", "price_equilibrium_cny_per_kwh"):
        assert figures[key] is None


SMALL = st.integers(0, 6)


@st.composite
def small_markets(draw: st.DrawFn) -> RunRecord:
    n, periods = draw(st.integers(2, 4)), draw(st.integers(1, 2))
    grid = [[(draw(SMALL), draw(SMALL)) for _ in range(periods)] for _ in range(n)]
    price = [[2800 + 500 * draw(SMALL) for _ in range(periods)] for _ in range(n)]
    cost = [[2800 + 500 * draw(SMALL) for _ in range(periods)] for _ in range(n)]
    trades = [
        trade(draw(st.integers(0, periods - 1)), buyer := draw(st.integers(0, n - 1)), (buyer + draw(st.integers(1, n - 1))) % n,
              draw(st.integers(1, 40)), 2800 + 100 * draw(st.integers(0, 37)))
        for _ in range(draw(st.integers(0, 5)))
    ]  # fmt: skip
    load, generation = ([[cell[side] for cell in row] for row in grid] for side in (0, 1))
    scenario = scenario_of(*(member(f"M{row}") for row in range(n)))
    return record_of(scenario, load_kwh=load, generation_kwh=generation, value_ticks=price, cost_ticks=cost, trades=trades)


@given(small_markets())
@settings(max_examples=150, deadline=None)
def test_losses_add_to_what_the_equilibrium_gains_more(record: RunRecord) -> None:
    positions, equilibrium = positions_of(record), wanted_crossing(record)
    losses = losses_by_kind(record, positions, equilibrium)
    parts = (losses.intramarginal_buyers, losses.intramarginal_sellers, losses.extramarginal_buyers, losses.extramarginal_sellers)
    assert sum(parts) == 2 * (int(equilibrium.gain_tick_lots.sum()) - int(positions.worth_tick_lots.sum()))


@given(small_markets())
@settings(max_examples=80, deadline=None)
def test_profits_and_what_the_operator_keeps_are_the_surplus(record: RunRecord) -> None:
    figures = theory_measures(record)
    shares = [figures[f"{who}_surplus_percent"] for who in ("buyers", "sellers", "resellers", "operator")]
    if None not in shares:
        assert sum(filter(None, shares)) == pytest.approx(100)


def test_gain_from_misreporting_is_at_the_limits_of_the_truth() -> None:
    truthful = golden(uniform(5100))
    # E04 (the 0.50 bid) says 0.56 and takes 300 kWh from the 0.55 bid.
    lying = replace(golden(uniform(5100, [*EFFICIENT[:3], (3, 7, 300)])), value_ticks=truthful.value_ticks + 1000)
    gain = gain_from_misreporting(truthful, lying, "E03")
    assert gain.profit_cny == pytest.approx(300 * (0.50 - 0.51))
    assert gain.bill_cny == pytest.approx(300 * (0.65 - 0.51))


def test_gain_from_misreporting_needs_one_world() -> None:
    truthful = golden(uniform(5100))
    with pytest.raises(InputError, match="same seed"):
        gain_from_misreporting(truthful, replace(truthful, seed=2), "E03")
    with pytest.raises(InputError, match="no participant 'E99'"):
        gain_from_misreporting(truthful, truthful, "E99")
