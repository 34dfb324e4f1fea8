"""Competitive equilibrium of single periods: where demand and supply of one quarter-hour cross. Right only where nothing couples periods.

A competitive price minimises the sum of what everybody could gain at that price (the dual of the gains from trade), so no curve is sorted and no
marginal trader looked for by hand. Shares no code with matching. Conventions: Smith (1962), the largest volume of all efficient ones.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import Scenario

Integers = NDArray[np.int64]

_FAR: Final = np.int64(2**62)


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """Equilibria of P periods, int64[P]: the largest efficient volume in lots, the ends of the closed interval of competitive prices in ticks, and
    the gains from trade in tick x lot.

    Where nothing trades the interval is from the best bid to the best ask; an end that nobody sets is the other end. `is_defined` is false where
    neither side wants anything: both ends are then 0.
    """

    volume_lots: Integers
    low_ticks: Integers
    high_ticks: Integers
    gain_tick_lots: Integers
    is_defined: NDArray[np.bool_]

    @property
    def price_half_ticks(self) -> Integers:
        """Twice the middle of the interval, so that it stays whole."""
        return self.low_ticks + self.high_ticks


def crossing(value_ticks: Integers, buy_lots: Integers, cost_ticks: Integers, sell_lots: Integers) -> Crossing:
    """Cross the curves of each column. All int64[n, P]: row i buys up to `buy_lots` at `value_ticks` or less and sells up to `sell_lots` at
    `cost_ticks` or more. Time n x n x P.
    """
    demand, demand_above = _reached(value_ticks, buy_lots, descending=True)
    supply, supply_below = _reached(cost_ticks, sell_lots, descending=False)
    volume = _volume(value_ticks, buy_lots, demand, cost_ticks, sell_lots)
    wants_buy, wants_sell = buy_lots > 0, sell_lots > 0
    first_rejected_bid = _largest(value_ticks, wants_buy & (demand > volume))
    last_accepted_bid = _smallest(value_ticks, wants_buy & (demand_above < volume))
    first_rejected_ask = _smallest(cost_ticks, wants_sell & (supply > volume))
    last_accepted_ask = _largest(cost_ticks, wants_sell & (supply_below < volume))
    low = np.maximum(last_accepted_ask, first_rejected_bid)
    high = np.minimum(last_accepted_bid, first_rejected_ask)
    defined = (low > -_FAR) | (high < _FAR)
    low, high = np.where(low == -_FAR, high, low), np.where(high == _FAR, low, high)
    low, high = np.where(defined, low, 0), np.where(defined, high, 0)
    return Crossing(volume, low, high, gains_at(low, value_ticks, buy_lots, cost_ticks, sell_lots).sum(axis=0), defined)


def gains_at(price_ticks: Integers, value_ticks: Integers, buy_lots: Integers, cost_ticks: Integers, sell_lots: Integers) -> Integers:
    """What each row would gain in each period if it traded all it likes at `price_ticks` (int64[P]): int64[n, P], tick x lot."""
    gains: Integers = buy_lots * np.maximum(value_ticks - price_ticks, 0) + sell_lots * np.maximum(price_ticks - cost_ticks, 0)
    return gains


def is_coupled(scenario: Scenario) -> bool:
    """Whether storage, vehicles or flexible load make one quarter-hour depend on another."""
    return any(entry.storage or entry.ev or entry.flexible for entry in scenario.participants)


def _reached(price_ticks: Integers, lots: Integers, *, descending: bool) -> tuple[Integers, Integers]:
    """Lots of the side at each row's price or better, and strictly better than it: int64[n, P] twice."""
    reached, better = np.zeros_like(lots), np.zeros_like(lots)
    sign = -1 if descending else 1
    for row in range(len(lots)):
        ahead = sign * (price_ticks[row] - price_ticks)
        reached += lots[row] * (ahead <= 0)
        better += lots[row] * (ahead < 0)
    return reached, better


def _volume(value_ticks: Integers, buy_lots: Integers, demand: Integers, cost_ticks: Integers, sell_lots: Integers) -> Integers:
    """Largest volume: between two bids demand stands still and supply rises with the price, so only prices of bids are tried."""
    volume = np.zeros(value_ticks.shape[1], np.int64)
    for row in range(len(value_ticks)):
        supply = (sell_lots * (cost_ticks <= value_ticks[row])).sum(axis=0)
        volume = np.maximum(volume, np.where(buy_lots[row] > 0, np.minimum(demand[row], supply), 0))
    return volume


def _largest(price_ticks: Integers, chosen: NDArray[np.bool_]) -> Integers:
    largest: Integers = np.where(chosen, price_ticks, -_FAR).max(axis=0, initial=-_FAR)
    return largest


def _smallest(price_ticks: Integers, chosen: NDArray[np.bool_]) -> Integers:
    smallest: Integers = np.where(chosen, price_ticks, _FAR).min(axis=0, initial=_FAR)
    return smallest
