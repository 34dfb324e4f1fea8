"""Load shapes: BDEW 15-minute profiles on the working calendar of a Chinese factory.

`selp_series.csv` holds the representative load profiles of VDEW (1999; "Repräsentative VDEW-Lastprofile", M-32/99) as three seasons of one week each;
`g25.csv` the commercial profile that BDEW published in 2025 as month by type of day. Both ship with demandlib and are read here as plain text,
because demandlib's own functions need an older pandas. German clocks are kept: people begin work by the clock, not by the sun.
"""

import csv
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

QUARTERS_A_DAY: Final = 96
_BREAK: Final = slice(48, 52)
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_WEDNESDAY: Final = 2
# BDEW: summer 15 May to 14 September, winter 1 November to 20 March, the rest transition.
_SUMMER: Final = ((5, 15), (9, 14))
_WINTER_END: Final = (3, 20)
_WINTER_START: Final = (11, 1)
# Days that a week of this kind works, Monday 0.
_WORKING_WEEKDAYS: Final[dict[str, frozenset[int]]] = {
    "five_days": frozenset(range(5)),
    "six_days": frozenset(range(6)),
    "seven_days": frozenset(range(7)),
}
# Columns of g25.csv: each month has Saturday (SA), Sunday and holiday (FT), working day (WT).
_G25_COLUMN: Final = {"saturday": 0, "sunday": 1, "working": 2}


def season_of(day: datetime.date) -> str:
    """The BDEW season of a day."""
    key = (day.month, day.day)
    if _SUMMER[0] <= key <= _SUMMER[1]:
        return "summer"
    return "winter" if key <= _WINTER_END or key >= _WINTER_START else "transition"


class BdewTables:
    """Day shapes, float64[96] in kW or kWh (only the shape is used), by column, day of the year and type of day."""

    def __init__(self, folder: Path) -> None:
        """Read `selp_series.csv` and `g25.csv` of demandlib's `bdew_data`. Raises OSError or ValueError when they are not what was expected."""
        self._weeks = _read_selp(folder / "selp_series.csv")
        self._months = _read_g25(folder / "g25.csv")

    def day(self, column: str, day: datetime.date, kind: str) -> Floats:
        """The shape of `day` if it is of `kind`: working, saturday or sunday."""
        if column == "g25":
            return np.asarray(self._months[day.month - 1, _G25_COLUMN[kind]], dtype=np.float64)
        weekday = {"working": day.weekday() if day.weekday() < _SATURDAY else _WEDNESDAY, "saturday": _SATURDAY, "sunday": _SUNDAY}[kind]
        week: Floats = self._weeks[season_of(day), column]
        return np.asarray(week[weekday], dtype=np.float64)


def _read_selp(path: Path) -> dict[tuple[str, str], Floats]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) != 3 * 7 * QUARTERS_A_DAY:
        raise ValueError(f"{path.name}: expected three seasons of seven days, found {len(rows)} rows")
    weeks: dict[tuple[str, str], Floats] = {}
    for season in ("summer", "transition", "winter"):
        of_season = [row for row in rows if row["period"] == season]
        for column in ("g0", "g1", "g2", "g3", "g4", "g5", "g6"):
            weeks[season, column] = np.array([float(row[column]) for row in of_season]).reshape(7, QUARTERS_A_DAY)
    return weeks


def _read_g25(path: Path) -> Floats:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if rows[1][1:4] != ["SA", "FT", "WT"] or len(rows) < QUARTERS_A_DAY + 2:
        raise ValueError(f"{path.name}: expected columns SA, FT, WT for each month and 96 rows")
    table = np.array([[float(cell) for cell in row[1:37]] for row in rows[2 : QUARTERS_A_DAY + 2]])
    return np.ascontiguousarray(table.T.reshape(12, 3, QUARTERS_A_DAY))


class WorkingCalendar:
    """Which days a factory works, and how much of it around the Spring Festival."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Take the content of calendar-YEAR.toml."""
        self.holidays = frozenset(day for entry in content["holidays"] for day in _each_day(entry["first"], entry["last"]))
        self._working_weekends = frozenset(content["working_weekends"])
        festival = content["spring_festival"]
        self._activity = {
            festival["new_year_day"] + datetime.timedelta(days=offset): float(entry["activity"])
            for entry in festival["activity"]
            for offset in range(entry["first_day"], entry["last_day"] + 1)
        }

    def kind_of(self, day: datetime.date, week: str) -> str:
        """`working`, `saturday` or `sunday`: how a member with this week spends the day."""
        if day in self._working_weekends:
            return "working"
        if day in self.holidays:
            return "working" if week == "seven_days" else "sunday"
        if day.weekday() in _WORKING_WEEKDAYS[week]:
            return "working" if day.weekday() < _SATURDAY or week != "seven_days" else ("saturday" if day.weekday() == _SATURDAY else "sunday")
        return "saturday" if day.weekday() == _SATURDAY else "sunday"

    def activity(self, day: datetime.date) -> float:
        """Share of normal activity, 1 outside the weeks around the Spring Festival."""
        return self._activity.get(day, 1.0)


def _each_day(first: datetime.date, last: datetime.date) -> list[datetime.date]:
    return [first + datetime.timedelta(days=offset) for offset in range((last - first).days + 1)]


def shape_of_year(shape: Mapping[str, Any], tables: BdewTables, calendar: WorkingCalendar, year: int) -> Floats:
    """A shape of `recipe.toml` over the local quarter-hours of a year, float64[35040], not normalised."""
    days = _each_day(datetime.date(year, 1, 1), datetime.date(year, 12, 31))
    total = np.zeros(len(days) * QUARTERS_A_DAY)
    for part in shape["parts"]:
        series = np.concatenate([tables.day(part["column"], day, calendar.kind_of(day, shape["week"])) for day in days])
        total += float(part["weight"]) * np.roll(series, round(float(part["delay_hours"]) * 4))
    by_day = total.reshape(len(days), QUARTERS_A_DAY)
    for row, day in enumerate(days):
        if calendar.kind_of(day, shape["week"]) == "working":
            by_day[row, _BREAK] *= float(shape["midday_break"])
        by_day[row] *= max(float(shape["festival_floor"]), calendar.activity(day))
    return by_day.reshape(-1)
