"""What of a scenario can be planned: storages, fleets of vehicles, load that can be moved; as records of the kernels."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clients.laboratory.planning import kernels
from clients.laboratory.scenario.model import EvFleet, FlexibleLoad, Participant, Scenario
from clients.laboratory.scenario.names import LINEAR_PROGRAM, STORAGE_PLANS
from clients.scenarios.model import WH_PER_KW_QUARTER, Storage
from clients.scenarios.periods import QUARTERS_A_DAY
from exchange.errors import InputError
from exchange.units import NS_PER_HOUR, PERIOD_NS

_NO_ROOM_LIMIT_WH: Final = 10**12


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the participant in `row`; `record` is a STORAGE, FLEET or FLEXIBLE of `kernels`."""

    row: int
    record: Any


@dataclass(frozen=True, slots=True)
class StorageDevice(Device):
    """`is_alone`: its meter shows nothing else. `uses_program`: planned by linear program, else by backward induction. `charges_from_grid`: see
    StoragePolicy.
    """

    is_alone: bool
    uses_program: bool
    charges_from_grid: bool


class Devices:
    """`storages`, `fleets` and `flexible` loads of a scenario in the order of its participants; `rows_alone` of storages alone; `soc_initial_wh`
    int64[n].
    """

    def __init__(self, scenario: Scenario) -> None:
        """Raises InputError for an unknown way of planning."""
        members = list(enumerate(scenario.participants))
        self.storages = [_storage(row, one, one.storage) for row, one in members if one.storage is not None]
        self.fleets = [_fleet(row, one.ev) for row, one in members if one.ev is not None]
        self.flexible = [_flexible(row, one, one.flexible) for row, one in members if one.flexible is not None and one.load is not None]
        self.rows_alone = np.array([unit.row for unit in self.storages if unit.is_alone], dtype=np.int64)
        self.soc_initial_wh = np.array([one.storage.soc_initial_wh if one.storage else 0 for one in scenario.participants], dtype=np.int64)


def record(values: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """A record whose fields are attributes, compiled or not."""
    return np.array([values], dtype=dtype).view(np.recarray)[0]


def storage_record(storage: Storage) -> Any:
    """The storage as a `kernels.STORAGE`."""
    limit_wh = storage.power_w * PERIOD_NS // NS_PER_HOUR
    values = storage.soc_min_wh, storage.soc_max_wh, limit_wh, storage.charge_efficiency_ppm, storage.discharge_efficiency_ppm
    return record(values, kernels.STORAGE)


def _storage(row: int, one: Participant, storage: Storage) -> StorageDevice:
    is_alone = one.load is None and one.generation is None and one.ev is None
    return StorageDevice(row, storage_record(storage), is_alone, _uses_program(one), one.storage_policy.charges_from_grid)


def _fleet(row: int, fleet: EvFleet) -> Device:
    """A departure at 00:00 is the end of the day."""
    first = 4 * fleet.arrival.hour + fleet.arrival.minute // 15
    after = (4 * fleet.departure.hour + fleet.departure.minute // 15) or QUARTERS_A_DAY
    return Device(row, record((fleet.energy_wh, fleet.power_w * PERIOD_NS // NS_PER_HOUR, first, after), kernels.FLEET))


def _flexible(row: int, one: Participant, load: FlexibleLoad) -> Device:
    room_wh = one.connection_kw * WH_PER_KW_QUARTER or _NO_ROOM_LIMIT_WH
    return Device(row, record((load.share_ppm, load.shift_periods, load.cost_micro_per_kwh, room_wh), kernels.FLEXIBLE))


def _uses_program(one: Participant) -> bool:
    plan = one.storage_policy.plan
    if plan not in STORAGE_PLANS:
        raise InputError(f"participant {one.id}: storage plan {plan!r}; expected one of {', '.join(STORAGE_PLANS)}")
    return plan == LINEAR_PROGRAM
