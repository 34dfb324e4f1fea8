"""Bands, the five further indicators and the tests of direct connection: a row a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.direct_connection import connection_tests
from exchange.carbon.factors import UG_PER_T
from exchange.carbon.indicators import band_of, park_indicators, unit_energy_mg_ce
from exchange.carbon.packaged import rule_of_year
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import SetProductNorm
from tests.exchange.carbon.accounts import ELECTRICITY_MG, GAS, GWH, MWH, RULES, account, activity, demo_year, entries

NORM = SetProductNorm(product="bearings", unit="piece", mg_ce_per_unit=2_000_000, from_year=2026)


@pytest.mark.parametrize(
    ("tce", "limit_ppm", "is_below"),
    [(0, 200_000, True), (199_999, 200_000, True), (200_000, 200_000, False), (999_999, 200_000, False), (1_000_000, 300_000, False)],
)
def test_bands(tce: int, limit_ppm: int, is_below: bool) -> None:
    band = band_of(tce * UG_PER_T, RULES)
    assert (band.limit_ppm, band.is_below) == (limit_ppm, is_below)


@pytest.mark.parametrize(
    ("name", "documents", "value_ppm", "passed", "note"),
    [
        ("solid_waste", [], None, None, "no_data"),
        ("solid_waste", [activity("solid_waste", 1000), activity("solid_waste_used", 800)], 800_000, True, ""),
        ("solid_waste", [activity("solid_waste", 1000), activity("solid_waste_used", 799)], 799_000, False, ""),
        ("solid_waste", [activity("solid_waste", 1000), activity("solid_waste_used", 1001)], 1_001_000, None, "part_beyond_whole"),
        ("waste_heat", [activity("waste_heat_available", 3), activity("waste_heat_used", 1)], 333_333, False, ""),
        ("waste_heat", [activity("waste_heat_available", 2), activity("waste_heat_used", 1)], 500_000, True, ""),
        ("water_reuse", [activity("water_used", 10), activity("water_reused", 8)], 800_000, True, ""),
        ("water_reuse", [activity("water_used", 10)], 0, False, ""),
        ("product_energy", [], None, None, "no_data"),
        ("product_energy", [activity("product_output", 1000)], None, None, "norm_or_energy_missing"),
        ("product_energy", [activity("product_output", 1000), activity("product_energy", 2_000)], 1_000_000, True, ""),
        ("product_energy", [activity("product_output", 1000), activity("product_energy", 2_001)], 0, False, ""),
        (
            "product_energy",
            [activity("product_output", 1000), activity("product_energy", 1), activity("product_output", 1000, subject="rings")],
            None, None, "norm_or_energy_missing",
        ),
    ],
)  # fmt: skip
def test_five_indicators(name: str, documents: list, value_ppm: int | None, passed: bool | None, note: str) -> None:
    park = account(demo_year(), documents)
    found = {i.name: i for i in park_indicators(park, 0, entries(*documents), {"bearings": NORM}, RULES, ELECTRICITY_MG)}
    assert len(found) == 6
    assert (found[name].value_ppm, found[name].passed, found[name].note) == (value_ppm, passed, note)


def test_clean_energy_is_its_coal_equivalent_over_all_energy() -> None:
    park = account(demo_year(24_000), [GAS])
    indicators = park_indicators(park, 11_880 * MWH + 24_000 * MWH, entries(GAS), {}, RULES, ELECTRICITY_MG)
    clean = next(i for i in indicators if i.name == "clean_energy")
    assert (clean.value_ppm, clean.threshold_ppm, clean.passed) == (861_536, 900_000, False)  # 35.88 GWh x 0.1229 / 5,118.36 tce


def test_unit_energy() -> None:
    assert unit_energy_mg_ce(2_001, 1_000) == 2_001_000


DEMO = (13_200 * MWH, 1_320 * MWH, 38_400 * MWH)


@pytest.mark.parametrize(
    ("year", "name", "value_ppm", "threshold_ppm", "passed", "gap_wh"),
    [
        (2026, "self_use_of_generation", 900_000, 600_000, True, 0),
        (2026, "self_use_of_load", 309_375, 300_000, True, 0),
        (2026, "export_of_generation", 100_000, 200_000, True, 0),
        (2026, "park_direct_share", 309_375, 500_000, False, 7_320 * MWH),
        (2029, "self_use_of_load", 309_375, 300_000, True, 0),
        (2030, "self_use_of_load", 309_375, 350_000, False, 1_560 * MWH),
    ],
)
def test_direct_connection_of_the_demo_park(year: int, name: str, value_ppm: int, threshold_ppm: int, passed: bool, gap_wh: int) -> None:
    found = {test.name: test for test in connection_tests(*DEMO, rule_of_year("direct_connection", year))}[name]
    assert (found.value_ppm, found.threshold_ppm, found.passed, found.gap_wh) == (value_ppm, threshold_ppm, passed, gap_wh)


def test_nothing_to_measure_is_open() -> None:
    assert [test.passed for test in connection_tests(0, 0, 0, rule_of_year("direct_connection", 2026))] == [None] * 4


def test_before_the_rules_there_are_none() -> None:
    with pytest.raises(InputError, match="no rule of direct_connection holds in 2024"):
        rule_of_year("direct_connection", 2024)


@given(st.integers(1, 100 * GWH), st.data())
def test_with_its_gap_a_test_holds_and_with_a_wh_less_it_does_not(generation_wh: int, data: st.DataObject) -> None:
    export_wh = data.draw(st.integers(0, generation_wh))
    load_wh = data.draw(st.integers(max(generation_wh - export_wh, 1), 200 * GWH))
    for test in connection_tests(generation_wh, export_wh, load_wh, rule_of_year("direct_connection", 2026)):
        whole = generation_wh if test.name in {"self_use_of_generation", "export_of_generation"} else load_wh
        part = export_wh if test.name == "export_of_generation" else generation_wh - export_wh
        mended = part + test.gap_wh if test.is_minimum else part - test.gap_wh
        assert test.passed == (test.gap_wh == 0)
        assert (mended * 10**6 >= test.threshold_ppm * whole) if test.is_minimum else (mended * 10**6 <= test.threshold_ppm * whole)
        if test.gap_wh:
            short = mended - 1 if test.is_minimum else mended + 1
            assert not ((short * 10**6 >= test.threshold_ppm * whole) if test.is_minimum else (short * 10**6 <= test.threshold_ppm * whole))
