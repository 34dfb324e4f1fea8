"""What the table claims of each mechanism, on drawn markets; and for every claim that is not made, a market that shows why."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.mechanisms import MECHANISMS, ONE_WAY, Budget, Rationality, Rules, StrategyProof, TieRule
from tests.matching.mechanisms import naive
from tests.matching.mechanisms.markets import BUY, GOLDEN, GRID, SELL, filled, large_markets, markets, rules, sealed, singles
from tests.matching.mechanisms.naive import Order

EVERY = pytest.mark.parametrize("mechanism", [*MECHANISMS.values()], ids=lambda m: m.name)


def one_way_market(orders):
    """The first order as the offer, all others on the other side."""
    return [Order(SELL, *order[1:]) if place == 0 else Order(BUY, *order[1:]) for place, order in enumerate(orders)]


def gains(orders, clearing):
    """Gains from trade at the limits."""
    return sum((1 - 2 * orders[fill["order"]].side) * orders[fill["order"]].price * int(fill["quantity_lots"]) for fill in clearing.fills)


def check_clearing(orders, clearing):
    """What holds for every mechanism: fills are of the orders, lots and money add up."""
    array = sealed(orders)
    fills = clearing.fills
    assert (np.diff(fills["order"]) > 0).all()
    for name in ("order_id", "owner", "side"):
        assert (fills[name] == array[name][fills["order"]]).all()
    assert (fills["quantity_lots"] > 0).all()
    assert (fills["quantity_lots"] <= array["quantity_lots"][fills["order"]]).all()
    buys = fills["side"] == BUY
    lots, amounts = fills["quantity_lots"], fills["amount_tick_lots"]
    assert lots[buys].sum() == clearing.volume_lots + clearing.grid.import_lots
    assert lots[~buys].sum() == clearing.volume_lots + clearing.grid.export_lots
    assert amounts[buys].sum() - amounts[~buys].sum() - clearing.grid.cost_tick_lots == clearing.surplus_tick_lots
    payments = clearing.payments_by_owner()
    assert payments["net_tick_lots"].sum() == clearing.surplus_tick_lots + clearing.grid.cost_tick_lots
    assert payments["bought_lots"].sum() == lots[buys].sum()
    if len(clearing.prices) == 1:
        (price,) = clearing.prices
        for fill in fills:
            unit = price.buy_ticks if fill["side"] == BUY else price.sell_ticks
            assert fill["amount_tick_lots"] == round(unit * int(fill["quantity_lots"]))


def check_rationality(mechanism, orders, clearing, terms):
    for fill in clearing.fills:
        lots, amount = int(fill["quantity_lots"]), int(fill["amount_tick_lots"])
        limit = orders[fill["order"]].price
        if mechanism.properties.rationality is Rationality.GRID:
            limit = terms.grid_buy_ticks if fill["side"] == BUY else terms.grid_sell_ticks
        assert amount <= limit * lots if fill["side"] == BUY else amount >= limit * lots


def check_budget(mechanism, clearing):
    surplus, residual = clearing.surplus_tick_lots, clearing.residual_tick_lots
    if mechanism.properties.budget is Budget.STRONG:
        assert surplus == residual
        assert 2 * abs(residual) <= len(clearing.fills)
    else:
        assert residual == 0
        assert surplus >= 0 if mechanism.properties.budget is Budget.WEAK else surplus <= 0


@EVERY
@settings(max_examples=60)
@given(orders=st.one_of(markets, large_markets), terms=rules)
def test_every_market(mechanism, orders, terms):
    array = sealed(orders)
    before = array.copy()
    clearing = mechanism.clear(array, terms)
    assert (array == before).all()
    check_clearing(orders, clearing)
    check_rationality(mechanism, orders, clearing, terms)
    check_budget(mechanism, clearing)


@settings(max_examples=60)
@given(orders=markets.filter(len).map(one_way_market), terms=rules)
def test_every_one_way_auction(orders, terms):
    clearing = ONE_WAY.clear(sealed(orders), terms)
    check_clearing(orders, clearing)
    check_rationality(ONE_WAY, orders, clearing, terms)
    check_budget(ONE_WAY, clearing)
    assert gains(orders, clearing) == naive.best_gain(orders)


@pytest.mark.parametrize("name", [name for name, mechanism in MECHANISMS.items() if mechanism.properties.efficient])
@settings(max_examples=60)
@given(orders=st.lists(st.builds(Order, st.sampled_from([0, 1]), st.integers(-3, 6), st.integers(1, 2), st.integers(0, 3)), max_size=7), terms=rules)
def test_efficient(name, orders, terms):
    clearing = MECHANISMS[name].clear(sealed(orders), terms)
    assert gains(orders, clearing) == naive.best_gain(orders)
    assert clearing.volume_lots == naive.max_volume(orders)


@settings(max_examples=60)
@given(orders=st.lists(st.builds(Order, st.sampled_from([0, 1]), st.integers(-3, 6), st.integers(1, 2), st.integers(0, 3)), max_size=7), terms=rules)
def test_vcg_gains_are_what_the_others_owe_to_each_owner(orders, terms):
    clearing = MECHANISMS["vcg"].clear(sealed(orders), terms)
    net = {int(row["owner"]): int(row["net_tick_lots"]) for row in clearing.payments_by_owner()}
    everyone = naive.best_gain(orders)
    for owner in {order.owner for order in orders}:
        own = [fill for fill in clearing.fills if fill["owner"] == owner]
        value = sum((1 - 2 * int(fill["side"])) * orders[fill["order"]].price * int(fill["quantity_lots"]) for fill in own)
        assert value - net.get(owner, 0) == everyone - naive.best_gain([order for order in orders if order.owner != owner])


# Claims that are not made, each with a market where they fail.
THIN = singles([10], [5])
APART = singles([3], [7])
INEFFICIENT = {"mcafee": THIN, "sbb": THIN, "huang": THIN, "muda": THIN, "mmr": APART, "sdr": APART, "none": APART}


def test_inefficiency_is_shown_for_every_mechanism_that_does_not_claim_efficiency():
    assert set(INEFFICIENT) == {name for name, mechanism in MECHANISMS.items() if not mechanism.properties.efficient}


@pytest.mark.parametrize(("name", "orders"), INEFFICIENT.items())
def test_not_efficient(name, orders):
    assert gains(orders, MECHANISMS[name].clear(sealed(orders), Rules(**GRID))) != naive.best_gain(orders)


NOT_STRONG = {"pay-as-bid": (GOLDEN, 18_100), "mcafee": (singles([10, 8, 1], [3, 7, 9]), 1), "huang": (GOLDEN, 6_300), "vcg": (GOLDEN, -2_000)}


def test_a_surplus_or_deficit_is_shown_for_every_mechanism_that_does_not_claim_balance():
    assert set(NOT_STRONG) == {name for name, mechanism in MECHANISMS.items() if mechanism.properties.budget is not Budget.STRONG}


@pytest.mark.parametrize(("name", "market"), NOT_STRONG.items())
def test_not_strongly_balanced(name, market):
    orders, surplus = market
    assert MECHANISMS[name].clear(sealed(orders), Rules()).surplus_tick_lots == surplus


@pytest.mark.parametrize("name", [name for name, mechanism in MECHANISMS.items() if mechanism.properties.rationality is Rationality.GRID])
def test_pools_trade_beyond_limits(name):
    orders = singles([3], [70])
    clearing = MECHANISMS[name].clear(sealed(orders), Rules(**GRID))
    assert filled(clearing) == {1: 1, 2: 1}
    assert clearing.fills["amount_tick_lots"][0] > 3
    assert clearing.fills["amount_tick_lots"][1] < 70


@pytest.mark.parametrize("name", [name for name, mechanism in MECHANISMS.items() if mechanism.properties.strategy_proof is StrategyProof.UNREAD])
@settings(max_examples=60)
@given(orders=markets, limits=st.lists(st.integers(-50, 50), min_size=9, max_size=9), terms=rules)
def test_pools_read_no_limits(name, orders, limits, terms):
    others = [order._replace(price=limit) for order, limit in zip(orders, limits, strict=False)]
    first, second = (MECHANISMS[name].clear(sealed(rows), terms) for rows in (orders, others))
    assert (first.fills == second.fills).all()
    assert (first.prices, first.grid) == (second.prices, second.grid)


# Symmetries

MIRRORED = ("uniform", "pay-as-bid", "mcafee", "huang", "vcg")


@pytest.mark.parametrize("name", MIRRORED)
@settings(max_examples=60)
@given(orders=markets, terms=rules)
def test_sides_are_alike(name, orders, terms):
    """Swap the sides and mirror the prices: the same lots trade, for mirrored amounts."""
    swapped = [Order(1 - order.side, -order.price, order.lots, order.owner) for order in orders]
    mirror = Rules(
        k=1 - terms.k, tie=terms.tie, seed=terms.seed, price_rule=terms.price_rule, reference_price_ticks=-(terms.reference_price_ticks or 0)
    )
    first, second = MECHANISMS[name].clear(sealed(orders), terms), MECHANISMS[name].clear(sealed(swapped), mirror)
    assert filled(first) == filled(second)
    assert (first.fills["amount_tick_lots"] == -second.fills["amount_tick_lots"]).all()
    assert first.surplus_tick_lots == second.surplus_tick_lots


@EVERY
@settings(max_examples=60)
@given(orders=markets, terms=rules, data=st.data())
def test_arrival_changes_ties_only(mechanism, orders, terms, data):
    """Volume, prices and surplus do not depend on the sequence; Huang's depend on which of two equal prices is marginal."""
    if mechanism.name == "huang":
        orders = list({(order.side, order.price): order for order in orders}.values())
    ids = data.draw(st.permutations(range(1, len(orders) + 1)))
    first = mechanism.clear(sealed(orders), terms)
    second = mechanism.clear(sealed([orders[number - 1] for number in ids], ids), terms)
    assert (first.volume_lots, first.prices, first.price_set_ticks) == (second.volume_lots, second.prices, second.price_set_ticks)
    if mechanism.name != "vcg":
        assert first.surplus_tick_lots == second.surplus_tick_lots
    if terms.tie == TieRule.LOT and mechanism.name in {"uniform", "pay-as-bid", "mcafee", "vcg"}:
        assert filled(first) == filled(second)


CHANGED = {
    "k": {"k": 0},
    "tie": {"tie": TieRule.LOT},
    "seed": {"seed": 12_345},
    "price_rule": {"price_rule": 1, "reference_price_ticks": 9},
    "reference_price_ticks": {"reference_price_ticks": 9},
    "grid_buy_ticks": {"grid_buy_ticks": 66},
    "grid_sell_ticks": {"grid_sell_ticks": 27},
    "auctioned_side": {"auctioned_side": BUY},
    "reserve_price_ticks": {"reserve_price_ticks": 3},
    "fails_if_undersubscribed": {"fails_if_undersubscribed": True},
}


def test_every_rule_has_a_change():
    assert set(CHANGED) == set(Rules.__slots__)


@EVERY
@settings(max_examples=60)
@given(orders=markets, data=st.data())
def test_rules_that_are_not_read_change_nothing(mechanism, orders, data):
    field = data.draw(st.sampled_from(sorted(set(CHANGED) - set(mechanism.reads))))
    array = sealed(orders)
    first, second = mechanism.clear(array, Rules(**GRID)), mechanism.clear(array, Rules(**(GRID | CHANGED[field])))
    assert (first.fills == second.fills).all()
    assert first.prices == second.prices
