"""What participants have planned for a day: modified by `plan`, carried out by `physical`."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.dynamic_program import ValueFunction

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What a storage alone may want in the worst case, int64[T] lots, and what that depends on."""

    first_open: int
    soc_wh: int
    plan_wh: Integers
    positions_lots: Integers
    wants_lots: Integers


@dataclass(slots=True, eq=False)
class PlanState:
    """n participants, T quarter-hours, all int64, energy at the meter in Wh, taken out positive.

    `shift_wh` [n, T]: change of the load where some of it moves; `vehicle_wh` [n, T]; `storage_wh` [n, T]: charge, discharge negative. `moves_wh`: by
    row of a flexible load, [T, 2 reach + 1] (`kernels.move_load`). `buy_limit_ticks`, `sell_limit_ticks` [n, T]: limits at the book.
    `charges_anyway`, `discharges_anyway` bool [n, T]: whether a storage alone does at the grid's price what it planned and could not trade.
    `soc_start_wh` [n]: at the start of the day; `soc_wh` [n]: at the start of period `first_open`, the first whose gate has not closed.
    `quarters` [T]: of the local clock. `values`: by row of a storage alone, what states are worth from a first
    period on. `cuts`: by row, kept while nothing they depend on changes.
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
    values: dict[int, tuple[int, ValueFunction]] = field(default_factory=dict)
    cuts: dict[int, "Cut"] = field(default_factory=dict)
    first_open: int = 0
    planned_ns: int = -(2**62)

    def schedule_wh(self, row: int, traded_wh: Integers) -> Integers:
        """What a storage alone does, int64[T]: what it traded, and the rest of its plan where that pays at the grid's price."""
        plan_wh = self.storage_wh[row]
        adds = self.charges_anyway[row] & (traded_wh >= 0) & (plan_wh > traded_wh)
        gives = self.discharges_anyway[row] & (traded_wh <= 0) & (plan_wh < traded_wh)
        return np.where(adds | gives, plan_wh, traded_wh)
