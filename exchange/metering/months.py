"""Months that are closed, and what corrections of readings by account and of the grid meter have replaced."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from exchange.metering.day import DayReadings
from exchange.metering.rows import Rows
from exchange.metering.validation import BoolArray, Int64Array
from exchange.protocol.value_chain.metering import FinalizeMonth
from exchange.units import NS_PER_DAY, NS_PER_HOUR, PERIOD_NS

GRID: Final = 0  # in the place of an account: the grid meter

# What a reading was before command `sequence`: consumption, generation, state of charge of an account, or import, export and losses of the grid.
SUPERSEDED: Final = np.dtype(
    [("sequence", "<i8"), ("account", "<u4"), ("start_ns", "<i8"), ("first_wh", "<i8"), ("second_wh", "<i8"), ("third_wh", "<i8"),
     ("revision", "<i4"), ("existed", "u1"), ("replaced", "u1")]
)  # fmt: skip


class ClosedMonth(NamedTuple):
    month: str
    start_ns: int
    end_ns: int


@dataclass(slots=True)
class Months:
    """Closed months in the order in which they were closed, and the superseded readings in the order of their commands."""

    closed: list[ClosedMonth] = field(default_factory=list)
    superseded: Rows = field(default_factory=lambda: Rows(SUPERSEDED))

    def are_closed(self, start_ns: Int64Array) -> BoolArray:
        """Whether each period lies in a closed month; bool, shape of `start_ns`."""
        found = np.zeros(start_ns.shape, np.bool_)
        for _, first_ns, end_ns in self.closed:
            found |= (start_ns >= first_ns) & (start_ns < end_ns)
        return found

    def problem(self, document: FinalizeMonth, stamp_ns: int) -> str | None:
        """The rule that keeps a month from being closed, as a stable name; gaps are looked for elsewhere."""
        start_ns, end_ns = document.month_start_ns, document.month_end_ns
        if not 0 < len(document.month) <= 16 or start_ns < 0 or start_ns % PERIOD_NS or end_ns % PERIOD_NS:
            return "month_malformed"
        if not 28 * NS_PER_DAY - NS_PER_HOUR <= end_ns - start_ns <= 31 * NS_PER_DAY + NS_PER_HOUR:  # the clock may change within it
            return "month_malformed"
        if end_ns > stamp_ns:
            return "month_not_over"
        if any(document.month == name or (start_ns < last_ns and first_ns < end_ns) for name, first_ns, last_ns in self.closed):
            return "month_is_closed"
        return None

    def go_back(self, day: DayReadings, accounts: Int64Array, starts_ns: Int64Array, as_of_sequence: int) -> None:
        """Undo what commands after `as_of_sequence` replaced, the last first; changes `day` in place."""
        rows = self.superseded.rows
        rows = rows[(rows["sequence"] > as_of_sequence) & np.isin(rows["start_ns"], starts_ns)]
        columns = {start: column for column, start in enumerate(starts_ns.tolist())}
        members = {account: row for row, account in enumerate(accounts.tolist())}
        for _, account, start, first, second, third, _, existed, replaced in rows[::-1].tolist():
            column = columns[start]
            if account == GRID:
                day.grid_import_wh[column], day.grid_export_wh[column], day.losses_wh[column] = first, second, third
                day.grid_metered[column] = bool(existed)
            elif account in members:
                place = members[account], column
                day.consumption_wh[place], day.generation_wh[place], day.soc_wh[place] = first, second, third
                day.metered[place], day.replaced[place] = bool(existed), bool(replaced)

    def to_canonical(self) -> list[Any]:
        """Empty while nothing was closed or superseded."""
        if not self.closed and not len(self.superseded):
            return []
        return [[list(month) for month in self.closed], self.superseded.rows.tobytes()]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Months":
        if not content:
            return cls()
        closed, superseded = content
        return cls([ClosedMonth(*month) for month in closed], Rows(SUPERSEDED, superseded))
