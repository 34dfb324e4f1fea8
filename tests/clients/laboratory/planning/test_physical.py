"""What the meters show: balanced to the Wh, and the same whatever the market's rules are."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery, park_balance
from clients.laboratory.planning.plan import Planner
from clients.laboratory.scenario.model import MarketRules, Network, Scenario
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from clients.simulator.world import close_balance
from tests.clients.laboratory.planning.days import BATTERY, FACTORY, FLEET, PLANT, PROSUMER, everything, play, small_park

Integers = NDArray[np.int64]


def half(wanted: Integers) -> Integers:
    return np.sign(wanted) * (abs(wanted) // 2)


def nothing(wanted: Integers) -> Integers:
    return 0 * wanted


def deliveries(scenario: Scenario, seed: int, fill: object) -> list[tuple[WorldDay, Integers, Delivery]]:
    planner, world, soc = Planner(scenario), World(scenario, seed), None
    played = []
    for index in range(scenario.days):
        day = world.day(index)
        positions, _, delivery = play(planner, day, soc, fill)  # type: ignore[arg-type]
        played.append((day, positions, delivery))
        soc = delivery.soc_end_wh
    return played


@pytest.mark.parametrize("fill", [everything, half, nothing])
def test_energy_balances_over_days(fill: object) -> None:
    soc = np.array([0, 0, 0, 0, 700_000, 700_000])
    scenario = small_park(3, network=Network(loss_ppm=12_000, export_limit_kw=100))
    for day, positions, one in deliveries(scenario, 4, fill):
        taken, given_ = one.load_wh + one.charge_wh, one.generation_wh + one.discharge_wh
        assert np.array_equal(taken.sum(axis=0) + one.export_wh + one.loss_wh, given_.sum(axis=0) + one.import_wh)
        assert not (one.import_wh * one.export_wh).any()
        assert np.array_equal(one.generation_wh + one.curtailed_wh, day.generation_wh)
        # All load is served on its day, and the vehicles leave full.
        served = one.load_wh.sum(axis=1) - day.load_wh.sum(axis=1)
        assert served.tolist() == [400_000 if row == FLEET else 0 for row in range(6)]
        for row in (BATTERY, PROSUMER):
            states = np.concatenate([soc[row : row + 1], one.soc_wh[row]])
            charge, discharge = one.charge_wh[row], one.discharge_wh[row]
            assert np.array_equal(np.diff(states), charge * 94 // 100 + (-discharge * 100 // 94))
            assert (states.min() >= 100_000, states.max() <= 1_900_000, charge.max() <= 125_000, discharge.max() <= 125_000) == (True,) * 4
        # What is not traded is taken from the grid where it is cheapest, or not at all.
        done, traded = one.charge_wh[BATTERY] - one.discharge_wh[BATTERY], 100 * positions[BATTERY]
        assert (day.deficit_price_ticks[abs(done - traded) >= 100] == 3200).all()
        assert (done >= traded - 99).all()
        assert (one.soc_wh[FACTORY] == -1).all()
        soc = one.soc_end_wh


def test_rules_of_the_market_change_no_load_and_no_sun() -> None:
    one, other = (deliveries(small_park(1, market=rules), 4, everything)[0][2] for rules in (MarketRules(), MarketRules(gate_closure_minutes=180)))
    for row in (FACTORY, PLANT):
        assert np.array_equal(one.load_wh[row], other.load_wh[row])
        assert np.array_equal(one.generation_wh[row], other.generation_wh[row])
    assert one.load_wh.sum() == other.load_wh.sum()


@pytest.mark.parametrize("limit_kw", [1, 100, 300])
def test_no_more_is_let_out_than_the_connection_carries(limit_kw: int) -> None:
    free = deliveries(small_park(network=Network(loss_ppm=12_000)), 4, nothing)[0][2]
    held = deliveries(small_park(network=Network(loss_ppm=12_000, export_limit_kw=limit_kw)), 4, nothing)[0][2]
    limit_wh = limit_kw * 250
    over = free.export_wh > limit_wh
    assert over.any()
    assert held.export_wh.max() <= limit_wh
    # No more is thrown away than that takes, and nothing where nothing is too much.
    assert (held.export_wh[over] >= limit_wh - 2).all()
    assert not held.curtailed_wh[:, ~over].any()
    assert np.array_equal(held.load_wh, free.load_wh)


@given(st.lists(st.lists(st.integers(-(10**7), 10**7), min_size=3, max_size=3), min_size=1, max_size=6), st.integers(0, 200_000))
def test_the_grid_is_the_simulators(rows: list[list[int]], loss_ppm: int) -> None:
    net = np.array(rows).T
    imports, exports, losses = park_balance(net, loss_ppm)
    for t in range(net.shape[1]):
        expected = close_balance(t, np.maximum(net[:, t], 0), np.maximum(-net[:, t], 0), np.full(3, -1), loss_ppm)
        assert (imports[t], exports[t], losses[t]) == (expected.grid_import_wh, expected.grid_export_wh, expected.losses_wh)


def test_a_network_without_limit() -> None:
    one = deliveries(small_park(network=Network(loss_ppm=0)), 4, nothing)[0][2]
    assert not one.curtailed_wh.any()
    assert dataclasses.replace(one).loss_wh.sum() == 0
