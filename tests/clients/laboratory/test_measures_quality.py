"""Market quality and fairness: tables of cases with figures worked out by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.laboratory.measures.fairness import fairness_measures, gini, jain, saving_shares
from clients.laboratory.measures.quality import price_change_autocorrelation, quality_measures
from clients.laboratory.run.record import TRADE, RunRecord
from matching.records import Side
from tests.clients.laboratory.records import AUCTION, member, quote, record_of, scenario_of, table, trade

THREE = scenario_of(member("F1"), member("F2"), member("S1"))


def market(trades: list[dict[str, int]], quotes: list[dict[str, int]] | None = None) -> RunRecord:
    return record_of(
        THREE, load_kwh=[[10, 10], [10, 10], [0, 0]], generation_kwh=[[0, 0], [0, 0], [16, 16]], trades=trades, quotes=quotes
    )  # fmt: skip


def test_book_figures() -> None:
    quotes = [quote(0, 0, 4000, 5000, 20, 40), quote(0, 1, 4400, 4800, 20, 20), quote(1, 0, 4000, -1), quote(1, 1, -1, -1)]
    figures = quality_measures(market([], quotes))
    assert figures["spread_cny_per_kwh"] == pytest.approx(0.07)
    assert (figures["depth_bid_kwh"], figures["depth_ask_kwh"]) == (1.25, 1.5)
    assert figures["two_sided_percent"] == 50


def test_fill_rate_churn_and_concentration() -> None:
    # F1 buys 10 kWh and F2 6 in the first period; F1 buys 2 from F2 and sells them back.
    trades = [trade(0, 0, 2, 100, 5000), trade(0, 1, 2, 60, 4000), trade(1, 0, 1, 20, 5000), trade(1, 1, 0, 20, 5000)]
    figures = quality_measures(market(trades))
    assert figures["traded_kwh"] == 20
    assert figures["churn"] == pytest.approx(20 / 16)
    assert figures["fill_rate_percent"] == pytest.approx(100 * 32 / 72)
    assert figures["price_mean_cny_per_kwh"] == pytest.approx((10 * 0.5 + 6 * 0.4 + 4 * 0.5) / 20)
    assert figures["hhi_buyers"] == pytest.approx(10_000 * (0.6**2 + 0.4**2))
    assert figures["hhi_sellers"] == pytest.approx(10_000 * (0.8**2 + 2 * 0.1**2))
    assert figures["price_deviation_cny_per_kwh"] == pytest.approx(np.sqrt((14 * 0.03**2 + 6 * 0.07**2) / 20))


def prices(period: int, *ticks: int) -> list[dict[str, int]]:
    return [trade(period, 0, 2, 1, price, stamp_ns=100 * period + place) for place, price in enumerate(ticks)]


AUTOCORRELATION: list[tuple[list[dict[str, int]], float | None]] = [
    (prices(0, 5000, 5010, 5000, 5010), -1.0),
    (prices(0, 5000, 5010, 5020), 1.0),
    (prices(0, 5000, 5010, 5010), None),  # no change to go with the first
    (prices(0, 5000, 5010) + prices(1, 5020, 5030), None),  # from book to book is no change
    ([prices(0, 5000, 5010, 5020)[place] for place in (1, 0, 2)], 1.0),  # by time, not by place
    (prices(0, 5000, 5010, 5000) + prices(1, 5000, 5010, 5020), 0.0),
    ([], None),
]


@pytest.mark.parametrize(("trades", "expected"), AUTOCORRELATION)
def test_autocorrelation_of_price_changes(trades: list[dict[str, int]], expected: float | None) -> None:
    assert price_change_autocorrelation(table(trades, TRADE)) == expected


def test_price_change_is_within_books() -> None:
    assert quality_measures(market(prices(0, 5000, 5030) + prices(1, 4000, 4040)))["price_change_cny_per_kwh"] == pytest.approx(
        np.sqrt((0.003**2 + 0.004**2) / 2)
    )


IMPACT: list[tuple[list[dict[str, int]], float | None]] = [
    # 10 kWh bought move the middle up by 0.01, 5 kWh sold down by 0.005: 1 CNY/kWh a MWh.
    ([trade(0, 0, 2, 100, 5000, round=1), trade(0, 0, 2, 50, 5000, round=2, taker_side=Side.SELL)], 1.0),
    ([trade(0, 0, 2, 100, 5000, round=1, taker_side=AUCTION)], None),
    ([trade(1, 0, 2, 100, 5000, round=0)], None),  # from the last quote of one book to the first of the next
    ([trade(0, 0, 2, 100, 5000, round=0)], None),  # before the first quote
]


@pytest.mark.parametrize(("trades", "expected"), IMPACT)
def test_price_impact(trades: list[dict[str, int]], expected: float | None) -> None:
    quotes = [quote(0, 2, 5000, 5100), quote(0, 0, 4900, 5100), quote(0, 1, 5000, 5200), quote(1, 0, 4000, 4200)]
    figures = quality_measures(market(trades, quotes))
    assert figures["price_impact_cny_per_kwh_per_mwh"] == (None if expected is None else pytest.approx(expected))


def test_a_market_without_trades_has_none_and_never_nan() -> None:
    figures = quality_measures(market([]))
    undefined = {key for key, value in figures.items() if value is None}
    assert {"churn", "hhi_buyers", "spread_cny_per_kwh", "price_mean_cny_per_kwh"} <= undefined
    assert not any(isinstance(value, float) and np.isnan(value) for value in figures.values())


FAIRNESS: list[tuple[list[float], float | None, float | None]] = [
    ([0.1, 0.1, 0.1], 0.0, 1.0),
    ([0.0, 0.0, 0.3], 2 / 3, 1 / 3),
    ([0.1, 0.3], 0.25, 0.8),
    ([0.1, -0.01], None, None),
    ([0.0, 0.0], None, None),
    ([], None, None),
]


@pytest.mark.parametrize(("shares", "expected_gini", "expected_jain"), FAIRNESS)
def test_gini_and_jain(shares: list[float], expected_gini: float | None, expected_jain: float | None) -> None:
    for found, expected in ((gini(np.array(shares)), expected_gini), (jain(np.array(shares)), expected_jain)):
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=8))
def test_gini_is_the_mean_difference_of_all_pairs(shares: list[float]) -> None:
    pairs = [abs(x - y) for x in shares for y in shares]
    assert gini(np.array(shares)) == pytest.approx(np.mean(pairs) / (2 * np.mean(shares)), abs=1e-9)


def test_shares_are_of_the_size_of_the_pool_bill() -> None:
    shares = saving_shares(np.array([10, 10, 5]), np.array([100, -200, 0]))
    assert shares.tolist() == [0.1, 0.05]


@pytest.mark.parametrize(("price", "losing"), [(4650, 0), (6400, 1)])
def test_a_loser_makes_fairness_undefined(price: int, losing: int) -> None:
    record = record_of(
        scenario_of(member("F1"), member("S1")), load_kwh=[[10], [0]], generation_kwh=[[0], [10]], trades=[trade(0, 0, 1, 100, price)],
        bill_pool_micro=[[4_700_000], [-4_600_000]],
    )  # fmt: skip
    figures: dict[str, Any] = fairness_measures(record)
    assert figures["fairness_participants"] == 2
    assert (figures["gini"] is None) == (figures["jain"] is None) == bool(losing)
