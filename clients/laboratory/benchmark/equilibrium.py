"""Competitive equilibrium of single periods: where demand and supply of one quarter-hour cross. Right only where nothing couples periods.

A competitive price minimises the sum of what everybody could gain at that price (the dual of the gains from trade), which is how the gains are
counted: no fills are made. Shares no code with matching. Conventions: Smith (1962), the largest volume of all efficient ones.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import Scenario

Integers = NDArray[np.int64]

_FAR: Final = np.int64(2**62)
# Periods that are crossed at once, so that a year needs no more memory than this.
_COLUMNS: Final = 4096


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
    `cost_ticks` or more. Time P n log n.
    """
    sides = (value_ticks, buy_lots, cost_ticks, sell_lots)
    parts = [_crossing(*(side[:, at : at + _COLUMNS] for side in sides)) for at in range(0, value_ticks.shape[1], _COLUMNS)]
    if len(parts) == 1:
        return parts[0]
    return Crossing(*(np.concatenate([getattr(part, entry.name) for part in parts]) for entry in fields(Crossing)))


def _crossing(value_ticks: Integers, buy_lots: Integers, cost_ticks: Integers, sell_lots: Integers) -> Crossing:
    n = len(value_ticks)
    (buy_below, buy_upto), (sell_below, sell_upto) = _curves(value_ticks, buy_lots, cost_ticks, sell_lots)
    # Demand and supply at every price of either side, [2 n, P]; what is strictly better than it is known in the same way.
    demand, demand_above = buy_lots.sum(axis=0) - buy_below, buy_lots.sum(axis=0) - buy_upto
    volume = np.minimum(demand, sell_upto).max(axis=0, initial=0)
    wants_buy, wants_sell = buy_lots > 0, sell_lots > 0
    first_rejected_bid = _largest(value_ticks, wants_buy & (demand[:n] > volume))
    last_accepted_bid = _smallest(value_ticks, wants_buy & (demand_above[:n] < volume))
    first_rejected_ask = _smallest(cost_ticks, wants_sell & (sell_upto[n:] > volume))
    last_accepted_ask = _largest(cost_ticks, wants_sell & (sell_below[n:] < volume))
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


def _curves(
    value_ticks: Integers, buy_lots: Integers, cost_ticks: Integers, sell_lots: Integers
) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
    """Of both sides the lots below, and up to, each price of either side: int64[2 n, P], bids in the first n rows."""
    price = np.concatenate([value_ticks, cost_ticks])
    nothing = np.zeros_like(buy_lots)
    order = np.argsort(price, axis=0)
    ordered = np.take_along_axis(price, order, axis=0)
    return (
        _below_and_upto(ordered, order, np.concatenate([buy_lots, nothing])),
        _below_and_upto(ordered, order, np.concatenate([nothing, sell_lots])),
    )


def _below_and_upto(ordered_ticks: Integers, order: Integers, lots: Integers) -> tuple[Integers, Integers]:
    lots = np.take_along_axis(lots, order, axis=0)
    upto = np.cumsum(lots, axis=0)
    below = upto - lots
    # Equal prices share what the first of them has below it. Only the last has all up to it, which is enough: a price counts once, at its best row.
    for row in range(1, len(lots)):
        below[row] = np.where(ordered_ticks[row] == ordered_ticks[row - 1], below[row - 1], below[row])
    found = np.empty_like(below), np.empty_like(upto)
    for back, values in zip(found, (below, upto), strict=True):
        np.put_along_axis(back, order, values, axis=0)
    return found


def _largest(price_ticks: Integers, chosen: NDArray[np.bool_]) -> Integers:
    largest: Integers = np.where(chosen, price_ticks, -_FAR).max(axis=0, initial=-_FAR)
    return largest


def _smallest(price_ticks: Integers, chosen: NDArray[np.bool_]) -> Integers:
    smallest: Integers = np.where(chosen, price_ticks, _FAR).min(axis=0, initial=_FAR)
    return smallest
