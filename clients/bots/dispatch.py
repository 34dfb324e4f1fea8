"""Best use of a battery against expected prices: backward dynamic programming over a grid of states of charge.

Source: R. Bellman, "Dynamic Programming" (1957); the slope of the value function is the marginal value of stored energy, the "water value" of
hydro scheduling (S. Stage, Y. Larsson, "Incremental cost of water power", AIEE Transactions 80 (1961)).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.bots.battery import Battery
from exchange.units import PPM

GRID_POINTS: Final = 41


@dataclass(frozen=True, slots=True)
class Plan:
    """Per period, shape (T,): energy at the meter in Wh (bought positive) and the value of one more stored kWh at the period's end, in ticks."""

    bought_wh: NDArray[np.int64]
    stored_value_ticks: NDArray[np.float64]


def best_dispatch(
    battery: Battery, soc_wh: int, final_soc_wh: int, buy_ticks: NDArray[np.float64], sell_ticks: NDArray[np.float64], shortfall_ticks: float
) -> Plan:
    """Plan for periods with the given expected prices (CNY/kWh in ticks, fees included), float64[T].

    What is missing to `final_soc_wh` at the end is valued at `shortfall_ticks` a kWh; energy left above it at nothing.
    """
    grid = np.linspace(battery.soc_min_wh, battery.soc_max_wh, GRID_POINTS)
    step_wh = float(grid[1] - grid[0])
    into = battery.charge_ppm / PPM
    out = battery.discharge_ppm / PPM
    most_up = int(battery.period_limit_wh * into // step_wh)
    most_down = int(battery.period_limit_wh / out // step_wh)
    moves = np.arange(-most_down, most_up + 1)
    # Energy at the meter of each move: charging takes more than it stores, discharging gives less.
    meter_wh = np.where(moves > 0, moves * step_wh / into, moves * step_wh * out)
    targets = np.arange(GRID_POINTS)[:, None] + moves[None, :]
    reachable = (targets >= 0) & (targets < GRID_POINTS)
    targets = targets.clip(0, GRID_POINTS - 1)

    periods = len(buy_ticks)
    value = -shortfall_ticks * np.maximum(0.0, final_soc_wh - grid) / 1000
    best_move = np.zeros((periods, GRID_POINTS), np.int64)
    slopes = np.zeros((periods, GRID_POINTS))
    for t in range(periods - 1, -1, -1):
        slopes[t] = np.gradient(value, step_wh) * 1000
        cash = -np.where(meter_wh > 0, meter_wh * buy_ticks[t], meter_wh * sell_ticks[t]) / 1000
        total = np.where(reachable, cash[None, :] + value[targets], -np.inf)
        best_move[t] = total.argmax(axis=1)
        value = total.max(axis=1)

    bought = np.zeros(periods, np.int64)
    stored_value = np.zeros(periods)
    at = int(np.clip(round((soc_wh - battery.soc_min_wh) / step_wh), 0, GRID_POINTS - 1))
    for t in range(periods):
        move = best_move[t, at]
        bought[t] = int(meter_wh[move])
        at += int(moves[move])
        stored_value[t] = slopes[t, at]
    return Plan(bought, stored_value)
