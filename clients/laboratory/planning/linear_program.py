"""The best schedule of a storage against prices and the net load behind its meter: one linear program over the rest of the day.

    minimise  sum buy * import - sell * export - value * (state of charge at the end)
    subject to  import - export = net + charge - discharge
                soc[t] = soc[t - 1] + charge_efficiency * charge[t] - discharge[t] / discharge_efficiency,  within limits

The standard model of arbitrage by a price taker (R. Sioshansi, P. Denholm, T. Jenkin, J. Weiss, "Estimating the value of electricity storage in PJM:
arbitrage and some welfare effects", Energy Economics 31 (2009)), solved by HiGHS (Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised
simplex method", Mathematical Programming Computation 10 (2018)) through highspy.

Every kWh through the storage also costs a micro-CNY for each period that has passed, so of equal schedules the one that moves least and earliest is
taken: the optimum is unique, and no version of the solver finds another. It is brought back to integers by running it through the storage's own
model, so rating and range hold exactly.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning import kernels
from exchange.errors import CheckFailedError, InputError
from exchange.units import PPM, WH_PER_KWH

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# Costs are in thousandths of a CNY/kWh, so that what decides ties is far above the tolerances of the solver.
_MICRO_PER_MILLI: Final = 1000
# States of charge are fractions of a Wh with few digits, so half a Wh is common: no such fraction is cut here.
_ROUNDING: Final = 0.5004567891
_COLUMNS: Final = 5


def best_meter_wh(unit: Any, soc_wh: int, net_wh: Integers, buy_micro: Integers, sell_micro: Integers, final_micro: int) -> Integers:
    """Energy at the meter of a `kernels.STORAGE`, int64[T], charged positive, for net load and prices, int64[T] each, sell <= buy.

    `final_micro`: worth of a stored kWh after the last period. Raises CheckFailedError when HiGHS finds no optimum.
    """
    periods = len(net_wh)
    solver = _solver()
    solver.clear()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("presolve", "off")  # costs more than it saves at this size
    solver.passModel(_model(unit, soc_wh, net_wh / WH_PER_KWH, buy_micro, sell_micro, final_micro))
    solver.run()
    status = solver.getModelStatus()
    if status != _highspy().HighsModelStatus.kOptimal:
        raise CheckFailedError(f"storage schedule: {solver.modelStatusToString(status)}")
    soc_kwh = np.array(solver.getSolution().col_value[4 * periods :], dtype=np.float64)
    targets_wh = np.floor(soc_kwh * WH_PER_KWH + _ROUNDING).astype(np.int64)
    meter_wh = np.zeros(periods, dtype=np.int64)
    kernels.follow_soc(unit, soc_wh, np.clip(targets_wh, unit.min_wh, unit.max_wh), meter_wh)
    return meter_wh


def _highspy() -> Any:
    try:
        import highspy
    except ImportError as error:
        raise InputError("plans of storage by linear program need highspy: pip install 'parkex[laboratory]'") from error
    return highspy


@cache
def _solver() -> Any:
    return _highspy().Highs()


def _model(unit: Any, soc_wh: int, net_kwh: Floats, buy_micro: Integers, sell_micro: Integers, final_micro: int) -> Any:
    """Columns by period: import, export, charge, discharge, state of charge; rows: balance, then state of charge. In kWh."""
    highspy, periods = _highspy(), len(net_kwh)
    limit_kwh, tie = unit.limit_wh / WH_PER_KWH, np.arange(1, periods + 1, dtype=np.float64)
    soc_cost = np.zeros(periods)
    soc_cost[-1] = -final_micro
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = _COLUMNS * periods, 2 * periods
    model.col_cost_ = np.concatenate([buy_micro, -sell_micro, tie, tie, soc_cost]) / _MICRO_PER_MILLI
    # A storage that begins outside of its range (another one stood there) comes back as far as its rating lets it.
    low_wh, high_wh = min(int(unit.min_wh), soc_wh), max(int(unit.max_wh), soc_wh)
    model.col_lower_ = np.repeat([0.0, 0.0, 0.0, 0.0, low_wh / WH_PER_KWH], periods)
    model.col_upper_ = np.repeat([highspy.kHighsInf, highspy.kHighsInf, limit_kwh, limit_kwh, high_wh / WH_PER_KWH], periods)
    right = np.concatenate([net_kwh, [soc_wh / WH_PER_KWH], np.zeros(periods - 1)])
    model.row_lower_ = model.row_upper_ = right
    starts, rows, values = _matrix(periods, int(unit.charge_ppm), int(unit.discharge_ppm))
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = starts, rows, values
    return model


@cache
def _matrix(periods: int, charge_ppm: int, discharge_ppm: int) -> tuple[Integers, Integers, Floats]:
    """(starts, rows, values) by column."""
    balance, soc = np.arange(periods), periods + np.arange(periods)
    one = np.ones(periods)
    both = np.stack([balance, soc], axis=1).ravel()
    charge = np.stack([-one, np.full(periods, -charge_ppm / PPM)], axis=1).ravel()
    discharge = np.stack([one, np.full(periods, PPM / discharge_ppm)], axis=1).ravel()
    chain_rows = np.stack([soc, soc + 1], axis=1).ravel()[:-1]
    chain = np.stack([one, -one], axis=1).ravel()[:-1]
    rows = np.concatenate([balance, balance, both, both, chain_rows])
    counts = np.repeat([1, 1, 2, 2, 2], periods)
    counts[-1] = 1
    return np.concatenate([[0], np.cumsum(counts)]), rows, np.concatenate([one, -one, charge, discharge, chain])
