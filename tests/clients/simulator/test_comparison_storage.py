"""Schedules of storage: feasible in integers, and never dearer than any other schedule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.simulator.comparison_storage import Schedule, StorageLimits, best_schedules
from exchange.units import PPM

KWH = 1_000
LOSSLESS = StorageLimits(
    soc_start_wh=2 * KWH, soc_min_wh=0, soc_max_wh=4 * KWH, power_w=8 * KWH, charge_efficiency_ppm=PPM, discharge_efficiency_ppm=PPM
)


def cost(net_wh: np.ndarray, buy: np.ndarray, sell: np.ndarray, schedules: list[Schedule]) -> float:
    """Cost of the day in CNY."""
    total_wh = net_wh + sum(s.charge_wh - s.discharge_wh for s in schedules)
    return float((np.maximum(total_wh, 0) * buy - np.maximum(-total_wh, 0) * sell).sum()) / 1e9


def cheapest_by_search(net_kwh: list[int], buy: np.ndarray, sell: np.ndarray, unit: StorageLimits) -> float:
    """Dynamic programme over whole kWh of a lossless unit: another method than the one it checks, exact where data are whole kWh."""
    limit = unit.power_w // 4 // KWH
    states = {unit.soc_start_wh // KWH: 0.0}
    for period, net in enumerate(net_kwh):
        after: dict[int, float] = {}
        for soc, so_far in states.items():
            for change in range(-limit, limit + 1):
                level = soc + change
                if unit.soc_min_wh // KWH <= level <= unit.soc_max_wh // KWH:
                    total = net + change
                    paid = so_far + (total * buy[period] if total > 0 else total * sell[period]) / 1e6
                    after[level] = min(paid, after.get(level, float("inf")))
        states = after
    return states[unit.soc_start_wh // KWH]


def soc_path(unit: StorageLimits, schedule: Schedule) -> list[float]:
    soc, path = float(unit.soc_start_wh), []
    for charge, discharge in zip(schedule.charge_wh.tolist(), schedule.discharge_wh.tolist(), strict=True):
        soc += charge * unit.charge_efficiency_ppm / PPM - discharge * PPM / unit.discharge_efficiency_ppm
        path.append(soc)
    return path


@st.composite
def tariffs(draw: st.DrawFn, periods: int) -> tuple[np.ndarray, np.ndarray]:
    sell = np.array(draw(st.lists(st.integers(0, 500_000), min_size=periods, max_size=periods)))
    spread = np.array(draw(st.lists(st.integers(0, 900_000), min_size=periods, max_size=periods)))
    return sell + spread, sell


@settings(max_examples=60)
@given(st.data(), st.lists(st.integers(-6, 6), min_size=2, max_size=6))
def test_the_program_finds_what_a_search_finds(data: st.DataObject, net_kwh: list[int]) -> None:
    buy, sell = data.draw(tariffs(len(net_kwh)))
    net_wh = np.array(net_kwh) * KWH
    schedules = best_schedules(net_wh, buy, sell, [LOSSLESS])
    assert cost(net_wh, buy, sell, schedules) == pytest.approx(cheapest_by_search(net_kwh, buy, sell, LOSSLESS), abs=1e-4)


@settings(max_examples=60)
@given(st.data(), st.integers(2, 12))
def test_integer_schedules_keep_every_limit_and_end_where_they_began(data: st.DataObject, periods: int) -> None:
    buy, sell = data.draw(tariffs(periods))
    net_wh = np.array(data.draw(st.lists(st.integers(-9_000, 9_000), min_size=periods, max_size=periods)))
    low = data.draw(st.integers(0, 1_000))
    high = low + data.draw(st.integers(1, 9_000))
    efficiencies = data.draw(st.tuples(st.integers(700_000, PPM), st.integers(700_000, PPM)))
    unit = StorageLimits(data.draw(st.integers(low, high)), low, high, data.draw(st.integers(0, 20_000)), *efficiencies)
    (schedule,) = best_schedules(net_wh, buy, sell, [unit])
    assert (schedule.charge_wh >= 0).all()
    assert (schedule.discharge_wh >= 0).all()
    assert not ((schedule.charge_wh > 0) & (schedule.discharge_wh > 0)).any()
    assert max(schedule.charge_wh.max(), schedule.discharge_wh.max()) <= unit.power_w / 4 + 2
    # Charge rounds up and discharge down: the meter's account of the store never falls below the schedule's, by at most 2 Wh a period.
    path = np.array(soc_path(unit, schedule))
    assert path.min() >= low - 1e-6
    assert path.max() <= high + 2 * periods
    assert 0 <= path[-1] - unit.soc_start_wh + 1e-6 <= 2 * periods
    idle = cost(net_wh, buy, sell, [])
    assert cost(net_wh, buy, sell, [schedule]) <= idle + 2e-6 * periods * max(buy.max() / 1e6, 1) + 1e-3


def test_storage_shifts_from_dear_to_cheap_hours() -> None:
    """2 kWh in a quarter-hour; charged at 0.30 and used at 1.00."""
    net = np.array([5, 5]) * KWH
    buy, sell = np.array([300_000, 1_000_000]), np.array([280_000, 280_000])
    (schedule,) = best_schedules(net, buy, sell, [LOSSLESS])
    assert schedule.charge_wh.tolist() == [2 * KWH, 0]
    assert schedule.discharge_wh.tolist() == [0, 2 * KWH]


def test_storage_stands_still_when_nothing_is_gained() -> None:
    flat = np.array([500_000] * 4)
    (schedule,) = best_schedules(np.array([5 * KWH] * 4), flat, flat, [LOSSLESS])
    assert not schedule.charge_wh.any()


@pytest.mark.parametrize(("late_micro", "charge_wh", "discharge_wh"), [(369_000, 0, 0), (372_000, 2000, 1620)])
def test_a_cycle_must_earn_its_losses(late_micro: int, charge_wh: int, discharge_wh: int) -> None:
    """0.9 each way: of 2 kWh charged at 0.30 the store keeps 1.8 and the meter gets 1.62 back, worth it above 0.30 / 0.81 = 0.3704."""
    lossy = replace(LOSSLESS, charge_efficiency_ppm=900_000, discharge_efficiency_ppm=900_000)
    buy = np.array([300_000, late_micro])
    (schedule,) = best_schedules(np.array([5, 5]) * KWH, buy, np.array([0, 0]), [lossy])
    assert schedule.charge_wh.tolist() == [charge_wh, 0]
    assert schedule.discharge_wh.tolist() == [0, discharge_wh]


def test_an_adder_on_charging_can_stop_a_cycle() -> None:
    net = np.array([5, 5]) * KWH
    buy, sell = np.array([300_000, 350_000]), np.array([0, 0])
    costly = replace(LOSSLESS, charge_adder_micro_per_kwh=60_000)
    (schedule,) = best_schedules(net, buy, sell, [costly])
    assert not schedule.charge_wh.any()


def test_two_units_share_one_spread() -> None:
    """3 kWh of load at the dear hour: the second unit has nothing left to displace beyond it."""
    net = np.array([0, 3]) * KWH
    buy, sell = np.array([300_000, 1_000_000]), np.array([0, 0])
    schedules = best_schedules(net, buy, sell, [LOSSLESS, LOSSLESS])
    assert sum(int(s.discharge_wh[1]) for s in schedules) == 3 * KWH


def test_prices_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="sell <= buy"):
        best_schedules(np.zeros(1, np.int64), np.array([1]), np.array([2]), [LOSSLESS])
