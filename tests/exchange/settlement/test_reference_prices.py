"""Golden prices of the rules (section 3.3), and the reference prices against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.settlement.reference_prices import BuySell, mid_market_columns, mid_market_rate, supply_demand_ratio
from tests.exchange.settlement.mid_market_oracle import mid_market_bill

RETAIL, FEED_IN = 650_000, 280_000  # 0.65 and 0.28 CNY/kWh

energies = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("demand_wh", "generation_wh", "prices"),
    [
        (1000, 1000, BuySell(465_000, 465_000)),
        (1000, 500, BuySell(557_500, 465_000)),  # (0.465 x 500 + 0.65 x 500) / 1000
        (500, 1000, BuySell(465_000, 372_500)),
        (1000, 0, BuySell(650_000, 465_000)),
        (0, 1000, BuySell(465_000, 280_000)),
        (0, 0, BuySell(465_000, 465_000)),
    ],
)
def test_mid_market_rate(demand_wh: int, generation_wh: int, prices: BuySell) -> None:
    assert mid_market_rate(RETAIL, FEED_IN, demand_wh, generation_wh) == prices


@pytest.mark.parametrize(
    ("demand_wh", "generation_wh", "buy_ticks", "sell_ticks"),
    [
        (1000, 500, 5207, 3914),  # golden: s 0.5 -> sell 0.3914, buy 0.5207
        (1000, 1000, 2800, 2800),
        (1000, 2000, 2800, 2800),
        (1000, 0, 6500, 6500),
    ],
)
def test_supply_demand_ratio(demand_wh: int, generation_wh: int, buy_ticks: int, sell_ticks: int) -> None:
    prices = supply_demand_ratio(RETAIL, FEED_IN, demand_wh, generation_wh)
    assert (round(prices.buy_micro / 100), round(prices.sell_micro / 100)) == (buy_ticks, sell_ticks)


@pytest.mark.parametrize(("retail", "feed_in"), [(650_000, 0), (280_000, 650_000), (650_000, -1)])
def test_supply_demand_ratio_needs_ordered_positive_prices(retail: int, feed_in: int) -> None:
    with pytest.raises(ValueError, match="feed-in"):
        supply_demand_ratio(retail, feed_in, 1, 1)


@given(st.integers(1, 10**6), st.integers(0, 10**6), energies, energies)
def test_prices_are_the_exact_ones_rounded_once(feed_in: int, spread: int, demand: int, generation: int) -> None:
    retail = feed_in + spread
    mid = Fraction(retail + feed_in, 2)
    buy, sell = mid, mid
    if generation < demand:
        buy = (mid * generation + retail * (demand - generation)) / demand
    elif generation > demand:
        sell = (mid * demand + feed_in * (generation - demand)) / generation
    assert mid_market_rate(retail, feed_in, demand, generation) == BuySell(round(buy), round(sell))
    if generation < demand:
        s = Fraction(generation, demand)
        sell = Fraction(feed_in * retail) / ((retail - feed_in) * s + feed_in)
        assert supply_demand_ratio(retail, feed_in, demand, generation) == BuySell(round(sell * s + retail * (1 - s)), round(sell))


@given(st.integers(-5000, 20_000), st.integers(0, 10_000), st.lists(st.tuples(energies, energies), min_size=1, max_size=6))
def test_a_pool_pays_the_grid_exactly_and_each_member_its_share(feed_in: int, spread: int, meters: list) -> None:
    retail = feed_in + spread
    withdrawal, injection = [list(column) for column in zip(*meters, strict=True)]
    bill = mid_market_bill(retail, feed_in, withdrawal, injection)
    demand, generation = sum(withdrawal), sum(injection)
    grid_micro = Fraction(retail * max(demand - generation, 0) - feed_in * max(generation - demand, 0), 10)
    assert abs(sum(bill.paid_micro) - sum(bill.received_micro) - grid_micro) <= 1
    for paid, energy in zip(bill.paid_micro, withdrawal, strict=True):
        share = Fraction(sum(bill.paid_micro) * energy, demand) if demand else 0
        assert abs(paid - share) < 1
    for received, energy in zip(bill.received_micro, injection, strict=True):
        assert energy or not received


@given(st.integers(0, 6500), st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_pool_is_never_worse_than_the_grid_alone(feed_in: int, withdrawal: int, injection: int) -> None:
    bill = mid_market_bill(6500, feed_in, [withdrawal, 0], [0, injection])
    assert bill.paid_micro[0] <= Fraction(6500 * withdrawal, 10) + 1
    assert bill.received_micro[1] >= Fraction(feed_in * injection, 10) - 1


periods = st.lists(
    st.tuples(st.integers(-2_000, 12_000), st.integers(-2_000, 12_000), st.lists(st.integers(-(10**7), 10**7), min_size=3, max_size=3)),
    min_size=1, max_size=4,
)  # fmt: skip


@given(periods)
def test_columns_are_the_bills_of_their_periods(rows: list[tuple[int, int, list[int]]]) -> None:
    retail, feed_in = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    net = np.array([row[2] for row in rows], np.int64).T
    withdrawal, injection = np.maximum(net, 0), np.maximum(-net, 0)
    paid, received = mid_market_columns(retail, feed_in, withdrawal, injection)
    for t in range(len(rows)):
        bill = mid_market_bill(int(retail[t]), int(feed_in[t]), withdrawal[:, t].tolist(), injection[:, t].tolist())
        assert paid[:, t].tolist() == bill.paid_micro
        assert received[:, t].tolist() == bill.received_micro
