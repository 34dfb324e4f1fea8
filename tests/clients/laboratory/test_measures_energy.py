"""Energy, bills and carbon on small parks worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from clients.laboratory.measures.bills import bill_measures, saving_micro
from clients.laboratory.measures.carbon import carbon_measures
from clients.laboratory.measures.energy import energy_measures, own_use
from clients.laboratory.scenario.model import Network
from exchange.units import NS_PER_HOUR
from tests.clients.laboratory.records import battery, member, record_of, scenario_of, trade

PARK = scenario_of(member("F1"), member("S1"), member("B1", storage=battery(energy_kwh=20)))


def test_self_sufficiency_leaves_grid_charged_discharge_out() -> None:
    # Night: 6 kWh charged from the grid. Noon: 6 more from the sun, so half of what is stored is green. Evening: 8 kWh back.
    record = record_of(
        PARK,
        load_kwh=[[4, 4, 10], [0, 0, 0], [0, 0, 0]],
        generation_kwh=[[0, 0, 0], [0, 12, 0], [0, 0, 0]],
        charge_kwh=[[0, 0, 0], [0, 0, 0], [6, 6, 0]],
        discharge_kwh=[[0, 0, 0], [0, 0, 0], [0, 0, 8]],
    )
    use = own_use(record)
    assert use.direct_wh.tolist() == [0, 4000, 0]
    assert use.green_charge_wh.tolist() == [0, 6000, 0]
    assert use.green_discharge_wh.tolist() == [0, 0, 4000]
    figures = energy_measures(record)
    assert figures["self_sufficiency_percent"] == pytest.approx(100 * 8 / 18)
    assert figures["self_consumption_percent"] == pytest.approx(100 * 10 / 12)
    assert (figures["peak_import_kw"], figures["peak_export_kw"]) == (40, 8)
    assert (figures["import_kwh"], figures["export_kwh"], figures["discharge_kwh"]) == (12, 2, 8)


def test_what_was_stored_before_the_run_is_grey_and_losses_keep_the_mixture() -> None:
    park = scenario_of(member("F1"), member("S1"), member("B1", storage=battery(energy_kwh=20, initial_kwh=8, efficiency_ppm=800_000)))
    record = record_of(
        park,
        load_kwh=[[0, 9, 0], [0, 0, 0], [0, 0, 0]],
        generation_kwh=[[0, 0, 0], [10, 0, 0], [0, 0, 0]],
        charge_kwh=[[0, 0, 0], [0, 0, 0], [10, 0, 0]],
        discharge_kwh=[[0, 0, 0], [0, 0, 0], [0, 4, 4]],
    )
    # 8 of 16 kWh stored are green after losses; the last 4 kWh of discharge meet no load.
    assert own_use(record).green_discharge_wh.tolist() == [0, 2000, 0]
    assert energy_measures(record)["self_consumption_percent"] == 100


def test_what_load_leaves_of_the_sun_is_all_that_can_be_charged_from_it() -> None:
    record = record_of(
        PARK, load_kwh=[[4], [0], [0]], generation_kwh=[[0], [6], [0]], charge_kwh=[[0], [0], [5]], discharge_kwh=[[0], [0], [0]]
    )  # fmt: skip
    assert own_use(record).green_charge_wh.tolist() == [2000]


def test_imports_over_the_limit_of_the_connection() -> None:
    park = scenario_of(member("F1"), network=Network(loss_ppm=0, import_limit_kw=40))
    record = record_of(park, load_kwh=[[10, 12, 9]], generation_kwh=[[0, 0, 0]])
    assert energy_measures(record)["import_over_limit_kwh"] == 2
    unlimited = replace(record, scenario=scenario_of(member("F1")))
    assert energy_measures(unlimited)["import_over_limit_kwh"] == 0


def test_imbalance_and_curtailment() -> None:
    trades = [trade(0, 0, 1, 100, 5000)]
    park = scenario_of(member("F1"), member("S1"))
    record = record_of(park, load_kwh=[[12], [0]], generation_kwh=[[0], [7]], trades=trades, curtailed_wh=[[0], [3000]])
    figures = energy_measures(record)
    assert (figures["deficit_kwh"], figures["surplus_kwh"], figures["imbalance_kwh"]) == (5, 0, 5)
    assert figures["imbalance_cost_cny"] == pytest.approx(5 * 0.65)
    assert (figures["curtailed_kwh"], figures["curtailed_percent"]) == (3, 30)
    assert energy_measures(replace(record, load_wh=record.load_wh * 0))["self_sufficiency_percent"] is None


def test_savings_are_against_the_pool_and_price_what_is_left_in_storage() -> None:
    record = record_of(
        PARK, load_kwh=[[10], [0], [0]], generation_kwh=[[0], [10], [0]], charge_kwh=[[0], [0], [5]], trades=[trade(0, 0, 1, 100, 5000)]
    )
    figures = bill_measures(record)
    # Market: F1 5.00, S1 -5.00, B1 3.25. Pool: 10 of 15 kWh at the middle 0.465, the rest at 0.65.
    assert figures["bill_retail_cny"] == pytest.approx(6.5 - 2.8 + 3.25)
    assert figures["bill_pool_cny"] == pytest.approx(3.25)
    assert figures["bill_market_cny"] == pytest.approx(3.25)
    assert figures["storage_value_change_cny"] == pytest.approx(1.5)
    assert figures["saving_against_pool_cny"] == pytest.approx(1.5)
    assert figures["saving_against_retail_cny"] == pytest.approx(6.95 - 3.25 + 1.5)
    assert saving_micro(record).tolist() == [266_667, 350_000, 2_633_333 - 3_250_000 + 1_500_000]
    assert (figures["participants_losing"], figures["saving_lowest_cny"]) == (0, 0.266667)


def test_carbon_by_hour_by_run_and_by_market() -> None:
    # Two hours of one quarter each would be one interval; these are an hour apart.
    record = record_of(scenario_of(member("F1"), member("S1")), load_kwh=[[10, 10], [0, 0]], generation_kwh=[[0, 0], [16, 0]])
    record = replace(record, start_ns=record.start_ns[0] + np.array([0, NS_PER_HOUR]), matched_wh=np.array([[16_000, 0], [0, 0]]))
    record.claimed_wh[:] = [14_000, 0]
    record.expired_wh[:] = [0, 2_000]
    figures = carbon_measures(record)
    assert (figures["matched_hourly_percent"], figures["matched_annual_percent"]) == (50, 80)
    assert (figures["certificates_issued_kwh"], figures["certificates_claimed_kwh"], figures["certificates_expired_kwh"]) == (16, 14, 2)
    assert figures["double_claims"] == 0
    # 10 kWh imported; 20 used, of which 14 are covered.
    assert figures["emissions_location_t"] == pytest.approx(10 * 0.5306 / 1000)
    assert figures["emissions_market_t"] == pytest.approx(6 * 0.6096 / 1000)


def test_an_expired_certificate_makes_own_green_grey_by_market() -> None:
    record = record_of(scenario_of(member("F1"), member("S1")), load_kwh=[[10], [0]], generation_kwh=[[0], [10]])
    record.claimed_wh[:] = 0
    figures = carbon_measures(record)
    assert figures["emissions_location_t"] == 0
    assert figures["emissions_market_t"] == pytest.approx(10 * 0.6096 / 1000)
