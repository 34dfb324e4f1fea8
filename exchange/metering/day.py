"""Readings of many accounts in many periods, as settlement takes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exchange.metering.validation import NO_STORAGE, Int64Array


@dataclass(frozen=True, slots=True)
class GridReading:
    """The park's grid meter and the losses of one period."""

    revision: int
    replaced: bool
    import_wh: int
    export_wh: int
    losses_wh: int


@dataclass(frozen=True, slots=True, eq=False)
class DayReadings:
    """Readings of n accounts in T periods: int64[n, T] and int64[T] in Wh, bool for what was metered and what was substituted.

    Where nothing was metered energies are zero and the state of charge is -1. An account that is read by device is metered when all of its devices
    are, and substituted when one of them is.
    """

    consumption_wh: Int64Array
    generation_wh: Int64Array
    soc_wh: Int64Array
    metered: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    grid_import_wh: Int64Array
    grid_export_wh: Int64Array
    losses_wh: Int64Array
    grid_metered: NDArray[np.bool_]


def empty_day(n: int, t: int) -> DayReadings:
    """Nothing metered."""
    return DayReadings(
        consumption_wh=np.zeros((n, t), np.int64),
        generation_wh=np.zeros((n, t), np.int64),
        soc_wh=np.full((n, t), NO_STORAGE, np.int64),
        metered=np.zeros((n, t), np.bool_),
        replaced=np.zeros((n, t), np.bool_),
        grid_import_wh=np.zeros(t, np.int64),
        grid_export_wh=np.zeros(t, np.int64),
        losses_wh=np.zeros(t, np.int64),
        grid_metered=np.zeros(t, np.bool_),
    )
