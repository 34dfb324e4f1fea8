"""The best use of a storage by backward induction over a grid of states of charge, and what stored energy is worth. Integers only.

R. Bellman, "Dynamic Programming" (Princeton 1957); the slope of the value function is the marginal value of stored energy, the "water value" of hydro
scheduling (S. Stage and Y. Larsson, "Incremental cost of water power", AIEE Transactions 80 (1961)). Against the linear program it loses what the
grid is too coarse for, and gains that it needs no solver and gives values that are the same on every machine.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning import kernels

Integers = NDArray[np.int64]

GRID_POINTS: Final = 41


@dataclass(frozen=True, slots=True, eq=False)
class ValueFunction:
    """`values` int64[T + 1, G] micro-CNY, `moves` int64[T, G]: see `kernels.value_states`."""

    values: Integers
    moves: Integers


def value_function(unit: Any, net_wh: Integers, buy_micro: Integers, sell_micro: Integers, final_micro: int) -> ValueFunction:
    """Arguments as of `linear_program.best_meter_wh`; the cost of ties is the same."""
    values = np.zeros((len(net_wh) + 1, GRID_POINTS), dtype=np.int64)
    moves = np.zeros((len(net_wh), GRID_POINTS), dtype=np.int64)
    kernels.value_states(unit, net_wh, buy_micro, sell_micro, final_micro, values, moves)
    return ValueFunction(values, moves)


def best_meter_wh(unit: Any, soc_wh: int, function: ValueFunction) -> Integers:
    """Energy at the meter along the best states, int64[T], charged positive; rating and range hold exactly."""
    targets = np.zeros(len(function.moves), dtype=np.int64)
    meter = np.zeros(len(function.moves), dtype=np.int64)
    kernels.walk_states(unit, soc_wh, function.moves, targets)
    kernels.follow_soc(unit, soc_wh, targets, meter)
    return meter


def stored_values_micro(unit: Any, soc_by_period_wh: Integers, function: ValueFunction) -> tuple[Integers, Integers]:
    """Worth of the last stored kWh and of one more after each period, micro-CNY, int64[T] each."""
    below, above = np.zeros((2, len(soc_by_period_wh)), dtype=np.int64)
    kernels.stored_values(unit, soc_by_period_wh, function.values, below, above)
    return below, above
