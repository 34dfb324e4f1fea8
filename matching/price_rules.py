"""The price of a call auction from its depth: volume, price and surplus over arrays of (price, bid lots, ask lots).

Shared by the one-shot uniform auction and by any other kernel that holds the depth of a book. Levels stand in ascending order of distinct
prices. D(p) is what is bid at p or higher, S(p) what is asked at p or lower; the volume at p is min(D, S), the surplus D - S. Both rules
trade the largest volume over all ticks; they differ in the price:

- PriceRule.K: the prices at which demand and supply agree are the closed interval
  [max(last accepted ask, first rejected bid), min(last accepted bid, first rejected ask)], lot by lot; the price is low + k (high - low),
  rounded half-even to the tick (docs/rules.md, "Auctions").
- PriceRule.REFERENCE: of the ticks with the largest volume those with the smallest surplus; if all of them leave a surplus of bids the
  highest, if all leave a surplus of asks the lowest, else the one nearest to the reference price.

Ticks between two levels count like any other. Cost: two passes over the levels; nothing is allocated.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from matching.compile import kernel

PRICE_TICKS_MIN: Final = -(2**31)
PRICE_TICKS_MAX: Final = 2**31 - 1
K_DENOMINATOR_MAX: Final = 2**30  # keeps k (high - low) inside int64 for any two int32 prices

# `bid_lots` and `ask_lots` are the quantities at this price alone, not cumulated. Sums over all levels stay below 2**62.
PRICE_LEVEL: Final = np.dtype([("bid_lots", "i8"), ("ask_lots", "i8"), ("price_ticks", "i4"), ("unused4", "u4")], align=True)


class PriceRule(IntEnum):
    K = 0
    REFERENCE = 1


@kernel
def auction_price(levels, n_levels, rule, k_numerator, k_denominator, reference_ticks):
    """Volume, lowest and highest candidate, price and surplus of an auction over `levels[:n_levels]` (PRICE_LEVEL, ascending).

    `k_numerator / k_denominator` in [0, 1], the denominator at most K_DENOMINATOR_MAX, is read by PriceRule.K alone, `reference_ticks` by
    PriceRule.REFERENCE alone. With volume 0 nothing trades and the price means nothing. The surplus is D - S at the price, positive where
    bids are left over.
    """
    if rule == PriceRule.K:
        volume, low, high = competitive_prices(levels, n_levels)
        price = k_price(low, high, k_numerator, k_denominator)
    else:
        volume, low, high, price = reference_price(levels, n_levels, reference_ticks)
    demand, supply = depth_at(levels, n_levels, price)
    return volume, low, high, price, demand - supply


@kernel
def competitive_prices(levels, n_levels):
    """Largest volume and the interval of prices at which demand and supply agree on it.

    An end that no order bounds is PRICE_TICKS_MIN or PRICE_TICKS_MAX. With volume 0 the interval lies between the best bid and the best ask.
    """
    volume = max_volume(levels, n_levels)
    low = np.int64(PRICE_TICKS_MIN)
    high = np.int64(PRICE_TICKS_MAX)
    demand = total_bid_lots(levels, n_levels)
    supply = np.int64(0)
    for i in range(n_levels):
        level = levels[i]
        price = np.int64(level.price_ticks)
        supply_below = supply
        supply += level.ask_lots
        demand_above = demand - level.bid_lots
        if supply_below < volume <= supply:  # last accepted ask
            low = max(low, price)
        if demand_above < volume <= demand:  # last accepted bid
            high = min(high, price)
        if demand > volume:  # first rejected bid: the highest such price is met last
            low = max(low, price)
        if supply_below <= volume < supply:  # first rejected ask
            high = min(high, price)
        demand = demand_above
    return volume, low, high


@kernel
def k_price(low_ticks, high_ticks, k_numerator, k_denominator):
    """The price low + k (high - low), rounded half-even to the tick, in integers."""
    scaled = (np.int64(high_ticks) - np.int64(low_ticks)) * np.int64(k_numerator)
    price = np.int64(low_ticks) + scaled // k_denominator
    twice = 2 * (scaled % k_denominator)
    if twice > k_denominator or (twice == k_denominator and price & 1):
        price += 1
    return price


@kernel
def reference_price(levels, n_levels, reference_ticks):
    """Largest volume, lowest and highest tick with the smallest surplus at it, and the price among them by pressure and reference."""
    best_volume = np.int64(0)
    best_surplus = np.int64(0)  # absolute
    low = np.int64(0)
    high = np.int64(0)
    surplus_low = np.int64(0)
    surplus_high = np.int64(0)
    demand = total_bid_lots(levels, n_levels)
    supply = np.int64(0)
    for i in range(n_levels):
        level = levels[i]
        supply += level.ask_lots
        first = np.int64(level.price_ticks)
        last = first
        for place in range(2):  # at the level, then at the ticks between it and the next
            if place == 1:
                demand -= level.bid_lots
                if i + 1 == n_levels:
                    break
                first += 1
                last = np.int64(levels[i + 1].price_ticks) - 1
                if first > last:
                    break
            volume = min(demand, supply)
            surplus = demand - supply
            if volume > best_volume or (volume == best_volume and abs(surplus) < best_surplus):
                best_volume = volume
                best_surplus = abs(surplus)
                low = first
                high = last
                surplus_low = surplus
                surplus_high = surplus
            elif volume == best_volume and abs(surplus) == best_surplus:  # the surplus falls with the price, so these ticks adjoin
                high = last
                surplus_high = surplus
    price = min(max(np.int64(reference_ticks), low), high)
    if surplus_low > 0 and surplus_high > 0:
        price = high
    elif surplus_low < 0 and surplus_high < 0:
        price = low
    return best_volume, low, high, price


@kernel
def max_volume(levels, n_levels):
    """The largest volume that any single price trades."""
    demand = total_bid_lots(levels, n_levels)
    supply = np.int64(0)
    volume = np.int64(0)
    for i in range(n_levels):
        supply += levels[i].ask_lots
        volume = max(volume, min(demand, supply))
        demand -= levels[i].bid_lots
    return volume


@kernel
def total_bid_lots(levels, n_levels):
    """Lots bid at all prices."""
    total = np.int64(0)
    for i in range(n_levels):
        total += levels[i].bid_lots
    return total


@kernel
def depth_at(levels, n_levels, price_ticks):
    """Demand and supply at a price: lots bid there or higher, lots asked there or lower."""
    demand = np.int64(0)
    supply = np.int64(0)
    for i in range(n_levels):
        level = levels[i]
        if level.price_ticks >= price_ticks:
            demand += level.bid_lots
        if level.price_ticks <= price_ticks:
            supply += level.ask_lots
    return demand, supply
