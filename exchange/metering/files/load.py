"""A file of readings from its bytes to the documents that carry it: read, checked whole, cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from exchange.metering.device_readings import limit_wh
from exchange.metering.device_store import Quality
from exchange.metering.devices import DeviceKind
from exchange.metering.files.csv_file import read_csv
from exchange.metering.files.parquet_file import MAGIC, read_parquet
from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.registers import DIGITS_DEFAULT, intervals_of
from exchange.metering.files.rows import GRID, FileRows, OnProgress, Park
from exchange.metering.files.series import History, history_starts_ns
from exchange.metering.table import MeterTable
from exchange.metering.validation import READING_LIMIT_WH, BoolArray
from exchange.protocol.value_chain.metering import DeviceReadings
from exchange.units import PERIOD_NS, WH_PER_KWH

# Even rows that are a run each stay below the limit of a document, at 40 bytes each.
DOCUMENT_ROWS_MAX: Final = 100_000
_QUALITY_NAMES: Final = [quality.name.lower() for quality in Quality]


@dataclass(frozen=True, slots=True, eq=False)
class ReadFile:
    """`rows` by device and time, each once; none of them counts while `findings.refusals` is not zero."""

    findings: Findings
    rows: FileRows

    @property
    def n_devices(self) -> int:
        return len(np.unique(self.rows.device[self.rows.device != GRID]))


def read_file(
    file: BinaryIO, source: str, park: Park, now_ns: int, digits: int = DIGITS_DEFAULT, on_progress: OnProgress = lambda _n: None
) -> ReadFile:
    """Read a CSV or Parquet file and check every row by itself. `on_progress` is told bytes of CSV or rows of Parquet.

    `file` can be sought. Raises InputError for a Parquet file that cannot be read.
    """
    findings = Findings(source)
    is_parquet = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    rows, is_register = (read_parquet if is_parquet else read_csv)(file, park, findings, on_progress)
    if findings.refusals:
        return ReadFile(findings, rows)
    if is_register:
        rows = intervals_of(rows, park.devices, findings, digits)
    _note_order(rows, findings)
    rows = rows.select(np.lexsort((rows.line, rows.at_ns, rows.device)))
    _check_rows(rows, park, now_ns, findings)
    return ReadFile(findings, rows)


def documents_of(
    rows: FileRows, revision: int, version: str, source: str, rows_max: int = DOCUMENT_ROWS_MAX
) -> Iterator[DeviceReadings]:
    """Documents of at most `rows_max` rows that carry a checked file."""
    for first in range(0, len(rows.device), rows_max):
        yield _document(rows.select(np.arange(first, min(first + rows_max, len(rows.device)))), revision, version, source)


def history_of(table: MeterTable, rows: FileRows) -> History:
    """Readings that an exchange has of the days before the first row of each device."""
    devices, firsts = np.unique(rows.device, return_index=True)
    known = {}
    for device, first in zip(devices.tolist(), firsts.tolist(), strict=True):
        starts_ns = history_starts_ns(int(rows.at_ns[first]))
        cells = table.devices.find(np.full(starts_ns.shape, device), starts_ns)
        known[device] = np.where(cells.document > 0, np.stack([cells.import_wh, cells.export_wh]).astype(np.float64), np.nan)
    return known


def _note_order(rows: FileRows, findings: Findings) -> None:
    """Rows of a device that come before an earlier one of it in time; they are put in order."""
    order = np.lexsort((rows.line, rows.device))
    device, at_ns, line = rows.device[order], rows.at_ns[order], rows.line[order]
    back = (np.diff(device) == 0) & (np.diff(at_ns) < 0)
    findings.add_rows(Finding.OUT_OF_ORDER, line[1:][back].tolist(), "earlier than the row of the device before it")


def _check_rows(rows: FileRows, park: Park, now_ns: int, findings: Findings) -> None:
    """Rows by device and time."""
    by_id = [device for _, device in sorted(park.devices.by_id.items())]
    limits = np.array([READING_LIMIT_WH, *map(limit_wh, by_id)], np.int64)[rows.device]
    loads = np.array([False, *(device.kind is DeviceKind.LOAD for device in by_id)])[rows.device]
    again = np.append(False, (np.diff(rows.device) == 0) & (np.diff(rows.at_ns) == 0)) if len(rows.device) else np.zeros(0, np.bool_)
    largest = np.maximum(rows.import_wh, rows.export_wh)

    def note(finding: Finding, broken: BoolArray, words: str) -> None:
        for index in np.flatnonzero(broken).tolist():
            findings.add(finding, int(rows.line[index]), f"{_name(rows, index, park)}: {words}")

    note(Finding.TIME_MALFORMED, (rows.at_ns % PERIOD_NS != 0) | (rows.at_ns < 0), "not the start of a quarter-hour")
    note(Finding.IN_THE_FUTURE, rows.at_ns > now_ns - PERIOD_NS, "the quarter-hour is not over")
    for index in np.flatnonzero(largest > limits).tolist():
        words = f"{_name(rows, index, park)}: {largest[index] / WH_PER_KWH:g} kWh; it can carry {limits[index] / WH_PER_KWH:g} in a quarter-hour"
        findings.add(Finding.OVER_CAPACITY, int(rows.line[index]), words)
    note(Finding.LOAD_EXPORTS, loads & (rows.export_wh > 0), "a load gives no energy")
    note(Finding.TWICE, again, "the quarter-hour has a reading already")
    note(Finding.FLAG_UNKNOWN, rows.flag >= len(Quality), "removed and installed speak of registers")
    if not len(rows.device):
        findings.add(Finding.NO_READINGS, 0, "no quarter-hour has a state of the register at both of its ends")


def _name(rows: FileRows, index: int, park: Park) -> str:
    device = park.devices.by_id.get(int(rows.device[index]))
    return "the grid meter" if device is None else f"device {device.id} ({device.name})"


def _document(rows: FileRows, revision: int, version: str, source: str) -> DeviceReadings:
    grid, own = rows.select(rows.device == GRID), rows.select(rows.device != GRID)
    follows = (np.diff(own.device) == 0) & (np.diff(own.at_ns) == PERIOD_NS) & (np.diff(own.flag) == 0)
    firsts = np.flatnonzero(np.append(True, ~follows)) if len(own.device) else np.zeros(0, np.int64)
    return DeviceReadings(
        revision=revision,
        version=version,
        source=source,
        devices=own.device[firsts].tolist(),
        first_starts_ns=own.at_ns[firsts].tolist(),
        counts=np.diff(firsts, append=len(own.device)).tolist(),
        qualities=[_QUALITY_NAMES[flag] for flag in own.flag[firsts].tolist()],
        import_wh=own.import_wh.tolist(),
        export_wh=own.export_wh.tolist(),
        grid_starts_ns=grid.at_ns.tolist(),
        grid_import_wh=grid.import_wh.tolist(),
        grid_export_wh=grid.export_wh.tolist(),
        losses_wh=grid.losses_wh.tolist(),
    )
