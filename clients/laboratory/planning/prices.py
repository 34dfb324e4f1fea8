"""Prices that a plan reckons with: what was last paid around the same time of the day, or the middle of what the grid leaves to agree on.

One last price is mostly the luck of two traders; a plan that took the best of a day's 96 would believe in the luckiest. So the mean of the
quarter-hours within an hour that have the same prices of the grid counts.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import MarketRules
from clients.laboratory.world.day import WorldDay
from exchange.units import POWER_TICK_MICRO_PER_KWH

Integers = NDArray[np.int64]

# Quarter-hours to each side.
AROUND: Final = 4


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
        count, total_ticks = _around(day, last_ticks)
        expected_micro = np.where(count > 0, total_ticks * POWER_TICK_MICRO_PER_KWH // np.maximum(count, 1), expected_micro)
    expected_micro = np.clip(expected_micro, surplus_micro, highest_micro)
    fee_micro = rules.taker_fee_micro_per_kwh
    buy_micro = np.minimum(expected_micro + fee_micro + rules.park_fee_micro_per_kwh, np.maximum(deficit_micro, surplus_micro))
    return PlanPrices(buy_micro, np.maximum(expected_micro - fee_micro, surplus_micro))


def _around(day: WorldDay, last_ticks: Integers) -> tuple[Integers, Integers]:
    """How many prices are known around each quarter-hour at the same prices of the grid, and their sum; int64[T] each."""
    count, total = np.zeros((2, day.n_periods), dtype=np.int64)
    for shift in range(-AROUND, AROUND + 1):
        here = np.arange(max(0, -shift), min(day.n_periods, day.n_periods - shift))
        there = here + shift
        is_alike = np.logical_and(*(price[here] == price[there] for price in (day.deficit_price_ticks, day.surplus_price_ticks)))
        known = is_alike & (last_ticks[there] >= 0)
        count[here] += known
        total[here] += np.where(known, last_ticks[there], 0)
    return count, total
