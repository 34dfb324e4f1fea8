"""Markets for the tests: from rows to arrays, and strategies that draw them."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from matching.mechanisms import SEALED_ORDER, PriceRule, Rules, TieRule
from matching.records import Side
from tests.matching.mechanisms.naive import Order

BUY, SELL = Side.BUY, Side.SELL
GRID = {"grid_buy_ticks": 65, "grid_sell_ticks": 28}

# The market of the golden test: bids and asks of five each, 1,000 lots, prices 50 to 52.
GOLDEN = [
    *(Order(BUY, price, lots, owner) for owner, (price, lots) in enumerate([(62, 400), (58, 300), (55, 300), (50, 500), (44, 400)])),
    *(Order(SELL, price, lots, owner) for owner, (price, lots) in enumerate([(36, 300), (40, 400), (46, 300), (52, 400), (60, 500)], start=5)),
]


def sealed(orders, ids=None):
    """SEALED_ORDER of rows; ids count from 1 unless given."""
    array = np.zeros(len(orders), SEALED_ORDER)
    for place, order in enumerate(orders):
        array[place] = (place + 1 if ids is None else ids[place], order.lots, order.price, order.owner, order.side)
    return array


def singles(bids, asks):
    """One lot each, an owner each; bids first."""
    rows = [(BUY, price) for price in bids] + [(SELL, price) for price in asks]
    return [Order(side, price, 1, owner) for owner, (side, price) in enumerate(rows)]


def filled(clearing):
    """Lots by order id."""
    return {int(fill["order_id"]): int(fill["quantity_lots"]) for fill in clearing.fills}


def amounts(clearing):
    """Amounts by order id."""
    return {int(fill["order_id"]): int(fill["amount_tick_lots"]) for fill in clearing.fills}


prices = st.integers(-4, 9)
markets = st.lists(st.builds(Order, st.sampled_from([0, 1]), prices, st.integers(1, 3), st.integers(0, 4)), max_size=9)
large_markets = st.lists(st.builds(Order, st.sampled_from([0, 1]), st.integers(-1000, 1000), st.integers(1, 10**6), st.integers(0, 9)), max_size=30)
fractions = st.integers(1, 12).flatmap(lambda d: st.integers(0, d).map(lambda n: Fraction(n, d)))
rules = st.builds(
    Rules,
    k=fractions,
    tie=st.sampled_from(TieRule),
    seed=st.integers(0, 2**64 - 1),
    price_rule=st.sampled_from(PriceRule),
    reference_price_ticks=prices,
    grid_buy_ticks=st.just(65),
    grid_sell_ticks=st.integers(0, 65),
)
