"""Months of generation in local time, and when certificates expire."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.registry.months import expiry_ns, is_month, month_at, month_bounds_ns, month_name, month_number, year_at
from exchange.registry.retirements import consumption_problem
from exchange.units import NS_PER_SECOND


def local_ns(text: str) -> int:
    """2026-07-01T00:00 in Shanghai."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * NS_PER_SECOND


def test_a_month_is_local_and_half_open() -> None:
    assert month_bounds_ns("2026-12") == (local_ns("2026-12-01T00:00"), local_ns("2027-01-01T00:00"))
    start_ns, end_ns = month_bounds_ns("2026-02")
    assert end_ns - start_ns == 28 * 86_400 * NS_PER_SECOND
    assert [month_name(month_at(at_ns)) for at_ns in (start_ns - 1, start_ns, end_ns - 1, end_ns)] == ["2026-01", "2026-02", "2026-02", "2026-03"]


def test_certificates_of_july_2026_are_valid_until_june_2028_ends() -> None:
    """24 months from the generation month, that month included."""
    assert expiry_ns(month_number("2026-07")) == local_ns("2028-07-01T00:00")
    assert expiry_ns(month_number("2025-12")) == local_ns("2027-12-01T00:00")


@given(st.integers(1971 * 12, 2199 * 12 + 11))
def test_names_and_numbers_are_inverse(number: int) -> None:
    assert month_number(month_name(number)) == number
    assert is_month(month_name(number))


@pytest.mark.parametrize("text", ["", "2026-13", "2026-00", "2026-7", "26-07", "2026-07-01", "2026/07", "1970-01", "2200-01", "２０２６-07"])
def test_other_texts_name_no_month(text: str) -> None:
    assert not is_month(text)
    with pytest.raises(InputError):
        month_number(text)


# Consumption from, to; year of generation; the rule that refuses, or None. The rule of the same year holds from 2026 on.
CONSUMPTION = [
    ("2026-01-01T00:00", "2027-01-01T00:00", 2026, None),
    ("2026-03-01T00:00", "2026-04-01T00:00", 2025, "consumption_year_is_not_generation_year"),
    ("2026-03-01T00:00", "2026-04-01T00:00", 2027, "consumption_year_is_not_generation_year"),
    ("2025-03-01T00:00", "2025-04-01T00:00", 2024, None),
    ("2025-12-31T23:00", "2026-01-01T00:00", 2024, None),
    ("2025-12-31T23:00", "2026-01-01T00:01", 2025, "consumption_period_spans_years"),
    ("2026-04-01T00:00", "2026-04-01T00:00", 2026, "consumption_period_out_of_order"),
    ("2026-04-02T00:00", "2026-04-01T00:00", 2026, "consumption_period_out_of_order"),
    ("1969-04-02T00:00", "1970-04-01T00:00", 2026, "consumption_period_out_of_order"),
]


@pytest.mark.parametrize(("start", "end", "year", "rule"), CONSUMPTION)
def test_consumption_has_its_year(start: str, end: str, year: int, rule: str | None) -> None:
    assert consumption_problem(local_ns(start), local_ns(end), year, 2026) == rule


def test_a_year_begins_at_local_midnight() -> None:
    assert [year_at(local_ns("2026-01-01T00:00") + offset) for offset in (-1, 0)] == [2025, 2026]
