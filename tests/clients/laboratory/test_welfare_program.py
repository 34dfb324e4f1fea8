"""The welfare program on parks worked out by hand, against closed forms, and as a bound of any run."""

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.benchmark.bounds import bounds_of, pool_welfare
from clients.laboratory.benchmark.evaluation import realised_welfare
from clients.laboratory.benchmark.horizon import true_horizon
from clients.laboratory.benchmark.linear_program import LinearProgram
from clients.laboratory.benchmark.rolling import rolling_welfare
from clients.laboratory.benchmark.welfare_program import OVERLOAD, Solution, solve_welfare
from clients.laboratory.measures.measures import measure
from clients.laboratory.scenario.model import EvFleet, FlexibleLoad, Network, Scenario
from clients.scenarios.model import Storage
from exchange.errors import CheckFailedError, InputError
from tests.clients.laboratory.records import battery, member, record_of, scenario_of, trade
from tests.clients.laboratory.worlds import world_day


def solve(scenario: Scenario, *, with_trade: bool = True, **day: Any) -> Solution:
    return solve_welfare(true_horizon(scenario, [world_day(scenario, **day)]), with_trade=with_trade)


def test_a_battery_alone_earns_the_spread_of_the_story() -> None:
    # One cycle at 1.032 and 0.270: 10 MWh of discharge at 88% there and back bring 7,251.82 CNY.
    one_way = round(0.88**0.5 * 1e6)
    storage = Storage(20_000_000, 80_000_000, 0, round(10_000_000 / 0.88**0.5), 0, one_way, one_way)
    scenario = scenario_of(member("B1", storage=storage), soc_value_micro_per_kwh=0)
    grid = {"deficit_ticks": [2700, 10_320], "surplus_ticks": [2700, 10_320]}
    found = solve(scenario, load_kwh=[[0, 0]], generation_kwh=[[0, 0]], with_trade=False, **grid)
    assert found.welfare == pytest.approx(7_251.82, abs=0.05)
    assert found.decisions.discharge[0, 1] == pytest.approx(10_000, abs=0.1)


def test_storage_carries_a_price_from_noon_to_evening() -> None:
    # Noon: 20 kWh of sun, 5 of load. Evening: 20 kWh of load. 20 kW of storage move 5 kWh a quarter-hour.
    scenario = scenario_of(member("F1"), member("S1"), member("B1", storage=battery(energy_kwh=10)), soc_value_micro_per_kwh=0)
    cost = [[6500], [3000], [2800]]
    found = solve(scenario, load_kwh=[[5, 20], [0, 0], [0, 0]], generation_kwh=[[0, 0], [20, 0], [0, 0]], cost_ticks=cost)
    assert found.decisions.charge[2].tolist() == pytest.approx([5, 0])
    assert found.decisions.discharge[2].tolist() == pytest.approx([0, 5])
    # Sun is left over at noon, load in the evening.
    assert found.price.tolist() == pytest.approx([0.30, 0.60])
    # Noon: both buy 5 kWh, 0.05 CNY/kWh of fees each; the plant gets 0.28 for 20 kWh and wants 0.02 more for 10. Evening: 5 of 20 kWh from storage.
    assert found.welfare == pytest.approx(-0.25 - 0.25 + 20 * 0.28 - 10 * 0.30 - 20 * 0.65 + 5 * 0.60)


def flexible(share_ppm: int, shift_periods: int, cost_micro: int = 50_000) -> FlexibleLoad:
    return FlexibleLoad(share_ppm=share_ppm, shift_periods=shift_periods, cost_micro_per_kwh=cost_micro)


def lowest_cost_of_moves(load: list[int], movable: list[int], shift: int, price: list[float], comfort: float) -> float:
    """Least cost of a load of which whole kWh may move, each to its own best place."""
    cost = sum(kwh * here for kwh, here in zip(load, price, strict=True))
    for at, kwh in enumerate(movable):
        best = min(price[max(0, at - shift) : at + shift + 1])
        cost -= kwh * max(0.0, price[at] - best - comfort)
    return cost


@given(
    st.lists(st.integers(0, 9), min_size=6, max_size=6), st.lists(st.integers(28, 90), min_size=6, max_size=6), st.integers(0, 3), st.integers(0, 20)
)
@settings(max_examples=60, deadline=None)
def test_flexible_load_goes_where_it_is_cheapest_within_its_reach(load: list[int], price: list[int], shift: int, comfort: int) -> None:
    scenario = scenario_of(member("F1", flexible=flexible(500_000, shift, comfort * 10_000)))
    found = solve(scenario, load_kwh=[load], generation_kwh=[[0] * 6], deficit_ticks=[100 * cent for cent in price])
    best = lowest_cost_of_moves(load, [kwh / 2 for kwh in load], shift, [cent / 100 for cent in price], comfort / 100)  # type: ignore[misc]
    assert -found.welfare == pytest.approx(best, abs=1e-6)
    out, back = found.decisions.shift_out[0], found.decisions.shift_in[0]
    assert out.sum() == pytest.approx(back.sum(), abs=1e-6)


def test_load_does_not_move_to_another_day() -> None:
    scenario = scenario_of(member("F1", flexible=flexible(1_000_000, 4, 0)))
    meters = {"load_kwh": [[10, 0]], "generation_kwh": [[0, 0]]}
    days = [world_day(scenario, **meters, deficit_ticks=ticks, index=index) for index, ticks in enumerate((9000, 3000))]
    assert solve_welfare(true_horizon(scenario, days)).welfare == pytest.approx(-9.0 - 3.0)


def test_vehicles_charge_in_the_cheapest_quarters_that_they_stand() -> None:
    fleet = EvFleet(energy_wh=10_000, power_w=20_000, arrival=datetime.time(0, 15), departure=datetime.time(1, 0))
    scenario = scenario_of(member("F1", ev=fleet))
    found = solve(scenario, load_kwh=[[0] * 5], generation_kwh=[[0] * 5], deficit_ticks=[3000, 6000, 5000, 7000, 3000])
    assert found.decisions.vehicle[0].tolist() == pytest.approx([0, 5, 5, 0, 0])
    too_short = replace(fleet, departure=datetime.time(0, 30))
    found = solve(scenario_of(member("F1", ev=too_short)), load_kwh=[[0] * 5], generation_kwh=[[0] * 5])
    assert found.decisions.vehicle[0].tolist() == pytest.approx([0, 5, 0, 0, 0])


def test_line_losses_are_a_share_of_the_larger_side() -> None:
    scenario = scenario_of(member("F1"), member("S1"), network=Network(loss_ppm=20_000))
    found = solve(scenario, load_kwh=[[10, 10], [0, 0]], generation_kwh=[[0, 0], [4, 30]], with_trade=False)
    assert found.welfare == pytest.approx(-20 * 0.65 + 34 * 0.28 - 0.02 * (10 + 30) * 0.65)


def test_what_the_connection_does_not_let_out_is_curtailed_or_stored() -> None:
    network = Network(loss_ppm=0, export_limit_kw=40)  # 10 kWh a quarter-hour
    plain = scenario_of(member("S1"), network=network)
    found = solve(plain, load_kwh=[[0, 0]], generation_kwh=[[30, 0]])
    assert found.decisions.curtailed[0].tolist() == pytest.approx([20, 0])
    assert found.welfare == pytest.approx(10 * 0.28)
    stored = scenario_of(member("S1", storage=battery(energy_kwh=50, power_kw=60)), network=network, soc_value_micro_per_kwh=0)
    found = solve(stored, load_kwh=[[0, 0]], generation_kwh=[[30, 0]])
    assert found.welfare == pytest.approx(20 * 0.28)


def test_an_import_limit_moves_load_and_shows_what_it_cannot_move() -> None:
    network = Network(loss_ppm=0, import_limit_kw=40)
    scenario = scenario_of(member("F1", flexible=flexible(200_000, 1, 0)), network=network)
    found = solve(scenario, load_kwh=[[15, 4]], generation_kwh=[[0, 0]])
    assert found.overload_kwh == pytest.approx(2)
    assert found.welfare == pytest.approx(-19 * 0.65 - 2 * OVERLOAD)


@pytest.mark.parametrize(("generation", "gain_at_most"), [([0, 0], 0.0), ([8, 8], 0.0), ([10, 10], 0.34)])
def test_a_green_premium_does_not_pay_for_trades_with_oneself(generation: list[int], gain_at_most: float) -> None:
    # The limit is above the grid's price. A meter that can only take out sells nothing; one that could do either gains within the hull of both.
    scenario = scenario_of(member("F1", flexible=flexible(100_000, 1)))
    found = solve(scenario, load_kwh=[[10, 10]], generation_kwh=[generation], value_ticks=9000, cost_ticks=2800)
    grid_bill = sum(10 - kwh for kwh in generation) * 0.65
    assert -1e-9 <= found.welfare + grid_bill <= gain_at_most + 1e-9


def test_a_voltage_adder_is_paid_for_every_kwh_taken_out() -> None:
    scenario = scenario_of(member("F1", voltage_adder_micro_per_kwh=20_000), member("S1"))
    assert solve(scenario, load_kwh=[[10], [0]], generation_kwh=[[0], [0]]).welfare == pytest.approx(-6.7)


def test_the_pool_nets_by_energy_whatever_limits_say() -> None:
    scenario = scenario_of(member("F1"), member("F2"), member("S1"))
    day = world_day(
        scenario, load_kwh=[[10], [30], [0]], generation_kwh=[[0], [0], [20]], value_ticks=[[6000], [2000], [0]], cost_ticks=[[0], [0], [3000]]
    )  # fmt: skip
    horizon = true_horizon(scenario, [day])
    alone = -40 * 0.65 + 20 * 0.28
    assert pool_welfare(horizon) == pytest.approx(alone + 5 * 0.60 + 15 * 0.20 - 20 * 0.30)
    assert solve_welfare(horizon).welfare == pytest.approx(alone + 10 * (0.60 - 0.30))


@st.composite
def parks(draw: st.DrawFn, lowest_cents: int = 20, highest_cents: int = 70) -> tuple[Scenario, dict[str, Any], list[dict[str, int]], dict[str, Any]]:
    """Two loads, one with a premium and one that can shift, a plant, a battery; any trades, and any schedule that the battery can do."""
    periods = 3
    energies = st.lists(st.integers(0, 8), min_size=periods, max_size=periods)
    ticks = st.lists(st.integers(lowest_cents, highest_cents).map(lambda cents: 100 * cents), min_size=periods, max_size=periods)
    storage = battery(energy_kwh=20, initial_kwh=10, efficiency_ppm=1_000_000)
    network = Network(loss_ppm=10_000, import_limit_kw=draw(st.sampled_from([0, 30])))
    scenario = scenario_of(member("F1"), member("F2", flexible=flexible(300_000, 1)), member("S1"), member("B1", storage=storage), network=network)
    nothing = [0] * periods
    day = {
        "load_kwh": [draw(energies), draw(energies), nothing, nothing], "generation_kwh": [draw(energies), nothing, draw(energies), nothing],
        "value_ticks": [draw(ticks) for _ in range(4)], "cost_ticks": [draw(ticks) for _ in range(4)],
    }  # fmt: skip
    cycle = draw(st.integers(0, 5))
    schedule = {
        "charge_kwh": [nothing, nothing, nothing, [cycle, 0, 0]], "discharge_kwh": [nothing, nothing, nothing, [0, 0, draw(st.integers(0, 5))]]
    }  # fmt: skip
    pairs = st.tuples(st.integers(0, periods - 1), st.integers(0, 3), st.integers(1, 3), st.integers(1, 60))
    drawn = draw(st.lists(pairs, max_size=6))
    trades = [trade(period, buyer, (buyer + away) % 4, lots, 4000) for period, buyer, away, lots in drawn]
    return scenario, day, trades, schedule


@given(parks())
@settings(max_examples=80, deadline=None)
def test_no_run_passes_perfect_foresight(park: tuple[Scenario, dict[str, Any], list[dict[str, int]], dict[str, Any]]) -> None:
    scenario, day, trades, schedule = park
    horizon = true_horizon(scenario, [world_day(scenario, **day)])
    record = record_of(scenario, trades=trades, **day, **schedule)
    best = solve_welfare(horizon).welfare
    assert realised_welfare(horizon, record) <= best + 1e-6
    assert solve_welfare(horizon, with_trade=False).welfare <= best + 1e-6
    assert pool_welfare(horizon) <= best + 1e-6


@given(parks(28, 65))  # limits between the grid's prices, so that the relaxation of one-way meters is exact
@settings(max_examples=25, deadline=None)
def test_forecasts_that_are_true_cost_nothing(park: tuple[Scenario, dict[str, Any], list[dict[str, int]], dict[str, Any]]) -> None:
    scenario, day, _, _ = park
    days = [world_day(scenario, **day)]
    perfect = solve_welfare(true_horizon(scenario, days)).welfare
    assert rolling_welfare(scenario, days, 1) == pytest.approx(perfect, abs=1e-5)


def test_a_wrong_forecast_costs_what_it_makes_one_do() -> None:
    # An hour before, 10 kWh of sun were expected for the second quarter; none came. The battery planned to charge them, and charges from the grid.
    scenario = scenario_of(member("S1", storage=battery(energy_kwh=5)), soc_value_micro_per_kwh=400_000)
    forecast = [[[0, 10, 0]], [[0, 10, 0]]]
    days = [world_day(scenario, load_kwh=[[0, 0, 0]], generation_kwh=[[0, 0, 0]], forecast_generation_kwh=forecast)]
    assert solve_welfare(true_horizon(scenario, days)).welfare == pytest.approx(0)
    assert rolling_welfare(scenario, days, 1) == pytest.approx(5 * (0.40 - 0.65))


def test_a_forecast_that_comes_right_in_time_costs_nothing_at_the_last_round() -> None:
    scenario = scenario_of(member("S1", storage=battery(energy_kwh=5)), soc_value_micro_per_kwh=400_000)
    forecast = [[[0, 10, 0]], [[0, 0, 0]]]
    days = [world_day(scenario, load_kwh=[[0, 0, 0]], generation_kwh=[[0, 0, 0]], forecast_generation_kwh=forecast)]
    assert rolling_welfare(scenario, days, 1) == pytest.approx(0)
    # Looking once, before the second quarter's last round, is too early.
    assert rolling_welfare(scenario, days, 3) == pytest.approx(5 * (0.40 - 0.65))


def test_load_used_early_on_a_forecast_that_was_too_high_stays_used() -> None:
    # 10 kWh were expected at the dear quarter; half of them are used before it. Only 2 come, of which 1 can be left out.
    scenario = scenario_of(member("F1", flexible=flexible(500_000, 1, 0)))
    forecast = [[[0, 10, 0]], [[0, 2, 0]]]
    days = [world_day(scenario, load_kwh=[[0, 2, 0]], generation_kwh=[[0, 0, 0]], forecast_load_kwh=forecast, deficit_ticks=[3000, 9000, 9000])]
    assert solve_welfare(true_horizon(scenario, days)).welfare == pytest.approx(-1 * 0.30 - 1 * 0.90)
    assert rolling_welfare(scenario, days, 1) == pytest.approx(-5 * 0.30 - 1 * 0.90)


def test_what_is_stored_goes_from_day_to_day_in_the_rolling_bound() -> None:
    # 5 kWh in storage serve the load of the first day; the second pays the grid.
    scenario = scenario_of(member("F1", storage=battery(energy_kwh=10, initial_kwh=5)), days=2)
    days = [world_day(scenario, load_kwh=[[5, 0]], generation_kwh=[[0, 0]], index=index) for index in range(2)]
    assert rolling_welfare(scenario, days, 1) == pytest.approx(-5 * 0.65 - 5 * 0.30)


# What was bought beyond the meter or sold beyond it, beside a best of nothing traded: (load, generation, value, cost) of buyer and seller, gain.
BEYOND: list[tuple[str, list[int], list[int], int, int, float]] = [
    ("bought for no use: at the grid's price", [0, 0], [0, 10], 6000, 3000, 10 * (0.28 - 0.30)),
    ("bought for no use below the grid's price: at the lowest limit", [0, 0], [0, 10], 6000, 2000, 0.0),
    ("sold out of nothing: fetched at the grid's price", [10, 0], [0, 0], 6000, 2800, 10 * (0.60 - 0.65)),
    ("sold out of nothing to a premium: at the highest limit", [10, 0], [0, 0], 7000, 2800, 0.0),
]


@pytest.mark.parametrize(("name", "load", "generation", "value", "cost", "gain"), BEYOND, ids=[case[0] for case in BEYOND])
def test_trades_beyond_the_meter_gain_nothing(name: str, load: list[int], generation: list[int], value: int, cost: int, gain: float) -> None:
    scenario = scenario_of(member("F1"), member("S1"))
    day: dict[str, Any] = {
        "load_kwh": [[kwh] for kwh in load], "generation_kwh": [[kwh] for kwh in generation], "value_ticks": value, "cost_ticks": cost
    }  # fmt: skip
    horizon = true_horizon(scenario, [world_day(scenario, **day)])
    traded = record_of(scenario, trades=[trade(0, 0, 1, 100, 5000)], **day)
    idle = record_of(scenario, **day)
    assert realised_welfare(horizon, traded) - realised_welfare(horizon, idle) == pytest.approx(gain)


def test_a_run_pays_for_imports_over_the_limit_as_the_program_does() -> None:
    scenario = scenario_of(member("F1"), network=Network(loss_ppm=0, import_limit_kw=40))
    day: dict[str, Any] = {"load_kwh": [[15]], "generation_kwh": [[0]]}
    horizon = true_horizon(scenario, [world_day(scenario, **day)])
    assert realised_welfare(horizon, record_of(scenario, **day)) == pytest.approx(solve_welfare(horizon).welfare)
    assert solve_welfare(horizon).welfare == pytest.approx(-15 * 0.65 - 5 * OVERLOAD)


def test_losses_are_named_by_what_lies_between_two_bounds() -> None:
    scenario, days = two_days()
    record = record_of(scenario, load_kwh=[[5, 9] * 2, [0] * 4, [0] * 4], generation_kwh=[[0] * 4, [12, 0] * 2, [0] * 4], days=2)
    bounds = replace(
        bounds_of(record, days, rolling_step_periods=0), perfect_cny=100.0, rolling_cny=90.0, truthful_cny=70.0, realised_cny=40.0, no_trade_cny=0.0
    )
    figures = measure(record, bounds)
    names = ("forecast_loss_cny", "mechanism_loss_cny", "strategy_loss_cny", "market_loss_cny", "welfare_loss_cny", "welfare_efficiency_percent")
    assert [figures[name] for name in names] == [10, 20, 30, 50, 60, 40]


def two_days() -> tuple[Scenario, list[Any]]:
    scenario = scenario_of(member("F1"), member("S1"), member("B1", storage=battery(energy_kwh=10)), days=2)
    days = [
        world_day(
            scenario, load_kwh=[[5, 9], [0, 0], [0, 0]], generation_kwh=[[0, 0], [12, 0], [0, 0]], cost_ticks=[[6500], [3000], [2800]], index=index
        )
        for index in range(2)
    ]  # fmt: skip
    return scenario, days


def test_bounds_and_the_split_of_the_loss() -> None:
    scenario, days = two_days()
    meters: dict[str, Any] = {"load_kwh": [[5, 9] * 2, [0] * 4, [0] * 4], "generation_kwh": [[0] * 4, [12, 0] * 2, [0] * 4], "days": 2}
    limits = {"cost_ticks": [[6500], [3000], [2800]]}
    truthful = record_of(scenario, **meters, **limits, trades=[trade(0, 0, 1, 50, 4500), trade(2, 0, 1, 50, 4500)])
    strategic = record_of(scenario, **meters, **limits, trades=[trade(0, 0, 1, 50, 5500)])
    bounds = bounds_of(strategic, days, truthful=truthful, rolling_step_periods=1)
    figures: dict[str, Any] = measure(strategic, bounds)
    assert figures["strategy_loss_cny"] == pytest.approx(5 * (0.60 - 0.30))
    assert figures["forecast_loss_cny"] == pytest.approx(0, abs=1e-6)
    parts = [figures[f"{name}_loss_cny"] for name in ("forecast", "mechanism", "strategy")]
    assert sum(parts) == pytest.approx(figures["welfare_loss_cny"])
    assert parts[1] + parts[2] == pytest.approx(figures["market_loss_cny"])
    assert figures["welfare_no_trade_cny"] < figures["welfare_realised_cny"] < figures["welfare_perfect_cny"]
    assert figures["welfare_efficiency_percent"] == pytest.approx(
        100 * (bounds.realised_cny - bounds.no_trade_cny) / (bounds.perfect_cny - bounds.no_trade_cny)
    )
    assert bounds.volume_kwh.sum() == pytest.approx(figures["volume_competitive_kwh"])
    assert figures["volume_against_competitive_percent"] == pytest.approx(100 * 5 / bounds.volume_kwh.sum())
    without = measure(strategic, bounds_of(strategic, days, rolling_step_periods=0))
    assert without["welfare_perfect_cny"] == figures["welfare_perfect_cny"]
    assert without["forecast_loss_cny"] is None
    assert measure(strategic)["welfare_perfect_cny"] is None


def test_a_truthful_run_of_another_seed_is_refused() -> None:
    scenario, days = two_days()
    record = record_of(scenario, load_kwh=[[5, 9] * 2, [0] * 4, [0] * 4], generation_kwh=[[0] * 4, [12, 0] * 2, [0] * 4], days=2)
    with pytest.raises(InputError, match="same seed and days"):
        bounds_of(record, days, truthful=replace(record, seed=9))


def test_a_program_without_an_optimum_says_why() -> None:
    program = LinearProgram()
    program.equal([(program.variables(1, high=1.0), 1.0)], 2.0, 1)
    with pytest.raises(CheckFailedError, match=r"nowhere: .*[Ii]nfeasible"):
        program.solve("nowhere")
    assert np.array_equal(LinearProgram().solve("nothing").values, np.zeros(0))
