"""Warm-up of populations that learn, on records made by hand."""

from typing import Any

import numpy as np
import pytest

from clients.laboratory.measures.convergence import daily_allocation_percent, warm_up_days
from clients.laboratory.measures.measures import measure
from clients.laboratory.run.daily import price_position_ppm, traded_lots
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import AgentChoice
from tests.clients.laboratory.records import DEFICIT_TICKS, SURPLUS_TICKS, member, record_of, scenario_of, trade

# One quarter-hour a day: F1 wants 100 lots at 6000, S1 has 100 at 2800; what is traded of them is the day's share.
LOTS = 100


def run_of(traded: list[int], population: str = "zip", price: int = 4000) -> RunRecord:
    days = len(traded)
    scenario = scenario_of(member("F1", agent=AgentChoice(name=population)), member("S1", agent=AgentChoice(name="truthful")))
    trades = [trade(day, 0, 1, lots, price) for day, lots in enumerate(traded) if lots]
    energy: Any = [[10] * days, [0] * days]
    return record_of(scenario, load_kwh=energy, generation_kwh=energy[::-1], trades=trades, days=days)


SETTLING = [10, 20, 30, 40, 50, 60, 70, 80, 85, 90] + [95, 96, 94] * 30


def test_the_daily_share_is_what_was_traded_of_what_was_wanted() -> None:
    assert daily_allocation_percent(run_of([10, 50, 0, 100])).tolist() == [10.0, 50.0, 0.0, 100.0]
    nothing = run_of([0, 0])
    nothing.want_buy_lots[:, 1] = 0
    assert np.isnan(daily_allocation_percent(nothing)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("traded", "population", "expected"),
    [
        (SETTLING, "zip", 10),
        (SETTLING, "mine.py:Learner", 10),
        ([95, 96, 94] * 30, "gdx", 0),
        (SETTLING, "zi_c", None),  # nobody learns
        (SETTLING[:49], "zip", None),  # too short
        (list(range(100)), "zip", None),  # still moves
    ],
)
def test_warm_up(traded: list[int], population: str, expected: int | None) -> None:
    record = run_of(traded, population)
    assert warm_up_days(record) == expected
    assert measure(record)["warm_up_days"] == expected


def test_a_day_with_nothing_to_gain_leaves_no_answer() -> None:
    record = run_of(SETTLING)
    record.want_sell_lots[:, 40] = 0
    assert warm_up_days(record) is None


def test_the_days_table_says_where_prices_lay() -> None:
    middle = (DEFICIT_TICKS + SURPLUS_TICKS) // 2
    record = run_of([10, 0, 30], price=middle)
    assert traded_lots(record).tolist() == [10, 0, 30]
    position = price_position_ppm(record)
    assert position[[0, 2]].tolist() == [500_000.0, 500_000.0]
    assert np.isnan(position[1])
    record.deficit_price_ticks[2] = record.surplus_price_ticks[2]
    assert np.isnan(price_position_ppm(record)[2])
