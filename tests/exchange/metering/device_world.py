"""Devices to test with, and documents of their readings by row."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from exchange.metering.device_readings import DeviceColumns, Taken, take
from exchange.metering.devices import Devices
from exchange.metering.table import MeterTable
from exchange.metering.validation import MeterProblem
from exchange.protocol.value_chain.metering import DeviceReadings, RegisterDevice
from exchange.units import PERIOD_NS

START_NS = 1_784_044_800 * 10**9  # 2026-07-15 00:00 in Shanghai
LOAD, PV, STORAGE, HEAT, SECOND_LOAD = range(1, 6)
ACCOUNT, OTHER_ACCOUNT = 33, 34
QUALITY_NAMES = ("measured", "estimated", "substituted")

Row = tuple[int, int, int]  # import, export, quality


def registry() -> Devices:
    devices = Devices()
    kinds = [(ACCOUNT, "load"), (ACCOUNT, "pv"), (OTHER_ACCOUNT, "storage"), (ACCOUNT, "heat"), (OTHER_ACCOUNT, "load")]
    for number, (account, kind) in enumerate(kinds, 1):
        devices.add(RegisterDevice(account=account, name=f"{kind}{number}", kind=kind, capacity_w=4_000_000, commissioned_ns=0))
    return devices


def readings_of(rows: Mapping[tuple[int, int], Row], revision: int = 1, version: str = "preliminary", **changes: Any) -> DeviceReadings:
    """A document with one run a row: what a file with nothing in a row with anything else comes to."""
    fields: dict[str, Any] = {
        "revision": revision, "version": version, "devices": [device for device, _ in rows], "first_starts_ns": [start for _, start in rows],
        "counts": [1] * len(rows), "qualities": [QUALITY_NAMES[row[2]] for row in rows.values()], "import_wh": [row[0] for row in rows.values()],
        "export_wh": [row[1] for row in rows.values()],
    }  # fmt: skip
    return DeviceReadings(**(fields | changes))


def run_of(device: int, first_ns: int, import_wh: list[int], export_wh: list[int] | None = None, **changes: Any) -> DeviceReadings:
    """A document of one run."""
    fields: dict[str, Any] = {
        "revision": 1, "devices": [device], "first_starts_ns": [first_ns], "counts": [len(import_wh)], "qualities": ["measured"],
        "import_wh": import_wh, "export_wh": export_wh or [0] * len(import_wh),
    }  # fmt: skip
    return DeviceReadings(**(fields | changes))


class Reader:
    """A table that takes documents one after the other."""

    def __init__(self, stamp_ns: int = START_NS + 400 * 96 * PERIOD_NS) -> None:
        self.table, self.devices, self.stamp_ns, self.sequence = MeterTable(), registry(), stamp_ns, 0

    def take(self, document: DeviceReadings) -> MeterProblem | Taken:
        self.sequence += 1
        return take(self.table, document, self.devices, self.stamp_ns, self.sequence)

    def must(self, document: DeviceReadings) -> Taken:
        taken = self.take(document)
        assert isinstance(taken, Taken), str(taken)
        return taken


def pairs(rows: DeviceColumns) -> dict[tuple[int, int], tuple[int, int, int]]:
    columns = (rows.device, rows.start_ns, rows.import_wh, rows.export_wh, rows.quality)
    return {(d, s): (i, e, q) for d, s, i, e, q in zip(*(np.asarray(c).tolist() for c in columns), strict=True)}
