"""The best schedule of a storage against prices and the net load behind its meter: one linear program over the rest of the day.

    minimise  sum buy * import - sell * export - value * (state of charge at the end)
    subject to  import - export = net + charge - discharge        (alone behind its meter: import = charge, export = discharge)
                soc[t] = soc[t - 1] + charge_efficiency * charge[t] - discharge[t] / discharge_efficiency,  within limits

The standard model of arbitrage by a price taker (R. Sioshansi, P. Denholm, T. Jenkin, J. Weiss, "Estimating the value of electricity storage in PJM:
arbitrage and some welfare effects", Energy Economics 31 (2009)), solved by HiGHS (Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised
simplex method", Mathematical Programming Computation 10 (2018)) through highspy.

Every kWh through the storage also costs a micro-CNY for each period that has passed, so of equal schedules the one that moves least and earliest is
taken: the optimum is unique, and no version of the solver finds another. It is brought back to integers by running it through the storage's own
model, so rating and range hold exactly.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, diags_array, eye_array, hstack, vstack

from clients.laboratory.planning import kernels
from exchange.errors import CheckFailedError
from exchange.units import PPM, WH_PER_KWH

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Costs are in thousandths of a CNY/kWh, so that what decides ties is far above the tolerances of the solver.
_MICRO_PER_MILLI: Final = 1000
# States of charge are fractions of a Wh with few digits, so half a Wh is common: no such fraction is cut here.
_ROUNDING: Final = 0.5004567891
# Presolve costs more than it saves at this size.
_SETTINGS: Final[Mapping[str, Any]] = {"output_flag": False, "threads": 1, "presolve": "off"}
_PRIMAL_SIMPLEX: Final = 4


def best_meter_wh(
    unit: Any, soc_wh: int, net_wh: Integers | None, buy_micro: Integers, sell_micro: Integers, final_micro: int, *,
    settings: Mapping[str, Any] = _SETTINGS,
) -> Integers:
    """Energy at the meter of a `kernels.STORAGE`, int64[T], charged positive, for prices, int64[T] each, sell <= buy.

    `net_wh`, int64[T]: what else its meter shows, None: nothing. `final_micro`: worth of a stored kWh after the last period. Raises CheckFailedError
    when HiGHS finds no optimum.
    """
    periods = len(buy_micro)
    solver = _solver()
    solver.clear()
    for name, value in settings.items():
        solver.setOptionValue(name, value)
    solver.passModel(_model(unit, soc_wh, net_wh, buy_micro, sell_micro, final_micro))
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kUnknown:
        # The dual simplex may stop where schedules differ by no more than what decides ties; the primal one, from the beginning, does not.
        solver.clearSolver()
        solver.setOptionValue("simplex_strategy", _PRIMAL_SIMPLEX)
        solver.run()
        status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise CheckFailedError(f"storage schedule: {solver.modelStatusToString(status)}")
    soc_kwh = np.array(solver.getSolution().col_value[2 * periods : 3 * periods], dtype=np.float64)
    targets_wh = np.floor(soc_kwh * WH_PER_KWH + _ROUNDING).astype(np.int64)
    meter_wh = np.zeros(periods, dtype=np.int64)
    kernels.follow_soc(unit, soc_wh, np.clip(targets_wh, unit.min_wh, unit.max_wh), meter_wh)
    return meter_wh


@cache
def _solver() -> Any:
    return highspy.Highs()


def _model(unit: Any, soc_wh: int, net_wh: Integers | None, buy_micro: Integers, sell_micro: Integers, final_micro: int) -> Any:
    """In kWh. Columns by period: charge, discharge, state of charge, import, export; rows: state of charge, balance. The last two of the columns and
    the last rows only where the meter shows something else.
    """
    periods = len(buy_micro)
    limit_kwh, tie = unit.limit_wh / WH_PER_KWH, np.arange(1, periods + 1, dtype=np.float64)
    final = np.zeros(periods)
    final[-1] = -final_micro
    # A storage that begins outside of its range (another one stood there) comes back as far as its rating lets it.
    low_kwh, high_kwh = min(int(unit.min_wh), soc_wh) / WH_PER_KWH, max(int(unit.max_wh), soc_wh) / WH_PER_KWH
    low, high = [0.0, 0.0, low_kwh], [limit_kwh, limit_kwh, high_kwh]
    costs = [tie + buy_micro, tie - sell_micro, final]
    right = [np.array([soc_wh / WH_PER_KWH]), np.zeros(periods - 1)]
    if net_wh is not None:
        low, high = [*low, 0.0, 0.0], [*high, highspy.kHighsInf, highspy.kHighsInf]
        costs = [tie, tie, final, buy_micro.astype(np.float64), -sell_micro.astype(np.float64)]
        right.append(net_wh / WH_PER_KWH)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = periods * len(costs), sum(len(part) for part in right)
    model.col_cost_ = np.concatenate(costs) / _MICRO_PER_MILLI
    model.col_lower_, model.col_upper_ = np.repeat(low, periods), np.repeat(high, periods)
    model.row_lower_ = model.row_upper_ = np.concatenate(right)
    matrix = _matrix(periods, int(unit.charge_ppm), int(unit.discharge_ppm), has_balance=net_wh is not None)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    return model


@cache
def _matrix(periods: int, charge_ppm: int, discharge_ppm: int, *, has_balance: bool) -> Any:
    identity = eye_array(periods)
    step = diags_array([np.ones(periods), -np.ones(periods - 1)], offsets=[0, -1])
    storage = [-identity * (charge_ppm / PPM), identity * (PPM / discharge_ppm), step]
    if not has_balance:
        return hstack(storage, format="csc")
    nothing = csc_array((periods, periods))
    return vstack([hstack([*storage, nothing, nothing]), hstack([-identity, identity, nothing, identity, -identity])], format="csc")
