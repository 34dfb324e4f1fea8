"""The best schedule of storage against a tariff: one linear program over the day, solved by HiGHS, brought back to integers.

Perfect foresight of meters and prices: an upper bound of what any pool could do, which is what a market should be measured against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, diags_array, eye_array, hstack, vstack

from exchange.errors import CheckFailedError
from exchange.units import PPM

Int64Array = NDArray[np.int64]

WH_PER_KWH: Final = 1000
PERIODS_PER_HOUR: Final = 4
# CNY/kWh on throughput: of schedules that cost the same the one that moves least energy is taken, so that ties are decided.
_IDLE_PREFERENCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """What a schedule keeps. `charge_adder_micro_per_kwh` is paid on every kWh charged beside the tariff."""

    soc_start_wh: int
    soc_min_wh: int
    soc_max_wh: int
    power_w: int
    charge_efficiency_ppm: int
    discharge_efficiency_ppm: int
    charge_adder_micro_per_kwh: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Energy at the meter by period, int64[T], Wh. The state of charge ends where it began, exactly."""

    charge_wh: Int64Array
    discharge_wh: Int64Array


def best_schedules(
    net_withdrawal_wh: Int64Array, buy_micro_per_kwh: Int64Array, sell_micro_per_kwh: Int64Array, units: Sequence[StorageLimits]
) -> list[Schedule]:
    """Schedules that minimise the cost of the net withdrawal with the storage behind the same point; all arrays int64[T].

    Needs sell <= buy in every period. Integers: the optimal state of charge is rounded to Wh, charge rounds up and discharge down, so the
    schedule is feasible, ends where it began, and may pass the power rating by 2 Wh a period. Raises CheckFailedError when HiGHS finds no optimum.
    """
    if (sell_micro_per_kwh > buy_micro_per_kwh).any():
        raise ValueError("a schedule needs sell <= buy in every period")
    problem = _linear_program(net_withdrawal_wh, buy_micro_per_kwh, sell_micro_per_kwh, units)
    solution = linprog(**problem, method="highs")
    if solution.status != 0:
        raise CheckFailedError(f"storage schedule: {solution.message}")
    periods = len(net_withdrawal_wh)
    soc_kwh = solution.x[2 * periods :].reshape(len(units), 3, periods)[:, 2]
    return [_integer_schedule(unit, soc_kwh[row]) for row, unit in enumerate(units)]


def _linear_program(
    net_withdrawal_wh: Int64Array, buy_micro_per_kwh: Int64Array, sell_micro_per_kwh: Int64Array, units: Sequence[StorageLimits]
) -> dict[str, Any]:
    """Variables, in kWh: import, export, then charge, discharge and end-of-period state of charge of each unit."""
    periods = len(net_withdrawal_wh)
    identity, nothing = eye_array(periods), csr_array((periods, periods))
    step = diags_array([np.ones(periods), -np.ones(periods - 1)], offsets=[0, -1])
    costs: list[NDArray[np.float64]] = [buy_micro_per_kwh / 1e6, -sell_micro_per_kwh / 1e6]
    bounds: list[tuple[float, float | None]] = [(0.0, None)] * (2 * periods)
    rows: list[list[Any]] = [[identity, -identity]]
    right: list[NDArray[np.float64]] = [net_withdrawal_wh / WH_PER_KWH]
    for index, unit in enumerate(units):
        limit_kwh = unit.power_w / PERIODS_PER_HOUR / WH_PER_KWH
        start_kwh = unit.soc_start_wh / WH_PER_KWH
        costs += [np.full(periods, unit.charge_adder_micro_per_kwh / 1e6 + _IDLE_PREFERENCE), np.full(periods, _IDLE_PREFERENCE), np.zeros(periods)]
        bounds += [(0.0, limit_kwh)] * (2 * periods)
        bounds += [(unit.soc_min_wh / WH_PER_KWH, unit.soc_max_wh / WH_PER_KWH)] * (periods - 1) + [(start_kwh, start_kwh)]
        rows[0] += [-identity, identity, nothing]
        soc = [-identity * (unit.charge_efficiency_ppm / PPM), identity * (PPM / unit.discharge_efficiency_ppm), step]
        rows.append([nothing] * (2 + 3 * index) + soc + [nothing] * (3 * (len(units) - index - 1)))
        first = np.zeros(periods)
        first[0] = start_kwh
        right.append(first)
    return {"c": np.concatenate(costs), "A_eq": vstack([hstack(row) for row in rows], format="csr"), "b_eq": np.concatenate(right), "bounds": bounds}


def _integer_schedule(unit: StorageLimits, soc_kwh: NDArray[np.float64]) -> Schedule:
    soc_wh = np.clip(np.rint(soc_kwh * WH_PER_KWH).astype(np.int64), unit.soc_min_wh, unit.soc_max_wh)
    soc_wh[-1] = unit.soc_start_wh
    change_wh = np.diff(soc_wh, prepend=unit.soc_start_wh)
    charge_wh = -(-np.maximum(change_wh, 0) * PPM // unit.charge_efficiency_ppm)
    discharge_wh = np.maximum(-change_wh, 0) * unit.discharge_efficiency_ppm // PPM
    return Schedule(charge_wh, discharge_wh)
