"""The three imbalance rules: golden numbers, an oracle in fractions that shares no code, and balance on any day."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ledger.chart import House
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput, DayRules, ImbalanceRule
from exchange.settlement.imbalance import settle_imbalance
from exchange.settlement.lines import LineItem
from tests.exchange.settlement.worlds import Trade, days, make_day, post_all, report

KWH = 1_000
RULES = st.builds(DayRules, version=st.just(1), imbalance=st.sampled_from([ImbalanceRule.SINGLE, ImbalanceRule.POOL])) | st.builds(
    DayRules, version=st.just(1), imbalance=st.just(ImbalanceRule.DUAL), alpha_ppm=st.integers(0, 100_000) | st.just(50_000)
)


def lines(day: DayInput, rule: str, alpha_ppm: int = 0) -> list[tuple[int, int]]:
    """(deficit, surplus) of every account, micro-CNY."""
    ruled = replace(day, rules=DayRules(1, ImbalanceRule(rule), alpha_ppm))
    return [(s.amount_micro(LineItem.DEFICIT), s.amount_micro(LineItem.SURPLUS)) for s in report(settle_day(ruled)).statements]


@pytest.mark.parametrize(
    ("rule", "alpha_ppm", "expected"),
    [
        # 10 kWh short and 6 kWh long at 0.65 and 0.28.
        ("dual", 0, [(-6_500_000, 0), (0, 1_680_000)]),
        ("dual", 100_000, [(-7_150_000, 0), (0, 1_512_000)]),
        ("single", 0, [(-6_500_000, 0), (0, 3_900_000)]),  # the park imports: everybody at retail
        ("pool", 0, [(-2_790_000 - 2_600_000, 0), (0, 2_790_000)]),  # 6 kWh meet at 0.465, the other 4 at retail
    ],
)
def test_a_short_park(rule: str, alpha_ppm: int, expected: list[tuple[int, int]]) -> None:
    assert lines(make_day([[10 * KWH], [0]], [[0], [6 * KWH]]), rule, alpha_ppm) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("single", [(-1_680_000, 0), (0, 2_800_000)]),  # the park exports: everybody at feed-in
        ("pool", [(-2_790_000, 0), (0, 2_790_000 + 1_120_000)]),
    ],
)
def test_a_long_park(rule: str, expected: list[tuple[int, int]]) -> None:
    assert lines(make_day([[6 * KWH], [0]], [[0], [10 * KWH]]), rule) == expected


@pytest.mark.parametrize("rule", ["single", "pool"])
def test_what_is_sold_without_generation_pays_retail_whatever_the_park_does(rule: str) -> None:
    """5 kWh sold of 3 generated in a park that exports 20: 2 x 0.65 for the seller; its buyer used what it bought."""
    day = make_day([[0], [5 * KWH], [0]], [[3 * KWH], [0], [22 * KWH]], [Trade(0, 1, 0, 50, 4000)])
    assert lines(day, rule)[0] == (-1_300_000, 0)


@pytest.mark.parametrize("rule", ["single", "pool"])
def test_what_is_bought_without_use_gets_feed_in_whatever_the_park_does(rule: str) -> None:
    """5 kWh bought, 3 used, in a park that imports 20: 2 x 0.28."""
    day = make_day([[0], [3 * KWH], [22 * KWH]], [[5 * KWH], [0], [0]], [Trade(0, 1, 0, 50, 4000)])
    assert lines(day, rule)[1] == (0, 560_000)


def test_alpha_widens_prices_below_zero_too() -> None:
    """At -0.01 and -0.02 with a = 10 %: being short earns 0.009, being long costs 0.022."""
    day = make_day([[10 * KWH], [0]], [[0], [6 * KWH]], deficit_ticks=-100, surplus_ticks=-200)
    assert lines(day, "dual", 100_000) == [(90_000, 0), (0, -132_000)]


def oracle(day: DayInput) -> tuple[list[Fraction], list[Fraction], Fraction, Fraction]:
    """(deficit, surplus) by account, what is returned and what is kept, in exact micro-CNY."""
    n, periods = day.net_lots.shape
    costs, values = [Fraction(0)] * n, [Fraction(0)] * n
    returned = kept = Fraction(0)
    for t in range(periods):
        p_high, p_low = Fraction(int(day.deficit_price_ticks[t]), 10), Fraction(int(day.surplus_price_ticks[t]), 10)
        short, long, paper_short, paper_long = [], [], [], []
        for i in range(n):
            sold = -100 * (int(day.net_lots[i, t]) + int(day.contract_lots[i, t]))
            made, used = int(day.readings.generation_wh[i, t]), int(day.readings.consumption_wh[i, t])
            gap = made - used - sold
            short.append(max(-gap, 0))
            long.append(max(gap, 0))
            paper_short.append(max(sold - made, 0))
            paper_long.append(max(-sold - used, 0))
        importing = int(day.readings.grid_import_wh[t]) > int(day.readings.grid_export_wh[t])
        if day.rules.imbalance is ImbalanceRule.DUAL:
            a = Fraction(day.rules.alpha_ppm, 10**6)
            pay, get = p_high + a * abs(p_high), p_low - a * abs(p_low)
            cost, value = [wh * pay for wh in short], [wh * get for wh in long]
        elif day.rules.imbalance is ImbalanceRule.SINGLE:
            p = p_high if importing else p_low
            cost = [(wh - u) * p + u * p_high for wh, u in zip(short, paper_short, strict=True)]
            value = [(wh - v) * p + v * p_low for wh, v in zip(long, paper_long, strict=True)]
        else:
            met, mid = Fraction(min(sum(short), sum(long))), (p_high + p_low) / 2
            in_pool_short = [met * (wh - u) / sum(short) if sum(short) else Fraction(0) for wh, u in zip(short, paper_short, strict=True)]
            in_pool_long = [met * (wh - v) / sum(long) if sum(long) else Fraction(0) for wh, v in zip(long, paper_long, strict=True)]
            cost = [m * mid + (wh - m) * p_high for wh, m in zip(short, in_pool_short, strict=True)]
            value = [m * mid + (wh - m) * p_low for wh, m in zip(long, in_pool_long, strict=True)]
        net_import = int(day.readings.grid_import_wh[t]) - int(day.readings.grid_export_wh[t])
        grid = p_high * max(net_import, 0) - p_low * max(-net_import, 0)
        losses = loss_cost(day, t, sum(long) - sum(short), p_high, p_low)
        fund = sum(cost) - sum(value) + losses - grid
        if day.rules.imbalance is ImbalanceRule.DUAL:
            returned += fund
        else:
            kept += fund
        costs = [total + c for total, c in zip(costs, cost, strict=True)]
        values = [total + v for total, v in zip(values, value, strict=True)]
    return costs, values, returned, kept


def loss_cost(day: DayInput, t: int, over: int, p_high: Fraction, p_low: Fraction) -> Fraction:
    """Losses are served by what members leave over, at the low price, the rest by import. Where there is one price, it is that."""
    losses = int(day.readings.losses_wh[t])
    if day.rules.imbalance is ImbalanceRule.SINGLE:
        return losses * (p_high if day.readings.grid_import_wh[t] > day.readings.grid_export_wh[t] else p_low)
    spare = min(losses, max(over, 0))
    return spare * p_low + (losses - spare) * p_high


@settings(max_examples=40)
@given(days(), RULES)
def test_lines_and_funds_are_those_of_the_oracle(day: DayInput, rules: DayRules) -> None:
    """To half a micro-CNY a line; where the pool's shares are whole Wh, to the spread of one Wh more."""
    ruled = replace(day, rules=rules)
    found = settle_imbalance(ruled)
    costs, values, returned, kept = oracle(ruled)
    room = Fraction(1, 2)
    if rules.imbalance is ImbalanceRule.POOL:
        room += sum(Fraction(int(spread), 20) for spread in day.deficit_price_ticks - day.surplus_price_ticks)
    for row in range(len(day.accounts)):
        assert abs(-int(found.deficit[row]) - costs[row]) <= room
        assert abs(int(found.surplus[row]) - values[row]) <= room
    assert abs(found.park.fund_micro - returned) <= Fraction(1, 2)
    assert abs(found.park.paper_micro - kept) <= 2 * len(day.accounts) * room


@settings(max_examples=40)
@given(days(), RULES)
def test_clearing_and_the_fund_end_at_zero_under_every_rule(day: DayInput, rules: DayRules) -> None:
    result = settle_day(replace(day, rules=rules))
    balances = post_all(day, result)
    assert balances[House.CLEARING] == balances[House.NETTING_FUND] == 0
    settlement = report(result)
    assert min(settlement.netting_fund_micro, settlement.paper_micro) >= 0
    assert abs(settlement.rounding_micro) <= len(day.accounts) + 3
    assert settlement.rounding_micro == balances[House.ROUNDING]


def test_prices_beyond_int64_products_are_exact() -> None:
    day = make_day([[10**9] * 4, [0] * 4], [[0] * 4, [4 * 10**8] * 4], deficit_ticks=10**8, surplus_ticks=10**7)
    for rule in ImbalanceRule:
        ruled = replace(day, rules=DayRules(1, rule))
        costs, values, _, _ = oracle(ruled)
        found = settle_imbalance(ruled)
        assert (-found.deficit == [int(cost) for cost in costs]).all()
        assert (found.surplus == np.array([int(value) for value in values])).all()
