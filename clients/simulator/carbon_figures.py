"""Carbon figures of a played day for its summary, from the carbon report of the replayed journal."""

from collections.abc import Mapping
from typing import Any, Final

from exchange.carbon.books import CarbonBooks
from exchange.carbon.factors import FactorKind, grams
from exchange.carbon.report import CarbonReport
from exchange.carbon.scope2 import location_ug, market_ug
from exchange.errors import InputError
from exchange.order_path.carbon_queries import Accounted, year_report
from exchange.protocol.value_chain.accounting import EmissionFactor
from exchange.units import PPM, WH_PER_MWH

_MG_PER_KG: Final = 1_000_000
_G_PER_T: Final = 1_000_000


def carbon_of(exchange: Accounted, year: int) -> dict[str, Any] | None:
    """What the summary takes from the report of a year: Wh and ppm; None for a year without factors."""
    try:
        report = year_report(exchange, year)
    except InputError:
        return None
    return _content(report)


def _content(report: CarbonReport) -> dict[str, Any]:
    return {
        "import_wh": report.scope2.import_wh,
        "uncovered_wh": report.scope2.uncovered_wh,
        "matched_share_hourly_ppm": report.scope2.matched_share_hourly_ppm,
        "matched_share_annual_ppm": report.scope2.matched_share_annual_ppm,
        "indicators": {indicator.name: {"value": _of_ppm(indicator.value_ppm), "passed": indicator.passed} for indicator in report.indicators},
        "direct_connection": {test.name: {"value": _of_ppm(test.value_ppm), "passed": test.passed} for test in report.direct_connection},
    }


def carbon_figures(carbon: Mapping[str, Any] | None, average: EmissionFactor) -> dict[str, Any]:
    """Fields of the summary; none for a day without factors. `average`: the scenario's; the residual factor is the newest that is not after its year.

    scope2_location_t = import_mwh x ef_average and scope2_market_t = (import_mwh - covered_mwh) x ef_residual, in tonnes to the gram, factors in
    kgCO2/kWh (docs/rules.md, "Scope 2"). `covered_mwh` is what certificates cover less green energy whose certificate is gone.
    """
    if carbon is None:
        return {}
    residual = CarbonBooks().factors_of(average.year).electricity(FactorKind.RESIDUAL)
    return {
        "matched_share_hourly": carbon["matched_share_hourly_ppm"] / PPM,
        "matched_share_annual": carbon["matched_share_annual_ppm"] / PPM,
        "covered_mwh": (carbon["import_wh"] - carbon["uncovered_wh"]) / WH_PER_MWH,
        "ef_average": average.mg_per_kwh / _MG_PER_KG,
        "ef_residual": residual.mg_per_kwh / _MG_PER_KG,
        "scope2_location_t": grams(location_ug(carbon["import_wh"], average)) / _G_PER_T,
        "scope2_market_t": grams(market_ug(carbon["uncovered_wh"], residual)) / _G_PER_T,
        "indicators": carbon["indicators"],
        "direct_connection": carbon["direct_connection"],
    }


def _of_ppm(value: int | None) -> float | None:
    return None if value is None else value / PPM
