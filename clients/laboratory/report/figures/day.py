"""One day of a run as arrays, read for the charts that show a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from clients.laboratory.report.figures.parts import Floats, numbers
from clients.laboratory.report.markup import Text, same
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput

# Of a longer run the page shows the days with the least, the median and the most traded energy.
DAYS_SHOWN_MAX: Final = 7
_HALF_PERIOD: Final = timedelta(minutes=7, seconds=30)


@dataclass(frozen=True, slots=True, eq=False)
class RunDay:
    """Day `day` of a run: T quarter-hours from `first` on. `starts` and `middles` are local times as charts read them."""

    run: RunOutput
    day: int
    first: int
    starts: list[str]
    middles: list[str]
    periods: pa.Table

    @property
    def n_periods(self) -> int:
        return len(self.starts)

    @property
    def clock_range(self) -> list[str]:
        """From the start of the first quarter-hour to the end of the last."""
        return [self.starts[0], (datetime.fromisoformat(self.starts[-1]) + 2 * _HALF_PERIOD).isoformat()]

    def column(self, name: str) -> Floats:
        """A column of the table of quarter-hours, [T]."""
        return numbers(self.periods, name)

    def rows(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """Rows of another table that belong to the day; `period` still counts from the start of the run."""
        return self.run.table(table, columns, [("period", ">=", self.first), ("period", "<", self.first + self.n_periods)])


def run_day(run: RunOutput, day: int) -> RunDay:
    periods = run.table("periods", None, [("day", "==", day)])
    starts = [text[:16] for text in periods.column("start_local").to_pylist()]
    middles = [(datetime.fromisoformat(text) + _HALF_PERIOD).isoformat() for text in starts]
    return RunDay(run, day, int(periods.column("period")[0].as_py()), starts, middles, periods)


def shown_days(run: RunOutput, most: int = DAYS_SHOWN_MAX) -> list[tuple[int, Text]]:
    """Days worth a look, with what to call them: all of a short run, else those of least, median and most traded energy."""
    dates = run.table("days", ["date"]).column("date").to_pylist()
    if len(dates) <= most:
        return [(day, same(date)) for day, date in enumerate(dates)]
    volume = lots_by_day(run, len(dates))
    by_volume = np.argsort(volume, kind="stable")
    chosen = {"day_median": len(dates) // 2, "day_least": 0, "day_most": len(dates) - 1}
    return [(int(by_volume[at]), say(key, date=dates[by_volume[at]])) for key, at in list(chosen.items())[:most]]


def lots_by_day(run: RunOutput, n_days: int) -> Floats:
    periods = run.table("periods", ["day", "traded_lots"])
    days = np.asarray(periods.column("day").to_numpy(), dtype=np.int64)
    return np.bincount(days, weights=numbers(periods, "traded_lots"), minlength=n_days).astype(np.float64)
