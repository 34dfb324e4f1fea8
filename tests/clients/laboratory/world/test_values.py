"""Private limits: the formula, the draw around it, and rounding against the participant."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from clients.laboratory.scenario.model import MarketRules, Valuation
from clients.laboratory.world.world import World
from tests.clients.laboratory.scenarios import hand_made, participant


def limits(valuation: Valuation, market: MarketRules | None = None, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    scenario = hand_made((participant("A", valuation=valuation),), market=market or MarketRules())
    day = World(scenario, seed).day(0)
    return day.value_ticks[0], day.cost_ticks[0]


@pytest.mark.parametrize(
    ("valuation", "value", "cost"),
    [
        # Retail 1.0000, feed-in 0.3000, park fee 0.0400, taker's fee 0.0020.
        (Valuation(), 9580, 3020), (Valuation(willingness_ppm=900_000, green_premium_micro_per_kwh=20_000), 8822, 3020),
        (Valuation(cost_micro_per_kwh=50_050), 9580, 3521),
        (Valuation(willingness_ppm=333_333), 3193, 3020), (Valuation(willingness_ppm=0), 100, 3020),
        (Valuation(cost_micro_per_kwh=9_000_000), 9580, 20_000),
    ],
)  # fmt: skip
def test_formula(valuation: Valuation, value: int, cost: int) -> None:
    values, costs = limits(valuation)
    assert set(values.tolist()) == {value}
    assert set(costs.tolist()) == {cost}


def test_tick_step_against_the_participant_and_inside_the_band() -> None:
    rules = MarketRules(tick_step=7, min_price_ticks=100, max_price_ticks=9000)
    values, costs = limits(Valuation(), rules)
    assert (values[0], costs[0]) == (8995, 3024)
    assert limits(Valuation(willingness_ppm=0), rules)[0][0] == 105


def test_spread_is_uniform_within_its_half_width() -> None:
    spread = Valuation(spread_ppm=100_000)
    values = np.concatenate([limits(spread, seed=seed)[0] for seed in range(60)])
    costs = np.concatenate([limits(spread, seed=seed)[1] for seed in range(60)])
    for drawn, middle in ((values, 9580), (costs, 3020)):
        low, high = Fraction(9, 10) * middle, Fraction(11, 10) * middle
        assert low - 1 <= drawn.min() <= low + middle // 400
        assert high - middle // 400 <= drawn.max() <= high + 1
        assert drawn.mean() == pytest.approx(middle, rel=0.004)
        assert drawn.std() == pytest.approx(middle * 0.2 / np.sqrt(12), rel=0.05)
    assert abs(np.corrcoef(values, costs)[0, 1]) < 0.06


def test_fees_move_the_limit_and_not_the_draw() -> None:
    spread = Valuation(spread_ppm=100_000)
    low, high = (limits(spread, dataclasses.replace(MarketRules(), park_fee_micro_per_kwh=fee))[0] for fee in (40_000, 90_000))
    assert low / high == pytest.approx(np.full(96, 9580 / 9080), rel=3e-4)
