"""Factors: the published table, which version a year uses, and fuels against exact fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon import packaged
from exchange.carbon.activity import DEFAULT_FUELS
from exchange.carbon.books import CarbonBooks
from exchange.carbon.factors import FactorKind, coal_equivalent_ug, electricity_ug, fuel_problem, fuel_ug, grams, grid_problem
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import CloseCarbonYear, EmissionFactor, FuelFactor


def grid(year: int, mg: int = 500_000, kind: str = "average", region: str = "national", publisher: str = "MEE") -> EmissionFactor:
    return EmissionFactor(publisher=publisher, year=year, region=region, kind=kind, mg_per_kwh=mg)


def gas(year: int = 2024, **changes: object) -> FuelFactor:
    fields = {"publisher": "lab", "year": year, "region": "national", "fuel": "natural_gas", "unit": "m3", "mg_co2_per_unit": 2_000_000}
    return FuelFactor(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("year", "kind", "region", "mg"),
    [
        (2021, "average", "national", 556_800),
        (2021, "residual", "national", 594_200),
        (2021, "fossil", "national", 842_600),
        (2022, "average", "national", 536_600),
        (2022, "residual", "national", 585_600),
        (2022, "fossil", "national", 832_500),
        (2023, "average", "national", 530_600),
        (2023, "residual", "national", 609_600),
        (2023, "fossil", "national", 827_300),
        (2023, "average", "north", 636_100),
        (2023, "average", "northeast", 512_200),
        (2023, "average", "east", 550_000),
        (2023, "average", "central", 527_100),
        (2023, "average", "northwest", 554_300),
        (2023, "average", "south", 404_200),
        (2023, "average", "southwest", 247_200),
        (2026, "average", "national", 530_600),  # nothing newer is known
        (2023, "residual", "central", 609_600),  # published for the nation only
    ],
)
def test_published_factors(year: int, kind: str, region: str, mg: int) -> None:
    assert CarbonBooks().factors_of(year).electricity(FactorKind(kind), region).mg_per_kwh == mg


def test_before_the_first_factor_there_is_none() -> None:
    with pytest.raises(InputError, match="no average emission factor of MEE for national in 2020"):
        CarbonBooks().factors_of(2020).electricity(FactorKind.AVERAGE)
    with pytest.raises(InputError, match="no emission factor of the fuel peat"):
        CarbonBooks().factors_of(2026).fuel("peat")


@given(st.lists(st.tuples(st.integers(2021, 2035), st.integers(0, 900_000)), max_size=8), st.integers(2021, 2035))
def test_a_later_factor_never_moves_an_earlier_period(later: list[tuple[int, int]], year: int) -> None:
    books = CarbonBooks()
    before = books.factors_of(year).electricity(FactorKind.AVERAGE)
    books.grid += [grid(of, mg) for of, mg in later if of > year]
    assert books.factors_of(year).electricity(FactorKind.AVERAGE) == before


def test_what_is_registered_goes_before_what_is_shipped_and_a_closed_year_keeps_its_own() -> None:
    books = CarbonBooks()
    books.grid += [grid(2023, 1), grid(2025, 2)]
    assert books.factors_of(2023).electricity(FactorKind.AVERAGE).mg_per_kwh == 1
    assert books.factors_of(2026).electricity(FactorKind.AVERAGE).mg_per_kwh == 2
    resolved, fuels = books.factors_of(2026).resolved("central")
    books.closings[2026] = CloseCarbonYear(year=2026, factors=resolved, fuels=fuels)
    books.grid.append(grid(2026, 3))
    books.fuels.append(gas(2026))
    assert books.factors_of(2026).electricity(FactorKind.AVERAGE).mg_per_kwh == 2
    assert books.factors_of(2026).electricity(FactorKind.AVERAGE, "central").mg_per_kwh == 527_100
    assert books.factors_of(2026).fuel("natural_gas").mg_co2_per_unit == 2_162_200
    assert books.factors_of(2027).electricity(FactorKind.AVERAGE).mg_per_kwh == 3
    assert books.factors_of(2027).fuel("natural_gas").mg_co2_per_unit == 2_000_000


def test_gas_of_the_demo_park() -> None:
    factor = CarbonBooks().factors_of(2026).fuel("natural_gas")
    assert grams(fuel_ug(300_000_000, factor)) == 648_660_000
    assert coal_equivalent_ug(300_000_000, factor) == 399 * 10**12


def test_default_fuels_have_their_factors_and_units() -> None:
    shipped = {factor.fuel: factor.unit for factor in packaged.fuel_factors()}
    assert shipped == DEFAULT_FUELS | {"purchased_heat": "GJ"}
    assert all(fuel_problem(factor) is None for factor in packaged.fuel_factors())
    assert all(grid_problem(factor) is None and factor.source for factor in packaged.grid_factors())


@given(st.integers(0, 10**12), st.integers(0, 50_000_000), st.integers(0, 40_000), st.integers(0, 1_000_000))
def test_fuel_by_content_is_the_formula_rounded_once(milli: int, ncv_kj: int, carbon_ug: int, oxidation_ppm: int) -> None:
    factor = gas(mg_co2_per_unit=0, ncv_kj_per_unit=ncv_kj, carbon_ug_per_kj=carbon_ug, oxidation_ppm=oxidation_ppm)
    exact = Fraction(milli, 1000) * ncv_kj * carbon_ug * Fraction(oxidation_ppm, 10**6) * Fraction(44, 12)
    assert abs(fuel_ug(milli, factor) - exact) <= Fraction(1, 2)


def test_default_gas_is_its_content_rounded() -> None:
    by_content = gas(mg_co2_per_unit=0, ncv_kj_per_unit=38_931, carbon_ug_per_kj=15_300, oxidation_ppm=990_000)
    assert fuel_ug(1_000, by_content) == 2_162_188_809


@given(st.integers(0, 10**14), st.integers(0, 10**14), st.integers(0, 900_000))
def test_emissions_are_exact_so_parts_sum_to_the_whole(a_wh: int, b_wh: int, mg: int) -> None:
    factor = grid(2024, mg)
    assert electricity_ug(a_wh, factor) + electricity_ug(b_wh, factor) == electricity_ug(a_wh + b_wh, factor)


@pytest.mark.parametrize(
    ("factor", "problem"),
    [
        (grid(2024), None),
        (grid(2024, publisher=""), "name_malformed"),
        (grid(1989), "year_out_of_range"),
        (grid(2024, kind="marginal"), "unknown_factor_kind"),
        (grid(2024, kind="fuel"), "unknown_factor_kind"),
        (grid(2024, -1), "factor_out_of_range"),
        (grid(2024, 10_000_001), "factor_out_of_range"),
    ],
)
def test_a_factor_of_electricity_is_checked(factor: EmissionFactor, problem: str | None) -> None:
    assert grid_problem(factor) == problem


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"fuel": ""}, "name_malformed"),
        ({"year": 2200}, "year_out_of_range"),
        ({"unit": "kg"}, "unknown_unit"),
        ({"mg_co2_per_unit": 0}, "factor_by_content_or_by_unit"),
        ({"ncv_kj_per_unit": 5}, "factor_by_content_or_by_unit"),
        ({"mg_co2_per_unit": 0, "ncv_kj_per_unit": 5, "carbon_ug_per_kj": 5, "oxidation_ppm": 1_000_001}, "factor_out_of_range"),
        ({"mg_ce_per_unit": -1}, "factor_out_of_range"),
        ({"fuel": "purchased_heat", "unit": "GJ", "mg_co2_per_unit": 0}, None),  # heat from nothing that is burnt
    ],
)
def test_a_factor_of_a_fuel_is_checked(changes: dict[str, object], problem: str | None) -> None:
    assert fuel_problem(gas(**changes)) == problem
