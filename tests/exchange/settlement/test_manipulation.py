"""Wash pairs, splitting an account and selling what is not there never pay, under any imbalance rule.

A manipulator is a set of accounts. Its profit is what the day brings all of them, trades, imbalance and refunds together. Trades with others are at
prices between the surplus and the deficit price: who pays more than retail gives money away, to whom is no question of a settlement rule.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput, DayRules, ImbalanceRule
from tests.exchange.settlement.worlds import Trade, make_day, total_of

RULES = [
    DayRules(1, ImbalanceRule.DUAL),
    DayRules(1, ImbalanceRule.DUAL, 73_000),
    DayRules(1, ImbalanceRule.SINGLE),
    DayRules(1, ImbalanceRule.POOL),
]
EVERY_RULE = pytest.mark.parametrize("rules", RULES, ids=lambda rules: f"{rules.imbalance} {rules.alpha_ppm}")


def park(draw: st.DrawFn, n: int) -> dict[str, Any]:
    """Meters of n accounts in one period, at two prices; the park fee is left out, it is no part of imbalance."""
    energy = st.lists(st.integers(0, 500).map(lambda kwh: [100 * kwh]), min_size=n, max_size=n)
    low = draw(st.integers(-20, 60)) * 100
    return {
        "consumption_wh": draw(energy), "generation_wh": draw(energy), "surplus_ticks": low, "deficit_ticks": low + draw(st.integers(0, 60)) * 100,
        "losses_wh": [100 * draw(st.integers(0, 20))], "fee_lot_micro": 0,
    }  # fmt: skip


def honest_trades(draw: st.DrawFn, world: dict[str, Any], rows: list[int]) -> list[Trade]:
    """Trades among `rows` at prices between the two, of which no account sells more than it generates or buys more than it uses."""
    low, high = world["surplus_ticks"], world["deficit_ticks"]
    left = [generation[0] - consumption[0] for generation, consumption in zip(world["generation_wh"], world["consumption_wh"], strict=True)]
    trades = []
    for _ in range(draw(st.integers(0, 4))):
        seller, buyer = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
        lots = min(max(left[seller], 0), max(-left[buyer], 0)) // 100
        if seller != buyer and lots:
            lots = draw(st.integers(1, lots))
            left[seller] -= 100 * lots
            left[buyer] += 100 * lots
            trades.append(Trade(seller, buyer, 0, lots, draw(st.integers(low, high))))
    return trades


def profit(world: dict[str, Any], trades: list[Trade], rules: DayRules, rows: list[int]) -> int:
    return total_of(settle_day(replace(make_day(**world, trades=trades), rules=rules)), rows)


def slack(world: dict[str, Any]) -> int:
    """Rounding: a micro-CNY a line, and in the pool one Wh of the spread for each of the accounts on both sides."""
    n = len(world["consumption_wh"])
    return 3 * n + 2 * n * ((world["deficit_ticks"] - world["surplus_ticks"]) // 10)


@EVERY_RULE
@settings(max_examples=40)
@given(st.data())
def test_a_wash_pair_never_pays(rules: DayRules, data: st.DataObject) -> None:
    """Two accounts that need no trade with each other sell to each other, at any price: both are short or idle, or both are long or idle."""
    world = park(data.draw, 4)
    side = data.draw(st.sampled_from(["consumption_wh", "generation_wh"]))
    for row in (0, 1):
        world[side][row] = [0]
    others = honest_trades(data.draw, world, [2, 3])
    wash = Trade(0, 1, 0, data.draw(st.integers(1, 600)), data.draw(st.integers(0, 15_000)))
    before = profit(world, others, rules, [0, 1])
    assert profit(world, [*others, wash], rules, [0, 1]) <= before + slack(world)
    assert profit(world, [*others, wash, Trade(1, 0, 0, wash.lots, 15_000 - wash.price_ticks)], rules, [0, 1]) <= before + slack(world)


@EVERY_RULE
@settings(max_examples=40)
@given(st.data())
def test_an_account_gains_nothing_as_two(rules: DayRules, data: st.DataObject) -> None:
    """Its meter and its trades are divided between two accounts in any way: together they have what it had alone, or less."""
    world = park(data.draw, 3)
    trades = honest_trades(data.draw, world, [0, 1, 2])
    parts = {name: data.draw(st.integers(0, world[name][0][0] // 100)) * 100 for name in ("consumption_wh", "generation_wh")}
    split = {**world}
    for name, part in parts.items():
        split[name] = [[world[name][0][0] - part], *world[name][1:], [part]]
    moved = []
    for trade in trades:
        own = 3 if data.draw(st.booleans()) else 0
        moved.append(trade._replace(seller=trade.seller or own, buyer=trade.buyer or own))
    assert profit(split, moved, rules, [0, 3]) <= profit(world, trades, rules, [0]) + slack(split)


@EVERY_RULE
@settings(max_examples=40)
@given(st.data())
def test_selling_what_is_not_generated_never_pays(rules: DayRules, data: st.DataObject) -> None:
    """Row 0 sells more than its meter generates, at any price up to the deficit price, to a buyer whose meter takes it; alone or with accomplices."""
    world = park(data.draw, 4)
    available, more = world["generation_wh"][0][0] // 100, data.draw(st.integers(1, 300))
    # It has sold all it generates, and the buyer needs more.
    world["consumption_wh"][0], world["consumption_wh"][3] = [0], [world["generation_wh"][3][0] + 100 * (available + more)]
    low, high = world["surplus_ticks"], world["deficit_ticks"]
    others = honest_trades(data.draw, world, [1, 2])
    base = [*others, *([Trade(0, 3, 0, available, data.draw(st.integers(low, high)))] if available else [])]
    over = Trade(0, 3, 0, data.draw(st.integers(1, more)), data.draw(st.integers(low, high)))
    gang = data.draw(st.sampled_from([[0], [0, 1], [0, 1, 2]]))
    assert profit(world, [*base, over], rules, gang) <= profit(world, base, rules, gang) + slack(world)


@EVERY_RULE
def test_the_rules_tell_an_honest_day_from_a_manipulated_one(rules: DayRules) -> None:
    """The properties above could hold because nothing ever changes: here manipulation costs money."""
    day: DayInput = replace(make_day([[0], [0], [90_000]], [[10_000], [20_000], [0]]), rules=rules)
    washed = replace(make_day([[0], [0], [90_000]], [[10_000], [20_000], [0]], [Trade(0, 1, 0, 150, 4000)]), rules=rules)
    assert total_of(settle_day(washed), [0, 1]) < total_of(settle_day(day), [0, 1])
    assert np.array_equal(day.injection_wh, washed.injection_wh)
