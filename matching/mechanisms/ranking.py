"""Sealed orders checked and put in merit order: bids from the highest price, asks from the lowest, equal prices by arrival.

Price and place are packed into one int64 and sorted as integers, which numpy does several times faster than a stable sort of records.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from matching.mechanisms.interface import SEALED_ORDER, Rules
from matching.mechanisms.kernels import gather_levels
from matching.price_rules import PRICE_LEVEL, PriceRule, auction_price, competitive_prices
from matching.records import QUANTITY_LOTS_MAX, Side
from matching.state import make_records

ORDERS_MAX: Final = 2**31
AMOUNT_MAX: Final = 2**62  # leaves room for sums and differences of two sides


@dataclass(frozen=True, slots=True)
class RankedSide:
    """One side in merit order; all arrays are int64 of shape (orders of the side,). `place` is an order's place in the array of orders."""

    side: Side
    place: np.ndarray
    price_ticks: np.ndarray
    quantity_lots: np.ndarray
    order_id: np.ndarray
    owner: np.ndarray
    end_lots: np.ndarray  # quantity of this order and of all before it

    def __len__(self) -> int:
        return len(self.place)

    @property
    def total_lots(self) -> int:
        """Quantity of all orders."""
        return int(self.end_lots[-1]) if len(self) else 0

    def rank_of_lot(self, number: int) -> int:
        """Rank of the order that holds lot `number`, counted from 1 in merit order; len(self) where there are not so many."""
        return int(np.searchsorted(self.end_lots, number))

    def price_of_lot(self, number: int) -> int | None:
        """Limit of lot `number`, counted from 1 in merit order; None where there are not so many."""
        rank = self.rank_of_lot(number)
        return int(self.price_ticks[rank]) if rank < len(self) else None

    def better_than(self, price_ticks: int) -> np.ndarray:
        """Which orders trade at a price: bool."""
        return self.price_ticks >= price_ticks if self.side == Side.BUY else self.price_ticks <= price_ticks

    def take(self, chosen: np.ndarray) -> "RankedSide":
        """The orders chosen by a bool array, still in merit order."""
        quantity = self.quantity_lots[chosen]
        columns = (self.place[chosen], self.price_ticks[chosen], quantity, self.order_id[chosen], self.owner[chosen], np.cumsum(quantity))
        return RankedSide(self.side, *columns)


@dataclass(frozen=True, slots=True)
class Market:
    """Both sides in merit order, and their depth: PRICE_LEVEL, ascending."""

    bids: RankedSide
    asks: RankedSide
    levels: np.ndarray

    def competitive_prices(self) -> tuple[int, int, int]:
        """Largest volume, and the lowest and highest price at which demand and supply agree on it (matching/price_rules.py)."""
        volume, low, high = competitive_prices(self.levels, len(self.levels))
        return int(volume), int(low), int(high)

    def auction_price(self, rules: Rules) -> tuple[int, int, int, int]:
        """Volume, lowest and highest candidate, and price by the rules."""
        reference = rules.reference_price_ticks if rules.price_rule == PriceRule.REFERENCE else 0
        k = rules.k
        found = auction_price(self.levels, len(self.levels), int(rules.price_rule), k.numerator, k.denominator, reference)
        volume, low, high, price = (int(value) for value in found[:4])
        return volume, low, high, price


def check_orders(orders: np.ndarray) -> None:
    """Raise ValueError, naming the first order at fault, unless `orders` is a one-dimensional array of valid SEALED_ORDER.

    Sides are known, quantities between 1 and QUANTITY_LOTS_MAX, owners not negative, ids distinct, and the whole quantity at the highest
    price in use stays below 2**62 tick x lot.
    """
    if orders.dtype != SEALED_ORDER or orders.ndim != 1 or len(orders) >= ORDERS_MAX:
        raise ValueError(f"orders are a one-dimensional array of SEALED_ORDER, fewer than {ORDERS_MAX}")
    if not len(orders):
        return
    quantity = orders["quantity_lots"]
    if int(quantity.min()) < 1 or int(quantity.max()) > QUANTITY_LOTS_MAX:
        raise ValueError(f"order {int(np.argmax((quantity < 1) | (quantity > QUANTITY_LOTS_MAX)))}: quantity is out of range")
    if int(orders["side"].max()) > max(Side):
        raise ValueError(f"order {int(np.argmax(orders['side'] > max(Side)))}: side is not known")
    if int(orders["owner"].min()) < 0:
        raise ValueError(f"order {int(np.argmax(orders['owner'] < 0))}: owner is negative")
    ids = orders["order_id"]
    if not (ids[1:] > ids[:-1]).all():
        _, first = np.unique(ids, return_index=True)
        if len(first) < len(ids):
            repeated = np.ones(len(ids), bool)
            repeated[first] = False
            raise ValueError(f"order {int(np.argmax(repeated))}: order id is not distinct")
    price = orders["price_ticks"]
    check_amount(orders, max(abs(int(price.min())), abs(int(price.max()))))


def check_amount(orders: np.ndarray, price_ticks: int) -> None:
    """Raise ValueError where all lots at a price come to AMOUNT_MAX or more."""
    if int(orders["quantity_lots"].sum()) * abs(price_ticks) >= AMOUNT_MAX:
        raise ValueError("quantity times price is too large for exact amounts")


def rank_side(orders: np.ndarray, side: Side) -> RankedSide:
    """One side of checked orders in merit order."""
    place = np.flatnonzero(orders["side"] == side)
    price = orders["price_ticks"][place].astype(np.int64)
    packed = ((~price if side == Side.BUY else price) << 32) | place
    packed.sort()
    place = packed & 0xFFFF_FFFF
    key = packed >> 32
    # Column by column: gathering whole records takes ten times as long.
    quantity, ids, owner = (orders[name][place] for name in ("quantity_lots", "order_id", "owner"))
    return RankedSide(side, place, ~key if side == Side.BUY else key, quantity, ids, owner.astype(np.int64), np.cumsum(quantity))


def make_market(bids: RankedSide, asks: RankedSide) -> Market:
    """Two ranked sides with their depth."""
    levels = make_records(PRICE_LEVEL, len(bids) + len(asks))
    n_levels = gather_levels(bids.price_ticks, bids.quantity_lots, asks.price_ticks, asks.quantity_lots, levels)
    return Market(bids, asks, levels[: int(n_levels)])


def rank_orders(orders: np.ndarray) -> Market:
    """Check and rank. Raises ValueError as `check_orders` does."""
    check_orders(orders)
    return make_market(rank_side(orders, Side.BUY), rank_side(orders, Side.SELL))
