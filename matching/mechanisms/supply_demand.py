"""Supply-demand ratio: local prices that fall from the grid's buying price to its selling price as generation catches up with demand.

Paper: Liu, Yu, Wang, Li, Ma and Lei 2017, "Energy-sharing model with price-based demand response for microgrids of peer-to-peer prosumers".
With s = G / D and grid prices Lb and Ls: for s < 1 sellers get p = Ls Lb / ((Lb - Ls) s + Ls) and buyers pay p s + Lb (1 - s); from s = 1 on
both trade at Ls (docs/rules.md, "Reference prices"). Ls may not be negative. Where Ls = 0, generation gets 0 as soon as there is any.

Properties: limits are not read, so not efficient and not bound by them; nobody is worse off than at the grid; strongly budget balanced but
for rounding, whose residual is reported; no report of a limit changes anything. There are no ties.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof, UnitPrices
from matching.mechanisms.pools import at_prices, clear_pool, measure_pool, trade_rest


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Price the lots of all orders (SEALED_ORDER). Raises ValueError for invalid orders, missing grid prices, or a negative selling price."""
    demand, generation = measure_pool(orders, rules)
    prices = supply_demand_prices(demand, generation, *rules.grid_prices())
    return clear_pool(orders, prices, min(demand, generation), trade_rest(demand, generation, rules))


def supply_demand_prices(demand_lots: int, generation_lots: int, grid_buy_ticks: int, grid_sell_ticks: int) -> UnitPrices:
    """Exact unit prices. Raises ValueError for a negative `grid_sell_ticks`."""
    if grid_sell_ticks < 0:
        raise ValueError("the supply-demand ratio needs a grid_sell_ticks that is not negative")
    if generation_lots >= demand_lots:
        return at_prices(grid_sell_ticks, grid_sell_ticks)
    if generation_lots == 0 or grid_buy_ticks == grid_sell_ticks:
        return at_prices(grid_buy_ticks, grid_buy_ticks)
    ratio = Fraction(generation_lots, demand_lots)
    sell = grid_sell_ticks * grid_buy_ticks / ((grid_buy_ticks - grid_sell_ticks) * ratio + grid_sell_ticks)
    return at_prices(sell * ratio + grid_buy_ticks * (1 - ratio), sell)


MECHANISM: Final = Mechanism(
    name="sdr",
    clear=clear,
    rule="all lots trade; sellers get a price that falls from the grid's buying to its selling price as supply reaches demand, buyers pay the mix",
    paper="Liu et al. 2017",
    properties=Properties(efficient=False, rationality=Rationality.GRID, budget=Budget.STRONG, strategy_proof=StrategyProof.UNREAD),
    ties="none",
    rounding="amounts half-even once an order, residual reported",
    reads=("grid_buy_ticks", "grid_sell_ticks"),
)
