"""A document of readings by device: its rules, and how it is taken (docs/rules.md, "Metering"). Taken whole or refused whole.

`DeviceRule` is in the order of the checks; the first row that breaks the lowest rule is named. A row counts over all runs, from 0 on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.metering.blocks import Cells
from exchange.metering.device_store import Quality, Version
from exchange.metering.devices import Device, DeviceKind, Devices
from exchange.metering.table import MeterTable
from exchange.metering.validation import (
    REVISION_LIMIT,
    BoolArray,
    Check,
    GridColumns,
    Int64Array,
    MeterProblem,
    MeterRule,
    check_grid,
    first_problem,
    int64_column,
    repeats,
)
from exchange.protocol.value_chain.metering import DeviceReadings
from exchange.units import PERIOD_NS

# A quarter-hour may show more than the rated power for its length: instruments err, and inverters clip late (design).
CAPACITY_MARGIN_PPM: Final = 100_000
QUALITIES: Final = {str(quality.name.lower()): quality for quality in Quality}
VERSIONS: Final = {str(version.name.lower()): version for version in Version}
THERMAL: Final = frozenset({DeviceKind.HEAT, DeviceKind.COLD})


class DeviceRule(IntEnum):
    """Why a document of readings by device is refused. Numbers are part of the protocol and never reused."""

    DEVICE_DOCUMENT_EMPTY = 1
    DEVICE_COLUMNS_DIFFER = 2
    DEVICE_NUMBER_OUT_OF_RANGE = 3
    DEVICE_REVISION_OUT_OF_RANGE = 4
    DEVICE_VERSION_UNKNOWN = 5
    DEVICE_QUALITY_UNKNOWN = 6
    DEVICE_UNKNOWN = 7
    DEVICE_PERIOD_OFF_GRID = 8
    DEVICE_PERIOD_NOT_OVER = 9
    DEVICE_READING_NEGATIVE = 10
    DEVICE_OVER_CAPACITY = 11
    DEVICE_LOAD_EXPORTS = 12
    DEVICE_DUPLICATE_READING = 13
    DEVICE_READ_BY_ACCOUNT = 14
    DEVICE_REVISION_NOT_HIGHER = 15
    DEVICE_VERSION_LOWER = 16
    DEVICE_PERIOD_SETTLED = 17
    DEVICE_MONTH_CLOSED = 18
    DEVICE_MONTH_NOT_CLOSED = 19
    DEVICE_STATE_OF_CHARGE_MALFORMED = 20


@dataclass(frozen=True, slots=True, eq=False)
class DeviceColumns:
    """n rows: int64[n] each, quality uint8[n]."""

    device: Int64Array
    start_ns: Int64Array
    import_wh: Int64Array
    export_wh: Int64Array
    quality: NDArray[np.uint8]

    def select(self, rows: BoolArray) -> "DeviceColumns":
        return DeviceColumns(self.device[rows], self.start_ns[rows], self.import_wh[rows], self.export_wh[rows], self.quality[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What a document came to: the rows that were new or other than before, how many replaced earlier ones, how many were there already."""

    rows: DeviceColumns
    grid: GridColumns
    replaced: int
    unchanged: int


def limit_wh(device: Device) -> int:
    """Most Wh that a quarter-hour of the device can show, with the margin."""
    return device.capacity_w * (1_000_000 + CAPACITY_MARGIN_PPM) // 4_000_000


def take(table: MeterTable, document: DeviceReadings, devices: Devices, stamp_ns: int, sequence: int) -> MeterProblem | Taken:
    """Take the whole document, or change nothing and say why."""
    examined = _examine(table, document, devices, stamp_ns)
    if isinstance(examined, MeterProblem):
        return examined
    rows, known, grid, grid_known = examined
    new, new_grid = rows.select(~known), GridColumns(*(column[~grid_known] for column in _grid_parts(grid)))
    replaced = put(table, new, devices, sequence, document.revision, VERSIONS[document.version])
    replaced += sum(table.grid_reading(start_ns) is not None for start_ns in new_grid.start_ns.tolist())
    table.note_grid(sequence, new_grid.start_ns)
    table.put_grid(document.revision, new_grid)
    return Taken(new, new_grid, replaced, int(known.sum()) + int(grid_known.sum()))


def problem_of(table: MeterTable, document: DeviceReadings, devices: Devices, stamp_ns: int) -> MeterProblem | None:
    """Why `take` would refuse the document; changes nothing."""
    examined = _examine(table, document, devices, stamp_ns)
    return examined if isinstance(examined, MeterProblem) else None


def _examine(
    table: MeterTable, document: DeviceReadings, devices: Devices, stamp_ns: int
) -> tuple[DeviceColumns, BoolArray, GridColumns, BoolArray] | MeterProblem:
    """(rows, which are there already, rows of the grid, which are there already), or the first problem."""
    read = _read(document, stamp_ns)
    if isinstance(read, MeterProblem):
        return read
    rows, grid = read
    version = VERSIONS[document.version]
    problem = first_problem(_row_checks(rows, devices, stamp_ns)) or _soc_problem(document, devices, stamp_ns)
    if problem is not None:
        return problem
    known = _already_there(table, rows, document.revision, version)
    grid_known = _grid_already_there(table, grid, document.revision)
    problem = first_problem(_state_checks(table, rows, known, devices, document.revision, version))
    problem = problem or first_problem(_grid_checks(table, grid, grid_known, document.revision, version))
    return problem or (rows, known, grid, grid_known)


def put(table: MeterTable, rows: DeviceColumns, devices: Devices, sequence: int, revision: int, version: Version) -> int:
    """Write rows that have been checked; returns how many replaced earlier ones."""
    if not len(rows.device):
        return 0
    ids = np.unique(rows.device).tolist()
    accounts = {device: (devices.by_id[device].account, devices.by_id[device].kind not in THERMAL) for device in ids}
    cells = Cells(rows.import_wh, rows.export_wh, rows.quality, rows.quality)
    return table.devices.put(accounts, rows.device, rows.start_ns, cells, sequence, revision, version)


def _read(document: DeviceReadings, stamp_ns: int) -> tuple[DeviceColumns, GridColumns] | MeterProblem:
    """Rows of the runs and of the grid."""
    if not document.devices and not document.grid_starts_ns:
        return MeterProblem(DeviceRule.DEVICE_DOCUMENT_EMPTY)
    runs = (document.devices, document.first_starts_ns, document.counts, document.qualities)
    soc = (document.soc_devices, document.soc_at_ns, document.soc_wh)
    if len({len(column) for column in runs}) > 1 or len({len(column) for column in soc}) > 1:
        return MeterProblem(DeviceRule.DEVICE_COLUMNS_DIFFER)
    if len(document.import_wh) != len(document.export_wh) or sum(document.counts) != len(document.import_wh) or min(document.counts, default=1) < 1:
        return MeterProblem(DeviceRule.DEVICE_COLUMNS_DIFFER)
    if not 0 <= document.revision <= REVISION_LIMIT:
        return MeterProblem(DeviceRule.DEVICE_REVISION_OUT_OF_RANGE)
    if document.version not in VERSIONS:
        return MeterProblem(DeviceRule.DEVICE_VERSION_UNKNOWN)
    if not set(document.qualities) <= QUALITIES.keys():
        return MeterProblem(DeviceRule.DEVICE_QUALITY_UNKNOWN)
    try:
        grid = check_grid(document, stamp_ns)
        rows = _rows_of_runs(document)
    except OverflowError:  # MessagePack carries unsigned 64-bit numbers too
        return MeterProblem(DeviceRule.DEVICE_NUMBER_OUT_OF_RANGE)
    return grid if isinstance(grid, MeterProblem) else (rows, grid)


def _rows_of_runs(document: DeviceReadings) -> DeviceColumns:
    counts = int64_column(document.counts)
    within = np.arange(len(document.import_wh)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.repeat(int64_column(document.first_starts_ns), counts)
    return DeviceColumns(
        device=np.repeat(int64_column(document.devices), counts),
        start_ns=starts + within * PERIOD_NS,
        import_wh=int64_column(document.import_wh),
        export_wh=int64_column(document.export_wh),
        quality=np.repeat(np.array([QUALITIES[name] for name in document.qualities], np.uint8), counts),
    )


def _row_checks(rows: DeviceColumns, devices: Devices, stamp_ns: int) -> Iterator[Check]:
    yield DeviceRule.DEVICE_UNKNOWN, False, (rows.device < 1) | (rows.device > len(devices.by_id))
    yield DeviceRule.DEVICE_PERIOD_OFF_GRID, False, (rows.start_ns < 0) | (rows.start_ns % PERIOD_NS != 0)
    yield DeviceRule.DEVICE_PERIOD_NOT_OVER, False, rows.start_ns > stamp_ns - PERIOD_NS
    yield DeviceRule.DEVICE_READING_NEGATIVE, False, (rows.import_wh < 0) | (rows.export_wh < 0)
    limits = np.array([0, *(limit_wh(device) for _, device in sorted(devices.by_id.items()))], np.int64)[rows.device]
    yield DeviceRule.DEVICE_OVER_CAPACITY, False, (rows.import_wh > limits) | (rows.export_wh > limits)
    loads = np.array([False, *(device.kind is DeviceKind.LOAD for _, device in sorted(devices.by_id.items()))])[rows.device]
    yield DeviceRule.DEVICE_LOAD_EXPORTS, False, loads & (rows.export_wh > 0)
    yield DeviceRule.DEVICE_DUPLICATE_READING, False, repeats(rows.start_ns, rows.device)


def _soc_problem(document: DeviceReadings, devices: Devices, stamp_ns: int) -> MeterProblem | None:
    for row, (device_id, at_ns, soc_wh) in enumerate(zip(document.soc_devices, document.soc_at_ns, document.soc_wh, strict=True)):
        device = devices.by_id.get(device_id)
        if device is None or device.kind is not DeviceKind.STORAGE or not 0 <= at_ns <= stamp_ns or not 0 <= soc_wh <= 10**12:
            return MeterProblem(DeviceRule.DEVICE_STATE_OF_CHARGE_MALFORMED, row)
    return None


def _already_there(table: MeterTable, rows: DeviceColumns, revision: int, version: Version) -> BoolArray:
    """Rows that the table has with the same revision, version, values and quality."""
    cells = table.devices.find(rows.device, rows.start_ns)
    same = (cells.import_wh == rows.import_wh) & (cells.export_wh == rows.export_wh) & (cells.quality == rows.quality)
    documents = cells.document
    known: BoolArray = same & (table.devices.revision_of(documents) == revision) & (table.devices.version_of(documents) == int(version))
    return known


def _state_checks(
    table: MeterTable, rows: DeviceColumns, known: BoolArray, devices: Devices, revision: int, version: Version
) -> Iterator[Check]:
    """Rows that are there already break no rule: a load that was interrupted is repeated after a day was settled too."""
    new = ~known
    accounts = np.array([0, *(device.account for _, device in sorted(devices.by_id.items()))], np.int64)[rows.device]
    yield DeviceRule.DEVICE_READ_BY_ACCOUNT, False, table.are_read_by_account(accounts, rows.start_ns)
    documents = table.devices.find(rows.device, rows.start_ns).document
    yield DeviceRule.DEVICE_REVISION_NOT_HIGHER, False, new & (table.devices.revision_of(documents) >= revision)
    yield DeviceRule.DEVICE_VERSION_LOWER, False, new & (table.devices.version_of(documents) > int(version))
    if version is Version.PRELIMINARY:
        yield DeviceRule.DEVICE_PERIOD_SETTLED, False, new & table.are_settled(rows.start_ns)
    closed = table.months.are_closed(rows.start_ns)
    if version is Version.CORRECTION:
        yield DeviceRule.DEVICE_MONTH_NOT_CLOSED, False, new & ~closed
    else:
        yield DeviceRule.DEVICE_MONTH_CLOSED, False, new & closed


def state_problem(table: MeterTable, rows: DeviceColumns, devices: Devices, revision: int, version: Version) -> MeterProblem | None:
    """The first rule that keeps rows, none of them there already, out of the table."""
    return first_problem(_state_checks(table, rows, np.zeros(rows.device.shape, np.bool_), devices, revision, version))


def _grid_parts(grid: GridColumns) -> tuple[Int64Array, ...]:
    return grid.start_ns, grid.import_wh, grid.export_wh, grid.losses_wh


def _grid_already_there(table: MeterTable, grid: GridColumns, revision: int) -> BoolArray:
    known = np.zeros(grid.start_ns.shape, np.bool_)
    for row, (start_ns, *values) in enumerate(zip(*(column.tolist() for column in _grid_parts(grid)), strict=True)):
        r = table.grid_reading(start_ns)
        known[row] = r is not None and r.revision == revision and [r.import_wh, r.export_wh, r.losses_wh] == values
    return known


def _grid_checks(table: MeterTable, grid: GridColumns, known: BoolArray, revision: int, version: Version) -> Iterator[Check]:
    new = ~known
    earlier = [table.grid_reading(start_ns) for start_ns in grid.start_ns.tolist()]
    yield MeterRule.METER_REVISION_NOT_HIGHER, True, new & np.array([r is not None and r.revision >= revision for r in earlier], dtype=np.bool_)
    if version is Version.PRELIMINARY:
        yield MeterRule.METER_PERIOD_SETTLED, True, new & table.are_settled(grid.start_ns)
    closed = table.months.are_closed(grid.start_ns)
    if version is Version.CORRECTION:
        yield MeterRule.METER_MONTH_NOT_CLOSED, True, new & ~closed
    else:
        yield MeterRule.METER_MONTH_CLOSED, True, new & closed
