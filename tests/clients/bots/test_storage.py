"""The storage operator: its orders hold in the worst case, it buys low and sells high, it schedules what it has traded."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.bots.actions import Place, Schedule
from clients.bots.battery import Battery, Exposure, worst_case_holds
from clients.bots.dispatch import best_dispatch
from clients.bots.market import OwnOrder, Quote
from clients.bots.private import Activity, StorageData
from clients.bots.storage import Storage
from exchange.units import NS_PER_HOUR, PERIOD_NS
from tests.clients.bots.markets import DAY_NS, GATE_NS, contract, rng, view

BATTERY = Battery(soc_min_wh=500_000, soc_max_wh=10_000_000, power_w=5_000_000, charge_ppm=938_083, discharge_ppm=938_083)


def storage(soc_wh: int = 4_000_000, **activity: int) -> Storage:
    data = StorageData(
        first_period_ns=DAY_NS,
        soc_wh=soc_wh,
        soc_min_wh=BATTERY.soc_min_wh,
        soc_max_wh=BATTERY.soc_max_wh,
        power_w=BATTERY.power_w,
        charge_efficiency_ppm=BATTERY.charge_ppm,
        discharge_efficiency_ppm=BATTERY.discharge_ppm,
        cycle_cost_ticks=200,
        activity=Activity(**({"near": 96, "far": 0, "levels": 2} | activity)),
    )
    return Storage(data, rng(), label=1)


def placed(strategy: Storage, market) -> list[Place]:
    strategy.withdrawals(market)
    return [action for action in strategy.on_turn(market) if isinstance(action, Place)]


def day(cheap: range, dear: range):
    """Contracts of a day; prices as quotes."""
    contracts = [contract(period=i, deficit=12_000) for i in range(96)]
    quotes = {}
    for i, c in enumerate(contracts):
        price = 3_000 if i in cheap else 11_000 if i in dear else 6_000
        quotes[c.symbol] = Quote(price - 50, 10_000, price + 50, 10_000, price)
    return contracts, quotes


def test_buys_low_and_sells_high() -> None:
    contracts, quotes = day(cheap=range(40, 56), dear=range(80, 92))
    strategy = storage(soc_wh=BATTERY.soc_min_wh)
    now = contracts[20].close_ns - GATE_NS
    bids = placed(strategy, view(now, *contracts, quotes=quotes))
    assert {o.side for o in bids} == {"buy"}, "empty, it has nothing to sell before it has bought"
    assert {int(o.symbol[3:]) for o in bids} <= set(range(40, 56))
    bought = {o.symbol: 0 for o in bids}
    for order in bids:
        bought[order.symbol] += order.quantity_lots
    asks = [o for o in placed(strategy, view(now, *contracts, quotes=quotes, net=bought)) if o.side == "sell"]
    assert asks
    assert {int(o.symbol[3:]) for o in asks} <= set(range(80, 92))
    assert max(o.price_ticks for o in bids) < min(o.price_ticks for o in asks)


@settings(max_examples=25)
@given(
    soc_wh=st.integers(BATTERY.soc_min_wh, BATTERY.soc_max_wh),
    prices=st.lists(st.integers(2_800, 12_000), min_size=12, max_size=12),
    fills=st.lists(st.integers(0, 100), min_size=400, max_size=400),
)
def test_whatever_fills_the_worst_case_of_its_orders_holds(soc_wh, prices, fills) -> None:
    """Random fills of its orders over twelve periods; after every turn the worst case of position and open orders is within range and rating."""
    contracts = [contract(period=i, deficit=12_000) for i in range(12)]
    quotes = {c.symbol: Quote(p - 50, 9_000, p + 50, 9_000, p) for c, p in zip(contracts, prices, strict=True)}
    strategy = storage(soc_wh)
    net: dict[str, int] = {}
    soc = soc_wh
    fill = iter(fills)
    for turn in range(36):
        now = DAY_NS - NS_PER_HOUR // 4 + turn * PERIOD_NS // 3
        market = view(now, *contracts, net=net, quotes=quotes)
        strategy.withdrawals(market)
        actions = strategy.on_turn(market)
        for schedule in (a for a in actions if isinstance(a, Schedule)):
            assert schedule.injection_wh == -net.get(schedule.symbol, 0) * 100
            soc = min(max(BATTERY.after(soc, -schedule.injection_wh), BATTERY.soc_min_wh), BATTERY.soc_max_wh)
        orders = [a for a in actions if isinstance(a, Place)]
        left = [c for c in contracts if c.close_ns > now]
        exposed = [
            Exposure(
                net.get(c.symbol, 0) * 100,
                sum(o.quantity_lots for o in orders if o.symbol == c.symbol and o.side == "buy") * 100,
                sum(o.quantity_lots for o in orders if o.symbol == c.symbol and o.side == "sell") * 100,
            )
            for c in left
        ]
        assert worst_case_holds(BATTERY, soc, exposed)
        for order in orders:
            filled = order.quantity_lots * next(fill, 0) // 100
            net[order.symbol] = net.get(order.symbol, 0) + (filled if order.side == "buy" else -filled)


def test_open_orders_count_in_the_worst_case() -> None:
    contracts, quotes = day(cheap=range(40, 56), dear=range(80, 92))
    # All it could sell is already on offer under another label.
    spoken = {contracts[i].symbol: [OwnOrder(i, "sell", 11_000, 12_400, label=2)] for i in (85, 86)}
    strategy = storage()
    market = view(contracts[20].close_ns - GATE_NS, *contracts, quotes=quotes, orders=spoken)
    strategy.withdrawals(market)
    sells = sum(o.quantity_lots for o in strategy.on_turn(market) if isinstance(o, Place) and o.side == "sell")
    exposures = [Exposure(0, 0, 1_240_000 if i in {85, 86} else 0) for i in range(96)]
    if worst_case_holds(BATTERY, 4_000_000, exposures):
        assert sells * 100 / 0.938083 <= 4_000_000 - 500_000 - 2 * 1_240_000 / 0.938083 + 1000
    else:
        assert sells == 0


def test_each_closed_period_is_scheduled_once_in_order() -> None:
    contracts = [contract(period=i) for i in range(4)]
    strategy = storage(near=1)
    net = {contracts[0].symbol: -50, contracts[1].symbol: 30}
    found = []
    for turn in range(12):
        now = contracts[0].close_ns - GATE_NS + turn * PERIOD_NS // 3
        market = view(now, *contracts, net=net)
        strategy.withdrawals(market)
        found += [a for a in strategy.on_turn(market) if isinstance(a, Schedule)]
    assert [s.symbol for s in found] == [c.symbol for c in contracts]
    assert [s.injection_wh for s in found] == [5_000, -3_000, 0, 0]


def test_dispatch_prefers_the_cheapest_and_the_dearest_hours_and_comes_back() -> None:
    prices = np.full(96, 6_000.0)
    prices[10:14] = 2_000
    prices[70:74] = 12_000
    plan = best_dispatch(BATTERY, 4_000_000, 4_000_000, prices, prices, shortfall_ticks=12_000)
    assert (plan.bought_wh[10:14] > 0).all()
    assert (plan.bought_wh[70:74] < 0).all()
    soc = 4_000_000.0
    for energy in plan.bought_wh:
        soc += energy * 0.938083 if energy > 0 else energy / 0.938083
        assert BATTERY.soc_min_wh - 1_000 <= soc <= BATTERY.soc_max_wh + 1_000
    assert soc >= 3_700_000


def test_dispatch_stands_still_when_the_spread_does_not_pay_the_losses() -> None:
    prices = np.full(96, 6_000.0)
    prices[50:] = 6_500
    plan = best_dispatch(BATTERY, 4_000_000, 4_000_000, prices, prices, shortfall_ticks=12_000)
    assert (plan.bought_wh[:50] == 0).all()
