"""Figures of a played day: what `summary.json` holds and where each comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.model import Park
from clients.simulator.comparison import BillLine, Comparison, DayTariff, LineKind, ParkDay, StorageUnit, compare_bills, market_day_of_report
from clients.simulator.world import PeriodReadings
from exchange.carbon.factors import grams
from exchange.carbon.scope2 import location_ug
from exchange.units import MICRO_PER_CNY, MICRO_PER_FEN, POWER_LOT_WH, POWER_TICK_MICRO_PER_KWH, WH_PER_KWH, WH_PER_MWH, divide_half_even

Integers = NDArray[np.int64]
GRAM_PER_TONNE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class DayMeters:
    """All readings of the day as arrays: [n, T] by member, [T] for the park."""

    consumption_wh: Integers
    generation_wh: Integers
    soc_wh: Integers
    grid_import_wh: Integers
    grid_export_wh: Integers
    losses_wh: Integers
    max_balance_error_wh: int

    @classmethod
    def of(cls, readings: Sequence[PeriodReadings]) -> "DayMeters":
        """Stack the periods."""
        return cls(
            consumption_wh=np.stack([r.consumption_wh for r in readings], axis=1),
            generation_wh=np.stack([r.generation_wh for r in readings], axis=1),
            soc_wh=np.stack([r.soc_wh for r in readings], axis=1),
            grid_import_wh=np.array([r.grid_import_wh for r in readings], np.int64),
            grid_export_wh=np.array([r.grid_export_wh for r in readings], np.int64),
            losses_wh=np.array([r.losses_wh for r in readings], np.int64),
            max_balance_error_wh=max(abs(r.balance_error_wh) for r in readings),
        )


def compare_day(park: Park, meters: DayMeters, report: Mapping[str, Any], accounts: Mapping[str, int]) -> Comparison:
    """Three bills on these meters (clients.simulator.comparison)."""
    units = [
        StorageUnit(
            participant=i,
            soc_start_wh=member.storage.soc_initial_wh,
            soc_end_wh=int(meters.soc_wh[i, -1]),
            soc_min_wh=member.storage.soc_min_wh,
            soc_max_wh=member.storage.soc_max_wh,
            power_w=member.storage.power_w,
            charge_efficiency_ppm=member.storage.charge_efficiency_ppm,
            discharge_efficiency_ppm=member.storage.discharge_efficiency_ppm,
            charge_wh=meters.consumption_wh[i] - member.load_wh,
            discharge_wh=meters.generation_wh[i] - member.generation_wh,
        )
        for i, member in enumerate(park.members)
        if member.storage is not None
    ]
    periods = len(park.symbols)
    fee_lot_micro = park.power.park_fee_micro_per_kwh * POWER_LOT_WH // WH_PER_KWH
    return compare_bills(
        ParkDay([m.id for m in park.members], park.symbols, meters.consumption_wh, meters.generation_wh, meters.losses_wh, units),
        DayTariff(
            park.deficit_price_ticks,
            park.surplus_price_ticks,
            np.full(periods, fee_lot_micro, np.int64),
            np.array([m.voltage_adder_micro_per_kwh for m in park.members], np.int64),
            park.power.maker_fee_micro_per_kwh + park.power.taker_fee_micro_per_kwh,
        ),
        market_day_of_report(report, [accounts[m.id] for m in park.members], park.soc_value_micro_per_kwh // POWER_TICK_MICRO_PER_KWH),
    )


def energy_figures(park: Park, meters: DayMeters, report: Mapping[str, Any]) -> dict[str, Any]:
    """Energy of the day. Self-sufficiency: share of the load not imported; self-consumption: share of generation not exported."""
    load_wh = sum(int(m.load_wh.sum()) for m in park.members)
    generation_wh = sum(int(m.generation_wh.sum()) for m in park.members)
    import_wh, export_wh = int(meters.grid_import_wh.sum()), int(meters.grid_export_wh.sum())
    delivered_wh = int(report["delivered_wh"])
    periods_an_hour = 4
    return {
        "energy_traded_kwh": report["traded_wh"] / WH_PER_KWH,
        "energy_delivered_kwh": delivered_wh / WH_PER_KWH,
        "churn": round(report["traded_wh"] / delivered_wh, 4) if delivered_wh else 0.0,
        "imbalance_kwh": (report["deficit_wh"] + report["surplus_wh"]) / WH_PER_KWH,
        "imbalance_netting_cny": cny(report["netting_fund_micro"]),
        "self_sufficiency": _share(load_wh - import_wh, load_wh),
        "self_consumption": _share(generation_wh - export_wh, generation_wh),
        "peak_import_kw": int(meters.grid_import_wh.max()) * periods_an_hour / WH_PER_KWH,
        "storage_soc_delta_wh": sum(
            int(meters.soc_wh[i, -1]) - m.storage.soc_initial_wh for i, m in enumerate(park.members) if m.storage is not None
        ),
        "import_mwh": round(import_wh / WH_PER_MWH, 6),
        "green_generation_mwh": sum(int(m.generation_wh.sum()) for m in park.members if m.generation_kind) / WH_PER_MWH,
        "emissions_location_t": round(grams(location_ug(import_wh, park.emission_factor)) / GRAM_PER_TONNE, 3),
        "emission_factor": park.emission_factor.label,
        "energy_balance_wh_max_error": max(int(report["max_balance_error_wh"]), meters.max_balance_error_wh),
    }


def bill_figures(comparison: Comparison) -> dict[str, Any]:
    """Sums over the participants, storage included, in CNY to the fen, paid positive; and the headline gain with the operator."""
    bills = [line for line in comparison.lines if line.kind is not LineKind.OPERATOR]

    def total(name: str, lines: Sequence[BillLine]) -> float:
        return cny(sum(getattr(line, name) for line in lines))

    return {
        "bill_retail_cny": total("retail_micro", bills),
        "bill_pool_cny": total("pool_micro", bills),
        "bill_market_cny": total("market_micro", bills),
        "gain_market_over_pool_cny": total("gain_micro", comparison.lines),
        "periods_without_gain_from_trade": len(comparison.no_gain_periods),
    }


def ack_figures(ack_ns: Integers) -> dict[str, float]:
    """Milliseconds from sending a command to receiving its answer."""
    if not len(ack_ns):
        return {"p50": 0.0, "p99": 0.0}
    p50, p99 = np.percentile(ack_ns, [50, 99]) / 1e6
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3)}


def cny(amount_micro: int) -> float:
    """CNY to the fen, for a report: never used for a decision."""
    return divide_half_even(amount_micro, MICRO_PER_FEN) / (MICRO_PER_CNY // MICRO_PER_FEN)


def _share(part: int, whole: int) -> float:
    return round(min(max(part / whole, 0.0), 1.0), 4) if whole else 0.0
