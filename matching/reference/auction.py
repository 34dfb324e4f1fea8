"""The price of a call auction, by looking at every price that could be it."""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from matching.reference.values import Order


class Clearing(NamedTuple):
    price_ticks: int
    lots: int


def clear_at_k(bids: Iterable[Order], asks: Iterable[Order], reference_ticks: int, k: Fraction) -> Clearing:
    """Greatest volume, at low + k (high - low) between the orders that trade last and those that are left first, half a tick to the even one."""
    bids, asks = list(bids), list(asks)
    volume = clear(bids, asks, reference_ticks).lots
    if volume == 0:
        return Clearing(reference_ticks, 0)
    demanded = sorted(bids, key=lambda order: -order.price_ticks)
    supplied = sorted(asks, key=lambda order: order.price_ticks)
    low = max(price for price in (_price_of_lot(supplied, volume), _price_of_lot(demanded, volume + 1)) if price is not None)
    high = min(price for price in (_price_of_lot(demanded, volume), _price_of_lot(supplied, volume + 1)) if price is not None)
    return Clearing(round(low + k * (high - low)), volume)


def _price_of_lot(orders: list[Order], lot: int) -> int | None:
    """Price of the order that holds a lot, counted from 1 through all orders."""
    for order in orders:
        lot -= order.remaining_lots
        if lot <= 0:
            return order.price_ticks
    return None


def clear(bids: Iterable[Order], asks: Iterable[Order], reference_ticks: int) -> Clearing:
    """Greatest volume, then smallest surplus, then the side of the surplus, then the nearest to the reference."""
    bids, asks = list(bids), list(asks)
    best_bid = max((order.price_ticks for order in bids), default=None)
    best_ask = min((order.price_ticks for order in asks), default=None)
    if best_bid is None or best_ask is None or best_bid < best_ask:
        return Clearing(reference_ticks, 0)

    # Between two orders nothing changes, so the ends of such stretches stand for all prices in them; the nearest to the reference is an
    # end of one or the reference itself.
    ends = {order.price_ticks + step for order in bids + asks for step in (-1, 0, 1)} | {reference_ticks}
    prices = [price for price in ends if best_ask <= price <= best_bid]
    bid = {price: sum(order.remaining_lots for order in bids if order.price_ticks >= price) for price in prices}
    asked = {price: sum(order.remaining_lots for order in asks if order.price_ticks <= price) for price in prices}

    volume = max(min(bid[price], asked[price]) for price in prices)
    prices = [price for price in prices if min(bid[price], asked[price]) == volume]
    surplus = min(abs(bid[price] - asked[price]) for price in prices)
    prices = [price for price in prices if abs(bid[price] - asked[price]) == surplus]
    if all(bid[price] > asked[price] for price in prices):
        return Clearing(max(prices), volume)
    if all(bid[price] < asked[price] for price in prices):
        return Clearing(min(prices), volume)
    return Clearing(min(prices, key=lambda price: abs(price - reference_ticks)), volume)
