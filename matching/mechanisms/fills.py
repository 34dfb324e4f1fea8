"""From lots and amounts of ranked sides to a Clearing."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from matching.mechanisms.interface import FILL, Clearing, UnitPrices
from matching.mechanisms.ranking import Market, RankedSide
from matching.records import Side

Part = tuple[RankedSide, np.ndarray, np.ndarray]  # a side, and the lots and amounts of its orders


def collect_fills(orders: np.ndarray, lots: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """FILL of every order that trades. `lots` and `amounts` are int64, one of each for every order."""
    place = np.flatnonzero(lots)
    fills = np.zeros(len(place), FILL)
    fills["order"] = place
    for name in ("order_id", "owner", "side"):
        fills[name] = orders[name][place]
    fills["quantity_lots"] = lots[place]
    fills["amount_tick_lots"] = amounts[place]
    return fills


def clear_parts(
    orders: np.ndarray, parts: Iterable[Part], prices: tuple[UnitPrices, ...] = (), price_set_ticks: tuple[int, int] | None = None
) -> Clearing:
    """The clearing in which the orders of each part trade its lots for its amounts."""
    lots = np.zeros(len(orders), np.int64)
    amounts = np.zeros(len(orders), np.int64)
    volume = surplus = 0
    for side, side_lots, side_amounts in parts:
        lots[side.place] = side_lots
        amounts[side.place] = side_amounts
        paid = int(side_amounts.sum())
        if side.side == Side.BUY:
            volume += int(side_lots.sum())
            surplus += paid
        else:
            surplus -= paid
    return Clearing(collect_fills(orders, lots, amounts), prices, volume, surplus, price_set_ticks=price_set_ticks)


def clear_at(
    orders: np.ndarray,
    market: Market,
    filled: tuple[np.ndarray, np.ndarray],
    buy_ticks: int,
    sell_ticks: int,
    price_set_ticks: tuple[int, int] | None = None,
) -> Clearing:
    """The clearing in which all buyers pay one price and all sellers get one. `filled`: lots of the bids and of the asks, in merit order."""
    bid_lots, ask_lots = filled
    parts = ((market.bids, bid_lots, bid_lots * buy_ticks), (market.asks, ask_lots, ask_lots * sell_ticks))
    prices = (UnitPrices(Fraction(buy_ticks), Fraction(sell_ticks)),) if bid_lots.any() else ()
    return clear_parts(orders, parts, prices, price_set_ticks)


def clear_nothing(orders: np.ndarray) -> Clearing:
    """The clearing in which nothing trades."""
    return clear_parts(orders, ())


def round_amounts(price_ticks: Fraction, quantity_lots: np.ndarray) -> np.ndarray:
    """Price times quantity, rounded half-even once for each order: int64 of the same shape."""
    if price_ticks.denominator == 1:
        return quantity_lots * price_ticks.numerator
    numerator = quantity_lots.astype(object) * price_ticks.numerator  # Python integers: a blended price has a long denominator
    floor, twice_rest = numerator // price_ticks.denominator, numerator % price_ticks.denominator * 2
    up = (twice_rest > price_ticks.denominator) | ((twice_rest == price_ticks.denominator) & (floor % 2 == 1))
    amounts: np.ndarray = (floor + up).astype(np.int64)
    return amounts
