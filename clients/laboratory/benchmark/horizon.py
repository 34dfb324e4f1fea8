"""The periods that one welfare program spans: what is true or believed of every participant, in kWh and CNY/kWh."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.scenario.model import EvFleet, Scenario
from clients.laboratory.world.day import WorldDay
from clients.scenarios.periods import QUARTERS_A_DAY, quarter_of_day
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
    [T] the grid's prices, `adder` [n] what a kWh from the grid costs a participant on top of them.

    `day_edges`: places where days begin, and T. `soc` [n]: kWh in storage before the first period. The first `decided` periods are past: their
    decisions stand as in `past`. Flexible load and vehicles stay within their day, as they are planned.
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
    adder: Floats
    soc: Floats
    decided: int = 0
    past: Decisions | None = None

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
        """Line losses for a kWh of what is put in or taken out of the park's lines, whichever is more."""
        return self.scenario.network.loss_ppm / PPM

    def vehicle_periods(self, fleet: EvFleet) -> NDArray[np.bool_]:
        """Periods in which the vehicles stand at their chargers, bool[T]; a departure at 00:00 is the end of the day."""
        first = 4 * fleet.arrival.hour + fleet.arrival.minute // 15
        after = (4 * fleet.departure.hour + fleet.departure.minute // 15) or QUARTERS_A_DAY
        quarters = quarter_of_day(self.start_ns, self.scenario.zone)
        return (first <= quarters) & (quarters < after)


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
        adder=np.array([entry.voltage_adder_micro_per_kwh / MICRO_PER_CNY for entry in scenario.participants]),
        soc=np.array([entry.storage.soc_initial_wh / WH_PER_KWH if entry.storage else 0.0 for entry in scenario.participants]),
    )


def _joined(arrays: Sequence[NDArray[np.int64]], unit: int) -> Floats:
    joined: Floats = np.concatenate(arrays, axis=-1) / unit
    return joined
