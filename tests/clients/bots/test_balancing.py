"""Those who trade the gap between forecast and position: never beyond their limit, never beyond their need, never past their position limits."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.bots.actions import Place
from clients.bots.balancing import INTRADAY_NS, Balancing
from clients.bots.catalogue import build_strategy
from clients.bots.market import Quote, Trade
from clients.bots.private import FactoryData, GeneratorData, PowerMember, ZeroIntelligenceData, ZipData
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE
from tests.clients.bots.markets import DAY_NS, GATE_NS, OPENS_NS, contract, forecast, rng, view

KINDS = [FactoryData, GeneratorData, ZeroIntelligenceData, ZipData]


def build(kind: type[PowerMember], need_wh: int, seed: int = 1, **values: object) -> Balancing:
    data = kind(forecast=forecast([need_wh]), min_net_lots=values.pop("low", -30_000), max_net_lots=values.pop("high", 30_000), **values)
    strategy = build_strategy(data, rng(seed), label=3)
    assert isinstance(strategy, Balancing)
    return strategy


def play(strategy: Balancing, market) -> list[Place]:
    strategy.withdrawals(market)
    return [action for action in strategy.on_turn(market) if isinstance(action, Place)]


@pytest.mark.parametrize("kind", KINDS)
@given(
    need_wh=st.integers(-500_000, 500_000),
    net=st.integers(-5000, 5000),
    limits=st.tuples(st.integers(-6000, 0), st.integers(0, 6000)),
    deficit=st.integers(2800, 13_000),
    willingness=st.integers(500_000, 1_000_000),
    premium=st.integers(0, 400),
    cost=st.integers(0, 6000),
    minutes=st.integers(1, 8 * 60),
    quotes=st.one_of(st.none(), st.tuples(st.integers(100, 20_000), st.integers(100, 20_000))),
    trades=st.lists(st.tuples(st.integers(100, 20_000), st.sampled_from(["buy", "sell"])), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_never_beyond_its_limit_its_need_or_its_position_limits(
    kind, need_wh, net, limits, deficit, willingness, premium, cost, minutes, quotes, trades, seed
) -> None:
    c = contract(deficit=deficit)
    low, high = limits
    strategy = build(
        kind, need_wh, seed, low=low, high=high, willingness_ppm=willingness, green_premium_ticks=premium, marginal_cost_ticks=cost
    )
    market = view(
        c.close_ns - minutes * NS_PER_MINUTE,
        c,
        net={c.symbol: net},
        quotes={c.symbol: Quote(min(quotes), 10, max(quotes), 10)} if quotes else {},
        trades={c.symbol: [Trade(price, 5, side) for price, side in trades]},
    )
    placed = play(strategy, market)
    gap = int(need_wh / 100) - net
    for order in placed:
        assert order.label == 3
        assert c.band_low_ticks <= order.price_ticks <= c.band_high_ticks
        assert order.quantity_lots > 0
        if order.side == "buy":
            assert gap > 0
            assert order.price_ticks <= deficit * willingness // 10**6 + premium - c.park_fee_ticks - c.trade_fee_ticks
        else:
            assert gap < 0
            assert order.price_ticks >= max(c.surplus_ticks, cost) + c.trade_fee_ticks
    total = sum(order.quantity_lots for order in placed)
    assert total <= abs(gap)
    if gap > 0:
        assert total <= max(0, high - net)
    else:
        assert total <= max(0, net - low)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_trades_where_there_is_no_gain(kind) -> None:
    """Valley at 0.32 less the park fee is the feed-in price: an honest buyer stays below what an honest seller asks."""
    c = contract(deficit=3200)
    buyer, seller = build(kind, 50_000), build(kind, -50_000)
    bids, asks = [], []
    for minutes in range(470, 0, -5):
        now = c.close_ns - minutes * NS_PER_MINUTE
        bids += [o.price_ticks for o in play(buyer, view(now, c))]
        asks += [o.price_ticks for o in play(seller, view(now, c))]
    assert bids
    assert asks
    assert max(bids) < min(asks)


@pytest.mark.parametrize("kind", [FactoryData, GeneratorData])
def test_prices_give_way_towards_the_gate_up_to_the_limit(kind) -> None:
    c = contract()
    buyer = build(kind, 50_000)
    best = [max(o.price_ticks for o in play(buyer, view(c.close_ns - m * NS_PER_MINUTE, c))) for m in range(470, 0, -5)]
    assert best == sorted(best)
    assert best[0] < c.surplus_ticks + 100
    assert best[-1] > 0.95 * (c.deficit_ticks - c.park_fee_ticks)


@pytest.mark.parametrize("kind", [FactoryData, GeneratorData])
def test_in_a_call_phase_it_names_its_limit(kind) -> None:
    """All trade at one price there; after it prices begin at the other side's best case again."""
    c = dataclasses.replace(contract(), call_end_ns=OPENS_NS + 15 * NS_PER_MINUTE)
    buyer = build(kind, 50_000)
    during, after = (play(buyer, view(now_ns, c)) for now_ns in (c.call_end_ns - 1, c.call_end_ns))
    assert max(o.price_ticks for o in during) == buyer.limit_ticks(c, "buy")
    assert max(o.price_ticks for o in after) < c.surplus_ticks + 500


def test_the_forecast_near_delivery_replaces_the_one_of_the_day_before() -> None:
    c = contract()
    data = FactoryData(forecast=forecast([100_000], [40_000]), min_net_lots=0, max_net_lots=5000)
    strategy = build_strategy(data, rng(), label=1)
    assert isinstance(strategy, Balancing)
    assert strategy.expected_lots(c, c.delivery_start_ns - INTRADAY_NS - 1) == 1000
    assert strategy.expected_lots(c, c.delivery_start_ns - INTRADAY_NS) == 400
    assert strategy.expected_lots(contract(period=7), c.open_ns) == 0, "outside its forecast nothing is expected"


def test_orders_are_withdrawn_before_they_are_given_again() -> None:
    from clients.bots.market import OwnOrder

    c = contract()
    strategy = build(FactoryData, 50_000)
    own = {c.symbol: [OwnOrder(9, "buy", 3000, 100, label=3)]}
    assert [w.symbol for w in strategy.withdrawals(view(c.close_ns - NS_PER_HOUR, c, orders=own))] == [c.symbol]
    assert strategy.withdrawals(view(c.close_ns - NS_PER_HOUR, c, orders={c.symbol: [OwnOrder(9, "buy", 3000, 100, label=4)]})) == []
    # An order of another strategy of the account is quantity that is spoken for.
    spoken_for = view(c.close_ns - NS_PER_HOUR, c, orders={c.symbol: [OwnOrder(9, "buy", 3000, 100, label=4)]})
    assert sum(o.quantity_lots for o in play(strategy, spoken_for)) == 400


def test_nothing_is_sent_to_a_closed_contract() -> None:
    c = contract()
    strategy = build(FactoryData, 50_000)
    for now in (OPENS_NS - 1, c.close_ns, DAY_NS, c.close_ns + GATE_NS):
        assert play(strategy, view(now, c)) == []
    assert play(strategy, view(OPENS_NS, c))


def test_same_seed_same_orders() -> None:
    c = contract()
    runs = [[play(build(ZeroIntelligenceData, 50_000, seed=seed), view(c.close_ns - NS_PER_HOUR, c)) for _ in range(2)] for seed in (1, 2)]
    assert runs[0][0] == runs[0][1]
    assert runs[0][0] != runs[1][0]
