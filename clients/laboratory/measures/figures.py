"""From the integers of a record to the figures of a summary: units last, None where a quotient has no denominator."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exchange.units import MICRO_PER_CNY, POWER_LOT_WH, POWER_MULTIPLIER_MICRO, POWER_TICK_MICRO_PER_KWH, WH_PER_KWH

Integers = NDArray[np.int64]
Figure = float | int | None
Figures = Mapping[str, Figure]

TICK_LOTS_PER_CNY = MICRO_PER_CNY // POWER_MULTIPLIER_MICRO
TICKS_PER_CNY_PER_KWH = MICRO_PER_CNY // POWER_TICK_MICRO_PER_KWH
LOTS_PER_KWH = WH_PER_KWH // POWER_LOT_WH
# One tick on one Wh is a tenth of a micro-CNY.
TICK_WH_PER_MICRO = WH_PER_KWH // POWER_TICK_MICRO_PER_KWH
PERIODS_PER_HOUR = 4


def cny(micro: int) -> float:
    return int(micro) / MICRO_PER_CNY


def cny_of_tick_lots(tick_lots: int) -> float:
    return int(tick_lots) / TICK_LOTS_PER_CNY


def kwh(wh: int) -> float:
    return int(wh) / WH_PER_KWH


def kwh_of_lots(lots: int) -> float:
    return int(lots) / LOTS_PER_KWH


def cny_per_kwh(ticks: float) -> float:
    return float(ticks) / TICKS_PER_CNY_PER_KWH


def quotient(part: float, whole: float) -> float | None:
    """None for a whole of zero."""
    return float(part) / float(whole) if whole else None


def percent(part: int, whole: int) -> float | None:
    """`part` as percent of `whole`; None unless the whole is positive."""
    return 100 * int(part) / int(whole) if whole > 0 else None


def total(array: Integers) -> int:
    return int(array.sum())
