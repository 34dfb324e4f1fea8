"""The physical park: every period balances to the Wh, storage never leaves its range, whatever it is told."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.scenarios.model import Storage
from clients.simulator.world import ParkWorld, PhysicalStorage, close_balance
from tests.clients.simulator.small_park import small_park

PARK = small_park(periods=4)
STORAGE = next(m for m in PARK.members if m.storage is not None)
energies = st.lists(st.integers(0, 5_000_000), min_size=1, max_size=12)


@given(energies, st.data(), st.integers(0, 200_000))
def test_the_balance_of_a_period_closes(consumption, data, loss_ppm) -> None:
    generation = data.draw(st.lists(st.integers(0, 5_000_000), min_size=len(consumption), max_size=len(consumption)))
    readings = close_balance(0, np.array(consumption), np.array(generation), np.full(len(consumption), -1), loss_ppm)
    assert readings.balance_error_wh == 0
    assert sum(generation) + readings.grid_import_wh == sum(consumption) + readings.grid_export_wh + readings.losses_wh
    assert min(readings.grid_import_wh, readings.grid_export_wh) == 0
    net = np.array(generation) - np.array(consumption)
    flow = max(int(net[net > 0].sum()), -int(net[net < 0].sum()))
    assert abs(readings.losses_wh - Fraction(flow * loss_ppm, 10**6)) <= Fraction(1, 2)


@given(st.lists(st.integers(-3_000_000, 3_000_000), min_size=4, max_size=4))
def test_a_random_day_closes_and_the_meter_is_what_the_storage_did(schedules) -> None:
    world = ParkWorld(PARK)
    row = PARK.members.index(STORAGE)
    soc = STORAGE.storage.soc_initial_wh
    for period, injection in enumerate(schedules):
        readings = world.deliver({STORAGE.id: injection})
        assert readings.period == period
        assert readings.balance_error_wh == 0
        charge, discharge = int(readings.consumption_wh[row]), int(readings.generation_wh[row])
        assert min(charge, discharge) == 0
        assert 0 <= (charge if injection < 0 else discharge) <= abs(injection)
        exact = Fraction(soc) + Fraction(charge * STORAGE.storage.charge_efficiency_ppm, 10**6)
        exact -= Fraction(discharge * 10**6, STORAGE.storage.discharge_efficiency_ppm)
        after = int(readings.soc_wh[row])
        assert exact - 2 < after <= exact, "rounding may lose a Wh, never make one"
        assert STORAGE.storage.soc_min_wh <= after <= STORAGE.storage.soc_max_wh
        soc = after
        others = [i for i in range(len(PARK.members)) if i != row]
        assert (readings.consumption_wh[others] == [PARK.members[i].load_wh[period] for i in others]).all()
        assert (readings.generation_wh[others] == [PARK.members[i].generation_wh[period] for i in others]).all()


storages = st.builds(
    Storage,
    energy_wh=st.just(20_000),
    power_w=st.integers(1, 100_000),
    soc_min_wh=st.integers(0, 5_000),
    soc_max_wh=st.integers(10_000, 20_000),
    soc_initial_wh=st.integers(5_000, 10_000),
    charge_efficiency_ppm=st.integers(500_000, 1_000_000),
    discharge_efficiency_ppm=st.integers(500_000, 1_000_000),
)


@given(storages, st.lists(st.integers(-100_000, 100_000), max_size=30))
def test_storage_does_what_it_can_and_no_more(spec, orders) -> None:
    storage = PhysicalStorage(spec)
    for injection in orders:
        charge, discharge = storage.execute(injection)
        assert spec.soc_min_wh <= storage.soc_wh <= spec.soc_max_wh
        assert 0 <= charge <= spec.power_w // 4
        assert 0 <= discharge <= spec.power_w // 4
        assert charge <= max(0, -injection)
        assert discharge <= max(0, injection)


def test_storage_within_its_limits_does_exactly_what_it_is_told() -> None:
    storage = PhysicalStorage(STORAGE.storage)
    assert storage.execute(-1_000_000) == (1_000_000, 0)
    assert storage.soc_wh == STORAGE.storage.soc_initial_wh + 938_083
    assert storage.execute(500_000) == (0, 500_000)
    assert storage.execute(0) == (0, 0)


def test_a_storage_that_is_told_nothing_stands_still() -> None:
    world = ParkWorld(PARK)
    row = PARK.members.index(STORAGE)
    assert [int(world.deliver({}).soc_wh[row]) for _ in range(4)] == [STORAGE.storage.soc_initial_wh] * 4
    with pytest.raises(IndexError):
        world.deliver({})


@pytest.mark.parametrize("altered", ["consumption_wh", "generation_wh"])
def test_an_altered_meter_is_seen(altered: str) -> None:
    readings = ParkWorld(PARK).deliver({})
    changed = getattr(readings, altered).copy()
    changed[0] += 1
    assert abs(dataclasses.replace(readings, **{altered: changed}).balance_error_wh) == 1
