"""Decimals of files: exact or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.scenarios.decimals import DecimalProblemError, parse_scaled


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0", 3, 0), ("0.28", 6, 280_000), ("12.5", 3, 12_500), ("12.500000", 3, 12_500), ("007", 0, 7), ("999999999999", 3, 999_999_999_999_000),
        ("1.000", 0, 1), ("62.00", 2, 6_200), ("-0", 3, 0), ("-0.000", 3, 0),
    ],
)  # fmt: skip
def test_exact(text: str, decimals: int, value: int) -> None:
    assert parse_scaled(text, decimals) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "plain decimal"), (" 1", "plain decimal"), ("1 ", "plain decimal"), ("+1", "plain decimal"), ("1e3", "plain decimal"),
        ("NaN", "plain decimal"), ("inf", "plain decimal"), ("1,234.5", "plain decimal"), (".5", "plain decimal"), ("5.", "plain decimal"),
        ("1_000", "plain decimal"), ("0x10", "plain decimal"), ("１２", "plain decimal"), ("1.2.3", "plain decimal"),
        ("9999999999999", "plain decimal"),
        ("1.2345", "4 decimals"), ("-1", "negative"), ("-0.001", "negative"), ("9" * 5000, "plain decimal"),
    ],
)  # fmt: skip
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(DecimalProblemError, match=reason) as caught:
        parse_scaled(text, 3)
    assert len(str(caught.value)) < 200


def test_signed() -> None:
    assert parse_scaled("-1.5", 2, signed=True) == -150


@given(st.decimals(min_value=0, max_value=10**11, places=6, allow_nan=False, allow_infinity=False))
def test_agrees_with_decimal(value: Decimal) -> None:
    assert parse_scaled(f"{value:f}", 6) == int(value.scaleb(6))
