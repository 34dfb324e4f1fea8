"""What participants have planned for a day: modified by `plan`, carried out by `physical`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class PlanState:
    """n participants, T quarter-hours, all int64, energy at the meter in Wh, taken out positive.

    `shift_wh` [n, T]: change of the load where some of it moves; `vehicle_wh` [n, T]; `storage_wh` [n, T]: charge, discharge negative. `moves_wh`: by
    row of a flexible load, [T, 2 reach + 1] (`kernels.move_load`). `buy_limit_ticks`, `sell_limit_ticks` [n, T]: limits at the book.
    `charges_anyway`, `discharges_anyway` bool [n, T]: whether a storage alone does at the grid's price what it planned and could not trade.
    `soc_start_wh` [n]: at the start of the day; `soc_wh` [n]: at the start of period `first_open`, the first whose gate has not closed.
    `quarters` [T]: of the local clock.
    """

    shift_wh: Integers
    vehicle_wh: Integers
    storage_wh: Integers
    moves_wh: dict[int, Integers]
    buy_limit_ticks: Integers
    sell_limit_ticks: Integers
    charges_anyway: NDArray[np.bool_]
    discharges_anyway: NDArray[np.bool_]
    soc_start_wh: Integers
    soc_wh: Integers
    quarters: Integers
    first_open: int = 0
    storage_planned_ns: int = -(2**62)
