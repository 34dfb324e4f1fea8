"""Reference prices without an auction (docs/rules.md, "Reference prices"): mid-market rate and supply-demand ratio.

L_b is the retail price, L_s the feed-in price, D what members withdraw in a period, G what they inject. Integers: prices in micro-CNY per kWh,
energy in Wh; each price rounds half-even once. Bills are split from exact totals, never from a rounded price (`mid_market_columns`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.settlement.shares import divide_half_even_columns, split_columns
from exchange.units import POWER_TICK_MICRO_PER_KWH, WH_PER_KWH, divide_half_even

Int64Array = NDArray[np.int64]


class BuySell(NamedTuple):
    """Prices in micro-CNY per kWh: what a member pays for energy and what it gets for it."""

    buy_micro: int
    sell_micro: int


def mid_market_rate(retail_micro: int, feed_in_micro: int, demand_wh: int, generation_wh: int) -> BuySell:
    """Mid = (L_b + L_s) / 2; the long side trades what the short side leaves with the grid (Long et al. 2017).

    G = D: both at mid. G < D: sell = mid, buy = (mid G + L_b (D - G)) / D. G > D: buy = mid, sell = (mid D + L_s (G - D)) / G.
    """
    twice_mid = retail_micro + feed_in_micro
    mid = divide_half_even(twice_mid, 2)
    if generation_wh < demand_wh:
        buy = divide_half_even(twice_mid * generation_wh + 2 * retail_micro * (demand_wh - generation_wh), 2 * demand_wh)
        return BuySell(buy, mid)
    if generation_wh > demand_wh:
        sell = divide_half_even(twice_mid * demand_wh + 2 * feed_in_micro * (generation_wh - demand_wh), 2 * generation_wh)
        return BuySell(mid, sell)
    return BuySell(mid, mid)


def supply_demand_ratio(retail_micro: int, feed_in_micro: int, demand_wh: int, generation_wh: int) -> BuySell:
    """With s = G / D < 1: sell = L_s L_b / ((L_b - L_s) s + L_s), buy = sell s + L_b (1 - s); otherwise both L_s (Liu et al. 2017).

    Needs 0 < L_s <= L_b.
    """
    if not 0 < feed_in_micro <= retail_micro:
        raise ValueError("the supply-demand ratio needs 0 < feed-in <= retail")
    if generation_wh >= demand_wh:
        return BuySell(feed_in_micro, feed_in_micro)
    product = feed_in_micro * retail_micro
    denominator = (retail_micro - feed_in_micro) * generation_wh + feed_in_micro * demand_wh
    sell = divide_half_even(product * demand_wh, denominator)
    # buy from the unrounded sell price: L_s L_b G / denominator + L_b (D - G) / D over one denominator.
    buy = divide_half_even(product * generation_wh * demand_wh + retail_micro * (demand_wh - generation_wh) * denominator, denominator * demand_wh)
    return BuySell(buy, sell)


def mid_market_columns(
    retail_ticks: Int64Array, feed_in_ticks: Int64Array, withdrawal_wh: Int64Array, injection_wh: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """The pool at the mid-market rate: what each member pays for withdrawal and receives for injection, micro-CNY, [n, T], from prices [T] and
    energies [n, T]. Withdrawals share the buyers' cost of a period by energy, injections the sellers' income.

    Both totals are exact before they round half-even once; each split sums to its total exactly (largest remainder).
    """
    # In half ticks x Wh: both totals are integers.
    demand, generation = withdrawal_wh.sum(axis=0), injection_wh.sum(axis=0)
    inside = np.minimum(demand, generation)
    both = (retail_ticks + feed_in_ticks) * inside
    bought, sold = both + 2 * retail_ticks * (demand - inside), both + 2 * feed_in_ticks * (generation - inside)
    return _split_signed_columns(bought, withdrawal_wh), _split_signed_columns(sold, injection_wh)


def _split_signed_columns(half_tick_wh: Int64Array, weights: Int64Array) -> Int64Array:
    totals = divide_half_even_columns(half_tick_wh * POWER_TICK_MICRO_PER_KWH, 2 * WH_PER_KWH)
    return np.sign(totals) * split_columns(np.abs(totals), weights)
