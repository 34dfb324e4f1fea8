"""Sessions of an induced-value experiment: one population on both sides, several days, repeated with different seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.catalogue import trait_of
from clients.laboratory.agents.experiment import Experiment, Induced
from clients.laboratory.reproduce.induced import alpha_percent, efficiency_percent, equilibrium_of, profit_dispersion_ticks
from clients.laboratory.scenario.model import AgentChoice

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """float64 [sessions, days]; `alpha_percent` and `mean_price_ticks` are nan on a day without deals."""

    efficiency_percent: Doubles
    alpha_percent: Doubles
    dispersion_ticks: Doubles
    volume: Doubles
    mean_price_ticks: Doubles


@dataclass(frozen=True, slots=True)
class Floor:
    """Where they meet: the band of prices, turns a day at most, and the rule of the book."""

    low_ticks: int
    high_ticks: int
    n_turns: int
    is_cleared: bool = True


def run_sessions(name: str, days: Sequence[Induced], floor: Floor, seeds: Sequence[int]) -> Sessions:
    """A session for each seed; `days` are the values and costs of each day. Traders of all days have the same sides and remember."""
    equilibria = [equilibrium_of(induced) for induced in days]
    figures = np.zeros((5, len(seeds), len(days)))
    n_traders = len(days[0].sides)
    for row, seed in enumerate(seeds):
        traits = np.concatenate([trait_of(AgentChoice(name=name), seed, trader, "reproduce") for trader in range(n_traders)])
        experiment = Experiment(traits, seed, floor.low_ticks, floor.high_ticks, floor.n_turns, is_cleared=floor.is_cleared)
        for day, (induced, equilibrium) in enumerate(zip(days, equilibria, strict=True)):
            deals = experiment.trade(induced)
            figures[:, row, day] = (
                efficiency_percent(deals, equilibrium), alpha_percent(deals, equilibrium), profit_dispersion_ticks(deals, equilibrium), len(deals),
                deals["price_ticks"].mean() if len(deals) else np.nan,
            )  # fmt: skip
    return Sessions(*figures)


def mean_of_days(figures: Doubles) -> Doubles:
    """Mean over sessions of each day, days without deals left out; nan where no session has any."""
    counted = ~np.isnan(figures)
    with np.errstate(invalid="ignore"):
        mean: Doubles = np.where(counted, figures, 0.0).sum(axis=0) / counted.sum(axis=0)
    return mean
