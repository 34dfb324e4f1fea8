"""Rows of a file as columns, and what a reader of files is told about the meters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Devices
from exchange.metering.validation import Int64Array

GRID: Final = 0  # in the place of a device: the grid meter
GRID_NAME: Final = "grid"
INTERVAL_COLUMNS: Final = ("device", "period_start", "import_kwh", "export_kwh")
REGISTER_COLUMNS: Final = ("device", "read_at", "import_register_kwh", "export_register_kwh")
OPTIONAL_COLUMNS: Final = ("flag", "losses_kwh")
# A meter that is exchanged ends with the last state of its registers and another begins.
REMOVED, INSTALLED = 3, 4
FLAGS: Final = {"measured": 0, "estimated": 1, "substituted": 2, "removed": REMOVED, "installed": INSTALLED, "": 0}

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class FileRows:
    """n rows in the order of the file: device id (0: the grid meter), instant in ns, Wh or register states in Wh, flag, line. int64[n] each."""

    device: Int64Array
    at_ns: Int64Array
    import_wh: Int64Array
    export_wh: Int64Array
    losses_wh: Int64Array
    flag: NDArray[Any]
    line: Int64Array

    def select(self, rows: NDArray[Any]) -> "FileRows":
        """The rows of an index or a mask."""
        return FileRows(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Park:
    """`ids` by what a file may call a device: its id, its name where no other has it, ACCOUNT/name; `grid`. `zone` of times without an offset."""

    devices: Devices
    ids: Mapping[str, int]
    zone: ZoneInfo

    @classmethod
    def of(cls, devices: Devices, zone: ZoneInfo) -> "Park":
        """`devices` may change later: it is copied."""
        devices = Devices(dict(devices.by_id))
        ids: dict[str, int] = {}
        names = [device.name for device in devices.by_id.values()]
        for device in devices.by_id.values():
            if names.count(device.name) == 1:
                ids[device.name] = device.id
            ids[f"{device.account}/{device.name}"] = device.id
        ids |= {str(device_id): device_id for device_id in devices.by_id}
        return cls(devices, ids | {GRID_NAME: GRID}, zone)


def joined(parts: list[FileRows]) -> FileRows:
    """Parts of one file as one."""
    if not parts:
        none = np.zeros(0, np.int64)
        return FileRows(none, none, none, none, none, np.zeros(0, np.uint8), none)
    return FileRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in FileRows.__slots__))
