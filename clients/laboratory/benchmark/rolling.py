"""The rolling bound: the same program, solved again and again on what participants believe at the time, its next periods carried out.

It knows everybody's forecasts and no more than they do, so what it loses to perfect foresight is the forecasts' doing. It plans as if forecasts were
certain (certainty equivalence), which is the usual receding horizon (Mayne, Rawlings, Rao and Scokaert,
Automatica 36, 2000) and not the best that
could be done under uncertainty; a lucky market may pass it.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from clients.laboratory.benchmark.evaluation import planned_welfare, stored_after
from clients.laboratory.benchmark.horizon import Decisions, Floats, Horizon, true_horizon
from clients.laboratory.benchmark.welfare_program import solve_welfare
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from exchange.units import WH_PER_KWH

_FAMILIES = tuple(entry.name for entry in fields(Decisions))


def rolling_welfare(scenario: Scenario, days: Sequence[WorldDay], step_periods: int = 4) -> float:
    """Welfare in CNY. Every `step_periods` the program looks from the last round before the gate of the next period to the end of the last day whose
    books are open.
    """
    truth = true_horizon(scenario, days)
    made = Decisions.nothing(*truth.shape)
    soc = truth.soc
    for place, day in enumerate(days):
        begin, end = truth.days[place]
        for first in range(0, day.n_periods, step_periods):
            believed = _believed(scenario, days, place, first, soc, _part(made, begin, begin + first))
            found = solve_welfare(believed).decisions
            _carry_out(made, found, begin + first, min(begin + first + step_periods, end), first)
        soc = stored_after(soc, truth, _part(made, begin, end))
    return planned_welfare(truth, made)


def _believed(scenario: Scenario, days: Sequence[WorldDay], place: int, first: int, soc: Floats, past: Decisions) -> Horizon:
    """From the beginning of the day of `first`: what has been as it was, what comes as it is believed at the last round of `first`."""
    now_ns = int(days[place].round_ns[-1, first])
    known = [days[place], *(day for day in days[place + 1 : place + 2] if day.opens_ns <= now_ns)]
    horizon = true_horizon(scenario, known)
    for name in ("load", "generation"):
        forecast = np.concatenate([_forecast(day, name, now_ns) for day in known], axis=1)
        getattr(horizon, name)[:, first:] = forecast[:, first:]
    return replace(horizon, soc=soc, decided=first, past=past)


def _forecast(day: WorldDay, name: str, now_ns: int) -> Floats:
    """What is believed now of each period, [n, T] kWh: the newest round that has been, the first before any."""
    newest = np.maximum((day.round_ns <= now_ns).sum(axis=0) - 1, 0)
    by_round = day.forecast_load_wh if name == "load" else day.forecast_generation_wh
    believed: Floats = by_round[newest, :, np.arange(day.n_periods)].T / WH_PER_KWH
    return believed


def _part(decisions: Decisions, begin: int, end: int) -> Decisions:
    return Decisions(*(getattr(decisions, name)[:, begin:end] for name in _FAMILIES))


def _carry_out(made: Decisions, found: Decisions, begin: int, end: int, first: int) -> None:
    for name in _FAMILIES:
        getattr(made, name)[:, begin:end] = getattr(found, name)[:, first : first + end - begin]
