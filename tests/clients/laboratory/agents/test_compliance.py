"""A programme in equal slices ends exactly at its quantity and never beyond its limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.laboratory.agents.compliance import slice_lots, slice_price_ticks
from clients.scenarios.model import UnitProgramme


def programme(quantity: int = 100, start: int = 500, limit: int = 620) -> UnitProgramme:
    return UnitProgramme("CEA", quantity, start, limit)


@pytest.mark.parametrize(
    ("step", "done", "lots", "price"), [(0, 0, 33, 500), (1, 33, 33, 560), (2, 66, 34, 620), (2, 100, 0, 620), (1, 80, 0, 560), (5, 90, 10, 620)]
)
def test_slices_and_prices_by_hand(step: int, done: int, lots: int, price: int) -> None:
    assert slice_lots(programme(), done, step, 3) == slice_lots(programme(-100), done, step, 3) == lots
    assert slice_price_ticks(programme(), step, 3) == price


@given(st.integers(-1_000, 1_000), st.integers(1, 50), st.data())
def test_a_programme_is_done_at_its_end_however_much_trades(quantity: int, n_steps: int, data: st.DataObject) -> None:
    done = 0
    for step in range(n_steps):
        ordered = slice_lots(programme(quantity), done, step, n_steps)
        assert 0 <= done + ordered <= abs(quantity)
        done += ordered if step == n_steps - 1 else data.draw(st.integers(0, ordered))
    assert done == abs(quantity)


@given(st.integers(1, 1_000), st.integers(1, 1_000), st.integers(1, 50))
def test_prices_give_way_from_the_first_to_the_limit(start: int, limit: int, n_steps: int) -> None:
    prices = [slice_price_ticks(programme(1, start, limit), step, n_steps) for step in range(n_steps)]
    assert prices[0] == start
    assert n_steps == 1 or prices[-1] == limit
    assert prices == sorted(prices, reverse=limit < start)
