"""Pure rules of the national scheme: a table a rule."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.allocation import grant, intensity_allocation_t, obligation_t, outputs_problem, pre_allocation_t, take_back
from exchange.carbon.calendar import deadline_ns, is_day, month_at, month_before, year_at, year_end_ns
from exchange.carbon.prices import MonthlyPrices
from exchange.carbon.rules import CarbonRules, RuleBook, rules_problem
from exchange.carbon.surrender import carry_over_limit_t, ccer_limit_t, fine_micro
from exchange.carbon.uses import LOWERS, CarbonAccount
from exchange.carbon.verifiers import Engagements, independence_problem
from exchange.carbon.vintages import is_usable, vintage_of
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.allowances import OutputLine
from tests.exchange.order_path.national import at

T = 1_000_000


def line(output: int, benchmark_g: int, *factors: int) -> OutputLine:
    return OutputLine(product="steel", output_units=output, benchmark_g_per_unit=benchmark_g, factors_ppm=[*factors])


@pytest.mark.parametrize(
    ("lines", "allowances_t"),
    [
        ([line(61_875, 800_000)], 49_500),
        ([line(49_500, 800_000, 1_250_000)], 49_500),
        ([line(1, 999_999)], 0),
        ([line(1, 500_000), line(1, 500_000)], 1),  # rounded down once, over all lines
        ([line(3, T, 500_000, 500_000)], 0),
        ([line(4, T, 500_000, 500_000)], 1),
        ([line(10**12, 10**10, *[10_000_000] * 8)], 10**24),  # exact far beyond what is allowed
        ([line(100, T, 0)], 0),
    ],
)
def test_allowances_by_output(lines: list[OutputLine], allowances_t: int) -> None:
    assert intensity_allocation_t(lines) == allowances_t


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "outputs_malformed"),
        ([line(1, 1)] * 101, "outputs_malformed"),
        ([line(-1, 1)], "output_out_of_range"),
        ([line(1, -1)], "output_out_of_range"),
        ([line(10**12 + 1, 1)], "output_out_of_range"),
        ([line(1, 10**10 + 1)], "output_out_of_range"),
        ([line(1, 1, -1)], "factor_out_of_range"),
        ([line(1, 1, 10_000_001)], "factor_out_of_range"),
        ([line(1, 1, *[T] * 9)], "factor_out_of_range"),
        ([line(0, 0)], None),
    ],
)
def test_lines_of_output(lines: list[OutputLine], problem: str | None) -> None:
    assert outputs_problem(lines) == problem


@pytest.mark.parametrize(("emissions_g", "owed_t"), [(0, 0), (1, 1), (52_000 * T, 52_000), (52_000 * T + 1, 52_001)])
def test_an_obligation_is_rounded_up(emissions_g: int, owed_t: int) -> None:
    assert obligation_t(emissions_g) == owed_t


def test_pre_allocation_is_70_percent_of_last_year_rounded_down() -> None:
    assert pre_allocation_t(50_000 * T, 700_000) == 35_000
    assert pre_allocation_t(10 * T - 1, 700_000) == 6


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**8))
def test_a_grant_pays_what_is_owed_first(entitled_t: int, cut_t: int, debt_t: int) -> None:
    given_ = grant(entitled_t, cut_t, debt_t)
    assert given_.issued_t + given_.cut_t + given_.debt_t == entitled_t
    assert 0 <= given_.cut_t <= cut_t
    assert 0 <= given_.debt_t <= debt_t
    assert given_.issued_t == 0 or (given_.cut_t, given_.debt_t) == (cut_t, debt_t)
    assert given_.debt_t == 0 or given_.cut_t == cut_t  # the cut comes before the debt


def test_what_is_no_longer_held_becomes_a_debt() -> None:
    assert take_back(100, 30) == (30, 70)
    assert take_back(100, 300) == (100, 0)


def test_ccer_are_at_most_5_percent_of_an_obligation() -> None:
    assert ccer_limit_t(52_000, 50_000) == 2_600
    assert ccer_limit_t(19, 50_000) == 0


@pytest.mark.parametrize(("sold", "bought", "limit"), [(1_000, 0, 1_500), (1_001, 0, 1_501), (1_000, 400, 900), (100, 400, 0)])
def test_carry_over_is_one_and_a_half_times_net_sales(sold: int, bought: int, limit: int) -> None:
    assert carry_over_limit_t(sold, bought, 1_500_000) == limit


def test_a_fine_is_a_multiple_of_the_shortfall_at_the_average_price() -> None:
    assert fine_micro(2_500, 62_000_000, 1, 5_000_000) == 775_000_000_000  # 2,500 t x 62.00 x 5 = 775,000 CNY
    assert fine_micro(1, 100_000_000, 3, 10_000_000) == 333_333_333  # rounded once, at the end
    assert fine_micro(1, 1, 2, 5_000_000) == 2  # 2.5 to the even
    assert fine_micro(1, 1, 2, 7_000_000) == 4  # 3.5 to the even


@pytest.mark.parametrize(
    ("symbol", "vintage"),
    [
        ("CEA25", 2025), ("CEA19-20", 2020), ("CEA", None), ("CEA2025", None), ("CEA20-19", None), ("CEA20-20", None), ("CCER", None), ("CEA2", None),
        ("XCEA25", None), ("CEA25 ", None), ("CEA２5", None),
    ],
)  # fmt: skip
def test_vintage_of_a_symbol(symbol: str, vintage: int | None) -> None:
    assert vintage_of(symbol) == vintage


@pytest.mark.parametrize(("vintage", "is_used"), [(2023, False), (2024, True), (2025, True), (2026, False)])
def test_vintages_that_count(vintage: int, is_used: bool) -> None:
    assert is_usable(vintage, 2025, 2024) is is_used


def test_dates_of_the_cycle() -> None:
    assert deadline_ns(2025, 331) == at("00:00", "2026-04-01")
    assert deadline_ns(2025, 630) == at("00:00", "2026-07-01")
    assert deadline_ns(2025, 1231) == at("00:00", "2027-01-01") == year_end_ns(2026)
    assert month_before(deadline_ns(2025, 1231)) == 202612
    assert month_before(deadline_ns(2025, 1215)) == 202612
    assert (month_at(at("00:00", "2026-08-01")), month_at(at("00:00", "2026-08-01") - 1)) == (202608, 202607)
    assert (year_at(at("00:00", "2026-01-01")), year_at(at("00:00", "2026-01-01") - 1)) == (2026, 2025)


@pytest.mark.parametrize(
    ("day", "is_one"), [(331, True), (1231, True), (229, False), (228, True), (431, False), (0, False), (1301, False), (-1, False)]
)
def test_days_of_every_year(day: int, is_one: bool) -> None:
    assert is_day(day) is is_one


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"from_year": 2012}, "year_out_of_range"),
        ({"from_year": 2100}, "year_out_of_range"),
        ({"vintage_from_year": 2026}, "year_out_of_range"),
        ({"vintage_from_year": 1}, "year_out_of_range"),
        ({"pre_allocation_ppm": 1_000_001}, "share_out_of_range"),
        ({"ccer_cap_ppm": -1}, "share_out_of_range"),
        ({"carry_over_ppm": 100_000_001}, "share_out_of_range"),
        ({"penalty_min_ppm": 10_000_001}, "penalty_out_of_order"),
        ({"penalty_max_ppm": 100_000_001}, "penalty_out_of_order"),
        ({"verifier_years_max": 0}, "verifier_years_out_of_range"),
        ({"report_day": 631}, "deadlines_out_of_order"),
        ({"verify_day": 331}, "deadlines_out_of_order"),
        ({"surrender_day": 630}, "deadlines_out_of_order"),
    ],
)
def test_versions_of_the_rules(changes: dict[str, int], problem: str | None) -> None:
    assert rules_problem(CarbonRules(**({"from_year": 2025} | changes))) == problem


def test_a_year_has_the_newest_version_that_began_before_it() -> None:
    book = RuleBook()
    assert book.of_year(2025).ccer_cap_ppm == 50_000
    for from_year, cap_ppm in ((2026, 40_000), (2024, 30_000), (2026, 20_000)):
        book.set(CarbonRules(from_year=from_year, ccer_cap_ppm=cap_ppm))
    assert [book.of_year(year).ccer_cap_ppm for year in range(2023, 2028)] == [50_000, 30_000, 30_000, 20_000, 20_000]
    assert RuleBook.from_canonical(book.to_canonical()) == book


def test_monthly_prices() -> None:
    prices = MonthlyPrices()
    prices.add(202612, 2**70, 5)
    prices.add(202612, 1, 2)
    prices.add(202611, 0, 0)
    assert (prices.of_month(202612), prices.of_month(202611)) == ((2**70 + 1, 7), (0, 0))
    assert MonthlyPrices.from_canonical(prices.to_canonical()) == prices
    assert prices.to_canonical() == [[202612, str(2**70 + 1), 7]]


@pytest.mark.parametrize(
    ("known", "year", "run"),
    [([], 2025, 1), ([2023, 2024], 2025, 3), ([2023, 2026], 2025, 2), ([2022, 2023], 2025, 1), ([2024, 2026], 2025, 3)],
)
def test_years_in_a_row(known: list[int], year: int, run: int) -> None:
    """A year that fills a gap joins both sides of it."""
    engagements = Engagements()
    for one in known:
        engagements.note(1, 2, one)
    assert engagements.years_in_a_row(1, 2, year) == run
    assert engagements.years_in_a_row(2, 1, year) == engagements.years_in_a_row(1, 3, year) == 1
    assert Engagements.from_canonical(engagements.to_canonical()) == engagements


def test_independence() -> None:
    for is_same, holds, run in product((False, True), (False, True), (3, 4)):
        problem = independence_problem(is_same_owner=is_same, holds_units=holds, years_in_a_row=run, years_max=3)
        assert (problem is None) is (not is_same and not holds and run == 3)


def test_park_credits_lower_nothing_but_their_own_obligation() -> None:
    """The reduction is in the meters already."""
    assert LOWERS[InstrumentClass.PCC] == {CarbonAccount.PARK_SCHEME_OBLIGATION}
    emissions = {CarbonAccount.PARK_EMISSIONS, CarbonAccount.SCOPE2_LOCATION, CarbonAccount.SCOPE2_MARKET, CarbonAccount.PRODUCT}
    assert all(emissions.isdisjoint(lowered) for lowered in LOWERS.values())
