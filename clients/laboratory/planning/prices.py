"""Prices that a plan reckons with: what the same quarter-hour last traded at, or the middle of what the grid leaves to agree on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import MarketRules
from clients.laboratory.world.day import WorldDay
from exchange.units import POWER_TICK_MICRO_PER_KWH

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PlanPrices:
    """micro-CNY/kWh with all fees, int64[T]; nobody expects to pay more than the grid asks or to get less than it pays, and sell <= buy."""

    buy_micro: Integers
    sell_micro: Integers


def plan_prices(day: WorldDay, rules: MarketRules, last_ticks: Integers | None = None) -> PlanPrices:
    """`last_ticks`, int64[T]: last observed price of the same quarter-hour, -1 where there is none."""
    deficit_micro = day.deficit_price_ticks * POWER_TICK_MICRO_PER_KWH
    surplus_micro = day.surplus_price_ticks * POWER_TICK_MICRO_PER_KWH
    highest_micro = np.maximum(deficit_micro - rules.park_fee_micro_per_kwh, surplus_micro)
    expected_micro = (highest_micro + surplus_micro) // 2
    if last_ticks is not None:
        expected_micro = np.where(last_ticks >= 0, last_ticks * POWER_TICK_MICRO_PER_KWH, expected_micro)
    expected_micro = np.clip(expected_micro, surplus_micro, highest_micro)
    fee_micro = rules.taker_fee_micro_per_kwh
    buy_micro = np.minimum(expected_micro + fee_micro + rules.park_fee_micro_per_kwh, np.maximum(deficit_micro, surplus_micro))
    return PlanPrices(buy_micro, np.maximum(expected_micro - fee_micro, surplus_micro))
