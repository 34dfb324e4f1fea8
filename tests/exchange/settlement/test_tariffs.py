"""Network charges of a month: the 1192 rule with its golden number, two-part tariffs, the mechanism price."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.settlement.tariffs import MonthUse, Tariff, capacity_fee_micro, month_charges

NONE = Tariff("none", 0, 0, 0, 0, 0, 0, 0)
USE = MonthUse(withdrawal_wh=1_000_000_000, injection_wh=400_000_000, peak_wh=1_000_000)


def test_the_golden_number_of_the_1192_rule() -> None:
    """10,000 kVA x 0.19 CNY/kWh x 40.93 % x 730 h = 567,699 CNY a month."""
    tariff = NONE._replace(kind="capacity", connected_kva=10_000, energy_micro_per_kwh=190_000, load_factor_ppm=409_300)
    assert capacity_fee_micro(tariff) == 567_699_100_000
    charges = month_charges(tariff, USE, 0)
    assert (charges.capacity_micro, charges.energy_micro, charges.demand_micro) == (567_699_100_000, 0, 0)


def test_the_capacity_charge_of_today_is_added_by_kva() -> None:
    tariff = NONE._replace(kind="capacity", connected_kva=10_000, capacity_micro_per_kva=28_000_000)
    assert capacity_fee_micro(tariff) == 280_000 * 10**6


def test_a_two_part_tariff_charges_demand_by_the_highest_quarter_hour_and_energy_by_the_meter() -> None:
    """A peak of 1,000 kWh in a quarter-hour is 4,000 kW, at 42 CNY; 1,000 MWh at 0.1."""
    tariff = NONE._replace(kind="two_part", demand_micro_per_kw=42_000_000, energy_micro_per_kwh=100_000)
    charges = month_charges(tariff, USE, 0)
    assert (charges.capacity_micro, charges.energy_micro, charges.demand_micro) == (0, 100_000 * 10**6, 168_000 * 10**6)


@pytest.mark.parametrize(("reference", "received"), [(200_000, 6_250 * 10**6), (225_000, 0), (300_000, -18_750 * 10**6)])
def test_the_mechanism_price_is_a_contract_for_difference(reference: int, received: int) -> None:
    """0.225 CNY/kWh (Shandong 2025) for 62.5 % of 400 MWh against the market's price: the difference goes either way."""
    charges = month_charges(NONE._replace(mechanism_micro_per_kwh=225_000, mechanism_share_ppm=625_000), USE, reference)
    assert (charges.mechanism_micro, charges.mechanism_wh) == (received, 250_000_000)


TARIFFS = st.builds(Tariff, st.just("two_part"), *[st.integers(0, 10**8)] * 7)


@given(TARIFFS, st.builds(MonthUse, *[st.integers(0, 10**12)] * 3), st.integers(-(10**6), 10**6))
def test_every_line_is_within_half_a_micro_cny_of_the_fraction(tariff: Tariff, use: MonthUse, reference: int) -> None:
    tariff = tariff._replace(mechanism_share_ppm=tariff.mechanism_share_ppm % 10**6)
    charges = month_charges(tariff, use, reference)
    assert abs(charges.energy_micro - Fraction(tariff.energy_micro_per_kwh * use.withdrawal_wh, 1000)) <= Fraction(1, 2)
    assert abs(charges.demand_micro - Fraction(4 * tariff.demand_micro_per_kw * use.peak_wh, 1000)) <= Fraction(1, 2)
    exact = Fraction((tariff.mechanism_micro_per_kwh - reference) * charges.mechanism_wh, 1000)
    assert abs(charges.mechanism_micro - exact) <= Fraction(1, 2)
