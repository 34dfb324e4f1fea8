"""The oracle: auctions on lists of single lots, by trying every price and every allocation. Shares no code with the mechanisms."""

import itertools
from collections.abc import Iterable
from typing import NamedTuple


class Order(NamedTuple):
    """`side` is 0 to buy and 1 to sell."""

    side: int
    price: int
    lots: int
    owner: int


def lots_of(orders: Iterable[Order], side: int) -> list[int]:
    return [order.price for order in orders if order.side == side for _ in range(order.lots)]


def volume_at(orders: list[Order], price: int) -> tuple[int, int]:
    """Demand and supply."""
    return sum(p >= price for p in lots_of(orders, 0)), sum(p <= price for p in lots_of(orders, 1))


def ticks(orders: list[Order]) -> range:
    prices = [order.price for order in orders] or [0]
    return range(min(prices), max(prices) + 1)


def max_volume(orders: list[Order]) -> int:
    return max(min(volume_at(orders, price)) for price in ticks(orders))


def competitive_set(orders: list[Order]) -> list[int]:
    """Prices at which those who want to trade can and nobody else must, for the largest volume."""
    volume = max_volume(orders)
    found = []
    for price in ticks(orders):
        demand, supply = volume_at(orders, price)
        eager_buyers = sum(p > price for p in lots_of(orders, 0))
        eager_sellers = sum(p < price for p in lots_of(orders, 1))
        if eager_buyers <= volume <= demand and eager_sellers <= volume <= supply:
            found.append(price)
    return found


def reference_price(orders: list[Order], reference: int) -> int:
    """Each rule narrows the candidates that the rule before it left."""
    candidates = list(ticks(orders))
    volume = max_volume(orders)
    candidates = [price for price in candidates if min(volume_at(orders, price)) == volume]
    surplus = {price: volume_at(orders, price)[0] - volume_at(orders, price)[1] for price in candidates}
    least = min(abs(surplus[price]) for price in candidates)
    candidates = [price for price in candidates if abs(surplus[price]) == least]
    if all(surplus[price] > 0 for price in candidates):
        return max(candidates)
    if all(surplus[price] < 0 for price in candidates):
        return min(candidates)
    return min(candidates, key=lambda price: abs(price - reference))


def best_gain(orders: list[Order]) -> int:
    """Largest gains from trade over every allocation of lots."""
    best = 0
    for allocation in itertools.product(*(range(order.lots + 1) for order in orders)):
        bought = sum(lots for order, lots in zip(orders, allocation, strict=True) if order.side == 0)
        sold = sum(lots for order, lots in zip(orders, allocation, strict=True) if order.side == 1)
        if bought == sold:
            values = (order.price * lots * (1 - 2 * order.side) for order, lots in zip(orders, allocation, strict=True))
            best = max(best, sum(values))
    return best
