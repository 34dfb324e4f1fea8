"""One day of the world as arrays: what is true, and what each participant believes at each round of the market."""

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class WorldDay:
    """n participants in rows, T quarter-hours (92, 96 or 100) in columns, R rounds of the market; int64, read-only.

    `load_wh`, `generation_wh` [n, T]: what the meters will show, before storage, vehicles and shifted load.
    `forecast_load_wh`, `forecast_generation_wh` [R, n, T]: what a participant believes of itself at round r of period t.
    `round_ns` [R, T]: when round r of period t takes place, not falling with r; `gate_ns` [T] is not before any of them.
    `deficit_price_ticks`, `surplus_price_ticks` [T]: what the grid charges and pays. `value_ticks`, `cost_ticks` [n, T]: the most a buyer pays at the
    book, all fees taken off, and the least a seller takes; both inside the price band.
    """

    index: int
    date: datetime.date
    symbols: tuple[str, ...]
    start_ns: Integers
    opens_ns: int
    gate_ns: Integers
    round_ns: Integers
    deficit_price_ticks: Integers
    surplus_price_ticks: Integers
    load_wh: Integers
    generation_wh: Integers
    forecast_load_wh: Integers
    forecast_generation_wh: Integers
    value_ticks: Integers
    cost_ticks: Integers

    @property
    def n_periods(self) -> int:
        return len(self.symbols)
