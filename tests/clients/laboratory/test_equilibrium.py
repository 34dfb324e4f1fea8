"""Crossing of single periods: the golden auction, a brute force over lots, and every mechanism's clearing below it."""

import datetime
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.laboratory.benchmark.equilibrium import crossing, is_coupled
from clients.laboratory.benchmark.horizon import true_horizon
from clients.laboratory.benchmark.welfare_program import solve_welfare
from clients.laboratory.scenario.model import EvFleet, FlexibleLoad
from matching.mechanisms import MECHANISMS, SEALED_ORDER, Rules
from matching.records import Side
from tests.clients.laboratory.records import DEFICIT_TICKS, SURPLUS_TICKS, battery, member, scenario_of
from tests.clients.laboratory.test_measures_theory import ASKS, BIDS
from tests.clients.laboratory.worlds import world_day

Order = tuple[int, int]  # ticks, lots


def cross(bids: list[Order], asks: list[Order]) -> tuple[int, int, int, int]:
    """(volume, low, high, gain) of one period; a row for each order."""
    column = np.array
    value, buy = [price for price, _ in bids] + [0] * len(asks), [lots for _, lots in bids] + [0] * len(asks)
    cost, sell = [0] * len(bids) + [price for price, _ in asks], [0] * len(bids) + [lots for _, lots in asks]
    found = crossing(*(column(side, dtype=np.int64).reshape(-1, 1) for side in (value, buy, cost, sell)))
    return tuple(int(field[0]) for field in (found.volume_lots, found.low_ticks, found.high_ticks, found.gain_tick_lots))  # type: ignore[return-value]


def test_the_golden_auction() -> None:
    bids, asks = [(price, 10 * kwh) for price, kwh in BIDS], [(price, 10 * kwh) for price, kwh in ASKS]
    assert cross(bids, asks) == (10_000, 5000, 5200, 18_100_000)


CASES: list[tuple[str, list[Order], list[Order], tuple[int, int, int, int]]] = [
    ("nothing crosses: from the best bid to the best ask", [(40, 3)], [(50, 2)], (0, 40, 50, 0)),
    ("a tie at the margin", [(50, 3), (50, 3)], [(40, 4)], (4, 50, 50, 40)),
    ("a bid at the price of the ask trades", [(50, 2)], [(50, 3)], (2, 50, 50, 0)),
    ("sellers are short", [(60, 5), (55, 1)], [(40, 3)], (3, 60, 60, 60)),
    ("exactly as much", [(60, 3)], [(40, 3)], (3, 40, 60, 60)),
    ("exactly as much, others outside", [(60, 3), (45, 1)], [(40, 3), (58, 1)], (3, 45, 58, 60)),
    ("only buyers", [(60, 3)], [], (0, 60, 60, 0)),
    ("only sellers", [], [(40, 3)], (0, 40, 40, 0)),
]


@pytest.mark.parametrize(("name", "bids", "asks", "expected"), CASES, ids=[case[0] for case in CASES])
def test_crossing(name: str, bids: list[Order], asks: list[Order], expected: tuple[int, int, int, int]) -> None:
    assert cross(bids, asks) == expected


def test_nobody_is_no_price() -> None:
    nothing = np.zeros((2, 3), np.int64)
    found = crossing(nothing, nothing, nothing, nothing)
    assert not found.is_defined.any()
    assert found.price_half_ticks.tolist() == [0, 0, 0]


ORDERS = st.lists(st.tuples(st.integers(SURPLUS_TICKS, DEFICIT_TICKS), st.integers(1, 4)), min_size=0, max_size=4)
COARSE = st.lists(st.tuples(st.integers(28, 32).map(lambda tens: 100 * tens), st.integers(1, 4)), min_size=0, max_size=4)
MARKETS = st.one_of(st.tuples(ORDERS, ORDERS), st.tuples(COARSE, COARSE))


def best_by_force(bids: list[Order], asks: list[Order]) -> tuple[int, int]:
    """(gain, largest volume with it): every way to fill the orders by whole lots."""
    best = (0, 0)
    for filled in product(*(range(lots + 1) for _, lots in (*bids, *asks))):
        bought, sold = filled[: len(bids)], filled[len(bids) :]
        if sum(bought) == sum(sold):
            gain = sum(lots * price for lots, (price, _) in zip(bought, bids, strict=True))
            gain -= sum(lots * price for lots, (price, _) in zip(sold, asks, strict=True))
            best = max(best, (gain, sum(bought)))
    return best


@given(MARKETS.filter(lambda market: len(market[0]) + len(market[1]) <= 5))
@settings(max_examples=60, deadline=None)
def test_no_way_to_fill_the_orders_gains_more(market: tuple[list[Order], list[Order]]) -> None:
    volume, _, _, gain = cross(*market)
    assert (gain, volume) == best_by_force(*market)


def sealed(bids: list[Order], asks: list[Order]) -> np.ndarray:
    orders = np.zeros(len(bids) + len(asks), SEALED_ORDER)
    for place, (price, lots) in enumerate([*bids, *asks]):
        side = Side.BUY if place < len(bids) else Side.SELL
        orders[place] = (place + 1, lots, price, place, side)
    return orders


@pytest.mark.parametrize("name", [name for name in MECHANISMS if name not in {"mmr", "sdr", "none"}])
@given(market=MARKETS)
@settings(max_examples=40, deadline=None)
def test_no_mechanism_gains_more_and_efficient_ones_as_much(name: str, market: tuple[list[Order], list[Order]]) -> None:
    bids, asks = market
    clearing = MECHANISMS[name].clear(sealed(bids, asks), Rules(seed=3))
    limits = [price for price, _ in (*bids, *asks)]
    signed = np.where(clearing.fills["side"] == Side.BUY, 1, -1) * clearing.fills["quantity_lots"]
    gain = int(sum(lots * limits[place] for lots, place in zip(signed.tolist(), clearing.fills["order"].tolist(), strict=True)))
    best = cross(bids, asks)[3]
    assert gain <= best
    if MECHANISMS[name].properties.efficient:
        assert gain == best


@given(MARKETS.filter(lambda market: market[0] and market[1]))
@settings(max_examples=40, deadline=None)
def test_the_interval_is_the_auctions(market: tuple[list[Order], list[Order]]) -> None:
    clearing = MECHANISMS["uniform"].clear(sealed(*market), Rules(k=Fraction(1, 2)))
    volume, low, high, _ = cross(*market)
    assert clearing.volume_lots == volume
    if volume:
        assert clearing.price_set_ticks == (low, high)


@given(MARKETS.filter(lambda market: market[0] and market[1]))
@settings(max_examples=40, deadline=None)
def test_the_welfare_program_agrees_and_its_dual_lies_in_the_interval(market: tuple[list[Order], list[Order]]) -> None:
    bids, asks = market
    scenario = scenario_of(*(member(f"M{row}") for row in range(len(bids) + len(asks))))
    day = world_day(
        scenario,
        load_kwh=[[lots / 10] for _, lots in bids] + [[0]] * len(asks),
        generation_kwh=[[0]] * len(bids) + [[lots / 10] for _, lots in asks],
        value_ticks=[[price] for price, _ in bids] + [[SURPLUS_TICKS]] * len(asks),
        cost_ticks=[[DEFICIT_TICKS]] * len(bids) + [[price] for price, _ in asks],
    )
    horizon = true_horizon(scenario, [day])
    solution, alone = solve_welfare(horizon), solve_welfare(horizon, with_trade=False)
    _, low, high, gain = cross(bids, asks)
    assert solution.welfare - alone.welfare == pytest.approx(gain / 100_000, abs=1e-7)
    price = solution.price[0] * 10_000
    if any(lots for lots in solution.decisions.bought[:, 0]):
        assert low - 1e-4 <= price <= high + 1e-4
        # A little more supply, or demand, finds the ends.
        for extra, end in ((0.001, low), (-0.001, high)):
            moved = solve_welfare(horizon, extra_supply_kwh=extra).price[0] * 10_000
            assert moved == pytest.approx(end, abs=1e-4)


def test_what_couples_periods() -> None:
    plain = member("F1")
    arrival, departure = datetime.time(8), datetime.time(18)
    assert not is_coupled(scenario_of(plain))
    flexible = FlexibleLoad(share_ppm=100_000, shift_periods=4, cost_micro_per_kwh=0)
    fleet = EvFleet(energy_wh=1000, power_w=1000, arrival=arrival, departure=departure)
    for extra in ({"storage": battery()}, {"flexible": flexible}, {"ev": fleet}):
        assert is_coupled(scenario_of(plain, member("F2", **extra)))


def test_many_periods_are_crossed_each_for_itself() -> None:
    rng = np.random.default_rng(3)
    sides = [rng.integers(low, high, (4, 9000)) for low, high in ((28, 36), (0, 4), (28, 36), (0, 4))]
    found = crossing(*sides)
    for period in (0, 4095, 4096, 8999):
        alone = crossing(*(side[:, period : period + 1] for side in sides))
        for field in ("volume_lots", "low_ticks", "high_ticks", "gain_tick_lots", "is_defined"):
            assert getattr(found, field)[period] == getattr(alone, field)[0]
