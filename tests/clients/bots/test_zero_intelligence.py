"""Gode and Sunder 1993: uniform prices between the market's edge and the private value."""

import numpy as np

from clients.bots.private import Activity, ZeroIntelligenceData
from clients.bots.zero_intelligence import ZeroIntelligence
from exchange.units import NS_PER_HOUR
from tests.clients.bots.markets import contract, forecast, rng, view


def prices(need_wh: int) -> np.ndarray:
    c = contract(deficit=6500, low=100, high=20_000)
    data = ZeroIntelligenceData(forecast=forecast([need_wh]), min_net_lots=-9999, max_net_lots=9999, activity=Activity(near=1, far=0, levels=1))
    strategy = ZeroIntelligence(data, rng(7))
    found = []
    for _ in range(2000):
        market = view(c.close_ns - NS_PER_HOUR, c)
        strategy.withdrawals(market)
        found += [order.price_ticks for order in strategy.on_turn(market)]
    return np.array(found)


def test_a_buyer_bids_uniformly_from_the_lowest_price_to_its_value() -> None:
    bids = prices(50_000)
    assert bids.min() >= 100
    assert bids.max() <= 6080
    assert abs(bids.mean() - (100 + 6080) / 2) < 100
    assert np.histogram(bids, bins=5, range=(100, 6081))[0].min() > 300


def test_a_seller_asks_uniformly_from_its_cost_to_the_highest_price() -> None:
    asks = prices(-50_000)
    assert asks.min() >= 2820
    assert asks.max() <= 20_000
    assert abs(asks.mean() - (2820 + 20_000) / 2) < 300
    assert np.histogram(asks, bins=5, range=(2820, 20_001))[0].min() > 300
