"""McAfee's double auction: trade at a price set by the first lots that do not trade, or give up the last trade.

Paper: McAfee 1992, "A dominant strategy double auction", Journal of Economic Theory 56. Lots in merit order are b1 >= b2 >= ... and
a1 <= a2 <= ..., and k is the largest number with bk >= ak. If p = (bk+1 + ak+1) / 2 lies in [ak, bk], all k trade at p. Otherwise k - 1
trade, buyers pay bk and sellers get ak. Where there is no lot k + 1 on a side, p does not exist.

Extension to quantities: lot by lot. Each lot counts as a trader of its own, and one lot is given up. On orders of one lot this is the
paper's auction; with larger orders the lots of one owner set each other's price, so the strategy-proofness is that of owners with one lot
(huang and muda hold for more). p is rounded half-even to the tick; since bk+1 and ak+1 are ticks, the rounded price lies between them too,
which is all that the paper's argument needs.

Properties: not efficient (gives up at most one lot, the one of least gain); no order trades beyond its limit; weakly budget balanced;
strategy-proof for owners with one lot. Ties at the marginal price by time, pro rata or seeded lot.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_at, clear_nothing
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof
from matching.mechanisms.ranking import Market, rank_orders
from matching.mechanisms.rationing import fill_best


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear sealed orders (SEALED_ORDER, by arrival). Raises ValueError for invalid orders."""
    market = rank_orders(orders)
    volume, _, _ = market.competitive_prices()
    if volume == 0:
        return clear_nothing(orders)
    traded, buy, sell = find_prices(market, volume)
    return clear_at(orders, market, (fill_best(market.bids, traded, rules), fill_best(market.asks, traded, rules)), buy, sell)


def find_prices(market: Market, volume: int) -> tuple[int, int, int]:
    """Lots that trade, what a buyer pays, what a seller gets. `volume`: the largest volume, at least 1."""
    bid, ask = market.bids.price_of_lot(volume), market.asks.price_of_lot(volume)
    next_bid, next_ask = market.bids.price_of_lot(volume + 1), market.asks.price_of_lot(volume + 1)
    assert bid is not None
    assert ask is not None
    if next_bid is not None and next_ask is not None:
        middle = round(Fraction(next_bid + next_ask, 2))
        if ask <= middle <= bid:
            return volume, middle, middle
    return volume - 1, bid, ask


MECHANISM: Final = Mechanism(
    name="mcafee",
    clear=clear,
    rule="price midway between the first lots left out, if all accepted lots agree to it; else the last lot is given up and sets the prices",
    paper="McAfee 1992, lot by lot",
    properties=Properties(efficient=False, rationality=Rationality.LIMITS, budget=Budget.WEAK, strategy_proof=StrategyProof.ONE_LOT),
    ties="time, pro rata or seeded lot",
    rounding="price half-even to the tick",
    reads=("tie", "seed"),
)
