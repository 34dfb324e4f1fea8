"""The park's account: golden numbers of the demo park, what becomes of fuels, and that one kWh lowers one line."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.indicators import carbon_per_energy, gec_cost_micro, gec_needed
from exchange.carbon.park import ParkElectricity, charged_import
from tests.exchange.carbon.accounts import GAS, GWH, MWH, RULES, account, activity, demo_year


def test_the_demo_park_without_certificates() -> None:
    park = account(demo_year(), [GAS])
    assert park.electricity_used_wh == 38_400 * MWH
    assert park.energy_gce == 5_118_360_000  # 5,118.36 tce
    assert park.fuel_g == 648_660_000
    assert park.indirect_electricity_g == 14_071_512_000
    assert park.total_g == 14_720_172_000
    assert park.micro_t_per_tce == 2_875_955  # 2.876
    indicator = carbon_per_energy(park, RULES)
    assert (indicator.threshold_ppm, indicator.passed, indicator.note) == (200_000, False, "below_the_bands")


def test_24000_certificates_are_not_enough() -> None:
    park = account(demo_year(24_000), [GAS])
    assert park.micro_t_per_tce == 387_970  # 0.388
    assert carbon_per_energy(park, RULES).passed is False


@pytest.mark.parametrize(("kind", "needed"), [("average", 25_814), ("residual", 25_905)])
def test_certificates_that_are_needed(kind: str, needed: int) -> None:
    assert gec_needed(account(demo_year(), [GAS], kind), RULES) == needed
    assert carbon_per_energy(account(demo_year(needed - 1), [GAS], kind), RULES).passed is False
    assert carbon_per_energy(account(demo_year(needed), [GAS], kind), RULES).passed is True
    assert gec_needed(account(demo_year(needed), [GAS], kind), RULES) == 0
    assert gec_needed(account(demo_year(needed - 7), [GAS], kind), RULES) == 7


def test_their_cost() -> None:
    assert gec_cost_micro(25_814, 551) == 142_235_140_000  # 142,235 CNY


def test_gas_alone_can_fail_the_indicator() -> None:
    park = account(demo_year(), [activity("fuel", 3_000_000_000)])
    assert gec_needed(park, RULES) is None
    assert carbon_per_energy(account(demo_year(10**6), [activity("fuel", 3_000_000_000)]), RULES).passed is False


def test_the_last_certificate_may_cover_less_than_its_mwh() -> None:
    power = ParkElectricity(import_wh=1_500_000, export_wh=0, generation_wh=100 * GWH)
    limit = account(power, [])
    assert carbon_per_energy(limit, RULES).passed is True
    heavy = account(power, [activity("process", 2_457_999_600)])  # 2,457.9996 t of 2,458.18 allowed
    assert gec_needed(heavy, RULES) == 2
    covered = ParkElectricity(import_wh=1_500_000, export_wh=0, generation_wh=100 * GWH, gec_retired_wh=2 * MWH)
    assert carbon_per_energy(account(covered, [activity("process", 2_457_999_600)]), RULES).passed is True


@pytest.mark.parametrize(
    ("document", "line", "grams"),
    [
        (activity("fuel", 1_000_000), "fuel_g", 2_162_200),
        (activity("fuel", 1_000_000, use="conversion"), "conversion_g", 2_162_200),
        (activity("fuel", 1_000_000, use="bunker"), "bunker_g", 2_162_200),
        (activity("fuel", 1_000, subject="diesel", unit="t"), "fuel_g", 3_095_910),  # 42.652 x 20.2 x 0.98 x 44/12 kg
        (activity("process", 5_000), "process_g", 5_000),
        (activity("purchased_heat", 10_000), "indirect_heat_g", 1_100_000),
    ],
)
def test_each_activity_has_its_line(document: object, line: str, grams: int) -> None:
    park = account(ParkElectricity(import_wh=0, export_wh=0, generation_wh=0), [document])
    assert getattr(park, line) == grams
    assert park.total_g == (0 if line == "bunker_g" else grams)


def test_feedstock_is_left_out_and_bunker_is_no_energy_of_the_park() -> None:
    fuels = [activity("fuel", 10**6, use=use) for use in ("feedstock", "bunker")]
    park = account(ParkElectricity(import_wh=0, export_wh=0, generation_wh=0), fuels)
    assert (park.total_g, park.energy_gce) == (0, 0)
    assert carbon_per_energy(park, RULES).passed is None


def test_granular_certificates_do_not_lower_the_park() -> None:
    power = demo_year(0, granular_retired_wh=10 * GWH)
    assert account(power).total_g == account(demo_year()).total_g


def test_exports_are_deducted_only_where_asked_and_without_a_certificate() -> None:
    free = demo_year(0, deductible_export_wh=1_000 * MWH)
    assert account(free).export_deducted_wh == 0
    assert account(free, deduct_export=True).export_deducted_wh == 1_000 * MWH
    assert account(demo_year(), deduct_export=True).export_deducted_wh == 0
    beyond = demo_year(0, deductible_export_wh=2_000 * MWH)
    assert account(beyond, deduct_export=True).export_deducted_wh == 1_320 * MWH


energy = st.integers(0, 10**12)


@given(energy, energy, energy, energy, energy, st.booleans())
def test_one_kwh_lowers_one_line(import_wh: int, export_wh: int, gec_wh: int, forgone_wh: int, free_wh: int, deduct: bool) -> None:
    power = ParkElectricity(
        import_wh=import_wh, export_wh=export_wh, generation_wh=export_wh + forgone_wh, forgone_wh=forgone_wh, gec_retired_wh=gec_wh,
        deductible_export_wh=free_wh,
    )  # fmt: skip
    charged, by_gec, by_export = charged_import(power, deduct_export=deduct)
    assert min(charged, by_gec, by_export) >= 0
    assert charged + by_gec + by_export == import_wh + forgone_wh
    assert by_gec <= gec_wh
    assert by_export <= min(free_wh, export_wh) * deduct


@given(st.integers(0, 40_000), st.integers(0, 10**9), st.sampled_from(["average", "residual"]))
def test_the_account_is_the_sum_of_its_lines(gec: int, gas_milli: int, kind: str) -> None:
    """Against fractions of kg and kWh that share nothing with the account but the published numbers."""
    park = account(demo_year(gec), [activity("fuel", gas_milli)], kind)
    factor = Fraction(5306 if kind == "average" else 6096, 10_000)
    exact_kg = Fraction(gas_milli, 1000) * Fraction(21622, 10_000) + max(26_520_000 - gec * 1000, 0) * factor
    tce = (Fraction(gas_milli, 1000) * Fraction(133, 100) + 38_400_000 * Fraction(1229, 10_000)) / 1000
    assert Fraction(park.emission_ug, 10**9) == exact_kg
    assert Fraction(park.energy_ugce, 10**12) == tce
    assert abs(park.total_g - exact_kg * 1000) <= Fraction(1, 2)
    assert carbon_per_energy(park, RULES).passed == (exact_kg / 1000 <= Fraction(2, 10) * tce)
