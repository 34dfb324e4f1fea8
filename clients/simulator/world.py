"""The physical park for one day: what meters will read, given what loads, sun and wind do and how storage is scheduled.

Integer Wh. In every period the balance closes exactly:

    generation (with discharge) + grid import = consumption (with charge) + grid export + losses

Losses are a stated share of the energy that flows through the park's network: of the larger of what members take out and what they put in.
The grid meter takes what is left, so it never shows import and export in the same period.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.model import Park, Storage
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM, divide_half_even

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PeriodReadings:
    """Readings of one period: int64[n] by member in the order of the park, and the park's grid meter. `soc_wh` is -1 without storage."""

    period: int
    consumption_wh: Integers
    generation_wh: Integers
    soc_wh: Integers
    grid_import_wh: int
    grid_export_wh: int
    losses_wh: int

    @property
    def balance_error_wh(self) -> int:
        """What comes in minus what goes out: zero."""
        supply = int(self.generation_wh.sum()) + self.grid_import_wh
        return supply - int(self.consumption_wh.sum()) - self.grid_export_wh - self.losses_wh


class PhysicalStorage:
    """A battery that does what it is told as far as it can: rating first, then what fits into it or is left in it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.soc_wh = storage.soc_initial_wh

    def execute(self, injection_wh: int) -> tuple[int, int]:
        """Run one period. Returns (charge_wh, discharge_wh) at the meter, one of them zero. Rounding never creates energy."""
        storage = self._storage
        rating_wh = storage.power_w * PERIOD_NS // NS_PER_HOUR
        if injection_wh <= 0:
            room_wh = (storage.soc_max_wh - self.soc_wh) * PPM // storage.charge_efficiency_ppm
            charge_wh = min(-injection_wh, rating_wh, room_wh)
            self.soc_wh += charge_wh * storage.charge_efficiency_ppm // PPM
            return charge_wh, 0
        left_wh = (self.soc_wh - storage.soc_min_wh) * storage.discharge_efficiency_ppm // PPM
        discharge_wh = min(injection_wh, rating_wh, left_wh)
        self.soc_wh -= -(-discharge_wh * PPM // storage.discharge_efficiency_ppm)
        return 0, discharge_wh


class ParkWorld:
    """Meters of a park's day, delivered period by period in time order."""

    def __init__(self, park: Park) -> None:
        self._park = park
        self._load_wh = np.stack([member.load_wh for member in park.members])
        self._generation_wh = np.stack([member.generation_wh for member in park.members])
        self._next_period = 0
        self.storages = {i: PhysicalStorage(member.storage) for i, member in enumerate(park.members) if member.storage is not None}

    def deliver(self, schedules: Mapping[str, int]) -> PeriodReadings:
        """Readings of the next period; `schedules` is each storage's injection in Wh by member id, nothing where it is missing.

        Raises IndexError after the last period.
        """
        period = self._next_period
        consumption = self._load_wh[:, period].copy()
        generation = self._generation_wh[:, period].copy()
        soc = np.full(len(self._park.members), -1, np.int64)
        self._next_period += 1
        for i, storage in self.storages.items():
            charge_wh, discharge_wh = storage.execute(schedules.get(self._park.members[i].id, 0))
            consumption[i] += charge_wh
            generation[i] += discharge_wh
            soc[i] = storage.soc_wh
        return close_balance(period, consumption, generation, soc, self._park.network_loss_ppm)


def close_balance(period: int, consumption_wh: Integers, generation_wh: Integers, soc_wh: Integers, loss_ppm: int) -> PeriodReadings:
    """Add losses and the grid meter to the members' meters (int64[n])."""
    net_wh = generation_wh - consumption_wh
    put_in_wh = int(net_wh[net_wh > 0].sum())
    taken_out_wh = -int(net_wh[net_wh < 0].sum())
    losses_wh = divide_half_even(max(put_in_wh, taken_out_wh) * loss_ppm, PPM)
    missing_wh = taken_out_wh + losses_wh - put_in_wh
    return PeriodReadings(period, consumption_wh, generation_wh, soc_wh, max(missing_wh, 0), max(-missing_wh, 0), losses_wh)
