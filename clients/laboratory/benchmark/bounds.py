"""Bounds of what a market could have done on a run's days, and where a run lost: perfect foresight, rolling forecasts, no trade, the pool."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clients.laboratory.benchmark.evaluation import comfort_of, price_in_ticks, realised_welfare, stored_after, welfare_of
from clients.laboratory.benchmark.horizon import Floats, Horizon, true_horizon
from clients.laboratory.benchmark.rolling import rolling_welfare
from clients.laboratory.benchmark.welfare_program import Solution, solve_welfare
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from exchange.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Welfare in CNY. `price_ticks` [P] (not rounded) and `volume_kwh` [P] are those of perfect foresight; `truthful_cny`: of a truthful run of the
    same mechanism and seed, where there was one; `rolling_cny`: None where it was not asked for.
    """

    perfect_cny: float
    rolling_cny: float | None
    no_trade_cny: float
    pool_cny: float
    realised_cny: float
    truthful_cny: float | None
    price_ticks: Floats
    volume_kwh: Floats


def days_of(record: RunRecord) -> list[WorldDay]:
    """The days that a run played, made again from its scenario and seed."""
    world = World(record.scenario, record.seed)
    return [world.day(index) for index in range(record.bill_market_micro.shape[1])]


def bounds_of(
    record: RunRecord, days: Sequence[WorldDay] | None = None, *, truthful: RunRecord | None = None, rolling_step_periods: int = 4
) -> Bounds:
    """Bounds of a run; `rolling_step_periods` 0 leaves the rolling bound out, which takes one program for each step.

    Raises InputError for a truthful run of other days, CheckFailedError where a program has no optimum.
    """
    if truthful is not None and (truthful.seed != record.seed or truthful.start_ns.tolist() != record.start_ns.tolist()):
        raise InputError("a truthful run to compare with needs the same seed and days")
    known = days_of(record) if days is None else days
    scenario = record.scenario
    horizon = true_horizon(scenario, known)
    perfect = solve_welfare(horizon)
    return Bounds(
        perfect_cny=perfect.welfare,
        rolling_cny=rolling_welfare(scenario, known, rolling_step_periods) if rolling_step_periods else None,
        no_trade_cny=solve_welfare(horizon, with_trade=False).welfare,
        pool_cny=pool_welfare(horizon),
        realised_cny=realised_welfare(horizon, record),
        truthful_cny=None if truthful is None else realised_welfare(horizon, truthful),
        price_ticks=price_in_ticks(perfect.price),
        volume_kwh=perfect.decisions.bought.sum(axis=0),
    )


def pool_welfare(horizon: Horizon) -> float:
    """The pool: schedules that are best for the park's grid bill, and all netting shared out by energy, whatever anybody's limits."""
    n = horizon.shape[0]
    best = solve_welfare(replace(horizon, value=np.tile(horizon.deficit, (n, 1)), cost=np.tile(horizon.surplus, (n, 1))))
    position = _netted(best)
    comfort = comfort_of(horizon, best.decisions.shift_out)
    soc_end = stored_after(horizon.soc, horizon, best.decisions)
    return welfare_of(horizon, best.withdrawal - best.injection, position, comfort, soc_end)


def _netted(solution: Solution) -> Floats:
    """Positions [n, T] of a pool: the shorter side whole, the longer in proportion."""
    taken, given = solution.withdrawal.sum(axis=0), solution.injection.sum(axis=0)
    inside = np.minimum(taken, given)
    bought = solution.withdrawal * np.divide(inside, taken, out=np.zeros_like(taken), where=taken > 0)
    sold = solution.injection * np.divide(inside, given, out=np.zeros_like(given), where=given > 0)
    position: Floats = bought - sold
    return position


def solve_days(scenario: Scenario, days: Sequence[WorldDay]) -> Solution:
    """The competitive equilibrium of days under perfect foresight."""
    return solve_welfare(true_horizon(scenario, days))
