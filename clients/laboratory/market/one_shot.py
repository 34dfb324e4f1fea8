"""One-shot mechanisms on the exchange: sealed orders of a round are cleared, and the fills enter the book as pairs of orders at the seller's price.

What a mechanism lets a buyer pay beyond that, and a seller receive beyond whole ticks, is a payment of its own beside the exchange; payments and the
operator's surplus sum to zero. In the pools and in `none` the grid's share of an order is left to the settlement, which charges exactly the grid's
prices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.draws import EVERYBODY, Purpose, bits
from clients.laboratory.scenario.model import MarketRules
from exchange.units import split_by_largest_remainder
from matching.mechanisms import MECHANISMS, Clearing, Rules, TieRule
from matching.records import Side

# Mechanisms whose every lot trades: what members do not trade with each other is the grid's.
POOLS: Final = ("mmr", "sdr", "none")
TIES: Final = {"time": TieRule.TIME, "pro_rata": TieRule.PRO_RATA, "lot": TieRule.LOT}
_PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Lots that a seller delivers to a buyer at a price of whole ticks."""

    buyer: int
    seller: int
    lots: int
    price_ticks: int
    buyer_price_ticks: int


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one clearing comes to: pairs, what each agent pays beyond them (tick x lot, int64[n], received negative), and the operator's surplus."""

    pairs: tuple[Pair, ...]
    extra_tick_lots: NDArray[np.int64]
    surplus_tick_lots: int


@dataclass(frozen=True, slots=True)
class _Share:
    """What is left of one fill while it is paired."""

    agent: int
    lots: int
    price_ticks: int


def rules_of(market: MarketRules, seed: int, number: int, round_index: int, deficit_ticks: int, surplus_ticks: int) -> Rules:
    """Parameters of one clearing; its seed is a draw of its own book and round."""
    k = Fraction(market.k_ppm, _PPM)
    drawn = int(bits(np.uint64(seed), EVERYBODY, Purpose.MECHANISM, number, round_index))
    return Rules(k=k, tie=TIES[market.tie], seed=drawn, grid_buy_ticks=deficit_ticks, grid_sell_ticks=surplus_ticks)


def clear_round(mechanism: str, orders: NDArray[Any], rules: Rules, n_agents: int) -> Outcome:
    """Clear the sealed orders of one book (SEALED_ORDER, owners are rows of agents)."""
    clearing = MECHANISMS[mechanism].clear(orders, rules)
    nothing = np.zeros(n_agents, np.int64)
    if mechanism in POOLS:
        return Outcome(tuple(_pool_pairs(clearing)), nothing, 0)
    pairs = tuple(_pairs(clearing))
    fills = clearing.fills
    extra = np.zeros(n_agents, np.int64)
    sign = np.where(fills["side"] == Side.BUY, 1, -1)
    np.add.at(extra, fills["owner"], sign * fills["amount_tick_lots"])
    for pair in pairs:
        extra[pair.buyer] -= pair.lots * pair.price_ticks
        extra[pair.seller] += pair.lots * pair.price_ticks
    return Outcome(pairs, extra, clearing.surplus_tick_lots)


def _pairs(clearing: Clearing) -> Iterator[Pair]:
    """Fills of both sides in their sequence, laid against each other."""
    fills = clearing.fills
    for buyer, seller, lots in _matched(_shares(fills[fills["side"] == Side.BUY]), _shares(fills[fills["side"] == Side.SELL])):
        yield Pair(buyer.agent, seller.agent, lots, seller.price_ticks, buyer.price_ticks)


def _pool_pairs(clearing: Clearing) -> Iterator[Pair]:
    """What members trade with each other in a pool: all of the short side, the long side in proportion, at the price of the local energy."""
    if not clearing.volume_lots:
        return
    fills, prices = clearing.fills, clearing.prices[0]
    buys, sells = fills[fills["side"] == Side.BUY], fills[fills["side"] == Side.SELL]
    local = prices.sell_ticks if int(buys["quantity_lots"].sum()) >= int(sells["quantity_lots"].sum()) else prices.buy_ticks
    price_ticks = round(local)
    sides = []
    for side in (buys, sells):
        lots = split_by_largest_remainder(clearing.volume_lots, side["quantity_lots"].tolist())
        sides.append([_Share(int(agent), part, price_ticks) for agent, part in zip(side["owner"], lots, strict=True) if part])
    for buyer, seller, lots in _matched(*sides):
        yield Pair(buyer.agent, seller.agent, lots, price_ticks, price_ticks)


def _shares(fills: NDArray[Any]) -> list[_Share]:
    return [
        _Share(agent, lots, amount // lots)
        for agent, lots, amount in zip(fills["owner"].tolist(), fills["quantity_lots"].tolist(), fills["amount_tick_lots"].tolist(), strict=True)
    ]


def _matched(buyers: list[_Share], sellers: list[_Share]) -> Iterator[tuple[_Share, _Share, int]]:
    """Both lists have the same lots in all."""
    at_buyer = at_seller = 0
    left_to_buy = buyers[0].lots if buyers else 0
    left_to_sell = sellers[0].lots if sellers else 0
    while at_buyer < len(buyers) and at_seller < len(sellers):
        lots = min(left_to_buy, left_to_sell)
        yield buyers[at_buyer], sellers[at_seller], lots
        left_to_buy, left_to_sell = left_to_buy - lots, left_to_sell - lots
        if not left_to_buy:
            at_buyer += 1
            left_to_buy = buyers[at_buyer].lots if at_buyer < len(buyers) else 0
        if not left_to_sell:
            at_seller += 1
            left_to_sell = sellers[at_seller].lots if at_seller < len(sellers) else 0
