"""Measures of a market with induced values: competitive equilibrium, efficiency, Smith's alpha, dispersion of profits."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.experiment import Induced
from matching.records import Side


@dataclass(frozen=True, slots=True, eq=False)
class Equilibrium:
    """Where demand meets supply. `price_ticks`: middle of the prices that clear; `gain_ticks`: the greatest gains from trade; `profit_ticks`:
    float64 [n], what each trader gains at the price.
    """

    volume: int
    price_ticks: Fraction
    gain_ticks: int
    profit_ticks: NDArray[np.float64]


def units_of(induced: Induced, side: Side) -> list[int]:
    """Values from the highest, or costs from the lowest."""
    rows = [row[:count] for row, count, own in zip(induced.limits_ticks, induced.n_units, induced.sides, strict=True) if own == side]
    return sorted((int(unit) for row in rows for unit in row), reverse=side == Side.BUY)


def equilibrium_of(induced: Induced) -> Equilibrium:
    """The competitive equilibrium by sorting. Raises ValueError where nobody can trade."""
    values, costs = units_of(induced, Side.BUY), units_of(induced, Side.SELL)
    volume = sum(value >= cost for value, cost in zip(values, costs, strict=False))
    if volume == 0:
        raise ValueError("no value reaches a cost")
    low = max([costs[volume - 1], *values[volume : volume + 1]])
    high = min([values[volume - 1], *costs[volume : volume + 1]])
    price = Fraction(low + high, 2)
    sign = np.where(induced.sides == Side.BUY, 1, -1)[:, None]
    exists = np.arange(induced.limits_ticks.shape[1]) < induced.n_units[:, None]
    profit = np.where(exists, np.maximum(sign * (induced.limits_ticks - float(price)), 0.0), 0.0).sum(axis=1)
    return Equilibrium(volume, price, sum(values[:volume]) - sum(costs[:volume]), profit)


def efficiency_percent(deals: NDArray[np.void], equilibrium: Equilibrium) -> float:
    """Gains from trade as a percentage of the greatest (Smith 1962; Gode and Sunder 1993)."""
    gained = int((deals["buyer_limit_ticks"] - deals["seller_limit_ticks"]).sum())
    return 100.0 * gained / equilibrium.gain_ticks


def alpha_percent(deals: NDArray[np.void], equilibrium: Equilibrium) -> float:
    """Smith's coefficient of convergence: root mean square distance of prices from the equilibrium's, in percent of it; nan without deals."""
    if not len(deals):
        return float("nan")
    price = float(equilibrium.price_ticks)
    return float(100.0 * np.sqrt(np.mean((deals["price_ticks"] - price) ** 2)) / price)


def profit_dispersion_ticks(deals: NDArray[np.void], equilibrium: Equilibrium) -> float:
    """Root mean square difference of the traders' profits from those at the equilibrium (Gode and Sunder 1993)."""
    profit = np.zeros(len(equilibrium.profit_ticks))
    np.add.at(profit, deals["buyer"], deals["buyer_limit_ticks"] - deals["price_ticks"])
    np.add.at(profit, deals["seller"], deals["price_ticks"] - deals["seller_limit_ticks"])
    return float(np.sqrt(np.mean((profit - equilibrium.profit_ticks) ** 2)))
