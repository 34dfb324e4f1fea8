"""Small days of a world made by hand: energies in kWh and prices in ticks in, a WorldDay out."""

import datetime
from typing import Any

import numpy as np

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS
from tests.clients.laboratory.records import DEFICIT_TICKS, FIRST_NS, KWH, SURPLUS_TICKS


def world_day(
    scenario: Scenario,
    *,
    load_kwh: Any,
    generation_kwh: Any,
    value_ticks: Any = 6000,
    cost_ticks: Any = SURPLUS_TICKS,
    deficit_ticks: Any = DEFICIT_TICKS,
    surplus_ticks: Any = SURPLUS_TICKS,
    forecast_load_kwh: Any = None,
    forecast_generation_kwh: Any = None,
    index: int = 0,
) -> WorldDay:
    """A day of [n, T]; forecasts [R, n, T], by default the truth at one round five minutes before delivery. Later rounds are five minutes later."""
    shape = np.array(load_kwh).shape
    load, generation = _wh(load_kwh, shape), _wh(generation_kwh, shape)
    believed = [_forecast(given, truth) for given, truth in ((forecast_load_kwh, load), (forecast_generation_kwh, generation))]
    rounds = max(len(forecast) for forecast in believed)
    start = FIRST_NS + index * NS_PER_DAY + np.arange(shape[1]) * PERIOD_NS
    before = np.arange(rounds - 1, -1, -1)[:, None] * 60 * NS_PER_MINUTE + 5 * NS_PER_MINUTE
    return WorldDay(
        index=index, date=scenario.first_date + datetime.timedelta(days=index), symbols=tuple(f"GP-{at}" for at in range(shape[1])), start_ns=start,
        opens_ns=FIRST_NS + index * NS_PER_DAY - 8 * NS_PER_HOUR, gate_ns=start - 5 * NS_PER_MINUTE, round_ns=start - before,
        deficit_price_ticks=_ticks(deficit_ticks, shape[1:]), surplus_price_ticks=_ticks(surplus_ticks, shape[1:]), load_wh=load,
        generation_wh=generation, forecast_load_wh=np.broadcast_to(believed[0], (rounds, *shape)),
        forecast_generation_wh=np.broadcast_to(believed[1], (rounds, *shape)), value_ticks=_ticks(value_ticks, shape),
        cost_ticks=_ticks(cost_ticks, shape),
    )  # fmt: skip


def _wh(energy_kwh: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.rint(np.broadcast_to(np.array(energy_kwh, float), shape) * KWH).astype(np.int64)


def _forecast(given_kwh: Any, truth: np.ndarray) -> np.ndarray:
    return truth[None] if given_kwh is None else np.rint(np.array(given_kwh, float) * KWH).astype(np.int64)


def _ticks(ticks: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.array(ticks, np.int64), shape)
