"""Plans of storage: the golden cycle, an optimum found another way, and integers that keep rating and range."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from clients.bots.battery import Battery, Exposure, worst_case_holds
from clients.laboratory.planning import dynamic_program, kernels, linear_program
from clients.laboratory.planning.devices import storage_record
from clients.scenarios.model import Storage
from clients.simulator.world import PhysicalStorage
from exchange.units import MICRO_PER_FEN, divide_half_even

Integers = NDArray[np.int64]

# Valley, flat, peak of market rules' story: one cycle a day at 1.032 and 0.270 CNY/kWh, 88 % there and back.
VALLEY, FLAT, PEAK = 270_000, 600_000, 1_032_000
PRICES = np.array([VALLEY] * 28 + [FLAT] * 36 + [PEAK] * 32)


def storage(
    energy_wh: int = 10_000_000, power_w: int = 5_000_000, charge_ppm: int = 880_000, discharge_ppm: int = 1_000_000, soc: int = 0
) -> Storage:
    return Storage(energy_wh, power_w, 0, energy_wh, soc, charge_ppm, discharge_ppm)


def by_linear_program(unit: Any, soc: int, net: Integers | None, buy: Integers, sell: Integers, final: int) -> Integers:
    return linear_program.best_meter_wh(unit, soc, net, buy, sell, final)


def by_backward_induction(unit: Any, soc: int, net: Integers | None, buy: Integers, sell: Integers, final: int) -> Integers:
    function = dynamic_program.value_function(unit, np.zeros_like(buy) if net is None else net, buy, sell, final)
    return dynamic_program.best_meter_wh(unit, soc, function)


def income_micro(meter: Integers, net: Integers | int, buy: Integers, sell: Integers) -> int:
    total = meter + net
    return int((np.maximum(-total, 0) * sell - np.maximum(total, 0) * buy).sum()) // 1000


@pytest.mark.parametrize("plan", [by_linear_program, by_backward_induction])
def test_a_cycle_of_the_story(plan: Any) -> None:
    # Market rules, story 10: 10 MWh discharged, 10 / 0.88 MWh charged: 7,251.82 CNY. A Wh is lost to rounding.
    meter = plan(storage_record(storage()), 0, None, PRICES, PRICES, 0)
    assert -meter[meter < 0].sum() == 9_999_999
    assert divide_half_even(income_micro(meter, 0, PRICES, PRICES), MICRO_PER_FEN) == 725_182


# A day of the demo park: (micro-CNY/kWh, quarter-hours) of buying, and how much less selling brings.
STUCK = [
    (320000, 28), (650000, 7), (627400, 1), (595100, 1), (498200, 2), (498700, 5), (499200, 4), (487000, 1), (498100, 1), (497600, 5),
    (497866, 3), (497750, 1), (498400, 5), (725550, 2), (728133, 1), (729075, 1), (729900, 1), (729516, 1), (785871, 1), (828312, 1),
    (878750, 1), (927925, 1), (949711, 1), (993122, 1), (1025775, 1), (1067571, 1), (1082000, 2), (1263200, 1), (1122966, 1), (1051025, 1),
    (1007620, 1), (1061416, 1), (1099842, 2), (1129100, 1), (1119542, 2), (1165716, 1), (1231820, 1), (1027850, 4),
]  # fmt: skip
WEDGES = [(40000, 28), (42000, 7), (44000, 43), (42000, 2), (44000, 16)]


def test_a_day_on_which_the_dual_simplex_gives_up() -> None:
    """HiGHS ends with no status at schedules that differ by what decides ties; the day has its optimum all the same."""
    buy = np.repeat(*np.array(STUCK).T)
    sell = buy - np.repeat(*np.array(WEDGES).T)
    soc, final = 9_531_916, 320_000
    unit = storage_record(Storage(10_000_000, 5_000_000, 500_000, 10_000_000, soc, 938_083, 938_083))
    meter = by_linear_program(unit, soc, None, buy, sell, final)
    otherwise = by_backward_induction(unit, soc, None, buy, sell, final)
    stored = [soc + (np.where(plan > 0, plan * 0.938083, plan / 0.938083)).sum() for plan in (meter, otherwise)]
    worth = [income_micro(plan, 0, buy, sell) + float(left) * final / 1000 for plan, left in zip((meter, otherwise), stored, strict=True)]
    assert worth[0] >= worth[1] - 1000
    assert worth[0] == pytest.approx(worth[1], rel=0.01)


def test_of_equal_schedules_the_earliest() -> None:
    meter = by_linear_program(storage_record(storage()), 0, None, PRICES, PRICES, 0)
    charging = [1_250_000] * 9 + [113_636]
    assert meter[:28].tolist() == charging + [0] * 18
    assert meter[64:].tolist() == [-1_249_999] + [-1_250_000] * 7 + [0] * 24


@pytest.mark.parametrize(
    "settings",
    [{"simplex_strategy": 4}, {"simplex_scale_strategy": 0}, {"presolve": "on"}, {"simplex_strategy": 4, "simplex_dual_edge_weight_strategy": 0}],
)
def test_the_optimum_does_not_depend_on_the_way_to_it(settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    unit = storage_record(storage(charge_ppm=938_083, discharge_ppm=938_083))
    for net in (None, rng.integers(-3_000_000, 3_000_000, 96)):
        for buy in (PRICES, PRICES + rng.integers(0, 3, 96) * 10_000):
            sell = buy - 60_000
            first = linear_program.best_meter_wh(unit, 4_000_000, net, buy, sell, 320_000)
            other = linear_program.best_meter_wh(unit, 4_000_000, net, buy, sell, 320_000, settings={"output_flag": False, "threads": 1, **settings})
            assert first.tolist() == other.tolist()


def test_what_is_left_is_worth_something() -> None:
    unit, flat = storage_record(storage(soc=5_000_000)), np.full(8, 300_000)
    assert by_linear_program(unit, 5_000_000, None, flat, flat, 299_000).sum() < 0
    assert by_linear_program(unit, 5_000_000, None, flat, flat, 301_000).tolist() == [0] * 8


# Small problems: T periods, an arbitrary storage, prices with sell <= buy.
PROBLEMS = st.fixed_dictionaries(
    {
        "energy_wh": st.integers(1, 5_000_000), "power_w": st.integers(4, 4_000_000), "charge_ppm": st.integers(500_000, 1_000_000),
        "discharge_ppm": st.integers(500_000, 1_000_000), "soc_ppm": st.integers(0, 1_000_000), "final": st.integers(0, 1_500_000),
        "rows": st.lists(st.tuples(st.integers(0, 2_000_000), st.integers(0, 500_000), st.integers(-900_000, 900_000)), min_size=1, max_size=12),
        "is_alone": st.booleans(),
    }
)  # fmt: skip


def problem(drawn: dict[str, Any]) -> tuple[Any, int, Integers | None, Integers, Integers, int]:
    buy, margin, net = (np.array(column, dtype=np.int64) for column in zip(*drawn["rows"], strict=True))
    unit = storage_record(storage(drawn["energy_wh"], drawn["power_w"], drawn["charge_ppm"], drawn["discharge_ppm"]))
    sell = np.maximum(buy - margin, 0)
    return unit, drawn["energy_wh"] * drawn["soc_ppm"] // 1_000_000, None if drawn["is_alone"] else net, buy, sell, drawn["final"]


def best_income_micro(unit: Any, soc: int, net: Integers | None, buy: Integers, sell: Integers, final: int) -> float:
    """Optimum by another formulation: no state of charge, its range as inequalities of running sums."""
    periods = len(buy)
    net = np.zeros(periods, dtype=np.int64) if net is None else net
    into, out = unit.charge_ppm / 1e6, 1e6 / unit.discharge_ppm
    running = np.tril(np.ones((periods, periods)))
    nothing, identity = np.zeros((periods, periods)), np.eye(periods)
    change = np.hstack([running * into, -running * out, nothing, nothing])
    value = np.concatenate([np.full(periods, -into * final), np.full(periods, out * final), buy, -sell]).astype(float)
    solution = linprog(
        value, A_ub=np.vstack([change, -change]), b_ub=np.repeat([unit.max_wh - soc, soc - unit.min_wh], periods),
        A_eq=np.hstack([-identity, identity, identity, -identity]), b_eq=net,
        bounds=[(0, unit.limit_wh)] * (2 * periods) + [(0, None)] * (2 * periods),
    )  # fmt: skip
    return float(-solution.fun + final * soc) / 1000


@given(PROBLEMS)
def test_optimal_and_within_limits(drawn: dict[str, Any]) -> None:
    unit, soc, net, buy, sell, final = problem(drawn)
    best = best_income_micro(unit, soc, net, buy, sell, final)
    for plan in (by_linear_program, by_backward_induction):
        meter, after = plan(unit, soc, net, buy, sell, final), soc
        incomes = []
        for t, wanted in enumerate(meter.tolist()):
            done, after = kernels.stepped(unit, after, wanted)
            assert done == wanted
            assert 0 <= after <= unit.max_wh
            assert abs(done) <= unit.limit_wh
            incomes.append(income_micro(meter[t : t + 1], 0 if net is None else net[t : t + 1], buy[t : t + 1], sell[t : t + 1]))
        income = sum(incomes) + final * after // 1000
        # A Wh of rounding each way a period, and what it costs to prefer early periods.
        slack = len(meter) * (8 * 2_500 + 2 * len(meter) * unit.limit_wh // 1000)
        assert income <= best + slack
        if plan is by_linear_program:
            assert income >= best - slack


@given(PROBLEMS, st.lists(st.integers(-2_000_000, 2_000_000), min_size=1, max_size=20))
def test_a_step_is_the_physical_storages(drawn: dict[str, Any], wanted: list[int]) -> None:
    given_storage = storage(drawn["energy_wh"], drawn["power_w"], drawn["charge_ppm"], drawn["discharge_ppm"], drawn["energy_wh"] // 2)
    physical, unit = PhysicalStorage(given_storage), storage_record(given_storage)
    meter, soc = np.zeros((2, len(wanted)), dtype=np.int64)
    kernels.run_storage(unit, given_storage.soc_initial_wh, np.array(wanted), 0, len(wanted), meter, soc)
    for t, energy in enumerate(wanted):
        charge, discharge = physical.execute(-energy)
        assert (meter[t], soc[t]) == (charge - discharge, physical.soc_wh)


@given(PROBLEMS, st.lists(st.tuples(st.integers(-900, 900), st.integers(-3_000, 3_000)), min_size=1, max_size=10), st.integers(0, 3))
def test_orders_are_cut_to_what_the_exchange_would_take(drawn: dict[str, Any], rows: list[tuple[int, int]], first: int) -> None:
    unit = storage_record(storage(drawn["energy_wh"], drawn["power_w"], drawn["charge_ppm"], drawn["discharge_ppm"]))
    soc = drawn["energy_wh"] * drawn["soc_ppm"] // 1_000_000
    positions, wants = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    cut = np.zeros(len(rows), dtype=np.int64)
    kernels.cut_to_worst_case(unit, soc, first, positions, wants, cut)
    battery = Battery(0, drawn["energy_wh"], int(unit.limit_wh) * 4, drawn["charge_ppm"], drawn["discharge_ppm"])

    def holds(lots: Integers) -> bool:
        exposures = [
            Exposure(int(position) * 100, max(int(one), 0) * 100, max(-int(one), 0) * 100)
            for position, one in zip(positions[first:], lots[first:], strict=True)
        ]
        return worst_case_holds(battery, soc, exposures)

    assert not cut[:first].any()
    if not holds(np.zeros_like(cut)):
        assert not cut.any()
        return
    assert holds(cut)
    for t in range(first, len(cut)):
        assert 0 <= cut[t] * np.sign(wants[t]) <= abs(wants[t])
        if cut[t] != wants[t]:
            more = cut.copy()
            more[t] += np.sign(wants[t])
            assert not holds(more)


def test_each_period_has_its_share_of_what_can_be_sold() -> None:
    wants, cut = np.array([0, -1000, -500, -1500, 800]), np.zeros(5, dtype=np.int64)
    kernels.cut_to_worst_case(storage_record(storage(150_000, 2_000_000, 1_000_000)), 150_000, 1, np.zeros(5, dtype=np.int64), wants, cut)
    assert cut.tolist() == [0, -500, -250, -750, 0]


def test_worth_of_stored_energy() -> None:
    # What it takes to replace it before the peak, at the peak its price, at the end of the day nothing.
    unit = storage_record(storage())
    function = dynamic_program.value_function(unit, np.zeros(96, dtype=np.int64), PRICES, PRICES, 0)
    for soc in (0, 5_000_000, 10_000_000):
        last, following = dynamic_program.stored_values_micro(unit, np.full(96, soc), function)
        for period, micro in ((0, VALLEY / 0.88), (40, FLAT / 0.88), (66, PEAK)):
            assert last[period] == pytest.approx(micro, abs=200)
            assert following[period] == pytest.approx(micro, abs=200)
        assert last[95] == following[95] == 0
