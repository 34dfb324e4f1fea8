"""Huang's multi-unit double auction: the marginal orders set two prices and leave, the long side bears the difference in equal cuts.

Paper: Huang, Scheller-Wolf and Sycara 2002, "Design of a multi-unit double auction e-market", Computational Intelligence 18. Orders in merit
order are b1 >= b2 >= ... and a1 <= a2 <= ...; bL and aK are the orders that hold the last lot of the largest volume. Bids before L and asks
before K trade; buyers pay bL, sellers get aK. Where the quantities of the two sides differ, each order of the longer side gives up the same
quantity, none more than it has.

Lots that do not divide evenly are cut from the latest orders, or by seeded lot where that is the tie rule. Equal prices rank by arrival.

Properties: not efficient (gives up at most the marginal orders); no order trades beyond its limit; weakly budget balanced, the operator
keeps bL - aK a lot; strategy-proof in prices for owners with one order, its quantity being known: an owner that may overstate its quantity
can gain where its side is cut. Nothing is rounded.
"""

from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_at, clear_nothing
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.ranking import RankedSide, rank_orders
from matching.mechanisms.rationing import share_burden


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival). Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, _, _ = market.competitive_prices()
    if volume == 0:
        return clear_nothing(orders)
    last_bid, last_ask = market.bids.rank_of_lot(volume), market.asks.rank_of_lot(volume)
    sides = ((market.bids, last_bid), (market.asks, last_ask))
    traded = min(total_before(side, rank) for side, rank in sides)
    bids, asks = (cut_before(side, rank, traded, rules) for side, rank in sides)
    return clear_at(orders, market, (bids, asks), int(market.bids.price_ticks[last_bid]), int(market.asks.price_ticks[last_ask]))


def total_before(side: RankedSide, rank: int) -> int:
    """Lots of the orders before a rank."""
    return int(side.end_lots[rank] - side.quantity_lots[rank])


def cut_before(side: RankedSide, rank: int, lots: int, rules: Rules) -> np.ndarray:
    """Lots of all orders of a side when those before `rank` share `lots` with equal cuts: int64."""
    filled = np.zeros(len(side), np.int64)
    filled[:rank] = share_burden(side.take(np.arange(len(side)) < rank), lots, rules)[:rank]
    return filled


MECHANISM: Final = Mechanism(
    name="huang",
    clear=clear,
    rule="the marginal orders set the two prices and leave; the longer side of the others is cut by equal quantities",
    paper="Huang, Scheller-Wolf and Sycara 2002",
    properties=Properties(efficient=False, rationality=Rationality.LIMITS, budget=Budget.WEAK, strategy_proof=StrategyProof.ONE_ORDER),
    ties="equal prices by time; uneven cuts from the latest, or by seeded lot",
    rounding="none",
    reads=("tie", "seed"),
)
