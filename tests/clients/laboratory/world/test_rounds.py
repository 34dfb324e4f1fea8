"""Rounds of a quarter-hour: after the opening, before the gate, never beyond either."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.laboratory.scenario.model import MarketRules
from clients.laboratory.world.rounds import rounds_of
from exchange.errors import InputError
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS

MIDNIGHT = 20_000 * 24 * NS_PER_HOUR
STARTS = MIDNIGHT + np.arange(96, dtype=np.int64) * PERIOD_NS
OPENS = MIDNIGHT - 8 * NS_PER_HOUR


def minutes(rules: MarketRules, period: int) -> list[int]:
    """Rounds of a period in minutes from midnight."""
    return ((rounds_of(rules, OPENS, STARTS).round_ns[:, period] - MIDNIGHT) // NS_PER_MINUTE).tolist()


def test_of_noon() -> None:
    # 16:00, 16:15, 16:30, 16:45 the day before, then before 11:55.
    assert minutes(MarketRules(), 48) == [-480, -465, -450, -435, 475, 595, 655, 685, 700, 715]


def test_first_gate_at_the_opening() -> None:
    rules = MarketRules(gate_closure_minutes=480)
    assert set(minutes(rules, 0)) == {-480}
    # The gate of 00:30 closes at 16:30: the last round of the day ahead is held at the gate, those before it are not.
    assert minutes(rules, 2) == [-480, -465, -450, -450, -450, -450, -450, -450, -450, -450]


def test_gate_before_the_opening() -> None:
    with pytest.raises(InputError, match=r"gate_closure 481 minutes .* 16:00"):
        rounds_of(MarketRules(gate_closure_minutes=481), OPENS, STARTS)


@given(
    gate=st.integers(0, 480), day_ahead=st.integers(0, 40), apart=st.integers(1, 120),
    before=st.lists(st.integers(0, 2000), max_size=8).map(lambda values: tuple(sorted(values, reverse=True))),
)  # fmt: skip
def test_never_beyond_opening_or_gate(gate: int, day_ahead: int, apart: int, before: tuple[int, ...]) -> None:
    rules = MarketRules(
        gate_closure_minutes=gate, day_ahead_rounds=day_ahead, day_ahead_minutes=apart, rounds_before_gate_minutes=before, opens=datetime.time(16)
    )
    rounds = rounds_of(rules, OPENS, STARTS)
    assert rounds.round_ns.shape == (rules.n_rounds, 96)
    assert (rounds.round_ns >= OPENS).all()
    assert (rounds.round_ns <= rounds.gate_ns).all()
    assert (np.diff(rounds.round_ns, axis=0) >= 0).all()
    assert (STARTS - rounds.gate_ns == gate * NS_PER_MINUTE).all()
