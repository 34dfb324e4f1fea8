"""Later runs over a settled day: the differences alone are posted, and together with the first run they are a run over the right readings."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.settlement.day import settle_day
from exchange.settlement.day_input import DayInput, DayRules, ImbalanceRule
from exchange.settlement.lines import LineItem
from exchange.settlement.statement import day_settlement
from tests.exchange.settlement.worlds import FIRST_ACCOUNT, RICH_MICRO, Trade, days, entries, make_day, meters, post_all, readings_of, report

KWH = 1_000


def again(day: DayInput, readings: object, balances: Counter[int]) -> DayInput:
    """The day with other readings, and the cash that the run before left."""
    cash = np.array([balances[account] for account in day.accounts.tolist()], np.int64)
    totals = day.trade_totals
    return replace(day, readings=readings, available_micro=cash, restated=totals)


def test_a_corrected_reading_posts_the_difference_and_nothing_else() -> None:
    """10 kWh bought and used; then the meter says 12. The other 2 cost 1.30, the grid gets them, and the statement says so."""
    day = make_day([[10 * KWH], [0]], [[0], [10 * KWH]], [Trade(1, 0, 0, 100, 5000)])
    first = settle_day(day)
    balances = post_all(day, first)
    second = settle_day(again(day, readings_of([[12 * KWH], [0]], [[0], [10 * KWH]], [0]), balances), first.settlement)
    assert entries(second) == [
        (House.CLEARING, House.GRID, 1_300_000, PostingReason.ADJUSTMENT),
        (FIRST_ACCOUNT, House.CLEARING, 1_300_000, PostingReason.ADJUSTMENT),
    ]
    statement = day_settlement(second.settlement, first.settlement).statements[0]
    assert (statement.run, statement.amount_micro(LineItem.DEFICIT)) == (2, -1_300_000)
    assert dict(zip([line.item for line in statement.lines], statement.adjustments_micro, strict=True))[LineItem.DEFICIT] == -1_300_000
    assert sum(map(abs, statement.adjustments_micro)) == 1_300_000
    assert report(first).statements[0].adjustments_micro == ()


def test_a_run_over_the_same_readings_posts_nothing() -> None:
    day = make_day([[9 * KWH], [0]], [[0], [10 * KWH]], [Trade(1, 0, 0, 100, 5000)])
    first = settle_day(day)
    second = settle_day(again(day, day.readings, post_all(day, first)), first.settlement)
    assert entries(second) == []
    assert second.settlement.run == 2


def test_a_refund_that_was_too_much_comes_back() -> None:
    """10 kWh short and 6 long returned 2.22 of netting; then the second generated 2 only. It has no cash left, so the fund covers it."""
    day = replace(make_day([[10 * KWH], [0]], [[0], [6 * KWH]]), available_micro=np.array([RICH_MICRO, 0]))
    first = settle_day(day)
    balances = post_all(day, first)
    balances[FIRST_ACCOUNT + 1] = 0  # it has drawn its money
    second = settle_day(again(day, readings_of([[10 * KWH], [0]], [[0], [2 * KWH]], [0]), balances), first.settlement)
    for debit, credit, amount_micro, _ in entries(second):
        balances[debit] -= amount_micro
        balances[credit] += amount_micro
    assert balances[FIRST_ACCOUNT + 1] == 0
    assert balances[House.CLEARING] == balances[House.NETTING_FUND] == 0
    assert sum(claim.amount_micro for claim in second.claims) == 1_680_000 - 560_000 + 832_500 - 123_333  # surplus 4 kWh less, refund less


@settings(max_examples=40)
@given(days(), st.sampled_from(list(ImbalanceRule)), st.data())
def test_runs_together_are_one_run_over_the_last_readings(day: DayInput, rule: ImbalanceRule, data: st.DataObject) -> None:
    rich = replace(day, rules=DayRules(1, rule), available_micro=np.full(len(day.accounts), RICH_MICRO))
    n, periods = day.net_lots.shape
    balances, before, last = Counter[int](), None, rich
    for run in range(3):
        drawn = data.draw(meters(n, periods))
        readings = readings_of(drawn["consumption_wh"], drawn["generation_wh"], drawn["losses_wh"])
        last = replace(rich, readings=readings)
        if before is None:
            result = settle_day(last)
            balances = post_all(last, result)
        else:
            result = settle_day(again(last, readings, balances), before)
            assert result.settlement.run == run + 1
            for debit, credit, amount_micro, reason in entries(result):
                assert reason in {PostingReason.ADJUSTMENT, PostingReason.GUARANTEE_FUND}
                balances[debit] -= amount_micro
                balances[credit] += amount_micro
        before = result.settlement
    direct = settle_day(last)
    expected = post_all(last, direct)
    assert {account: amount for account, amount in balances.items() if amount} == {account: amount for account, amount in expected.items() if amount}
    assert before is not None
    assert (before.totals == direct.settlement.totals).all()
    for item in LineItem:
        assert (before.amounts(item) == direct.settlement.amounts(item)).all()


@pytest.mark.parametrize("rule", list(ImbalanceRule))
def test_a_later_run_keeps_the_rules_of_its_day(rule: ImbalanceRule) -> None:
    """The version that the record names is that of the first run: the fold gives a later run the rules of the day it settles."""
    day = replace(make_day([[10 * KWH], [0]], [[0], [6 * KWH]]), rules=DayRules(4, rule))
    first = settle_day(day)
    second = settle_day(again(day, day.readings, post_all(day, first)), first.settlement)
    assert (first.settlement.rules_version, second.settlement.rules_version) == (4, 4)
