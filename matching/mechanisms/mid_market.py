"""Mid-market rate: local energy at the middle of the grid's two prices, the rest of the long side at the grid's price.

Paper: Long, Wu, Zhang, Thomas, Cheng and Jenkins 2017, "Peer-to-peer energy trading in a community microgrid". With demand D, generation G,
grid prices Lb (buy) and Ls (sell) and mid = (Lb + Ls) / 2: if G = D both sides trade at mid; if G < D sellers get mid and buyers pay
(mid G + Lb (D - G)) / D; if G > D buyers pay mid and sellers get (mid D + Ls (G - D)) / G (docs/rules.md, "Reference prices").

Properties: limits are not read, so not efficient and not bound by them; nobody is worse off than at the grid; strongly budget balanced but
for rounding, whose residual is reported; no report of a limit changes anything. There are no ties.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof, UnitPrices
from matching.mechanisms.pools import at_prices, clear_pool, measure_pool, trade_rest


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Price the lots of all orders (SEALED_ORDER). Raises ValueError for invalid orders or missing grid prices."""
    demand, generation = measure_pool(orders, rules)
    prices = mid_market_prices(demand, generation, *rules.grid_prices())
    return clear_pool(orders, prices, min(demand, generation), trade_rest(demand, generation, rules))


def mid_market_prices(demand_lots: int, generation_lots: int, grid_buy_ticks: int, grid_sell_ticks: int) -> UnitPrices:
    """Exact unit prices; a side without lots has the price its first lot would have next to a longer other side."""
    mid = Fraction(grid_buy_ticks + grid_sell_ticks, 2)
    if generation_lots < demand_lots:
        return at_prices((mid * generation_lots + grid_buy_ticks * (demand_lots - generation_lots)) / demand_lots, mid)
    if generation_lots > demand_lots:
        return at_prices(mid, (mid * demand_lots + grid_sell_ticks * (generation_lots - demand_lots)) / generation_lots)
    return at_prices(mid, mid)


MECHANISM: Final = Mechanism(
    name="mmr",
    clear=clear,
    rule="all lots trade; local ones at the middle of the grid's prices, the long side at the mix with the grid's price",
    paper="Long et al. 2017",
    properties=Properties(efficient=False, rationality=Rationality.GRID, budget=Budget.STRONG, strategy_proof=StrategyProof.UNREAD),
    ties="none",
    rounding="amounts half-even once an order, residual reported",
    reads=("grid_buy_ticks", "grid_sell_ticks"),
)
