"""The market maker: two-sided, within its limit, never in green certificates, flat at the gate whenever anybody trades with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.bots.actions import Place
from clients.bots.market import Contract, Quote
from clients.bots.market_maker import FLATTEN_NS, MarketMaker
from clients.bots.private import Activity, MarketMakerData
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE
from tests.clients.bots.markets import contract, rng, view

TURN_NS = 5 * NS_PER_MINUTE


def maker(**terms: object) -> MarketMaker:
    values = {"max_inventory_lots": 400, "clip_lots": 100, "half_spread_ticks": 50, "activity": Activity(near=2, far=0, levels=2)} | terms
    return MarketMaker(MarketMakerData(**values), rng(), label=1)


def play(strategy: MarketMaker, market) -> list[Place]:
    strategy.withdrawals(market)
    return [action for action in strategy.on_turn(market) if isinstance(action, Place)]


def deep(c: Contract, lots: int = 1000) -> dict[str, Quote]:
    return {c.symbol: Quote(4000, lots, 5000, lots, 4500)}


def test_quotes_both_sides_of_a_fair_price() -> None:
    c = contract()
    placed = play(maker(), view(c.close_ns - 5 * NS_PER_HOUR, c, quotes=deep(c)))
    bids = [o.price_ticks for o in placed if o.side == "buy"]
    asks = [o.price_ticks for o in placed if o.side == "sell"]
    assert len(bids) == len(asks) == 2
    assert max(bids) < min(asks)
    assert 4000 < max(bids) < 4500 < min(asks) < 5000
    assert sum(o.quantity_lots for o in placed if o.side == "buy") == 100


def test_inventory_leans_the_quotes() -> None:
    c = contract()
    now = c.close_ns - 5 * NS_PER_HOUR
    flat, long = (play(maker(), view(now, c, quotes=deep(c), net={c.symbol: net})) for net in (0, 200))
    assert max(o.price_ticks for o in long if o.side == "buy") < max(o.price_ticks for o in flat if o.side == "buy")
    assert min(o.price_ticks for o in long if o.side == "sell") < min(o.price_ticks for o in flat if o.side == "sell")


def test_takes_on_only_what_others_would_take_off_it() -> None:
    c = contract()
    now = c.close_ns - 5 * NS_PER_HOUR
    assert play(maker(), view(now, c)) == []
    only_bids = {c.symbol: Quote(4000, 60, None, 0, None)}
    assert {o.side for o in play(maker(), view(now, c, quotes=only_bids))} == {"buy"}
    assert sum(o.quantity_lots for o in play(maker(), view(now, c, quotes=only_bids))) == 60
    # A bid that is its own is nobody's interest.
    from clients.bots.market import OwnOrder

    own = {c.symbol: [OwnOrder(1, "buy", 4000, 60, label=1)]}
    assert play(maker(), view(now, c, quotes=only_bids, orders=own)) == []


def test_leaves_contracts_alone_in_which_nobody_can_gain() -> None:
    c = contract(deficit=3200)
    assert play(maker(), view(c.close_ns - 5 * NS_PER_HOUR, c, quotes={c.symbol: Quote(2800, 100, 2900, 100, 2850)})) == []


@given(net=st.integers(-400, 400), clip=st.integers(1, 1000), minutes=st.integers(1, 600), lots=st.integers(0, 3000))
def test_never_beyond_its_inventory_limit(net, clip, minutes, lots) -> None:
    c = contract()
    placed = play(maker(clip_lots=clip), view(c.close_ns - minutes * NS_PER_MINUTE, c, quotes=deep(c, lots), net={c.symbol: net}))
    for side, sign in (("buy", 1), ("sell", -1)):
        after = net + sign * sum(o.quantity_lots for o in placed if o.side == side)
        assert abs(after) <= max(400, abs(net))


@given(
    net=st.integers(-400, 400),
    fills=st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=90, max_size=90),
    seed=st.integers(0, 2**32),
)
def test_flat_at_the_gate_whatever_was_filled_before(net, fills, seed) -> None:
    """Others take any part of its orders at any time, and at the end of the last turn before the gate what the band's edge offers."""
    c = contract()
    strategy = maker()
    position = net
    now = c.close_ns - 90 * TURN_NS
    for take_bids, percent in fills:
        placed = play(strategy, view(now, c, quotes=deep(c), net={c.symbol: position}))
        last = now + TURN_NS >= c.close_ns
        for order in placed:
            taken = order.quantity_lots * percent // 100 if order.side == ("buy" if take_bids else "sell") else 0
            if last and order.price_ticks in {c.band_low_ticks, c.band_high_ticks}:
                taken = order.quantity_lots
            position += taken if order.side == "buy" else -taken
        now += TURN_NS
    assert now == c.close_ns
    assert position == 0


@pytest.mark.parametrize("net", [0, 7, -7])
def test_near_the_gate_it_only_closes(net) -> None:
    c = contract()
    placed = play(maker(), view(c.close_ns - FLATTEN_NS, c, quotes=deep(c), net={c.symbol: net}))
    assert sum(o.quantity_lots if o.side == "buy" else -o.quantity_lots for o in placed) == -net
    assert len(placed) <= 1


def unit(symbol: str, kind: str) -> Contract:
    return Contract(symbol, kind, 2, 0, 100, 9000, 1000, 0, 0, 0, 0, 0, 0, 2)


def test_units_within_holdings_and_never_green_certificates() -> None:
    cea, gec = unit("CEA25", "cea"), unit("GEC-202605-PV", "gec")
    strategy = maker(
        power=False,
        unit_reference_ticks={"CEA25": 6200, "GEC-202605-PV": 551},
        unit_clip_lots=50,
        unit_max_inventory_lots=120,
        unit_half_spread_ticks=40,
    )
    both = frozenset({"CEA25", "GEC-202605-PV"})
    placed = play(strategy, view(0, cea, gec, net={"CEA25": 100}, sellable_lots={"CEA25": 30}, open_units=both))
    assert {o.symbol for o in placed} == {"CEA25"}
    assert sum(o.quantity_lots for o in placed if o.side == "buy") == 20
    assert sum(o.quantity_lots for o in placed if o.side == "sell") == 30
    assert play(strategy, view(0, cea, gec, net={"CEA25": 100}, sellable_lots={"CEA25": 30})) == [], "outside its session nothing is quoted"
