"""Exponential and logarithm against decimal arithmetic of fifty digits."""

import decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clients.laboratory.agents.arithmetic import exponential, exponential_less_one, logarithm, logarithm_of_one_plus, power_of_two
from matching.compile import kernel

TOLERANCE = 1e-14
CONTEXT = decimal.Context(prec=50)


@kernel
def call(which, x):
    if which == 0:
        return exponential(x)
    if which == 1:
        return exponential_less_one(x)
    return logarithm(x) if which == 2 else logarithm_of_one_plus(x)


@kernel
def call_power(exponent):
    return power_of_two(exponent)


def exact(x: float) -> decimal.Decimal:
    return decimal.Decimal(x)


def relative_error(found: float, true: decimal.Decimal) -> float:
    return float(abs(exact(found) - true) / abs(true)) if true else abs(found)


@given(st.floats(-690, 690))
@example(0.0)
@example(0.34657359027997264)
@example(-690.0)
def test_exponential(x: float) -> None:
    assert relative_error(call(0, x), CONTEXT.exp(exact(x))) < TOLERANCE


@given(st.floats(-30, 30))
@example(1e-12)
@example(0.35)
@example(-0.35)
def test_exponential_less_one(x: float) -> None:
    # Where e**x is close to 1 the difference is taken with more digits than the small argument has zeros.
    true = decimal.Context(prec=400).subtract(decimal.Context(prec=400).exp(exact(x)), decimal.Decimal(1))
    assert relative_error(call(1, x), true) < 10 * TOLERANCE


@given(st.floats(1e-300, 1e300))
@example(1.0)
@example(1.4142135623730951)
@example(0.9999999999999999)
def test_logarithm(x: float) -> None:
    assert relative_error(call(2, x), CONTEXT.ln(exact(x))) < 10 * TOLERANCE


@given(st.floats(-0.999, 1e6))
@example(1e-15)
def test_logarithm_of_one_plus(x: float) -> None:
    true = decimal.Context(prec=400).ln(1 + decimal.Context(prec=400).create_decimal(exact(x))) if abs(x) > 1e-300 else exact(x)
    assert relative_error(call(3, x), true) < 10 * TOLERANCE


@pytest.mark.parametrize(("x", "bounded"), [(1e9, 700.0), (-1e9, -700.0)])
def test_the_exponential_has_ends(x: float, bounded: float) -> None:
    assert call(0, x) == call(0, bounded)


@pytest.mark.parametrize("exponent", [-1021, -53, -1, 0, 1, 2, 3, 10, 1000, 1021])
def test_powers_of_two_are_exact(exponent: int) -> None:
    assert call_power(exponent) == 2.0**exponent
