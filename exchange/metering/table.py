"""The readings that count: a fold of the documents of meters.

Readings by account (`MeterReadings`) are kept by period, those by device in dense arrays (device_store.py). A period of an account is read one way
only; where it is read by device its consumption is the sum of what its devices took and its generation the sum of what they gave.

Cost: applying a document touches the periods it names, each once; reading a day touches its periods. A reading keeps its revision and
whether it replaced an earlier one, so that a statement can say so. What a correction replaced can be read as of an earlier command; numbers that
were replaced before their day was settled stay in the journal.
Known limit: all periods stay in memory (about 40 bytes a reading by account, 13 one by device).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.metering.day import DayReadings, GridReading, empty_day
from exchange.metering.device_store import DeviceStore, Quality, read_devices
from exchange.metering.months import GRID, SUPERSEDED, Months
from exchange.metering.validation import (
    NO_STORAGE,
    BoolArray,
    Check,
    GridColumns,
    Int64Array,
    MemberColumns,
    MeterProblem,
    MeterRule,
    check_document,
    first_problem,
)
from exchange.protocol.documents import MeterReadings
from exchange.protocol.value_chain.metering import CorrectReadings
from exchange.units import PERIOD_NS

__all__ = ["READING", "TABLE_VERSION", "DayReadings", "GridReading", "MeterTable"]

TABLE_VERSION: Final = 1

# Packed and little-endian: its bytes are part of the state hash.
READING: Final = np.dtype(
    [
        ("account", "<u4"),
        ("revision", "<i4"),
        ("replaced", "u1"),
        ("consumption_wh", "<i8"),
        ("generation_wh", "<i8"),
        ("soc_wh", "<i8"),
    ]
)


class MeterTable:
    """Readings by period and account. State is the fold of the documents applied and of the periods settled, nothing else."""

    def __init__(self) -> None:
        self._members: dict[int, NDArray[Any]] = {}  # by period start: READING rows in the order of accounts
        self._grid: dict[int, GridReading] = {}
        self._settled: set[int] = set()
        self._metered_accounts: set[int] = set()
        self.devices = DeviceStore()
        self.months = Months()

    def apply(self, document: MeterReadings, known_accounts: Collection[int], stamp_ns: int) -> MeterProblem | None:
        """Take the whole document, or change nothing and say why.

        A reading of an account and period that is there already needs a higher revision and replaces it (a substitution, flagged).
        """
        columns = check_document(document, known_accounts, stamp_ns)
        if isinstance(columns, MeterProblem):
            return columns
        members, grid = columns
        problem = first_problem(self._checks(document.revision, members, grid))
        if problem is not None:
            return problem
        self._take(document.revision, members, grid)
        return None

    def correct(self, document: CorrectReadings, known_accounts: Collection[int], stamp_ns: int, sequence: int) -> MeterProblem | None:
        """As `apply`, for periods of closed months alone; what they were before command `sequence` stays readable."""
        columns = check_document(document, known_accounts, stamp_ns)
        if isinstance(columns, MeterProblem):
            return columns
        members, grid = columns
        problem = first_problem(self._checks_of_correction(document.revision, members, grid))
        if problem is not None:
            return problem
        self._note_members(sequence, members)
        self.note_grid(sequence, grid.start_ns)
        self._take(document.revision, members, grid)
        return None

    def _take(self, revision: int, members: MemberColumns, grid: GridColumns) -> None:
        for start_ns, selected in _by_period(members.start_ns):
            self._merge_period(start_ns, _period_rows(revision, members, selected))
        self.put_grid(revision, grid)
        self._metered_accounts.update(members.account.tolist())

    def put_grid(self, revision: int, grid: GridColumns) -> None:
        """Rows that have been checked."""
        for start_ns, import_wh, export_wh, losses_wh in zip(*_lists(grid), strict=True):
            self._grid[start_ns] = GridReading(revision, start_ns in self._grid, import_wh, export_wh, losses_wh)

    def grid_reading(self, start_ns: int) -> GridReading | None:
        """The grid meter in one period."""
        return self._grid.get(start_ns)

    def note_grid(self, sequence: int, start_ns: Int64Array) -> None:
        """Remember what the grid meter showed before command `sequence` replaces it."""
        rows = []
        for start in start_ns.tolist():
            r = self._grid.get(start)
            values = (0, 0, 0, 0, 0, 0) if r is None else (r.import_wh, r.export_wh, r.losses_wh, r.revision, 1, int(r.replaced))
            rows.append((sequence, GRID, start, *values))
        self.months.superseded.append(np.array(rows, SUPERSEDED))

    def mark_settled(self, period_starts_ns: Iterable[int]) -> None:
        """Close periods to further readings: a settled period is corrected by a new entry, never by another number."""
        self._settled.update(period_starts_ns)

    def metered_accounts(self) -> frozenset[int]:
        """Accounts that ever had a reading: from then on each of their periods needs one."""
        return frozenset(self._metered_accounts | self.devices.of_account.keys())

    def are_settled(self, start_ns: Int64Array) -> BoolArray:
        """Whether each period is settled; bool, shape of `start_ns`."""
        return np.isin(start_ns, np.fromiter(self._settled, np.int64, len(self._settled)))

    def are_read_by_account(self, account: Int64Array, start_ns: Int64Array) -> BoolArray:
        """Whether each (account, period) has a reading by account; bool, shape of both."""
        found = np.zeros(start_ns.shape, np.bool_)
        if not self._members:
            return found
        for start, selected in _by_period(start_ns):
            rows = self._members.get(start)
            if rows is not None:
                found[selected] = np.isin(account[selected], rows["account"])
        return found

    def read(self, accounts: Sequence[int], period_starts_ns: Sequence[int], as_of_sequence: int | None = None) -> DayReadings:
        """Readings of `accounts` (rows, increasing) in `period_starts_ns` (columns): now, or as they were known after command `as_of_sequence`.

        What a re-run compares: the second as of the command that settled the day, the first as of today.
        """
        wanted = np.array(accounts, dtype=np.int64)
        day = empty_day(len(wanted), len(period_starts_ns))
        for column, start_ns in enumerate(period_starts_ns):
            rows = self._members.get(start_ns)
            if rows is not None:
                source = np.minimum(np.searchsorted(rows["account"], wanted), len(rows) - 1)  # rows are kept in the order of accounts
                target = np.flatnonzero(rows["account"][source] == wanted)
                source = source[target]
                for name in ("consumption_wh", "generation_wh", "soc_wh", "replaced"):
                    getattr(day, name)[target, column] = rows[name][source]
                day.metered[target, column] = True
            reading = self._grid.get(start_ns)
            if reading is not None:
                day.grid_import_wh[column], day.grid_export_wh[column] = reading.import_wh, reading.export_wh
                day.losses_wh[column], day.grid_metered[column] = reading.losses_wh, True
        if as_of_sequence is not None:
            self.months.go_back(day, wanted, np.array(period_starts_ns, np.int64), as_of_sequence)
        if self.devices:
            self._add_devices(day, accounts, np.array(period_starts_ns, np.int64), as_of_sequence)
        return day

    def _add_devices(self, day: DayReadings, accounts: Sequence[int], starts_ns: Int64Array, as_of_sequence: int | None) -> None:
        """Sums of the devices, in the periods that an account is read by device."""
        for row, account in enumerate(accounts):
            firsts = {device: self.devices.first_period(device, as_of_sequence) for device in self.devices.of_account.get(account, ())}
            devices = [device for device, first in firsts.items() if first is not None]
            if not devices:
                continue
            cells = read_devices(self.devices, devices, starts_ns, as_of_sequence)
            there = cells.document > 0
            expected = starts_ns[None, :] // PERIOD_NS >= np.array([firsts[device] for device in devices])[:, None]
            by_device = np.any(there, axis=0)
            day.metered[row, by_device] = np.all((there | ~expected)[:, by_device], axis=0)
            day.replaced[row, by_device] = np.any((cells.quality > Quality.MEASURED)[:, by_device], axis=0)
            day.consumption_wh[row, by_device] = cells.import_wh.sum(axis=0)[by_device]
            day.generation_wh[row, by_device] = cells.export_wh.sum(axis=0)[by_device]

    def park_energy_wh(self, start_ns: int) -> tuple[int, int, GridReading | None]:
        """Consumption and generation of all members in one period, and its grid reading if there is one."""
        day = self.read(sorted(self.metered_accounts()), [start_ns])
        return int(day.consumption_wh.sum()), int(day.generation_wh.sum()), self._grid.get(start_ns)

    def period_starts_ns(self) -> list[int]:
        """Periods with a reading of any kind, in order of time."""
        return sorted(self._members.keys() | self._grid.keys() | set(self.devices.period_starts_ns().tolist()))

    def to_canonical(self) -> dict[str, Any]:
        """Logical content for the state hash and the snapshot: integers and bytes in order of time and account."""
        return {
            "version": TABLE_VERSION,
            "members": [[start_ns, rows.tobytes()] for start_ns, rows in sorted(self._members.items())],
            "grid": [[start_ns, r.revision, int(r.replaced), r.import_wh, r.export_wh, r.losses_wh] for start_ns, r in sorted(self._grid.items())],
            "settled": sorted(self._settled),
        }

    @classmethod
    def from_canonical(cls, content: dict[str, Any]) -> "MeterTable":
        """Inverse of `to_canonical`. Raises InputError for another version."""
        if content["version"] != TABLE_VERSION:
            raise InputError("meter table of another version")
        table = cls()
        for start_ns, data in content["members"]:
            rows = np.frombuffer(data, dtype=READING).copy()
            table._members[start_ns] = rows
            table._metered_accounts.update(rows["account"].tolist())
        for start_ns, revision, replaced, import_wh, export_wh, losses_wh in content["grid"]:
            table._grid[start_ns] = GridReading(revision, bool(replaced), import_wh, export_wh, losses_wh)
        table._settled = set(content["settled"])
        return table

    def _checks(self, revision: int, members: MemberColumns, grid: GridColumns) -> Iterator[Check]:
        yield MeterRule.METER_PERIOD_SETTLED, False, self.are_settled(members.start_ns)
        yield MeterRule.METER_PERIOD_SETTLED, True, self.are_settled(grid.start_ns)
        yield from self._checks_of_revision(revision, members, grid)
        yield MeterRule.METER_MONTH_CLOSED, False, self.months.are_closed(members.start_ns)
        yield MeterRule.METER_MONTH_CLOSED, True, self.months.are_closed(grid.start_ns)
        yield from self._checks_of_devices(members)

    def _checks_of_correction(self, revision: int, members: MemberColumns, grid: GridColumns) -> Iterator[Check]:
        yield from self._checks_of_revision(revision, members, grid)
        yield from self._checks_of_devices(members)
        yield MeterRule.METER_MONTH_NOT_CLOSED, False, ~self.months.are_closed(members.start_ns)
        yield MeterRule.METER_MONTH_NOT_CLOSED, True, ~self.months.are_closed(grid.start_ns)

    def _checks_of_devices(self, members: MemberColumns) -> Iterator[Check]:
        by_device = np.zeros(members.start_ns.shape, np.bool_)
        for account in np.unique(members.account).tolist() if self.devices else ():
            rows = np.flatnonzero(members.account == account)
            for device in self.devices.of_account.get(account, ()):
                by_device[rows] |= self.devices.has_any(device, members.start_ns[rows])
        yield MeterRule.METER_READ_BY_DEVICE, False, by_device

    def _checks_of_revision(self, revision: int, members: MemberColumns, grid: GridColumns) -> Iterator[Check]:
        not_higher = np.zeros(members.start_ns.shape, np.bool_)
        for start_ns, selected in _by_period(members.start_ns):
            rows = self._members.get(start_ns)
            if rows is not None:
                not_higher[selected] = np.isin(members.account[selected], rows["account"][rows["revision"] >= revision])
        yield MeterRule.METER_REVISION_NOT_HIGHER, False, not_higher
        earlier = (self._grid.get(start_ns) for start_ns in grid.start_ns.tolist())
        yield MeterRule.METER_REVISION_NOT_HIGHER, True, np.array([r is not None and r.revision >= revision for r in earlier], dtype=np.bool_)

    def _note_members(self, sequence: int, members: MemberColumns) -> None:
        """Remember what readings by account were before command `sequence` replaces them."""
        lost = np.zeros(len(members.start_ns), SUPERSEDED)
        lost["sequence"], lost["account"], lost["start_ns"], lost["third_wh"] = sequence, members.account, members.start_ns, NO_STORAGE
        for start_ns, selected in _by_period(members.start_ns):
            rows = self._members.get(start_ns)
            if rows is not None:
                _, source, target = np.intersect1d(rows["account"], members.account[selected], return_indices=True)
                places = selected[target]
                for into, name in (("first_wh", "consumption_wh"), ("second_wh", "generation_wh"), ("third_wh", "soc_wh")):
                    lost[into][places] = rows[name][source]
                lost["revision"][places], lost["replaced"][places] = rows["revision"][source], rows["replaced"][source]
                lost["existed"][places] = 1
        self.months.superseded.append(lost)

    def _merge_period(self, start_ns: int, new: NDArray[Any]) -> None:
        old = self._members.get(start_ns)
        if old is not None:
            new["replaced"] = np.isin(new["account"], old["account"])
            new = np.concatenate([old[~np.isin(old["account"], new["account"])], new])
        self._members[start_ns] = new[np.argsort(new["account"])]


def _by_period(start_ns: Int64Array) -> Iterator[tuple[int, Int64Array]]:
    """Each period with the rows that speak of it, in order of time."""
    order = np.argsort(start_ns, kind="stable")
    starts, first = np.unique(start_ns[order], return_index=True)
    yield from zip(starts.tolist(), np.split(order, first[1:]), strict=True) if starts.size else ()


def _period_rows(revision: int, members: MemberColumns, selected: Int64Array) -> NDArray[Any]:
    rows = np.zeros(len(selected), READING)
    rows["revision"] = revision
    for name in ("account", "consumption_wh", "generation_wh", "soc_wh"):
        rows[name] = getattr(members, name)[selected]
    return rows


def _lists(grid: GridColumns) -> tuple[list[int], list[int], list[int], list[int]]:
    return grid.start_ns.tolist(), grid.import_wh.tolist(), grid.export_wh.tolist(), grid.losses_wh.tolist()
