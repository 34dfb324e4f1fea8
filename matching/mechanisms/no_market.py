"""No market: everyone trades with the grid alone, at its prices. The baseline that the others are compared with.

Properties: limits are not read, so not efficient and not bound by them; nobody is worse off than at the grid, or better; strongly budget
balanced. There are no ties and nothing is rounded.
"""

from typing import Final

import numpy as np

from matching.mechanisms.interface import Budget, Clearing, GridTrade, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.pools import at_prices, clear_pool, measure_pool


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Let every order (SEALED_ORDER) trade with the grid. Raises ValueError for invalid orders or missing grid prices."""
    demand, generation = measure_pool(orders, rules)
    grid_buy, grid_sell = rules.grid_prices()
    grid = GridTrade(demand, generation, demand * grid_buy - generation * grid_sell)
    return clear_pool(orders, at_prices(grid_buy, grid_sell), 0, grid)


MECHANISM: Final = Mechanism(
    name="none",
    clear=clear,
    rule="nobody trades locally; all lots at the grid's prices",
    paper="baseline",
    properties=Properties(efficient=False, rationality=Rationality.GRID, budget=Budget.STRONG, strategy_proof=StrategyProof.UNREAD),
    ties="none",
    rounding="none",
    reads=("grid_buy_ticks", "grid_sell_ticks"),
)
