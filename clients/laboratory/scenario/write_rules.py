"""Rules, instruments and noise of a scenario as the tables of its file."""

import datetime
from typing import Any

from clients.laboratory.scenario.model import ForecastRules, MarketRules, Outage
from clients.scenarios.decimals import decimal_text
from clients.scenarios.instruments import price_band
from clients.scenarios.model import UnitInstrument
from clients.scenarios.noise import NoiseClass
from exchange.carbon.packaged import grid_factors
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor


def market_content(rules: MarketRules) -> dict[str, Any]:
    """[market]"""
    return {
        "mechanism": rules.mechanism,
        "k_permille": decimal_text(rules.k_ppm, 3),
        "tie": rules.tie,
        "opens": time_text(rules.opens),
        "opening_auction_minutes": rules.opening_auction_minutes,
        "gate_closure_minutes": rules.gate_closure_minutes,
        "day_ahead_rounds": rules.day_ahead_rounds,
        "day_ahead_minutes": rules.day_ahead_minutes,
        "rounds_before_gate_minutes": list(rules.rounds_before_gate_minutes),
        "tick_cny_per_kwh": decimal_text(rules.tick_step, 4),
        "lot_kwh": decimal_text(rules.lot_step, 1),
        "min_price_cny_per_kwh": decimal_text(rules.min_price_ticks, 4),
        "max_price_cny_per_kwh": decimal_text(rules.max_price_ticks, 4),
        "max_order_kwh": decimal_text(rules.max_order_lots, 1),
        "maker_fee_cny_per_kwh": decimal_text(rules.maker_fee_micro_per_kwh, 6),
        "taker_fee_cny_per_kwh": decimal_text(rules.taker_fee_micro_per_kwh, 6),
        "park_fee_cny_per_kwh": decimal_text(rules.park_fee_micro_per_kwh, 6),
        "environment_cny_per_kwh": decimal_text(rules.environment_micro_per_kwh, 6),
        "self_trade": rules.self_trade,
        "transparency": rules.transparency,
    }


def forecast_content(rules: ForecastRules) -> dict[str, Any]:
    """[forecast]"""
    return {
        "error_permille": decimal_text(rules.error_ppm, 3),
        "horizon_minutes": list(rules.horizon_minutes),
        "unknown_permille": [decimal_text(share, 3) for share in rules.unknown_ppm],
    }


def factor_content(factor: EmissionFactor) -> dict[str, Any]:
    """[emission_factor]: by its name where it ships so, else with its number."""
    table: dict[str, Any] = {"publisher": factor.publisher, "year": factor.year, "region": factor.region, "kind": factor.kind}
    return table if factor in grid_factors() else {**table, "kg_per_kwh": decimal_text(factor.mg_per_kwh, 6)}


def noise_content(noise: NoiseClass) -> dict[str, Any]:
    """[noise.NAME]"""
    return {key: decimal_text(getattr(noise, f"{key}_ppm"), 6) for key in ("plan", "update", "residual", "persistence", "common")}


def outage_content(outage: Outage) -> dict[str, Any]:
    """[[outage]]"""
    return {
        "participant": outage.participant,
        "what": outage.what,
        "first_day": outage.first_day,
        "last_day": outage.last_day,
        "begins": time_text(outage.begins),
        "ends": end_text(outage.ends),
        "available_permille": decimal_text(outage.available_ppm, 3),
        "forecast_permille": decimal_text(outage.forecast_ppm, 3),
    }


def instrument_content(entry: UnitInstrument) -> dict[str, Any]:
    """[[instrument]]. Raises InputError for a band that no share of the previous close gives."""
    close, band = entry.previous_close_ticks, (entry.band_low_ticks, entry.band_high_ticks)
    permille = next((share for share in range(1, 1000) if price_band(close, share) == band), None)
    if permille is None:
        raise InputError(f"instrument {entry.symbol}: no band_permille gives a band of {band[0]} to {band[1]} ticks around {close}")
    return {
        "symbol": entry.symbol,
        "name": entry.name_en,
        "name_zh": entry.name_zh,
        "instrument_class": entry.instrument_class,
        "venue": entry.venue,
        "calendar": entry.calendar,
        "resale": entry.resale,
        "unit": entry.unit,
        "previous_close_cny": decimal_text(close, 2),
        "band_permille": permille,
        "max_order_lots": entry.max_order_lots,
        "maker_fee_permille": decimal_text(entry.maker_fee_tick_lot_micro, 1),
        "taker_fee_permille": decimal_text(entry.taker_fee_tick_lot_micro, 1),
    }


def end_text(time: datetime.time) -> str:
    """HH:MM, where midnight is the end of the day."""
    return time_text(time) if time != datetime.time() else "24:00"


def time_text(time: datetime.time) -> str:
    """HH:MM"""
    return f"{time:%H:%M}"
