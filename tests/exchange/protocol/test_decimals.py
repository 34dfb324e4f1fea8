"""The strict decimal parser: a table of spellings, and round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol.decimals import (
    MALFORMED,
    MAX_DIGITS,
    TOO_LARGE,
    TOO_MANY_DECIMALS,
    format_decimal,
    parse_decimal,
    parse_signed_decimal,
)


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("0", 4, 0),
        ("0.4125", 4, 4125),
        ("0.41", 4, 4100),
        ("12.5", 1, 125),
        ("62", 2, 6200),
        ("62.00", 2, 6200),
        ("100", 0, 100),
        ("10.0", 1, 100),
        ("99999999999999.9999", 4, 999_999_999_999_999_999),
        ("0.41250", 4, TOO_MANY_DECIMALS),
        ("1.0", 0, TOO_MANY_DECIMALS),
        ("0.00001", 4, TOO_MANY_DECIMALS),
        ("100000000000000", 4, TOO_LARGE),
        ("1000000000000000000", 0, TOO_LARGE),
        ("9" * 5000, 0, TOO_LARGE),
        ("9" * 5000 + ".5", 1, TOO_LARGE),
        ("", 4, MALFORMED),
        (".", 4, MALFORMED),
        (".5", 4, MALFORMED),
        ("5.", 4, MALFORMED),
        ("+1", 4, MALFORMED),
        ("-1", 4, MALFORMED),
        ("1e3", 4, MALFORMED),
        ("1E3", 4, MALFORMED),
        ("1_000", 4, MALFORMED),
        ("1,5", 4, MALFORMED),
        (" 1", 4, MALFORMED),
        ("1 ", 4, MALFORMED),
        ("1\n", 4, MALFORMED),
        ("1.2.3", 4, MALFORMED),
        ("01", 4, MALFORMED),
        ("00.5", 4, MALFORMED),
        ("0x10", 4, MALFORMED),
        ("NaN", 4, MALFORMED),
        ("Infinity", 4, MALFORMED),
        ("١٢", 4, MALFORMED),  # Arabic-Indic digits are digits to str.isdigit
        ("１", 4, MALFORMED),
        ("1²", 4, MALFORMED),
        ("1.٥", 4, MALFORMED),
        ("1\x00", 4, MALFORMED),
    ],
)
def test_spellings(text: str, decimals: int, value: int) -> None:
    assert parse_decimal(text, decimals) == value


@pytest.mark.parametrize(
    ("text", "value"), [("-2500.0", -2_500_000), ("0.001", 1), ("-0", 0), ("--1", None), ("-", None), ("+1", None), ("1.0001", None), ("- 1", None)]
)
def test_signed_spellings(text: str, value: int | None) -> None:
    assert parse_signed_decimal(text, 3) == value


@given(st.integers(min_value=0, max_value=10**MAX_DIGITS - 1), st.integers(min_value=0, max_value=9))
def test_what_is_written_is_read(value: int, decimals: int) -> None:
    assert parse_decimal(format_decimal(value, decimals), decimals) == value
    assert parse_signed_decimal(format_decimal(-value, decimals), decimals) == -value


@given(st.text(), st.integers(min_value=0, max_value=9))
def test_no_text_raises_and_no_value_leaves_int64(text: str, decimals: int) -> None:
    assert MALFORMED >= parse_decimal(text, decimals) >= TOO_LARGE or 0 <= parse_decimal(text, decimals) < 2**63


@given(st.from_regex(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?", fullmatch=True))
def test_agrees_with_the_decimal_module(text: str) -> None:
    from decimal import Decimal

    assert parse_decimal(text, 4) == Decimal(text) * 10**4
