"""The periods that one welfare program spans: what is true or believed of every participant, in kWh and CNY/kWh."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import EvFleet, Scenario
from clients.laboratory.world.day import WorldDay
from clients.scenarios.periods import local_datetime
from exchange.units import MICRO_PER_CNY, POWER_TICK_MICRO_PER_KWH, PPM, WH_PER_KWH

Floats = NDArray[np.float64]

TICKS_PER_CNY = MICRO_PER_CNY // POWER_TICK_MICRO_PER_KWH
PERIODS_PER_HOUR = 4


@dataclass(slots=True, eq=False)
class Decisions:
    """What a program decided, [n, T] kWh: at the meter, and traded inside the park. `shift_out` leaves a period, `shift_in` comes to it."""

    charge: Floats
    discharge: Floats
    vehicle: Floats
    shift_out: Floats
    shift_in: Floats
    curtailed: Floats
    bought: Floats
    sold: Floats

    @classmethod
    def nothing(cls, n: int, periods: int) -> "Decisions":
        return cls(*(np.zeros((n, periods)) for _ in range(8)))


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """n participants, T periods. `load`, `generation` [n, T] before anything is decided; `value`, `cost` [n, T] private limits; `deficit`, `surplus`
    [T] the grid's prices.

    `day_edges`: places where days begin, and T. `soc` [n]: kWh in storage before the first period. The first `decided` periods are past: their
    decisions stand as in `past`. `shifts_stay_in_day`: flexible load is used on the day it belongs to.
    """

    scenario: Scenario
    start_ns: NDArray[np.int64]
    day_edges: tuple[int, ...]
    load: Floats
    generation: Floats
    value: Floats
    cost: Floats
    deficit: Floats
    surplus: Floats
    soc: Floats
    decided: int = 0
    past: Decisions | None = field(default=None)
    shifts_stay_in_day: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        n, periods = self.load.shape
        return n, periods

    @property
    def days(self) -> list[tuple[int, int]]:
        """First period of each day and of the one after it."""
        return list(pairwise(self.day_edges))

    @property
    def soc_value(self) -> float:
        return self.scenario.soc_value_micro_per_kwh / MICRO_PER_CNY

    @property
    def loss_share(self) -> float:
        """Line losses for a kWh that is taken out of the park's lines."""
        return self.scenario.network.loss_ppm / PPM

    def vehicle_periods(self, fleet: EvFleet) -> NDArray[np.bool_]:
        """Periods that begin while the vehicles stand at their chargers, bool[T]."""
        clock = [local_datetime(int(start), self.scenario.zone).time() for start in self.start_ns]
        return np.array([fleet.arrival <= time < fleet.departure for time in clock], np.bool_)


def true_horizon(scenario: Scenario, days: Sequence[WorldDay]) -> Horizon:
    """All periods of consecutive days as they turn out to be."""
    return Horizon(
        scenario=scenario,
        start_ns=np.concatenate([day.start_ns for day in days]),
        day_edges=(0, *np.cumsum([day.n_periods for day in days]).tolist()),
        load=_joined([day.load_wh for day in days], WH_PER_KWH),
        generation=_joined([day.generation_wh for day in days], WH_PER_KWH),
        value=_joined([day.value_ticks for day in days], TICKS_PER_CNY),
        cost=_joined([day.cost_ticks for day in days], TICKS_PER_CNY),
        deficit=_joined([day.deficit_price_ticks for day in days], TICKS_PER_CNY),
        surplus=_joined([day.surplus_price_ticks for day in days], TICKS_PER_CNY),
        soc=np.array([entry.storage.soc_initial_wh / WH_PER_KWH if entry.storage else 0.0 for entry in scenario.participants]),
    )


def _joined(arrays: Sequence[NDArray[np.int64]], unit: int) -> Floats:
    joined: Floats = np.concatenate(arrays, axis=-1) / unit
    return joined
