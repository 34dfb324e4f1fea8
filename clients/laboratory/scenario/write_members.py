"""Participants as the [[member]] tables of a file; what most of them share stands once, so that setting it there changes it for them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.laboratory.scenario.model import Asset, EvFleet, FlexibleLoad, Participant, StoragePolicy, Valuation
from clients.laboratory.scenario.write_rules import end_text, time_text
from clients.scenarios.attributes import position_limits
from clients.scenarios.decimals import decimal_text
from clients.scenarios.model import Storage, UnitProgramme
from exchange.units import PPM, WH_PER_KWH

_WHOLE_PERMILLE: Final = range(0, PPM + 1, 1000)


@dataclass(frozen=True, slots=True)
class Common:
    """[valuation] and [flexible]: the most frequent values."""

    valuation: dict[str, Any]
    flexible: dict[str, Any]


def most_common(participants: Sequence[Participant]) -> Common:
    """What stands for all members that do not say otherwise."""
    valuations = [_valuation(entry.valuation) for entry in participants]
    flexibles = [_flexible(entry.flexible) for entry in participants if entry.flexible is not None]
    return Common(
        {key: _most(table[key] for table in valuations) for key in ("cost_cny_per_kwh", "spread_permille")} if valuations else {},
        {key: _most(table[key] for table in flexibles) for key in ("shift_periods", "cost_cny_per_kwh")} if flexibles else {},
    )


def _most(values: Iterable[Any]) -> Any:
    return Counter(values).most_common(1)[0][0]


def member_content(entry: Participant, common: Common) -> dict[str, Any]:
    """One [[member]] table."""
    table: dict[str, Any] = {
        "id": entry.id,
        "name": entry.name_en,
        "name_zh": entry.name_zh,
        "role": entry.role,
        "permissions": list(entry.permissions),
        "cash_cny": decimal_text(entry.cash_micro, 6),
        "voltage_kv": entry.voltage_kv,
        "connection_kw": entry.connection_kw,
    }
    if entry.load is not None:
        table["load"] = {"annual_mwh": entry.load.annual_mwh, "shapes_permille": dict(entry.load.shapes_permille), "noise": entry.load.noise}
    if entry.generation is not None:
        table["generation"] = {"series": entry.generation.series, "peak_kw": entry.generation.peak_kw, "noise": entry.generation.noise}
    if entry.storage is not None:
        table["storage"] = _storage(entry.storage)
    if entry.storage_policy != StoragePolicy():
        policy = entry.storage_policy
        table["storage_policy"] = {"plan": policy.plan, "charges_from_grid": policy.charges_from_grid}
    if entry.ev is not None:
        table["ev"] = _ev(entry.ev)
    _add_preferences(table, entry, common)
    if entry.asset is not None:
        table["asset"] = _asset(entry.asset)
    if entry.holdings_lots:
        table["holdings"] = dict(entry.holdings_lots)
    if entry.programmes:
        table["programme"] = [_programme(programme) for programme in entry.programmes]
    _add_limits(table, entry)
    return table


def _add_preferences(table: dict[str, Any], entry: Participant, common: Common) -> None:
    """Willingness, premium and flexible share in the keys that the scenario's own tables go before; the rest only where it is not as for all."""
    valuation = {key: value for key, value in _valuation(entry.valuation).items() if common.valuation.get(key) != value}
    flexible = {key: value for key, value in _flexible(entry.flexible).items() if common.flexible.get(key) != value} if entry.flexible else {}
    table["green_premium_cny_per_kwh"] = valuation.pop("green_premium_cny_per_kwh")
    if entry.valuation.willingness_ppm in _WHOLE_PERMILLE:
        table["willingness_permille"] = int(valuation.pop("willingness_permille"))
    if entry.flexible is not None and entry.flexible.share_ppm in _WHOLE_PERMILLE:
        table["flexible_permille"] = int(flexible.pop("share_permille"))
    table.update({key: own for key, own in (("valuation", valuation), ("flexible", flexible)) if own})


def _add_limits(table: dict[str, Any], entry: Participant) -> None:
    """Only where they are not what connection and plant allow: a plant that is set otherwise shall take its limit with it."""
    low, high = position_limits(
        has_load=entry.load is not None or entry.ev is not None,
        connection_kw=entry.connection_kw,
        peak_kw=entry.generation.peak_kw if entry.generation else 0,
        storage=entry.storage,
    )
    if entry.min_net_power_lots != low:
        table["sell_limit_kwh"] = decimal_text(-entry.min_net_power_lots, 1)
    if entry.max_net_power_lots != high:
        table["buy_limit_kwh"] = decimal_text(entry.max_net_power_lots, 1)


def _valuation(valuation: Valuation) -> dict[str, Any]:
    return {
        "willingness_permille": decimal_text(valuation.willingness_ppm, 3),
        "green_premium_cny_per_kwh": decimal_text(valuation.green_premium_micro_per_kwh, 6),
        "cost_cny_per_kwh": decimal_text(valuation.cost_micro_per_kwh, 6),
        "spread_permille": decimal_text(valuation.spread_ppm, 3),
    }


def _flexible(flexible: FlexibleLoad) -> dict[str, Any]:
    return {
        "share_permille": decimal_text(flexible.share_ppm, 3),
        "shift_periods": flexible.shift_periods,
        "cost_cny_per_kwh": decimal_text(flexible.cost_micro_per_kwh, 6),
    }


def _storage(storage: Storage) -> dict[str, Any]:
    return {
        "energy_kwh": storage.energy_wh // WH_PER_KWH,
        "power_kw": storage.power_w // 1000,
        "soc_min_kwh": storage.soc_min_wh // WH_PER_KWH,
        "soc_max_kwh": storage.soc_max_wh // WH_PER_KWH,
        "soc_initial_kwh": storage.soc_initial_wh // WH_PER_KWH,
        "charge_efficiency": decimal_text(storage.charge_efficiency_ppm, 6),
        "discharge_efficiency": decimal_text(storage.discharge_efficiency_ppm, 6),
    }


def _ev(ev: EvFleet) -> dict[str, Any]:
    return {
        "energy_kwh": decimal_text(ev.energy_wh, 3),
        "power_kw": decimal_text(ev.power_w, 3),
        "arrival": time_text(ev.arrival),
        "departure": end_text(ev.departure),
    }


def _asset(asset: Asset) -> dict[str, Any]:
    return {
        "capex_cny": decimal_text(asset.capex_micro, 6),
        "operation_cny_per_year": decimal_text(asset.operation_micro_per_year, 6),
        "debt_permille": decimal_text(asset.debt_ppm, 3),
        "rate_permille": decimal_text(asset.rate_ppm, 3),
        "years": asset.years,
        "life_years": asset.life_years,
    }


def _programme(programme: UnitProgramme) -> dict[str, Any]:
    return {
        "symbol": programme.symbol,
        "quantity": programme.quantity_lots,
        "start_cny": decimal_text(programme.start_price_ticks, 2),
        "limit_cny": decimal_text(programme.limit_price_ticks, 2),
    }
