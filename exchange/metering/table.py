"""The readings that count: a fold of MeterReadings documents.

Cost: applying a document touches the periods it names, each once; reading a day touches its periods. A reading keeps its revision and
whether it replaced an earlier one, so that a statement can say so; the replaced numbers stay in the journal.
Known limit: all periods stay in memory (about 40 bytes a reading).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.metering.validation import (
    NO_STORAGE,
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


@dataclass(frozen=True, slots=True)
class GridReading:
    """The park's grid meter and the losses of one period."""

    revision: int
    replaced: bool
    import_wh: int
    export_wh: int
    losses_wh: int


@dataclass(frozen=True, slots=True, eq=False)
class DayReadings:
    """Readings of n accounts in T periods: int64[n, T] and int64[T] in Wh, bool for what was metered and what was substituted.

    Where nothing was metered energies are zero and the state of charge is -1.
    """

    consumption_wh: Int64Array
    generation_wh: Int64Array
    soc_wh: Int64Array
    metered: NDArray[np.bool_]
    replaced: NDArray[np.bool_]
    grid_import_wh: Int64Array
    grid_export_wh: Int64Array
    losses_wh: Int64Array
    grid_metered: NDArray[np.bool_]


class MeterTable:
    """Readings by period and account. State is the fold of the documents applied and of the periods settled, nothing else."""

    def __init__(self) -> None:
        self._members: dict[int, NDArray[Any]] = {}  # by period start: READING rows in the order of accounts
        self._grid: dict[int, GridReading] = {}
        self._settled: set[int] = set()
        self._metered_accounts: set[int] = set()

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
        for start_ns, selected in _by_period(members.start_ns):
            self._merge_period(start_ns, _period_rows(document.revision, members, selected))
        for start_ns, import_wh, export_wh, losses_wh in zip(*_lists(grid), strict=True):
            self._grid[start_ns] = GridReading(document.revision, start_ns in self._grid, import_wh, export_wh, losses_wh)
        self._metered_accounts.update(members.account.tolist())
        return None

    def mark_settled(self, period_starts_ns: Iterable[int]) -> None:
        """Close periods to further readings: a settled period is corrected by a new entry, never by another number."""
        self._settled.update(period_starts_ns)

    def metered_accounts(self) -> frozenset[int]:
        """Accounts that ever had a reading: from then on each of their periods needs one."""
        return frozenset(self._metered_accounts)

    def read(self, accounts: Sequence[int], period_starts_ns: Sequence[int]) -> DayReadings:
        """Readings of `accounts` (rows, increasing) in `period_starts_ns` (columns)."""
        wanted = np.array(accounts, dtype=np.int64)
        day = _empty_day(len(wanted), len(period_starts_ns))
        for column, start_ns in enumerate(period_starts_ns):
            rows = self._members.get(start_ns)
            if rows is not None:
                _, source, target = np.intersect1d(rows["account"], wanted, assume_unique=True, return_indices=True)
                for name in ("consumption_wh", "generation_wh", "soc_wh", "replaced"):
                    getattr(day, name)[target, column] = rows[name][source]
                day.metered[target, column] = True
            reading = self._grid.get(start_ns)
            if reading is not None:
                day.grid_import_wh[column], day.grid_export_wh[column] = reading.import_wh, reading.export_wh
                day.losses_wh[column], day.grid_metered[column] = reading.losses_wh, True
        return day

    def park_energy_wh(self, start_ns: int) -> tuple[int, int, GridReading | None]:
        """Consumption and generation of all members in one period, and its grid reading if there is one."""
        rows = self._members.get(start_ns)
        reading = self._grid.get(start_ns)
        if rows is None:
            return 0, 0, reading
        return int(rows["consumption_wh"].sum()), int(rows["generation_wh"].sum()), reading

    def period_starts_ns(self) -> list[int]:
        """Periods with a reading of any kind, in order of time."""
        return sorted(self._members.keys() | self._grid.keys())

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
        settled = np.fromiter(self._settled, np.int64, len(self._settled))
        yield MeterRule.METER_PERIOD_SETTLED, False, np.isin(members.start_ns, settled)
        yield MeterRule.METER_PERIOD_SETTLED, True, np.isin(grid.start_ns, settled)
        not_higher = np.zeros(members.start_ns.shape, np.bool_)
        for start_ns, selected in _by_period(members.start_ns):
            rows = self._members.get(start_ns)
            if rows is not None:
                not_higher[selected] = np.isin(members.account[selected], rows["account"][rows["revision"] >= revision])
        yield MeterRule.METER_REVISION_NOT_HIGHER, False, not_higher
        earlier = (self._grid.get(start_ns) for start_ns in grid.start_ns.tolist())
        yield MeterRule.METER_REVISION_NOT_HIGHER, True, np.array([r is not None and r.revision >= revision for r in earlier], dtype=np.bool_)

    def _merge_period(self, start_ns: int, new: NDArray[Any]) -> None:
        old = self._members.get(start_ns)
        if old is not None:
            new["replaced"] = np.isin(new["account"], old["account"])
            new = np.concatenate([old[~np.isin(old["account"], new["account"])], new])
        self._members[start_ns] = new[np.argsort(new["account"])]


def _empty_day(n: int, t: int) -> DayReadings:
    return DayReadings(
        consumption_wh=np.zeros((n, t), np.int64),
        generation_wh=np.zeros((n, t), np.int64),
        soc_wh=np.full((n, t), NO_STORAGE, np.int64),
        metered=np.zeros((n, t), np.bool_),
        replaced=np.zeros((n, t), np.bool_),
        grid_import_wh=np.zeros(t, np.int64),
        grid_export_wh=np.zeros(t, np.int64),
        losses_wh=np.zeros(t, np.int64),
        grid_metered=np.zeros(t, np.bool_),
    )


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
