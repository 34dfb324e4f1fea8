"""Whole parts and half-even quotients, against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.scenarios.whole import half_even, whole_parts
from exchange.errors import InputError
from exchange.units import divide_half_even

weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=60).filter(any)


@given(total=st.integers(0, 10**12), weights=weights)
def test_parts_sum_and_stay_near_their_share(total: int, weights: list[int]) -> None:
    parts = whole_parts(total, np.array(weights, dtype=np.int64))
    assert parts.dtype == np.int64
    assert int(parts.sum()) == total
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert part >= 0
        assert abs(part - Fraction(total * weight, sum(weights))) <= 1


def test_the_wide_and_the_narrow_way_agree() -> None:
    weights = np.array([3, 0, 7, 11, 1], dtype=np.int64)
    small = whole_parts(1_000_003, weights)
    # The same proportions with weights so large that the products leave int64.
    assert np.array_equal(whole_parts(1_000_003, weights * 10**17), small)


def test_all_zero_is_refused() -> None:
    with pytest.raises(InputError, match="all zero"):
        whole_parts(5, np.zeros(4, dtype=np.int64))


@given(values=st.lists(st.integers(-(10**15), 10**15), max_size=30), denominator=st.integers(1, 10**9))
def test_half_even_as_the_exchange_rounds(values: list[int], denominator: int) -> None:
    assert half_even(np.array(values, dtype=np.int64), denominator).tolist() == [divide_half_even(value, denominator) for value in values]
