"""What participants want: what they need and no more, within limits, from what they know."""

import dataclasses

import numpy as np
import pytest

from clients.laboratory.planning import kernels
from clients.laboratory.planning.plan import Planner
from clients.laboratory.scenario.model import MarketRules, StoragePolicy
from clients.laboratory.world.world import World
from exchange.errors import InputError
from tests.clients.laboratory.planning.days import BATTERY, FACTORY, FLEET, FLEXIBLE, PLANT, PROSUMER, everything, play, small_park, without_errors

NOTHING = np.zeros((6, 96), dtype=np.int64)


def test_what_is_expected_less_what_is_had() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    had = NOTHING.copy()
    had[FACTORY], had[PLANT] = 300, -40
    for index in (0, 6):
        wanted = planner.wants(day, index, had, state)
        assert wanted[FACTORY].tolist() == (day.forecast_load_wh[index, FACTORY] // 100 - 300).tolist()
        assert wanted[PLANT].tolist() == (-(day.forecast_generation_wh[index, PLANT] // 100) + 40).tolist()


@pytest.mark.parametrize("lot_step", [1, 7, 40])
@pytest.mark.parametrize("had", [-400, 0, 33])
def test_nobody_commits_to_more_than_it_expects(lot_step: int, had: int) -> None:
    scenario = small_park(market=MarketRules(lot_step=lot_step))
    day, planner = World(scenario, 4).day(0), Planner(scenario)
    state = planner.begin(day)
    positions = NOTHING + had
    wanted = planner.wants(day, 3, positions, state)
    assert not (wanted % lot_step).any()
    for row in (FACTORY, FLEXIBLE, FLEET, PLANT, PROSUMER):
        expected = day.forecast_load_wh[3, row] - day.forecast_generation_wh[3, row] + state.shift_wh[row] + state.vehicle_wh[row]
        missing = expected + state.storage_wh[row] - 100 * had
        assert (abs(100 * wanted[row]) <= abs(missing) + 99).all()
        assert (abs(missing - 100 * wanted[row]) < 100 * lot_step + 100).all()


def test_position_limits() -> None:
    scenario = small_park()
    narrow = tuple(dataclasses.replace(one, min_net_power_lots=-15, max_net_power_lots=20) for one in scenario.participants)
    scenario = dataclasses.replace(scenario, participants=narrow)
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    wanted = planner.wants(day, 0, NOTHING, planner.begin(day))
    assert (wanted.min(), wanted.max()) == (-15, 20)


def test_some_periods_are_a_part_of_all() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    some, rounds = np.array([3, 50, 95]), np.array([1, 4, 9])
    wanted = planner.wants(day, rounds, NOTHING, state, some)
    for place, (period, index) in enumerate(zip(some, rounds, strict=True)):
        assert wanted[:, place].tolist() == planner.wants(day, int(index), NOTHING, state)[:, period].tolist()


@pytest.mark.parametrize("plan", ["linear_program", "dynamic_program"])
def test_with_perfect_foresight_and_a_market_that_fills_all_nothing_is_missing(plan: str) -> None:
    scenario = without_errors(small_park(3, StoragePolicy(plan=plan)))
    planner, world, soc = Planner(scenario), World(scenario, 2), None
    for index in range(3):
        day = world.day(index)
        positions, _, delivery = play(planner, day, soc, everything)
        net = delivery.load_wh + delivery.charge_wh - delivery.generation_wh - delivery.discharge_wh
        assert (abs(net - 100 * positions) < 100).all()
        soc = delivery.soc_end_wh


def test_closed_periods_stand() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    before = state.vehicle_wh.copy(), state.storage_wh.copy()
    noon = int(day.gate_ns[48]) + 1
    dear = np.where(np.arange(96) % 2 == 0, 12_000, 3_000)
    planner.replan(day, noon, NOTHING, state, dear)
    assert state.first_open == 49
    assert np.array_equal(before[0][:, :49], state.vehicle_wh[:, :49])
    assert np.array_equal(before[1][PROSUMER, :49], state.storage_wh[PROSUMER, :49])
    # It has bought nothing, so it has charged what pays at the price of the grid.
    done = state.storage_wh[BATTERY, :49]
    assert np.array_equal(done, np.where(day.deficit_price_ticks[:49] == 3200, before[1][BATTERY, :49], 0))
    assert state.soc_wh[BATTERY] == pytest.approx(700_000 + 94 * done.sum() // 100, abs=49)
    assert not np.array_equal(before[1][BATTERY, 49:], state.storage_wh[BATTERY, 49:])
    assert not planner.wants(day, 9, NOTHING, state)[BATTERY, :49].any()


def test_an_owner_that_charges_from_members_only() -> None:
    scenario = small_park(policy=StoragePolicy(charges_from_grid=False))
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    planner.close(day, int(day.gate_ns[48]), NOTHING, state)
    assert not state.storage_wh[BATTERY, :48].any()
    assert state.soc_wh[BATTERY] == 700_000


def test_what_a_storage_will_hold_at_the_end_of_the_day() -> None:
    scenario = without_errors(small_park())
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    before = planner.expected_soc_wh(day, NOTHING, state)
    _, _, delivery = play(planner, day, None, lambda wanted: 0 * wanted)
    assert before[PROSUMER] == delivery.soc_end_wh[PROSUMER]
    sold = NOTHING.copy()
    sold[BATTERY, 90] = -1000
    assert planner.expected_soc_wh(day, sold, state)[BATTERY] == before[BATTERY] - -(-100_000 * 100 // 94)


def test_a_battery_alone_sells_nothing_it_might_not_have() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    planned = state.storage_wh[BATTERY]
    wanted = planner.wants(day, 0, NOTHING, state)[BATTERY]
    # The plan charges in the valley and sells all of it in the evening; before the purchases are made only what is in store can be sold.
    assert planned[:28].max() == 125_000
    sold_wh, planned_wh = -100 * wanted[wanted < 0].sum(), -planned[planned < 0].sum()
    assert 0 < sold_wh <= (700_000 - 100_000) * 94 // 100 < planned_wh
    bought = NOTHING.copy()
    bought[BATTERY] = np.maximum(wanted, 0)
    more = planner.wants(day, 1, bought, state)[BATTERY]
    assert -100 * more[more < 0].sum() == pytest.approx(planned_wh, abs=2_000)


def test_limits_of_a_battery_earn_its_losses_and_fees() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    buys, sells = (state.storage_wh[BATTERY] > 0), (state.storage_wh[BATTERY] < 0)
    # At the prices it reckons with, the middle of what the grid leaves, it does what it has planned.
    expected = (day.deficit_price_ticks - 400 + day.surplus_price_ticks) // 2
    energy = abs(state.storage_wh[BATTERY])
    does_buy = (expected <= state.buy_limit_ticks[BATTERY]) | state.charges_anyway[BATTERY]
    for planned, is_within in ((buys, does_buy), (sells, expected >= state.sell_limit_ticks[BATTERY])):
        assert energy[planned & is_within].sum() >= 0.95 * energy[planned].sum()
    # What it pays for the last kWh of the valley, with both fees and its losses, the evening pays back.
    valley, evening = np.arange(96) < 28, np.arange(96) >= 80
    dearest = state.buy_limit_ticks[BATTERY, buys & valley].max()
    assert expected[evening].max() - 20 >= (dearest + 20 + 400) / 0.94 / 0.94
    assert state.sell_limit_ticks[BATTERY].min() >= day.surplus_price_ticks.min() + 20
    others = [row for row in range(6) if row != BATTERY]
    assert np.array_equal(state.buy_limit_ticks[others], day.value_ticks[others])
    assert np.array_equal(state.sell_limit_ticks[others], day.cost_ticks[others])


def test_load_and_vehicles_follow_observed_prices() -> None:
    scenario = small_park()
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    last = np.full(96, -1, dtype=np.int64)
    last[40:44] = day.surplus_price_ticks[40:44]
    plain, informed = planner.begin(day), planner.begin(day, None, last)
    assert informed.vehicle_wh[FLEET, 40:44].tolist() == [15_000] * 4
    assert plain.vehicle_wh[FLEET].sum() == informed.vehicle_wh[FLEET].sum() == 400_000
    assert informed.shift_wh[FLEXIBLE, 40:44].sum() > plain.shift_wh[FLEXIBLE, 40:44].sum()
    assert informed.shift_wh[FLEXIBLE].sum() == 0


def test_a_way_of_planning_that_does_not_exist() -> None:
    with pytest.raises(InputError, match="BATTERY: storage plan 'astrology'; expected one of linear_program, dynamic_program"):
        Planner(small_park(policy=StoragePolicy(plan="astrology")))


def test_a_battery_that_could_not_buy_goes_on_from_where_it_is() -> None:
    scenario = small_park(policy=StoragePolicy(charges_from_grid=False))
    day, planner = World(scenario, 1).day(0), Planner(scenario)
    state = planner.begin(day)
    planner.replan(day, int(day.gate_ns[0]) + 1, NOTHING, state)
    before = state.storage_wh[BATTERY].copy()
    assert before[1:9].any()
    planner.replan(day, int(day.gate_ns[8]) + 1, NOTHING, state)
    after, first = state.storage_wh[BATTERY].copy(), state.first_open
    unit = planner.devices.storages[0].record
    for plan, is_possible in ((before, False), (after, True)):
        done, soc = np.zeros((2, 96), dtype=np.int64)
        kernels.run_storage(unit, state.soc_wh[BATTERY], plan, first, 96, done, soc)
        assert np.array_equal(done[first:], plan[first:]) == is_possible


@pytest.mark.parametrize(
    ("traded", "plan", "charges", "gives", "done"),
    [
        (500, 900, True, False, 900), (500, 900, False, True, 500), (-500, 900, True, False, -500), (900, 500, True, True, 900),
        (-500, -900, False, True, -900), (-500, -900, True, False, -500), (500, -900, True, True, 500), (0, 900, True, False, 900),
    ],
)  # fmt: skip
def test_what_a_battery_does_of_what_it_traded_and_planned(traded: int, plan: int, charges: bool, gives: bool, done: int) -> None:
    state = Planner(small_park()).begin(World(small_park(), 1).day(0))
    state.storage_wh[BATTERY], state.charges_anyway[BATTERY], state.discharges_anyway[BATTERY] = plan, charges, gives
    assert set(state.schedule_wh(BATTERY, np.full(96, traded)).tolist()) == {done}
