"""Vehicles and load that moves: energy is kept, windows and gates hold, nothing moves that does not pay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.laboratory.planning import kernels
from clients.laboratory.planning.devices import record

QUARTERS = np.arange(96)


def fleet(energy_wh: int = 1000, limit_wh: int = 100, first: int = 32, after: int = 68) -> object:
    return record((energy_wh, limit_wh, first, after), kernels.FLEET)


@given(
    prices=st.lists(st.integers(0, 20), min_size=96, max_size=96), energy=st.integers(0, 4000), limit=st.integers(1, 300), first=st.integers(0, 90),
    length=st.integers(1, 96), first_open=st.integers(0, 96),
)  # fmt: skip
def test_cheapest_first(prices: list[int], energy: int, limit: int, first: int, length: int, first_open: int) -> None:
    after = min(first + length, 96)
    charged = np.zeros(96, dtype=np.int64)
    kernels.charge_fleet(fleet(energy, limit, first, after), QUARTERS, 0, np.array(prices), charged)
    assert charged.sum() == min(energy, limit * (after - first))
    assert not charged[:first].any()
    assert not charged[after:].any()
    assert charged.max(initial=0) <= limit
    # The least that this energy can cost: the cheapest quarter-hours full, the next one in part.
    left, cost = int(charged.sum()), 0
    for price in sorted(prices[first:after]):
        cost += price * min(left, limit)
        left -= min(left, limit)
    assert int((charged * np.array(prices)).sum()) == cost
    # Later prices change nothing that is closed, and all energy still comes if there is room for it.
    before = charged.copy()
    kernels.charge_fleet(fleet(energy, limit, first, after), QUARTERS, first_open, np.array(prices[::-1]), charged)
    assert np.array_equal(before[:first_open], charged[:first_open])
    room = limit * max(0, after - max(first, first_open))
    assert charged.sum() == min(energy, before[:first_open].sum() + room)


def test_of_equal_prices_the_earlier() -> None:
    charged = np.zeros(96, dtype=np.int64)
    kernels.charge_fleet(fleet(250, 100, 40, 60), QUARTERS, 0, np.zeros(96, dtype=np.int64), charged)
    assert charged[40:60].tolist() == [100, 100, 50] + [0] * 17


FLEXIBLE = (400_000, 3, 50, 1000)  # share, reach, cost, room


def moved(load: list[int], price: list[int], values: tuple[int, ...] = FLEXIBLE, first_open: int = 0) -> tuple[list[int], np.ndarray]:
    moves, served = np.zeros((len(load), 2 * values[1] + 1), dtype=np.int64), np.zeros(len(load), dtype=np.int64)
    kernels.shift_load(record(values, kernels.FLEXIBLE), first_open, np.array(load), np.array(price), moves, served)
    return served.tolist(), moves


@pytest.mark.parametrize(
    ("price", "served"),
    [
        ([200, 100, 100, 100, 100], [60, 140, 100, 100, 100]),  # of equal targets the first
        ([200, 151, 150, 150, 149], [100, 100, 100, 100, 100]),  # 149 is out of reach; 150 saves its cost and no more
        ([200, 151, 160, 155, 100], [100, 60, 60, 60, 220]),
        ([100, 100, 100, 100, 260], [100, 140, 100, 100, 60]),  # earlier as well as later
    ],
)
def test_moves(price: list[int], served: list[int]) -> None:
    assert moved([100] * 5, price)[0] == served


def test_room_sends_the_rest_elsewhere() -> None:
    assert moved([100] * 4, [500, 100, 110, 500], (1_000_000, 3, 50, 150))[0] == [0, 150, 150, 100]


def test_what_is_closed_stays() -> None:
    served, moves = moved([100] * 5, [300, 100, 300, 300, 100])
    assert served == [60, 220, 60, 60, 100]
    again = moves.copy()
    result = np.zeros(5, dtype=np.int64)
    kernels.shift_load(record(FLEXIBLE, kernels.FLEXIBLE), 2, np.array([100] * 5), np.array([100, 300, 100, 300, 300]), again, result)
    # From and to the first two nothing changes; the others move anew.
    assert np.array_equal(again[:2], moves[:2])
    assert again[2, 2] == moves[2, 2] == 40
    assert result.sum() == 500


def test_a_new_plan_takes_the_place_of_the_old_one() -> None:
    _, moves = moved([100] * 5, [300, 100, 300, 300, 100])
    fresh_served, fresh_moves = moved([100] * 5, [100, 300, 300, 100, 300])
    served = np.zeros(5, dtype=np.int64)
    kernels.shift_load(record(FLEXIBLE, kernels.FLEXIBLE), 0, np.array([100] * 5), np.array([100, 300, 300, 100, 300]), moves, served)
    assert served.tolist() == fresh_served
    assert np.array_equal(moves, fresh_moves)


@given(
    rows=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 1000)), min_size=1, max_size=24),
    share=st.integers(0, 1_000_000), reach=st.integers(0, 8), cost=st.integers(0, 300), room=st.integers(0, 8000),
)  # fmt: skip
def test_energy_is_kept_whatever_the_truth_is(rows: list[tuple[int, int, int]], share: int, reach: int, cost: int, room: int) -> None:
    forecast, truth, price = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    planned, moves = moved(forecast.tolist(), price.tolist(), (share, reach, cost, room))
    assert sum(planned) == forecast.sum()
    assert all(energy <= max(room, before) for energy, before in zip(planned, forecast.tolist(), strict=True))
    for t, place in np.argwhere(moves).tolist():
        assert price[t] - price[t + place - reach] > cost
    served = np.zeros(len(truth), dtype=np.int64)
    kernels.move_load(truth, share, moves, served)
    assert served.sum() == truth.sum()
    assert (served >= truth - truth * share // 1_000_000).all()
