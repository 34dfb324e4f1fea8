"""Uniform-price k-double auction: all trade at one price inside the interval where demand and supply agree.

Paper: Rustichini, Satterthwaite and Williams 1994, "Convergence to efficiency in a simple market with incomplete information" (the k-double
auction with many traders; Chatterjee and Samuelson 1983 for two). Rule, interval and the alternative by reference price:
matching/price_rules.py and docs/rules.md, "Auctions".

Properties: efficient on the orders as reported; no order trades beyond its limit; strongly budget balanced; not strategy-proof, since the
marginal orders set the price. Its ties are those of the orders at the marginal price, by time, pro rata or seeded lot. The price is rounded
half-even once to the tick and stays inside the interval, whose ends are ticks.
"""

from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_at, clear_nothing
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.ranking import rank_orders
from matching.mechanisms.rationing import fill_best


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival) at one price. Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, low, high, price = market.auction_price(rules)
    if volume == 0:
        return clear_nothing(orders)
    filled = fill_best(market.bids, volume, rules), fill_best(market.asks, volume, rules)
    return clear_at(orders, market, filled, price, price, (low, high))


MECHANISM: Final = Mechanism(
    name="uniform",
    clear=clear,
    rule="largest volume; one price, low + k (high - low) of the competitive interval, or by reference price",
    paper="Rustichini, Satterthwaite and Williams 1994",
    properties=Properties(efficient=True, rationality=Rationality.LIMITS, budget=Budget.STRONG, strategy_proof=StrategyProof.NO),
    ties="time, pro rata or seeded lot",
    rounding="price half-even to the tick",
    reads=("k", "tie", "seed", "price_rule", "reference_price_ticks"),
)
