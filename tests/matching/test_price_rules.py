"""The price of an auction from its depth: tables of the rules, and the oracle that tries every tick."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.compile import kernel
from matching.core import MatchingCore
from matching.price_rules import PRICE_LEVEL, PRICE_TICKS_MAX, PRICE_TICKS_MIN, PriceRule, auction_price, depth_at, k_price
from matching.records import K_ONE, BookPhase, EntryKind
from matching.reference import ReferenceEntry
from matching.state import make_records
from tests.matching.books import to_array
from tests.matching.mechanisms import naive
from tests.matching.mechanisms.markets import GOLDEN, fractions, markets, prices
from tests.matching.mechanisms.naive import Order


def depth(orders):
    """PRICE_LEVEL of orders, ascending."""
    by_price = sorted({order.price for order in orders})
    levels = make_records(PRICE_LEVEL, len(by_price))
    for place, price in enumerate(by_price):
        levels[place]["price_ticks"] = price
        levels[place]["bid_lots"] = sum(order.lots for order in orders if order.price == price and order.side == 0)
        levels[place]["ask_lots"] = sum(order.lots for order in orders if order.price == price and order.side == 1)
    return levels


def by_k(orders, k=Fraction(1, 2)):
    levels = depth(orders)
    return auction_price(levels, len(levels), PriceRule.K, k.numerator, k.denominator, 0)


def by_reference(orders, reference):
    levels = depth(orders)
    return auction_price(levels, len(levels), PriceRule.REFERENCE, 1, 2, reference)


def book(bids, asks):
    return [Order(0, price, lots, 0) for price, lots in bids] + [Order(1, price, lots, 0) for price, lots in asks]


# name: bids, asks -> volume, low, high, price with k = 1/2, surplus there
K_CASES = {
    "golden": (GOLDEN, (1000, 50, 52, 51, 0)),
    "bounded by the accepted orders": (book([(9, 1)], [(4, 1)]), (1, 4, 9, 6, 0)),
    "half a tick goes to the even one below": (book([(5, 1)], [(4, 1)]), (1, 4, 5, 4, 0)),
    "half a tick goes to the even one above": (book([(6, 1)], [(5, 1)]), (1, 5, 6, 6, 0)),
    "negative half a tick": (book([(-5, 1)], [(-6, 1)]), (1, -6, -5, -6, 0)),
    "a bid left over in part holds the price up": (book([(9, 5)], [(4, 2)]), (2, 9, 9, 9, 3)),
    "an ask left over in part holds the price down": (book([(9, 2)], [(4, 5)]), (2, 4, 4, 4, -3)),
    "bid and ask at one price trade": (book([(7, 3)], [(7, 3)]), (3, 7, 7, 7, 0)),
    "rejected orders bound the price": (book([(9, 1), (6, 1)], [(2, 1), (8, 1)]), (1, 6, 8, 7, 0)),
    "ends of the price range": (book([(PRICE_TICKS_MAX, 1)], [(PRICE_TICKS_MIN, 1)]), (1, PRICE_TICKS_MIN, PRICE_TICKS_MAX, 0, 0)),
}


@pytest.mark.parametrize(("orders", "expected"), K_CASES.values(), ids=K_CASES)
def test_k_rule(orders, expected):
    assert by_k(orders) == expected


# name: book, reference -> volume, low, high, price, surplus
REFERENCE_CASES = {
    "largest volume first": (book([(10, 5), (8, 5)], [(8, 9)]), 100, (9, 8, 8, 8, 1)),
    "then the least surplus": (book([(10, 5), (8, 2)], [(8, 5)]), 0, (5, 9, 10, 9, 0)),
    "only bids left over: the highest": (book([(10, 5)], [(6, 2)]), 0, (2, 6, 10, 10, 3)),
    "only asks left over: the lowest": (book([(10, 2)], [(6, 5)]), 99, (2, 6, 10, 6, -3)),
    "both left over alike: the nearest to the reference": (book([(10, 2), (8, 2)], [(8, 2), (6, 1)]), 100, (3, 8, 8, 8, 1)),
    "reference inside": (GOLDEN, 51, (1000, 51, 51, 51, 0)),
    "reference below": (book([(10, 5)], [(4, 5)]), 1, (5, 4, 10, 4, 0)),
    "reference between": (book([(10, 5)], [(4, 5)]), 7, (5, 4, 10, 7, 0)),
    "reference above": (book([(10, 5)], [(4, 5)]), 70, (5, 4, 10, 10, 0)),
    "surplus of bids below and of asks above": (book([(10, 3), (8, 2)], [(8, 1), (6, 3)]), 8, (4, 8, 8, 8, 1)),
    "ticks between levels count": (book([(10, 1), (4, 9)], [(2, 1), (12, 9)]), 6, (1, 5, 10, 6, 0)),
}


@pytest.mark.parametrize(("orders", "reference", "expected"), REFERENCE_CASES.values(), ids=REFERENCE_CASES)
def test_reference_rule(orders, reference, expected):
    assert by_reference(orders, reference) == expected


@pytest.mark.parametrize("orders", [[], book([(5, 1)], []), book([], [(5, 1)]), book([(4, 1)], [(5, 1)])])
@pytest.mark.parametrize("rule", PriceRule)
def test_nothing_trades(orders, rule):
    levels = depth(orders)
    assert auction_price(levels, len(levels), rule, 1, 2, 0)[0] == 0


def test_without_trade_the_interval_lies_between_the_best_orders():
    assert by_k(book([(4, 1)], [(9, 1)]))[:3] == (0, 4, 9)
    assert by_k(book([(4, 1)], []))[:3] == (0, 4, PRICE_TICKS_MAX)
    assert by_k(book([], [(9, 1)]))[:3] == (0, PRICE_TICKS_MIN, 9)


@given(markets, fractions)
def test_k_rule_against_the_oracle(orders, k):
    volume, low, high, price, surplus = by_k(orders, k)
    assert volume == naive.max_volume(orders)
    if volume:
        allowed = naive.competitive_set(orders)
        assert list(range(low, high + 1)) == allowed
        assert price == round(low + k * (high - low))
        demand, supply = naive.volume_at(orders, price)
        assert surplus == demand - supply


@given(markets, st.integers(-6, 11))
def test_reference_rule_against_the_oracle(orders, reference):
    volume, _, _, price, surplus = by_reference(orders, reference)
    assert volume == naive.max_volume(orders)
    if volume:
        assert price == naive.reference_price(orders, reference)
        demand, supply = naive.volume_at(orders, price)
        assert surplus == demand - supply


@given(st.integers(PRICE_TICKS_MIN, PRICE_TICKS_MAX), st.integers(PRICE_TICKS_MIN, PRICE_TICKS_MAX), st.integers(0, 2**30))
def test_k_price_is_exact_over_the_whole_range(first, second, numerator):
    low, high = min(first, second), max(first, second)
    assert k_price(low, high, numerator, 2**30) == round(low + Fraction(numerator, 2**30) * (high - low))


@kernel
def ask_from_a_kernel(levels):
    return auction_price(levels, levels.shape[0], PriceRule.REFERENCE, 1, 2, 6)


def test_another_kernel_can_ask():
    assert ask_from_a_kernel(depth(book([(10, 5)], [(4, 5)]))) == (5, 4, 10, 6, 0)


@given(markets, prices)
def test_depth(orders, price):
    levels = depth(orders)
    assert depth_at(levels, len(levels), price) == naive.volume_at(orders, price)


def test_levels_behind_the_count_are_not_read():
    levels = depth(book([(10, 5)], [(4, 5), (3, 100)]))
    assert auction_price(levels, 2, PriceRule.K, 1, 2, 0)[0] == 0


def gathered(orders):
    """A book of the core in which the orders wait for an auction."""
    core = MatchingCore()
    book_number = core.open_book()
    entries = [ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.AUCTION)]
    entries += [
        ReferenceEntry(EntryKind.PLACE, number, 0, number, order.side, order.price, order.lots) for number, order in enumerate(orders, start=1)
    ]
    core.submit(to_array(entries))
    return core, book_number


@given(markets, prices, st.sampled_from([0, 1, 333_333, 500_000, 999_999, 1_000_000]))
def test_a_book_of_the_core_comes_to_the_same_price(orders, reference, k_ppm):
    """The auction of a book walks its ladder, this one its depth: two ways to one price, by both rules."""
    core, number = gathered(orders)
    levels = depth(orders)
    volume, _, _, price, _ = auction_price(levels, len(levels), PriceRule.K, k_ppm, K_ONE, 0)
    assert core.indicative(number, reference, k_ppm) == ((price, volume) if volume else (reference, 0))
    volume, _, _, price, _ = auction_price(levels, len(levels), PriceRule.REFERENCE, 1, 2, reference)
    assert core.indicative(number, reference) == ((price, volume) if volume else (reference, 0))
