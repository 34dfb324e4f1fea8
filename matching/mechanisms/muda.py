"""MUDA: two random halves, each trading at the other's price.

Paper: Segal-Halevi, Hassidim and Aumann 2018, "MUDA: a truthful multi-unit double-auction mechanism", in its lottery variant. Owners are
put into two halves by a draw from the seed. In each half the price is found at which its demand and supply agree; each half then trades at
the price of the other. Where demand and supply differ there, the short side trades in full and the owners of the long side trade in a
sequence drawn from the seed, each as much as it wants, until nothing is left.

The price of a half is low + k (high - low) of its competitive interval, half-even to the tick. A half in which nothing could trade still
has the interval between its best bid and its best ask; one without bids or without asks has no price, and the other half then trades
nothing. An owner's several orders are its falling marginal values (or rising costs).

Properties: not efficient (the loss vanishes as the market grows); no order trades beyond its limit; strongly budget balanced;
strategy-proof in prices and quantities for owners on one side, for every seed. Draws take the place of a tie rule; within an owner better
prices trade first.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from matching.mechanisms.fills import Part, clear_parts
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof, UnitPrices
from matching.mechanisms.ranking import Market, RankedSide, make_market, rank_orders
from matching.mechanisms.rationing import Draw, in_sequence, lot_numbers
from matching.price_rules import k_price


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival) in two halves. Raises ValueError for invalid orders."""
    halves = split(rank_orders(orders), rules.seed)
    prices = [half_price(half, rules.k) for half in halves]
    parts: list[Part] = []
    used: list[UnitPrices] = []
    for half, price in zip(halves, reversed(prices), strict=True):
        if price is not None:
            traded = trade_half(half, price, rules.seed)
            parts += traded
            if traded[0][1].any():
                used.append(UnitPrices(Fraction(price), Fraction(price)))
    return clear_parts(orders, parts, tuple(used))


def split(market: Market, seed: int) -> tuple[Market, Market]:
    """The two halves; all orders of an owner stay together."""
    drawn = [lot_numbers(seed, Draw.HALF, side.owner) & np.uint64(1) == 1 for side in (market.bids, market.asks)]
    right, left = (make_market(market.bids.take(bids), market.asks.take(asks)) for bids, asks in (drawn, [~half for half in drawn]))
    return left, right


def half_price(half: Market, k: Fraction) -> int | None:
    """The price at which demand and supply of a half agree, None where it has no bids or no asks."""
    if not len(half.bids) or not len(half.asks):
        return None
    _, low, high = half.competitive_prices()
    return int(k_price(low, high, k.numerator, k.denominator))


def trade_half(half: Market, price_ticks: int, seed: int) -> list[Part]:
    """Lots and amounts of both sides of a half that trades at a given price."""
    willing = [side.take(side.better_than(price_ticks)) for side in (half.bids, half.asks)]
    volume = min(side.total_lots for side in willing)
    parts = []
    for side in willing:
        lots = serve_owners(side, volume, seed)
        parts.append((side, lots, lots * price_ticks))
    return parts


def serve_owners(side: RankedSide, lots: int, seed: int) -> np.ndarray:
    """Give `lots` to the owners of a side in the sequence of their lot numbers: int64 by rank."""
    sequence = np.lexsort((np.arange(len(side)), side.owner, lot_numbers(seed, Draw.QUEUE, side.owner)))
    filled = np.zeros(len(side), np.int64)
    filled[sequence] = in_sequence(side.quantity_lots[sequence], lots)
    return filled


MECHANISM: Final = Mechanism(
    name="muda",
    clear=clear,
    rule="owners in two halves drawn by seed; each half trades at the other's price, its long side by lottery",
    paper="Segal-Halevi, Hassidim and Aumann 2018",
    properties=Properties(efficient=False, rationality=Rationality.LIMITS, budget=Budget.STRONG, strategy_proof=StrategyProof.ONE_SIDE),
    ties="owners by seeded lot",
    rounding="price half-even to the tick",
    reads=("k", "seed"),
)
