"""One-way auction (单向竞价): one seller or one buyer, sealed bids of the others, a reserve price, one price for all.

Rule: docs/rules.md, "Auctions", after the single-round, sealed-bid, uniform-price auctions of EEX and of the national carbon market. The
side named by `auctioned_side` holds exactly one order; its limit and `reserve_price_ticks`, whichever is stricter, are the reserve. Bids that meet
the reserve are accepted from the best until the quantity is reached; all trade at the last accepted price. Where less is bid than is offered,
what is bid trades at the last accepted price, or nothing where `fails_if_undersubscribed`.

Properties, for the orders that meet the reserve: efficient; no order trades beyond its limit; strongly budget balanced; not strategy-proof,
since the last accepted bid sets the price. Ties at the marginal price by time, pro rata or seeded lot. Nothing is rounded.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from matching.mechanisms.fills import clear_nothing, clear_parts
from matching.mechanisms.interface import Budget, Clearing, Mechanism, Properties, Rationality, Rules, StrategyProof, UnitPrices
from matching.mechanisms.ranking import RankedSide, check_orders, rank_side
from matching.mechanisms.rationing import fill_best
from matching.records import Side


def clear(orders: np.ndarray, rules: Rules) -> Clearing:
    """Clear the one order of `rules.auctioned_side` against all others. Raises ValueError for invalid orders, or not exactly one such order."""
    check_orders(orders)
    offer = rank_side(orders, rules.auctioned_side)
    if len(offer) != 1:
        raise ValueError(f"a one-way auction has exactly one order on the auctioned side, not {len(offer)}")
    bidders = rank_side(orders, Side(1 - rules.auctioned_side))
    bidders = bidders.take(bidders.better_than(reserve_ticks(offer, rules)))
    traded = min(offer.total_lots, bidders.total_lots)
    price = bidders.price_of_lot(traded)
    if price is None or (traded < offer.total_lots and rules.fails_if_undersubscribed):
        return clear_nothing(orders)
    filled = fill_best(bidders, traded, rules)
    sold = np.array([traded], np.int64)
    parts = ((bidders, filled, filled * price), (offer, sold, sold * price))
    return clear_parts(orders, parts, (UnitPrices(Fraction(price), Fraction(price)),))


def reserve_ticks(offer: RankedSide, rules: Rules) -> int:
    """The stricter of the order's own limit and the reserve of the rules."""
    limit = int(offer.price_ticks[0])
    if rules.reserve_price_ticks is None:
        return limit
    return max(limit, rules.reserve_price_ticks) if offer.side == Side.SELL else min(limit, rules.reserve_price_ticks)


MECHANISM: Final = Mechanism(
    name="one-way",
    clear=clear,
    rule="one order against all; best bids that meet the reserve until the quantity is reached, all at the last accepted price",
    paper="EEX auction rules; rules of the national carbon market",
    properties=Properties(efficient=True, rationality=Rationality.LIMITS, budget=Budget.STRONG, strategy_proof=StrategyProof.NO),
    ties="time, pro rata or seeded lot",
    rounding="none",
    reads=("tie", "seed", "auctioned_side", "reserve_price_ticks", "fails_if_undersubscribed"),
)
