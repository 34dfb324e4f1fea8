"""What the three pools share: every order trades in full, the difference of the two sides with the grid, limits are not read.

A pool prices metered quantities, so an order stands for what its owner withdraws or feeds in. Amounts are rounded half-even once for each
order; before rounding the pool pays out exactly what it takes in, so its surplus is the residual of rounding and nothing else.
"""

from fractions import Fraction

import numpy as np

from matching.mechanisms.fills import collect_fills, round_amounts
from matching.mechanisms.interface import Clearing, GridTrade, Rules, UnitPrices
from matching.mechanisms.ranking import check_amount, check_orders
from matching.records import Side


def measure_pool(orders: np.ndarray, rules: Rules) -> tuple[int, int]:
    """Lots of all buyers and of all sellers. Raises ValueError for invalid orders, missing grid prices, or too large amounts."""
    check_orders(orders)
    for price in rules.grid_prices():
        check_amount(orders, price)
    buys = orders["side"] == Side.BUY
    return int(orders["quantity_lots"][buys].sum()), int(orders["quantity_lots"][~buys].sum())


def clear_pool(orders: np.ndarray, prices: UnitPrices, volume_lots: int, grid: GridTrade) -> Clearing:
    """The clearing of measured orders in which all trade at the given prices, `volume_lots` of it among themselves."""
    lots = np.ascontiguousarray(orders["quantity_lots"])
    buys = orders["side"] == Side.BUY
    amounts = np.zeros(len(orders), np.int64)
    amounts[buys] = round_amounts(prices.buy_ticks, lots[buys])
    amounts[~buys] = round_amounts(prices.sell_ticks, lots[~buys])
    surplus = int(amounts[buys].sum()) - int(amounts[~buys].sum()) - grid.cost_tick_lots
    shown = (prices,) if len(orders) else ()
    return Clearing(collect_fills(orders, lots, amounts), shown, volume_lots, surplus, residual_tick_lots=surplus, grid=grid)


def trade_rest(demand_lots: int, generation_lots: int, rules: Rules) -> GridTrade:
    """What a pool that first serves itself takes from the grid or gives to it."""
    grid_buy, grid_sell = rules.grid_prices()
    imported, exported = max(demand_lots - generation_lots, 0), max(generation_lots - demand_lots, 0)
    return GridTrade(imported, exported, imported * grid_buy - exported * grid_sell)


def at_prices(buy_ticks: Fraction | int, sell_ticks: Fraction | int) -> UnitPrices:
    """Unit prices from whole or broken ticks."""
    return UnitPrices(Fraction(buy_ticks), Fraction(sell_ticks))
