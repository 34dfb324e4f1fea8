"""Carbon figures of the summary: from known accounts, and for days without factors."""

import pytest

from clients.simulator.carbon_figures import carbon_figures, carbon_of
from exchange.carbon.books import CarbonBooks
from exchange.carbon.factors import FactorKind
from exchange.protocol.value_chain.accounting import EmissionFactor
from tests.exchange.order_path.park import Park
from tests.exchange.order_path.test_carbon_queries import settle, settled_park

AVERAGE = CarbonBooks().factors_of(2026).electricity(FactorKind.AVERAGE)


def test_figures_of_a_settled_quarter_hour() -> None:
    park, *_ = settled_park()
    settle(park)
    figures = carbon_figures(carbon_of(park.exchange, 2026), AVERAGE)
    assert (figures["covered_mwh"], figures["ef_average"], figures["ef_residual"]) == (0.0, 0.5306, 0.6096)
    assert (figures["scope2_location_t"], figures["scope2_market_t"]) == (0.05306, 0.06096)
    assert figures["direct_connection"]["self_use_of_generation"] == {"value": 1.0, "passed": True}
    assert figures["indicators"]["waste_heat"] == {"value": None, "passed": None}


def test_certificates_lower_the_market_figure_alone() -> None:
    carbon = {"import_wh": 2_000_000, "uncovered_wh": 500_000, "matched_share_hourly_ppm": 1, "matched_share_annual_ppm": 2}
    figures = carbon_figures(carbon | {"indicators": {}, "direct_connection": {}}, AVERAGE)
    assert (figures["covered_mwh"], figures["scope2_location_t"], figures["scope2_market_t"]) == (1.5, 1.0612, 0.3048)


@pytest.mark.parametrize(("year", "residual"), [(2021, 0.5942), (2022, 0.5856), (2024, 0.6096)])
def test_the_residual_factor_is_of_the_scenarios_year(year: int, residual: float) -> None:
    own = EmissionFactor(publisher="own", year=year, region="park", kind="average", mg_per_kwh=1)
    carbon = {"import_wh": 1, "uncovered_wh": 1, "matched_share_hourly_ppm": 0, "matched_share_annual_ppm": 0}
    assert carbon_figures(carbon | {"indicators": {}, "direct_connection": {}}, own)["ef_residual"] == residual


def test_a_year_without_factors_has_no_figures() -> None:
    assert carbon_of(Park().exchange, 2010) is None
    assert carbon_figures(None, AVERAGE) == {}
