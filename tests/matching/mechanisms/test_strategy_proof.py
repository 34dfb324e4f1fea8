"""Does lying pay? Small markets in which one owner tries every report of a grid: never where the table says so, somewhere where it does not.

An owner values its lots by its true limits, one after the other, and lots beyond them at nothing; it cannot deliver lots it does not have.
"""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.mechanisms import MECHANISMS, Rules, StrategyProof, TieRule
from tests.matching.mechanisms.markets import BUY, SELL, sealed, singles
from tests.matching.mechanisms.naive import Order

PRICES = range(7)
UNDELIVERABLE = 10**6


def utility(mechanism, orders, truth, terms):
    """What the owner of the true orders `truth` gains where `orders` are reported."""
    (owner,) = {order.owner for order in truth}
    side = truth[0].side
    payments = mechanism.clear(sealed(orders), terms).payments_by_owner()
    own = payments[payments["owner"] == owner]
    if not len(own):
        return 0
    lots = int(own["bought_lots"][0] if side == BUY else own["sold_lots"][0])
    values = sorted((order.price for order in truth for _ in range(order.lots)), reverse=side == BUY)
    beyond = [0 if side == BUY else UNDELIVERABLE] * lots
    return (1 - 2 * side) * sum((values + beyond)[:lots]) - int(own["net_tick_lots"][0])


def best_lie(mechanism, orders, owner, reports, terms):
    """The report of `owner` that gains most over the truth, and by how much; (0, None) where none gains."""
    truth = [order for order in orders if order.owner == owner]
    honest = utility(mechanism, orders, truth, terms)
    first = min(place for place, order in enumerate(orders) if order.owner == owner)
    others = [order for order in orders if order.owner != owner]
    gains = [(0, None)]
    for report in reports(truth):
        reported = others[:first] + [Order(truth[0].side, price, lots, owner) for price, lots in report] + others[first:]
        gains.append((utility(mechanism, reported, truth, terms) - honest, report))
    return max(gains, key=lambda pair: pair[0])


def other_prices(truth):
    """One order of the true quantity at any price."""
    return [[(price, truth[0].lots)] for price in PRICES]


def other_lots(truth):
    """Up to three lots, each at any price of a coarser grid."""
    return [[(price, 1) for price in report] for n in range(4) for report in itertools.combinations_with_replacement(range(0, 7, 2), n)]


def other_quantities(truth):
    """One order at the true price, of any quantity up to six."""
    return [[(truth[0].price, lots)] for lots in range(1, 7)]


sides = st.sampled_from([BUY, SELL])
values = st.integers(0, 6)


def owners_with(lots):
    """One order an owner."""
    return st.lists(st.tuples(sides, values, lots), min_size=2, max_size=8).map(lambda rows: [Order(*row, owner) for owner, row in enumerate(rows)])


@st.composite
def owners_on_one_side(draw):
    """Each owner with one or two orders on its side, in any sequence."""
    orders = []
    for owner in range(draw(st.integers(2, 5))):
        side = draw(sides)
        orders += [Order(side, draw(values), draw(st.integers(1, 2)), owner) for _ in range(draw(st.integers(1, 2)))]
    return draw(st.permutations(orders))


DOMAINS = {
    StrategyProof.ONE_LOT: (owners_with(st.just(1)), other_prices),
    StrategyProof.ONE_ORDER: (owners_with(st.integers(1, 4)), other_prices),
    StrategyProof.ONE_SIDE: (owners_on_one_side(), other_lots),
}
terms = st.builds(Rules, tie=st.sampled_from(TieRule), seed=st.integers(0, 50))
CLAIMS = {name: mechanism for name, mechanism in MECHANISMS.items() if mechanism.properties.strategy_proof in DOMAINS}


@pytest.mark.parametrize("name", CLAIMS)
@settings(max_examples=60)
@given(data=st.data(), terms=terms)
def test_no_lie_pays(name, data, terms):
    markets, reports = DOMAINS[CLAIMS[name].properties.strategy_proof]
    orders = data.draw(markets)
    owner = data.draw(st.sampled_from(sorted({order.owner for order in orders})))
    assert best_lie(CLAIMS[name], orders, owner, reports, terms) == (0, None)


# name: mechanism, market, the owner that lies, the reports it tries -> its best lie
LIES = {
    "uniform: bid less where one's bid sets the price": ("uniform", singles([6], [0]), 0, other_prices, (3, [(0, 1)])),
    "pay-as-bid: bid what is just enough": ("pay-as-bid", singles([6], [2]), 0, other_prices, (4, [(2, 1)])),
    "mcafee: one's own second lot sets the price of the first": (
        "mcafee",
        [Order(BUY, 6, 2, 0), Order(SELL, 0, 1, 1), Order(SELL, 1, 1, 2)],
        0,
        other_prices,
        (6, [(0, 2)]),
    ),
    "sbb: one's own second lot sets the price of the first": (
        "sbb",
        [Order(BUY, 6, 2, 0), Order(SELL, 0, 1, 1), Order(SELL, 1, 1, 2)],
        0,
        other_prices,
        (5, [(1, 2)]),
    ),
    "huang: a larger quantity bears the same cut": (
        "huang",
        [Order(BUY, 6, 3, 0), Order(BUY, 6, 3, 1), Order(BUY, 2, 4, 2), Order(SELL, 0, 4, 3), Order(SELL, 1, 9, 4)],
        0,
        other_quantities,
        (4, [(6, 4)]),
    ),
}


@pytest.mark.parametrize(("name", "orders", "owner", "reports", "expected"), LIES.values(), ids=LIES)
def test_lies_that_pay(name, orders, owner, reports, expected):
    assert best_lie(MECHANISMS[name], orders, owner, reports, Rules()) == expected


def test_every_restricted_claim_has_a_lie_outside_its_domain():
    shown = {case[0] for case in LIES.values()}
    restricted = {StrategyProof.NO, StrategyProof.ONE_LOT, StrategyProof.ONE_ORDER}
    assert shown == {name for name, mechanism in MECHANISMS.items() if mechanism.properties.strategy_proof in restricted}
