"""Worked examples, one a row: from the rules this project implements, or by hand from the papers."""

from fractions import Fraction

import pytest

from matching.mechanisms import MECHANISMS, ONE_WAY, GridTrade, PriceRule, Rules, TieRule, UnitPrices
from matching.mechanisms.mid_market import mid_market_prices
from matching.mechanisms.supply_demand import supply_demand_prices
from tests.matching.mechanisms.markets import BUY, GOLDEN, GRID, SELL, amounts, filled, sealed, singles
from tests.matching.mechanisms.naive import Order


def clear(name, orders, **rules):
    return MECHANISMS[name].clear(sealed(orders), Rules(**rules))


def at(buy, sell=None):
    return (UnitPrices(Fraction(buy), Fraction(buy if sell is None else sell)),)


def test_uniform_golden_market():
    clearing = clear("uniform", GOLDEN)
    assert (clearing.volume_lots, clearing.price_set_ticks, clearing.prices) == (1000, (50, 52), at(51))
    assert filled(clearing) == {1: 400, 2: 300, 3: 300, 6: 300, 7: 400, 8: 300}


def test_story_of_the_quarter_hour_auction():
    """The golden market in the units of power: ticks of 0.0001 CNY/kWh and lots of 0.1 kWh. Buyers pay and sellers get 510.00 CNY."""
    orders = [Order(side, price * 100, lots * 10, owner) for side, price, lots, owner in GOLDEN]
    clearing = clear("uniform", orders)
    paid = clearing.fills["amount_tick_lots"][clearing.fills["side"] == BUY].sum()
    assert (clearing.volume_lots, paid * 10, clearing.surplus_tick_lots) == (10_000, 510_000_000, 0)  # a tick x lot is 10 micro-CNY
    unfilled = set(range(1, 11)) - set(filled(clearing))
    assert unfilled == {4, 5, 9, 10}


@pytest.mark.parametrize(("k", "price"), [(Fraction(0), 50), (Fraction(1, 4), 50), (Fraction(3, 4), 52), (Fraction(1), 52), (Fraction(2, 5), 51)])
def test_uniform_k(k, price):
    assert clear("uniform", GOLDEN, k=k).prices == at(price)


def test_uniform_by_reference():
    orders = singles([10, 9], [3, 4])
    assert clear("uniform", orders, price_rule=PriceRule.REFERENCE, reference_price_ticks=8).prices == at(8)
    assert clear("uniform", orders).prices == at(6)


# name: mechanism, orders -> prices, lots by id, surplus
EXAMPLES = {
    "pay-as-bid keeps the spread": ("pay-as-bid", singles([10, 8], [3, 9]), (), {1: 1, 3: 1}, 7),
    "mcafee at the price between the rejected": ("mcafee", singles([10, 8, 5], [2, 4, 7]), at(6), {1: 1, 2: 1, 4: 1, 5: 1}, 0),
    "mcafee rounds half a tick to the even": ("mcafee", singles([10, 8, 4], [2, 4, 7]), at(6), {1: 1, 2: 1, 4: 1, 5: 1}, 0),
    "mcafee gives up the last trade": ("mcafee", singles([10, 8, 1], [3, 7, 9]), at(8, 7), {1: 1, 4: 1}, 1),
    "mcafee without a rejected lot": ("mcafee", singles([10, 8], [3, 7]), at(8, 7), {1: 1, 3: 1}, 1),
    "mcafee gives up one lot of a large order": ("mcafee", [Order(BUY, 9, 5, 0), Order(SELL, 4, 5, 1)], at(9, 4), {1: 4, 2: 4}, 20),
    "sbb at the first rejected ask": ("sbb", singles([10, 8, 5], [2, 4, 7]), at(7), {1: 1, 2: 1, 4: 1, 5: 1}, 0),
    "huang on the golden market": ("huang", GOLDEN, at(55, 46), {1: 400, 2: 300, 6: 300, 7: 400}, 6300),
    "huang cuts bids by equal quantities": (
        "huang",
        [Order(BUY, 10, 5, 0), Order(BUY, 9, 3, 1), Order(BUY, 8, 4, 2), Order(SELL, 1, 3, 3), Order(SELL, 2, 3, 4), Order(SELL, 3, 6, 5)],
        at(8, 3),
        {1: 4, 2: 2, 4: 3, 5: 3},
        30,
    ),
    "huang cuts none below zero": (
        "huang",
        [Order(BUY, 10, 5, 0), Order(BUY, 9, 1, 1), Order(BUY, 8, 4, 2), Order(SELL, 1, 2, 3), Order(SELL, 3, 8, 5)],
        at(8, 3),
        {1: 2, 4: 2},
        10,
    ),
    "huang cuts the odd lot from the latest": (
        "huang",
        [Order(SELL, 2, 3, 0), Order(SELL, 1, 3, 1), Order(SELL, 4, 9, 2), Order(BUY, 9, 5, 3), Order(BUY, 8, 9, 4)],
        at(8, 4),
        {1: 3, 2: 2, 4: 5},
        20,
    ),
    "vcg pays both sides their externality": ("vcg", singles([10, 6], [3, 8]), (), {1: 1, 3: 1}, -2),
    "muda needs both sides in a half": ("muda", singles([10], [3]), (), {}, 0),
    "nothing crosses": ("uniform", singles([3], [4]), (), {}, 0),
}


@pytest.mark.parametrize(("name", "orders", "prices", "lots", "surplus"), EXAMPLES.values(), ids=EXAMPLES)
def test_examples(name, orders, prices, lots, surplus):
    clearing = clear(name, orders)
    assert (clearing.prices, filled(clearing), clearing.surplus_tick_lots) == (prices, lots, surplus)


def test_sbb_draws_the_seller_that_leaves():
    orders = singles([10, 8, 1], [2, 4, 9])
    clearings = [clear("sbb", orders, seed=seed) for seed in range(200)]
    assert {clearing.prices for clearing in clearings} == {at(8)}
    first = sum(filled(clearing) == {1: 1, 4: 1} for clearing in clearings)
    second = sum(filled(clearing) == {1: 1, 5: 1} for clearing in clearings)
    assert first + second == 200
    assert 70 <= first <= 130


def test_sbb_no_ask_moves_the_draw():
    """Who leaves is drawn by arrival: a seller cannot get out of it by another ask."""
    for seed in range(30):
        assert filled(clear("sbb", singles([10, 8], [2, 4]), seed=seed)) == filled(clear("sbb", singles([10, 8], [4, 2]), seed=seed))


def test_sbb_draws_lots_with_the_same_chance():
    orders = [Order(BUY, 8, 4, 0), Order(SELL, 1, 3, 1), Order(SELL, 2, 1, 2)]
    small_leaves = sum(3 not in filled(clear("sbb", orders, seed=seed)) for seed in range(400))
    assert 65 <= small_leaves <= 135  # a quarter of 400, four standard deviations either way


def test_vcg_payments_of_the_golden_market():
    """Each buyer's lots displace 300 at 50 and the rest at the asks below; only then do rejected lots come in."""
    clearing = clear("vcg", GOLDEN)
    assert amounts(clearing) == {1: 20_000, 2: 15_000, 3: 15_000, 6: 15_600, 7: 20_800, 8: 15_600}


# lots bought and sold -> exact prices of buyers and sellers; grid 0.65 and 0.28 CNY/kWh in ticks of 0.0001
MID_MARKET = {
    (100, 100): (4650, 4650),
    (100, 50): (5575, 4650),
    (50, 100): (4650, 3725),
    (100, 0): (6500, 4650),
    (0, 100): (4650, 2800),
    (0, 0): (4650, 4650),
    (3, 1): (Fraction(17650, 3), 4650),
}


@pytest.mark.parametrize(("lots", "expected"), MID_MARKET.items())
def test_mid_market_rate(lots, expected):
    assert mid_market_prices(*lots, 6500, 2800) == UnitPrices(*(Fraction(price) for price in expected))


SUPPLY_DEMAND = {
    (100, 50): (5207, 3914),
    (100, 0): (6500, 6500),
    (100, 100): (2800, 2800),
    (100, 200): (2800, 2800),
    (0, 5): (2800, 2800),
}


@pytest.mark.parametrize(("lots", "expected"), SUPPLY_DEMAND.items())
def test_supply_demand_ratio(lots, expected):
    prices = supply_demand_prices(*lots, 6500, 2800)
    assert (round(prices.buy_ticks), round(prices.sell_ticks)) == expected


def test_supply_demand_ratio_at_a_worthless_feed_in():
    assert supply_demand_prices(2, 1, 10, 0) == UnitPrices(Fraction(5), Fraction(0))
    assert supply_demand_prices(2, 1, 0, 0) == UnitPrices(Fraction(0), Fraction(0))
    with pytest.raises(ValueError, match="not negative"):
        supply_demand_prices(2, 1, 10, -1)


def test_pool_rounds_each_order_half_even_once_and_reports_the_residual():
    orders = [Order(BUY, 0, 1, 0), Order(BUY, 0, 3, 1), Order(SELL, 0, 4, 2)]
    clearing = clear("mmr", orders, grid_buy_ticks=6, grid_sell_ticks=5)  # 5.5 a lot
    assert amounts(clearing) == {1: 6, 2: 16, 3: 22}  # 5.5 -> 6, 16.5 -> 16
    assert (clearing.surplus_tick_lots, clearing.residual_tick_lots) == (0, 0)
    clearing = clear("mmr", [Order(BUY, 0, 1, 0), Order(BUY, 0, 1, 1), Order(SELL, 0, 2, 2)], grid_buy_ticks=6, grid_sell_ticks=5)
    assert (clearing.surplus_tick_lots, clearing.residual_tick_lots) == (1, 1)


def test_pool_and_grid():
    orders = [Order(BUY, 0, 100, 0), Order(SELL, 0, 60, 1)]
    for name, grid in {"mmr": GridTrade(40, 0, 40 * 65), "sdr": GridTrade(40, 0, 40 * 65), "none": GridTrade(100, 60, 6500 - 1680)}.items():
        clearing = clear(name, orders, **GRID)
        assert (name, clearing.grid, clearing.volume_lots) == (name, grid, 100 - grid.import_lots)


def test_story_of_the_one_way_auction():
    orders = [Order(SELL, 68, 5000, 9)] + [
        Order(BUY, p, q, i) for i, (p, q) in enumerate([(75, 2000), (72, 1500), (70, 1500), (70, 1000), (66, 2000)])
    ]
    clearing = ONE_WAY.clear(sealed(orders), Rules(tie=TieRule.PRO_RATA))
    assert clearing.prices == at(70)
    assert filled(clearing) == {1: 5000, 2: 2000, 3: 1500, 4: 900, 5: 600}
    assert amounts(clearing)[1] == 350_000


SELLER = Order(SELL, 5, 10, 9)
# name: the offer, the bids, rules -> price, lots by id
ONE_WAY_CASES = {
    "bids below the reserve do not count": (SELLER, [(7, 4), (4, 9)], {}, 7, {1: 4, 2: 4}),
    "the stricter reserve binds": (SELLER, [(9, 4), (7, 9)], {"reserve_price_ticks": 8}, 9, {1: 4, 2: 4}),
    "a looser reserve does not": (SELLER, [(6, 20)], {"reserve_price_ticks": 1}, 6, {1: 10, 2: 10}),
    "undersubscribed and failed": (SELLER, [(7, 9)], {"fails_if_undersubscribed": True}, None, {}),
    "exactly subscribed": (SELLER, [(7, 10)], {"fails_if_undersubscribed": True}, 7, {1: 10, 2: 10}),
    "no bids": (SELLER, [], {}, None, {}),
    "a buyer takes the cheapest": (Order(BUY, 9, 10, 9), [(7, 6), (10, 9), (8, 6)], {"auctioned_side": BUY}, 8, {1: 10, 2: 6, 4: 4}),
    "a buyer's reserve": (Order(BUY, 9, 10, 9), [(7, 6), (8, 6)], {"auctioned_side": BUY, "reserve_price_ticks": 7}, 7, {1: 6, 2: 6}),
    "ties by time": (SELLER, [(7, 6), (7, 6)], {}, 7, {1: 10, 2: 6, 3: 4}),
}


@pytest.mark.parametrize(("offer", "bids", "rules", "price", "lots"), ONE_WAY_CASES.values(), ids=ONE_WAY_CASES)
def test_one_way(offer, bids, rules, price, lots):
    orders = [offer] + [Order(1 - offer.side, *bid, owner) for owner, bid in enumerate(bids)]
    clearing = ONE_WAY.clear(sealed(orders), Rules(**rules))
    assert filled(clearing) == lots
    assert clearing.prices == (() if price is None else at(price))
    assert clearing.surplus_tick_lots == 0


@pytest.mark.parametrize("orders", [[], singles([5], []), singles([5], [1, 2])])
def test_one_way_needs_one_offer(orders):
    with pytest.raises(ValueError, match="exactly one"):
        ONE_WAY.clear(sealed(orders), Rules())


def test_payments_by_owner():
    orders = [Order(BUY, 9, 2, 7), Order(BUY, 8, 1, 7), Order(SELL, 4, 2, 3), Order(SELL, 5, 1, 7)]
    payments = clear("pay-as-bid", orders).payments_by_owner()
    assert payments[["owner", "bought_lots", "sold_lots", "net_tick_lots"]].tolist() == [(3, 0, 2, -8), (7, 3, 1, 21)]


@pytest.mark.parametrize("mechanism", [*MECHANISMS.values()], ids=lambda m: m.name)
def test_an_empty_market(mechanism):
    clearing = mechanism.clear(sealed([]), Rules(**GRID))
    assert (len(clearing.fills), clearing.prices, clearing.volume_lots, clearing.surplus_tick_lots) == (0, (), 0, 0)
    assert len(clearing.payments_by_owner()) == 0
