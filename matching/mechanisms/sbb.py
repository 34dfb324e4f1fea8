"""Strongly budget-balanced double auction (SBBA): one price, nothing left with the operator.

Paper: Segal-Halevi, Hassidim and Aumann 2016, "SBBA: a strongly-budget-balanced double-auction mechanism". Lots in merit order are
b1 >= b2 >= ... and a1 <= a2 <= ..., and k is the largest number with bk >= ak. The price is p = min(bk, ak+1). If p = ak+1, the first k
of both sides trade at it. If p = bk < ak+1, or there is no ak+1, buyer k sets the price and leaves, and one of the first k sellers, drawn
by lot, leaves with it.

Extension to quantities: lot by lot, as in mcafee. The lot that leaves is drawn from the seed with the same chance for each of the k lots in
the sequence of arrival, which no ask can move.

Properties: not efficient (gives up at most one trade); no order trades beyond its limit; strongly budget balanced; strategy-proof for
owners with one lot, for every seed. Ties at the marginal price by time, pro rata or seeded lot; nothing is rounded.
"""

from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_at, clear_nothing
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.ranking import RankedSide, rank_orders
from matching.mechanisms.rationing import Draw, fill_best, lot_numbers


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival). Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, _, _ = market.competitive_prices()
    if volume == 0:
        return clear_nothing(orders)
    price, next_ask = market.bids.price_of_lot(volume), market.asks.price_of_lot(volume + 1)
    assert price is not None
    bought = volume - 1
    sold = fill_best(market.asks, volume, rules)
    if next_ask is not None and next_ask <= price:
        price, bought = next_ask, volume
    else:
        remove_drawn_lot(market.asks, sold, rules.seed)
    return clear_at(orders, market, (fill_best(market.bids, bought, rules), sold), price, price)


def remove_drawn_lot(asks: RankedSide, sold: np.ndarray, seed: int) -> None:
    """Take one lot, each with the same chance, out of `sold` in place. `sold`: lots of the asks in merit order, at least one in all."""
    by_arrival = np.argsort(asks.place)
    drawn = (int(lot_numbers(seed, Draw.SELLER, np.zeros(1, np.int64))[0]) * int(sold.sum())) >> 64
    sold[by_arrival[np.searchsorted(np.cumsum(sold[by_arrival]), drawn, side="right")]] -= 1


MECHANISM: Final = Mechanism(
    name="sbb",
    clear=clear,
    rule="price min(last accepted bid, first rejected ask); if the bid sets it, its lot and a selling lot drawn by seed leave",
    paper="Segal-Halevi, Hassidim and Aumann 2016, lot by lot",
    properties=Properties(efficient=False, rationality=Rationality.LIMITS, budget=Budget.STRONG, strategy_proof=StrategyProof.ONE_LOT),
    ties="time, pro rata or seeded lot",
    rounding="none",
    reads=("tie", "seed"),
)
