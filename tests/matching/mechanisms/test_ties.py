"""Who trades when not all can: tables of ties, lot numbers that never change, splits that sum exactly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.mechanisms import MECHANISMS, Rules, TieRule
from matching.mechanisms.muda import half_price, split
from matching.mechanisms.ranking import rank_orders, rank_side
from matching.mechanisms.rationing import Draw, lot_numbers, share, share_burden
from matching.records import QUANTITY_LOTS_MAX, Side
from tests.matching.mechanisms.markets import BUY, SELL, filled, markets, sealed
from tests.matching.mechanisms.naive import Order, competitive_set, max_volume

TIME, PRO_RATA, LOT = TieRule


def bids_at(*lots, price=10):
    return [Order(BUY, price, quantity, owner) for owner, quantity in enumerate(lots)]


def ask(lots):
    return [Order(SELL, 1, lots, 99)]


# name: bids, lots asked, rule -> lots by id of the bids
TIES = {
    "time: earlier first": (bids_at(3, 1, 2), 4, TIME, {1: 3, 2: 1}),
    "time: the last in part": (bids_at(3, 1, 2), 5, TIME, {1: 3, 2: 1, 3: 1}),
    "time: a better price goes before an earlier order": (bids_at(3) + bids_at(3, price=11), 4, TIME, {1: 1, 2: 3}),
    "pro rata: exact shares": (bids_at(1500, 1000), 1500, PRO_RATA, {1: 900, 2: 600}),
    "pro rata: the largest remainder": (bids_at(3, 1, 2), 4, PRO_RATA, {1: 2, 2: 1, 3: 1}),
    "pro rata: equal remainders to the earlier": (bids_at(1, 1, 1), 2, PRO_RATA, {1: 1, 2: 1}),
    "pro rata: a better price trades in full": (bids_at(2, 2) + bids_at(3, price=11), 5, PRO_RATA, {1: 1, 2: 1, 3: 3}),
    "pro rata: nothing is short": (bids_at(3, 1), 9, PRO_RATA, {1: 3, 2: 1}),
    "pro rata: products beyond int64": (bids_at(*[QUANTITY_LOTS_MAX] * 3), 4_000_000_001, PRO_RATA, {1: 1333333334, 2: 1333333334, 3: 1333333333}),
    "lot: nothing is short": (bids_at(3, 1), 9, LOT, {1: 3, 2: 1}),
}


@pytest.mark.parametrize(("bids", "asked", "tie", "expected"), TIES.values(), ids=TIES)
def test_ties(bids, asked, tie, expected):
    clearing = MECHANISMS["uniform"].clear(sealed(bids + ask(asked)), Rules(tie=tie))
    assert {key: lots for key, lots in filled(clearing).items() if key <= len(bids)} == expected


def test_lots_follow_the_seed_and_are_fair():
    array = sealed(bids_at(1, 1, 1) + ask(1))
    winners = [next(iter(filled(MECHANISMS["uniform"].clear(array, Rules(tie=LOT, seed=seed))))) for seed in range(600)]
    assert winners == [next(iter(filled(MECHANISMS["uniform"].clear(array, Rules(tie=LOT, seed=seed))))) for seed in range(600)]
    assert all(150 <= winners.count(number) <= 250 for number in (1, 2, 3))  # four standard deviations around 200


def test_an_order_that_is_drawn_trades_whole_before_the_next():
    lots = [filled(MECHANISMS["uniform"].clear(sealed(bids_at(3, 3, 3) + ask(4)), Rules(tie=LOT, seed=seed))) for seed in range(60)]
    assert {tuple(sorted(found[key] for key in found if key <= 3)) for found in lots} == {(1, 3)}
    assert len({tuple(found.items()) for found in lots}) == 6


def splitmix64(state):
    """One output of the published generator, in Python integers."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
    return state ^ (state >> 31)


GAMMA = 0x9E3779B97F4A7C15


@given(st.integers(0, 2**64 - 1), st.sampled_from(Draw), st.integers(-(2**63), 2**63 - 1))
def test_lot_numbers_are_the_same_everywhere(seed, draw, number):
    expected = splitmix64(splitmix64((seed + draw * GAMMA) % 2**64) ^ splitmix64(number * GAMMA % 2**64))
    assert int(lot_numbers(seed, draw, np.array([number]))[0]) == expected


def test_lot_numbers_of_one_seed_for_good():
    """A journal or a paper may rest on these: they never change."""
    assert [int(number) % 1000 for number in lot_numbers(7, Draw.TIE, np.arange(6))] == [625, 988, 752, 199, 669, 739]


@given(st.lists(st.integers(1, QUANTITY_LOTS_MAX), min_size=1, max_size=12), st.data())
def test_shares_sum_and_none_is_a_lot_off(weights, data):
    whole = data.draw(st.integers(0, sum(weights)))
    parts = share(whole, np.array(weights)).tolist()
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1
        assert 0 <= part <= weight


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_equal_cuts(quantities, data):
    """Against cutting a lot from every order that still has one, again and again, the last round from the latest."""
    lots = data.draw(st.integers(0, sum(quantities)))
    expected = list(quantities)
    while (excess := sum(expected) - lots) > 0:
        active = [place for place, rest in enumerate(expected) if rest]
        for place in active[-excess:]:
            expected[place] -= 1
    assert share_burden(rank_side(sealed(bids_at(*quantities)), Side.BUY), lots, Rules()).tolist() == expected


def test_uneven_cuts_by_lot():
    side = rank_side(sealed(bids_at(3, 3, 3)), Side.BUY)
    found = {tuple(share_burden(side, 8, Rules(tie=LOT, seed=seed)).tolist()) for seed in range(40)}
    assert found == {(2, 3, 3), (3, 2, 3), (3, 3, 2)}
    assert share_burden(side, 8, Rules()).tolist() == [3, 3, 2]


# MUDA


@given(markets, st.integers(0, 1000))
def test_muda_trades_each_half_at_the_price_of_the_other(orders, seed):
    array = sealed(orders)
    halves = split(rank_orders(array), seed)
    members = [sorted([*half.bids.place.tolist(), *half.asks.place.tolist()]) for half in halves]
    assert sorted(members[0] + members[1]) == list(range(len(orders)))
    assert not {orders[place].owner for place in members[0]} & {orders[place].owner for place in members[1]}
    rows = [[orders[place] for place in places] for places in members]
    prices = [half_price(half, Fraction(1, 2)) for half in halves]
    lots = {int(fill["order"]): int(fill["quantity_lots"]) for fill in MECHANISMS["muda"].clear(array, Rules(seed=seed)).fills}
    for own, places, price, other in zip(rows, members, reversed(prices), reversed(rows), strict=True):
        if {order.side for order in other} < {0, 1}:
            assert price is None
            assert not lots.keys() & set(places)
            continue
        if max_volume(other):
            allowed = competitive_set(other)
            assert price == round(Fraction(allowed[0] + allowed[-1], 2))
        demand = sum(order.lots for order in own if order.side == 0 and order.price >= price)
        supply = sum(order.lots for order in own if order.side == 1 and order.price <= price)
        assert sum(lots.get(place, 0) for place in places if orders[place].side == 0) == min(demand, supply)
        assert sum(lots.get(place, 0) for place in places if orders[place].side == 1) == min(demand, supply)


def test_muda_halves_are_even_and_its_queue_is_drawn():
    orders = [Order(BUY, 9, 1, owner) for owner in range(1000)] + [Order(SELL, 1, 1, 2000 + owner) for owner in range(200)]
    left, right = split(rank_orders(sealed(orders)), 3)
    assert abs(len(left.bids) - len(right.bids)) <= 130
    served = [set(filled(MECHANISMS["muda"].clear(sealed(orders), Rules(seed=seed)))) & set(range(1, 1001)) for seed in range(2)]
    assert [len(found) for found in served] == [200, 200]
    assert len(served[0] & served[1]) < 100
