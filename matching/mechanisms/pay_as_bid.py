"""Pay-as-bid: the largest volume trades, buyers pay their bids, sellers get their asks, the operator keeps the spread.

Paper: Kahn, Cramton, Porter and Tabors 2001, "Uniform pricing or pay-as-bid pricing: a dilemma for California and beyond" (the one-sided
rule; applied here to both sides).

Properties: efficient on the orders as reported; no order trades beyond its limit; weakly budget balanced (the spread is never negative,
since every accepted bid is at or above every accepted ask); not strategy-proof, since a lower bid that still trades pays less. Ties at the
marginal price by time, pro rata or seeded lot. Nothing is rounded.
"""

from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_parts
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.ranking import rank_orders
from matching.mechanisms.rationing import fill_best


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival), each at its own limit. Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, _, _ = market.competitive_prices()
    filled = [(side, fill_best(side, volume, rules)) for side in (market.bids, market.asks)]
    return clear_parts(orders, [(side, lots, lots * side.price_ticks) for side, lots in filled])


MECHANISM: Final = Mechanism(
    name="pay-as-bid",
    clear=clear,
    rule="largest volume; every order at its own limit, the operator keeps the spread",
    paper="Kahn, Cramton, Porter and Tabors 2001",
    properties=Properties(efficient=True, rationality=Rationality.LIMITS, budget=Budget.WEAK, strategy_proof=StrategyProof.NO),
    ties="time, pro rata or seeded lot",
    rounding="none",
    reads=("tie", "seed"),
)
