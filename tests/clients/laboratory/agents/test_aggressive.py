"""Adaptive-aggressive: the paper's target functions written again with libm, and what the learning rules promise."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clients.laboratory.agents import aggressive
from clients.laboratory.agents.interface import MEMORY
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from matching.compile import kernel
from matching.records import Side
from matching.state import make_records
from tests.clients.laboratory.agents.states import agent, shouts_of, view_of

BUY, SELL = int(Side.BUY), int(Side.SELL)
TOP = 2_000.0


@kernel
def call_target(memory, side, limit):
    return aggressive.target_price(memory, side, limit, aggressive.theta_towards_profit(memory, side, limit))


@kernel
def call_aggressiveness(memory, side, limit, price):
    return aggressive.aggressiveness_of(memory, side, limit, price, aggressive.theta_towards_profit(memory, side, limit))


@kernel
def call_theta(steepness):
    return aggressive.theta_of_steepness(steepness)


def memory_of(r: float, theta: float, estimate: float) -> np.ndarray:
    memory = make_records(MEMORY, 1)
    memory["x"][0, [aggressive.R, aggressive.THETA, aggressive.ESTIMATE, aggressive.TOP]] = r, theta, estimate, TOP
    memory["n"][0, [aggressive.N_TRADES, aggressive.STEP]] = 1, 1
    return memory


def bent(share: float, theta: float) -> float:
    return share if abs(theta) < 1e-9 else math.expm1(share * theta) / math.expm1(theta)


def paper_target(side: int, limit: float, r: float, theta: float, inner: float, p: float) -> float:
    """Equations 3 to 6 of the paper; `inner`: the theta of intramarginal traders with r below 0."""
    if side == BUY:
        if limit < p:
            return limit if r >= 0 else limit * (1 - bent(-r, theta))
        return p + (limit - p) * bent(r, theta) if r >= 0 else p * (1 - bent(-r, inner))
    if limit > p:
        return limit if r >= 0 else limit + (TOP - limit) * bent(-r, theta)
    return p - (p - limit) * bent(r, theta) if r >= 0 else p + (TOP - p) * bent(-r, inner)


R, THETA, PRICE = st.floats(-1, 1), st.floats(-8, 2), st.integers(1, 1_999)


@settings(max_examples=200)
@given(st.sampled_from([BUY, SELL]), PRICE, R, THETA, PRICE)
def test_targets_are_the_papers(side: int, limit: int, r: float, theta: float, p: int) -> None:
    far = 0.0 if side == BUY else TOP
    slope = 1.0 if abs(theta) < 1e-9 else theta / math.expm1(theta)
    inner = call_theta(abs(limit - p) / abs(far - p) * slope)
    assert call_target(memory_of(r, theta, p)[0], side, limit) == pytest.approx(paper_target(side, limit, r, theta, inner, p), rel=1e-9, abs=1e-6)


@given(st.floats(1e-5, 50))
def test_theta_has_the_steepness_asked_for(steepness: float) -> None:
    theta = call_theta(steepness)
    found = 1.0 if abs(theta) < 1e-9 else theta / math.expm1(theta)
    assert found == pytest.approx(steepness, rel=1e-5, abs=1e-7)


@settings(max_examples=200)
@given(st.sampled_from([BUY, SELL]), PRICE, R, THETA, PRICE)
def test_aggressiveness_is_the_inverse_of_the_target(side: int, limit: int, r: float, theta: float, p: int) -> None:
    memory = memory_of(r, theta, p)
    price = call_target(memory[0], side, limit)
    memory["x"][0, aggressive.R] = call_aggressiveness(memory[0], side, limit, price)
    assert -1.0 <= memory["x"][0, aggressive.R] <= 1.0
    assert call_target(memory[0], side, limit) == pytest.approx(price, rel=1e-6, abs=1e-4)


@settings(max_examples=100)
@given(st.sampled_from([BUY, SELL]), PRICE, THETA, PRICE)
def test_more_aggressive_targets_give_up_more_profit(side: int, limit: int, theta: float, p: int) -> None:
    targets = [call_target(memory_of(r, theta, p)[0], side, limit) for r in np.linspace(-1, 1, 21)]
    ordered = targets if side == BUY else targets[::-1]
    assert all(later >= earlier - 1e-6 for earlier, later in itertools.pairwise(ordered))
    assert targets[-1] == pytest.approx(limit)


@settings(max_examples=100)
@given(st.sampled_from([BUY, SELL]), PRICE, R, THETA, PRICE, PRICE, st.booleans())
def test_aggressiveness_moves_the_papers_way(side: int, limit: int, r: float, theta: float, p: int, price: int, traded: bool) -> None:
    """Figure 7: more after an own side's quote that is as good as the target; after a trade more if its price is out of reach, else less."""
    memory = memory_of(r, theta, p)
    trait, _ = agent("aa")
    if traded:
        hear_shout(trait[0], memory[0], shouts_of((price, side, 1))[0], side, limit, np.uint64(0))
        p = price  # the estimate of one trade
        again = memory_of(r, float(memory["x"][0, aggressive.THETA]), memory["x"][0, aggressive.ESTIMATE])
        target = call_target(again[0], side, limit)
    else:
        target = call_target(memory[0], side, limit)
        hear_shout(trait[0], memory[0], shouts_of((price, side, 0))[0], side, limit, np.uint64(0))
    assume(abs(target - price) > 1)
    missed = target < price if side == BUY else target > price
    change = memory["x"][0, aggressive.R] - r
    if missed:
        assert change > 0 or r > 0.98
    elif traded:
        assert change < 0 or r < -0.98
    else:
        assert change == 0


def test_the_estimate_weighs_the_last_trades_most() -> None:
    trait, memory = agent("aa")
    begin_market(trait[0], memory[0], BUY, 900, np.uint64(0))
    prices = [400, 500, 700, 600, 650, 620, 610]
    for price in prices:
        hear_shout(trait[0], memory[0], shouts_of((price, SELL, 1))[0], BUY, 900, np.uint64(0))
    weights = [0.9**age for age in range(5)]
    expected = sum(weight * price for weight, price in zip(weights, prices[::-1], strict=False)) / sum(weights)
    assert memory["x"][0, aggressive.ESTIMATE] == pytest.approx(expected)


def test_sealed_rounds_approach_the_limit_before_the_first_trade() -> None:
    trait, memory = agent("aa")
    begin_market(trait[0], memory[0], BUY, 900, np.uint64(0))
    quotes = [int(quote_price(trait[0], memory[0], view_of()[0], shouts_of(), 0, BUY, 900, np.uint64(0))) for _ in range(20)]
    assert quotes == sorted(quotes)
    assert quotes[:2] == [366, 544]
    assert quotes[-1] == 900


@pytest.mark.parametrize(("side", "limit"), [(Side.SELL, 300), (Side.BUY, 1_500)])
def test_the_last_quote_of_a_book_is_the_target(side: Side, limit: int) -> None:
    """Many small steps end where one step at the last round does; a step before it stops short."""

    def quoted(rounds_left: list[int]) -> int:
        trait, memory = agent("aa")
        begin_market(trait[0], memory[0], int(side), limit, np.uint64(3))
        quote_price(trait[0], memory[0], view_of(rounds_left=30)[0], shouts_of(), 0, int(side), limit, np.uint64(3))
        for _ in range(4):
            hear_shout(trait[0], memory[0], shouts_of((800, int(side), 1))[0], int(side), limit, np.uint64(3))
        for left in rounds_left:
            view = view_of(rounds_left=left)[0]
            price = quote_price(trait[0], memory[0], view, shouts_of(), 0, int(side), limit, np.uint64(3))
        return int(price)

    target = quoted([30] * 200)
    assert abs(quoted([1]) - target) <= 1
    assert abs(quoted([2]) - target) > 20
