"""Carbon: matched shares, certificates, emissions by location and by market. Energy times factor is exact, in micrograms, until the last division."""

import numpy as np

from clients.laboratory.measures.figures import Figure, Integers, kwh, percent, total
from clients.laboratory.run.record import RunRecord
from exchange.carbon.factors import electricity_ug
from exchange.carbon.matching import hour_of, matched_wh

_UG_PER_T = 10**12


def carbon_measures(record: RunRecord) -> dict[str, Figure]:
    """Shares follow docs/rules.md, "Scope 2"; the annual share takes the whole run as its span."""
    load = total(record.load_wh)
    claimed = total(record.claimed_wh)
    hourly = total(matched_wh(record.load_wh, record.matched_wh, hour_of(record.start_ns)))
    return {
        "matched_hourly_percent": percent(hourly, load),
        "matched_annual_percent": percent(total(matched_over_run_wh(record)), load),
        "certificates_issued_kwh": kwh(total(record.issued_wh)),
        "certificates_claimed_kwh": kwh(claimed),
        "certificates_expired_kwh": kwh(total(record.expired_wh)),
        "double_claims": record.double_claims,
        "emissions_location_t": electricity_ug(total(record.import_wh), record.scenario.carbon.factor) / _UG_PER_T,
        "emissions_market_t": electricity_ug(uncovered_wh(record), record.scenario.carbon.residual) / _UG_PER_T,
    }


def matched_over_run_wh(record: RunRecord) -> Integers:
    """Load of each participant that green energy of the run covers, whenever it came."""
    matched: Integers = np.minimum(record.matched_wh.sum(axis=1), record.load_wh.sum(axis=1))
    return matched


def uncovered_wh(record: RunRecord) -> int:
    """What the park used, losses included, and no claimed certificate covers; at most what it used, and never below zero.

    Own green energy whose certificate was sold or has expired is uncovered too, so the market-based figure can pass the location-based one.
    """
    used = total(record.import_wh) + total(record.generation_wh) - total(record.export_wh)
    return max(0, used - total(record.claimed_wh))
