"""Decomposition of monthly contracts to quarter-hours (合同电量分解).

A contract is a share of what its seller's plant yields in the month by the derived year. The month's energy is spread over its days alike and over
the day by the plant's average curve of the month, in whole lots that sum to the month's energy exactly. Weather then makes the day differ from the
contract, and these deviations are what the market trades.
"""

import datetime

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.periods import QUARTERS_A_DAY
from clients.scenarios.profiles import DerivedYear
from clients.scenarios.whole import whole_parts
from exchange.units import POWER_LOT_WH

Integers = NDArray[np.int64]


def decompose_month(year: DerivedYear, series: str, peak_kw: int, share_permille: int, day: datetime.date) -> tuple[int, Integers]:
    """(lots of the month, lots of the 96 local quarter-hours of `day`, int64[96]) of a contract over a share of a plant."""
    rows = year.month_slice(day)
    month = year.generation_wh(series, peak_kw, rows)
    month_lots = int(month.sum()) * share_permille // (1000 * POWER_LOT_WH)
    curve = month.sum(axis=0)
    days = len(month)
    lots = whole_parts(month_lots, np.tile(curve, days)).reshape(days, QUARTERS_A_DAY)
    return month_lots, lots[year.day_index(day) - rows.start]
