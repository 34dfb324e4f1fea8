"""Shift calendars and load shapes, on tables small enough to see."""

import datetime
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from clients.scenarios.derive.loads import BdewTables, WorkingCalendar, season_of, shape_of_year
from exchange.market.calendar import HOLIDAYS

CONTENT = tomllib.loads(files("clients.scenarios").joinpath("derive", "calendar-2026.toml").read_text("utf-8"))
CALENDAR = WorkingCalendar(CONTENT)
COLUMNS = ("h0", "g0", "g1", "g2", "g3", "g4", "g5", "g6", "l0", "l1", "l2")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> BdewTables:
    """Weeks in which g1 is 100 * season + 10 * weekday + 1 from 08:00 to 16:00 and 1 otherwise; g25 is the month plus type of day."""
    folder = tmp_path_factory.mktemp("bdew")
    rows = [",".join(["", "period", "weekday", *COLUMNS])]
    for number, season in enumerate(("summer", "winter", "transition")):
        for weekday in range(1, 8):
            for quarter in range(96):
                at_work = 100 * number + 10 * weekday + 1 if 32 <= quarter < 64 else 1
                rows.append(",".join([f"2007-01-01 {quarter}", season, str(weekday), *(str(at_work if column == "g1" else 5) for column in COLUMNS)]))
    (folder / "selp_series.csv").write_text("\n".join(rows) + "\n", "utf-8")
    months = [",".join(["", *("M",) * 36]), ",".join(["[kWh]", *("SA", "FT", "WT") * 12])]
    months += [",".join([str(quarter), *(str(1 + month + 100 * kind) for month in range(12) for kind in range(3))]) for quarter in range(96)]
    (folder / "g25.csv").write_text("\n".join(months) + "\n", "utf-8")
    return BdewTables(folder)


def test_holidays_are_those_of_the_exchange() -> None:
    assert CALENDAR.holidays == HOLIDAYS


@pytest.mark.parametrize(
    ("day", "five", "six", "seven"),
    [
        ("2026-07-15", "working", "working", "working"),  # Wednesday
        ("2026-07-18", "saturday", "working", "saturday"),
        ("2026-07-19", "sunday", "sunday", "sunday"),
        ("2026-10-01", "sunday", "sunday", "working"),  # National Day, a Thursday
        ("2026-10-10", "working", "working", "working"),  # Saturday worked for it
        ("2026-09-20", "working", "working", "working"),  # Sunday worked for it
    ],
)
def test_kinds_of_day(day: str, five: str, six: str, seven: str) -> None:
    date = datetime.date.fromisoformat(day)
    assert [CALENDAR.kind_of(date, week) for week in ("five_days", "six_days", "seven_days")] == [five, six, seven]


@pytest.mark.parametrize(
    ("day", "activity"),
    [("2026-02-04", 1.0), ("2026-02-05", 0.85), ("2026-02-15", 0.0), ("2026-02-23", 0.0), ("2026-02-24", 0.45), ("2026-03-04", 1.0)],
)
def test_spring_festival(day: str, activity: float) -> None:
    assert CALENDAR.activity(datetime.date.fromisoformat(day)) == activity


@pytest.mark.parametrize(
    ("day", "season"),
    [("2026-03-20", "winter"), ("2026-03-21", "transition"), ("2026-05-14", "transition"), ("2026-05-15", "summer"), ("2026-09-14", "summer"),
     ("2026-09-15", "transition"), ("2026-10-31", "transition"), ("2026-11-01", "winter")],
)  # fmt: skip
def test_seasons(day: str, season: str) -> None:
    assert season_of(datetime.date.fromisoformat(day)) == season


def shape(column: str, delay_hours: int = 0, week: str = "five_days", midday_break: float = 1.0, floor: float = 0.2) -> dict[str, object]:
    return {
        "parts": [{"column": column, "weight": 1.0, "delay_hours": delay_hours}], "week": week, "midday_break": midday_break, "festival_floor": floor,
    }  # fmt: skip


def year_of(tables: BdewTables, **settings: object) -> np.ndarray:
    return shape_of_year(shape(**settings), tables, CALENDAR, 2026).reshape(365, 96)  # type: ignore[arg-type]


def row(day: str) -> int:
    return datetime.date.fromisoformat(day).timetuple().tm_yday - 1


def test_a_day_takes_its_season_and_weekday(tables: BdewTables) -> None:
    year = year_of(tables, column="g1")
    assert year[row("2026-07-15"), 40] == 31  # summer, Wednesday
    assert year[row("2026-01-09"), 40] == 151  # winter, Friday
    assert year[row("2026-07-18"), 40] == 61  # Saturday off
    assert year[row("2026-10-01"), 40] == 271  # a holiday is a Sunday of the transition
    assert year[row("2026-10-10"), 40] == 231  # a worked Saturday is a Wednesday


def test_delay_carries_over_midnight(tables: BdewTables) -> None:
    late = year_of(tables, column="g1", delay_hours=14)
    assert late[row("2026-07-15"), 88] == 31  # 22:00 is 08:00 of the same day
    assert late[row("2026-07-16"), 23] == 31  # 05:45 is 15:45 of the day before
    assert late[row("2026-07-16"), 24] == 1


def test_break_and_festival(tables: BdewTables) -> None:
    year = year_of(tables, column="g3", midday_break=0.5)
    assert year[row("2026-07-15"), 47:53].tolist() == [5, 2.5, 2.5, 2.5, 2.5, 5]
    assert year[row("2026-07-18"), 50] == 5
    assert year[row("2026-02-17"), 0] == pytest.approx(5 * 0.2)
    assert year[row("2026-02-05"), 0] == pytest.approx(5 * 0.85)


def test_months_of_g25(tables: BdewTables) -> None:
    year = year_of(tables, column="g25")
    assert [year[row(day), 9] for day in ("2026-01-07", "2026-01-10", "2026-12-13")] == [201, 1, 112]


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "selp_series.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(ValueError, match="three seasons"):
        BdewTables(tmp_path)
