"""Business rules of a document of meter readings (docs/rules.md, "Metering"). A document is taken whole or refused whole.

`MeterRule` is in the order of the checks: the lowest rule that is broken is reported, member rows before grid rows, at its first row.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.protocol.documents import MeterReadings
from exchange.protocol.value_chain.metering import CorrectReadings, DeviceReadings
from exchange.units import PERIOD_NS

# 4 GW for a quarter of an hour: far beyond a park, and small enough that a day's energy times any price fits int64.
READING_LIMIT_WH: Final = 1_000_000_000
REVISION_LIMIT: Final = 2**31 - 1
NO_STORAGE: Final = -1

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class MeterRule(IntEnum):
    """Why a document of readings is refused. Numbers are part of the protocol and never reused."""

    METER_DOCUMENT_EMPTY = 1
    METER_COLUMNS_DIFFER = 2
    METER_NUMBER_OUT_OF_RANGE = 3
    METER_REVISION_OUT_OF_RANGE = 4
    METER_UNKNOWN_ACCOUNT = 5
    METER_PERIOD_OFF_GRID = 6
    METER_PERIOD_NOT_OVER = 7
    METER_READING_NEGATIVE = 8
    METER_READING_TOO_LARGE = 9
    METER_DUPLICATE_READING = 10
    METER_PERIOD_SETTLED = 11
    METER_REVISION_NOT_HIGHER = 12
    METER_MONTH_CLOSED = 13
    METER_READ_BY_DEVICE = 14
    METER_MONTH_NOT_CLOSED = 15


@dataclass(frozen=True, slots=True)
class MeterProblem:
    """The broken rule and where: `row` of the member columns or, with `grid`, of the grid columns; -1 speaks of the whole document."""

    rule: IntEnum
    row: int = -1
    grid: bool = False

    def __str__(self) -> str:
        place = "" if self.row < 0 else f" at {'grid ' if self.grid else ''}row {self.row}"
        return f"{self.rule.name}{place}"


@dataclass(frozen=True, slots=True, eq=False)
class MemberColumns:
    """Member rows of a document as int64 arrays of one length."""

    account: Int64Array
    start_ns: Int64Array
    consumption_wh: Int64Array
    generation_wh: Int64Array
    soc_wh: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class GridColumns:
    """Grid rows of a document as int64 arrays of one length."""

    start_ns: Int64Array
    import_wh: Int64Array
    export_wh: Int64Array
    losses_wh: Int64Array


# One check: the rule, whether it speaks of the grid rows, and the rows that break it.
Check = tuple[IntEnum, bool, "np.bool_ | BoolArray"]


def check_document(
    document: MeterReadings | CorrectReadings, known_accounts: Collection[int], stamp_ns: int
) -> tuple[MemberColumns, GridColumns] | MeterProblem:
    """Columns of a document that keeps every rule which does not need earlier readings, or the first problem.

    `stamp_ns` is the time of the command: a period that is not over by then cannot have been metered.
    """
    columns = _read_columns(document)
    if isinstance(columns, MeterProblem):
        return columns
    if not 0 <= document.revision <= REVISION_LIMIT:
        return MeterProblem(MeterRule.METER_REVISION_OUT_OF_RANGE)
    return first_problem(_checks(*columns, known_accounts, stamp_ns)) or columns


def check_grid(document: DeviceReadings, stamp_ns: int) -> GridColumns | MeterProblem:
    """The grid rows of a document of device readings, or their first problem. Raises OverflowError for a number beyond int64."""
    columns = (document.grid_starts_ns, document.grid_import_wh, document.grid_export_wh, document.losses_wh)
    if len({len(column) for column in columns}) > 1:
        return MeterProblem(MeterRule.METER_COLUMNS_DIFFER, grid=True)
    grid = GridColumns(*map(int64_column, columns))
    none = np.zeros(0, np.int64)
    return first_problem(_checks(MemberColumns(none, none, none, none, none), grid, (), stamp_ns)) or grid


def first_problem(checks: Iterable[Check]) -> MeterProblem | None:
    """The first check that some row breaks, at its first such row."""
    for rule, is_grid, broken in checks:
        if broken.any():
            return MeterProblem(rule, int(np.argmax(broken)), is_grid)
    return None


def _read_columns(document: MeterReadings | CorrectReadings) -> tuple[MemberColumns, GridColumns] | MeterProblem:
    members = (document.accounts, document.period_starts_ns, document.consumption_wh, document.generation_wh, document.soc_wh)
    grid = (document.grid_starts_ns, document.grid_import_wh, document.grid_export_wh, document.losses_wh)
    if not any(members) and not any(grid):
        return MeterProblem(MeterRule.METER_DOCUMENT_EMPTY)
    if len({len(column) for column in members}) > 1 or len({len(column) for column in grid}) > 1:
        return MeterProblem(MeterRule.METER_COLUMNS_DIFFER)
    try:
        return MemberColumns(*map(int64_column, members)), GridColumns(*map(int64_column, grid))
    except OverflowError:  # MessagePack carries unsigned 64-bit numbers too
        return MeterProblem(MeterRule.METER_NUMBER_OUT_OF_RANGE)


def int64_column(column: Sequence[int]) -> Int64Array:
    """Raises OverflowError for a number beyond int64."""
    return np.array(column, dtype=np.int64)


def _checks(members: MemberColumns, grid: GridColumns, known_accounts: Collection[int], stamp_ns: int) -> Iterator[Check]:
    known = np.fromiter(known_accounts, np.int64, len(known_accounts))
    yield MeterRule.METER_UNKNOWN_ACCOUNT, False, ~np.isin(members.account, known)
    starts = ((False, members.start_ns), (True, grid.start_ns))
    for is_grid, start_ns in starts:
        yield MeterRule.METER_PERIOD_OFF_GRID, is_grid, (start_ns < 0) | (start_ns % PERIOD_NS != 0)
    for is_grid, start_ns in starts:
        yield MeterRule.METER_PERIOD_NOT_OVER, is_grid, start_ns > stamp_ns - PERIOD_NS
    energies = np.stack([members.consumption_wh, members.generation_wh])
    grid_energies = np.stack([grid.import_wh, grid.export_wh, grid.losses_wh])
    yield MeterRule.METER_READING_NEGATIVE, False, (energies < 0).any(axis=0) | (members.soc_wh < NO_STORAGE)
    yield MeterRule.METER_READING_NEGATIVE, True, (grid_energies < 0).any(axis=0)
    yield MeterRule.METER_READING_TOO_LARGE, False, (energies > READING_LIMIT_WH).any(axis=0) | (members.soc_wh > READING_LIMIT_WH)
    yield MeterRule.METER_READING_TOO_LARGE, True, (grid_energies > READING_LIMIT_WH).any(axis=0)
    yield MeterRule.METER_DUPLICATE_READING, False, repeats(members.start_ns, members.account)
    yield MeterRule.METER_DUPLICATE_READING, True, repeats(grid.start_ns, np.zeros_like(grid.start_ns))


def repeats(start_ns: Int64Array, account: Int64Array) -> BoolArray:
    """Rows whose key already stands in an earlier row."""
    order = np.lexsort((account, start_ns))  # stable: of equal keys the first row comes first
    repeated = np.zeros(start_ns.shape, np.bool_)
    if start_ns.size:
        repeated[order[1:]] = (np.diff(start_ns[order]) == 0) & (np.diff(account[order]) == 0)
    return repeated
