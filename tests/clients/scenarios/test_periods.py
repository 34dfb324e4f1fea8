"""Days of 92, 96 and 100 quarter-hours, and what a wall-clock time can mean."""

import datetime

import numpy as np
import pytest

from clients.scenarios.periods import day_periods, instants_of, local_datetime, power_symbols, quarter_of_day, time_zone
from exchange.errors import InputError
from exchange.units import PERIOD_NS

SHANGHAI, BERLIN = time_zone("Asia/Shanghai"), time_zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [(SHANGHAI, "2026-07-15", 96), (SHANGHAI, "2026-03-29", 96), (BERLIN, "2026-03-29", 92), (BERLIN, "2026-10-25", 100), (BERLIN, "2026-10-26", 96)],
)
def test_number_of_periods(zone: datetime.tzinfo, day: str, count: int) -> None:
    starts = day_periods(datetime.date.fromisoformat(day), zone)  # type: ignore[arg-type]
    assert len(starts) == count
    assert set(np.diff(starts).tolist()) == {PERIOD_NS}


def test_a_day_starts_at_local_midnight() -> None:
    first = int(day_periods(datetime.date(2026, 7, 15), SHANGHAI)[0])
    assert datetime.datetime.fromtimestamp(first / 1e9, datetime.UTC).isoformat() == "2026-07-14T16:00:00+00:00"


def test_symbols() -> None:
    day = datetime.date(2026, 7, 15)
    assert power_symbols(day_periods(day, SHANGHAI), SHANGHAI)[41] == "GP-20260715-1015"
    autumn = power_symbols(day_periods(datetime.date(2026, 10, 25), BERLIN), BERLIN)
    assert autumn[7:17] == (
        "GP-20261025-0145", "GP-20261025-0200A", "GP-20261025-0215A", "GP-20261025-0230A", "GP-20261025-0245A",
        "GP-20261025-0200B", "GP-20261025-0215B", "GP-20261025-0230B", "GP-20261025-0245B", "GP-20261025-0300",
    )  # fmt: skip
    assert len(set(autumn)) == 100
    spring = power_symbols(day_periods(datetime.date(2026, 3, 29), BERLIN), BERLIN)
    assert spring[7:9] == ("GP-20260329-0145", "GP-20260329-0300")


def test_quarters_follow_the_local_clock() -> None:
    starts = day_periods(datetime.date(2026, 10, 25), BERLIN)
    quarters = quarter_of_day(starts, BERLIN).tolist()
    assert quarters[8:16] == [8, 9, 10, 11, 8, 9, 10, 11]
    assert quarters[-1] == 95


def wall(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def test_instants() -> None:
    plain = wall("2026-07-15 08:00")
    assert len(instants_of(plain, SHANGHAI)) == 1
    assert local_datetime(instants_of(plain, SHANGHAI)[0], SHANGHAI).replace(tzinfo=None) == plain
    assert instants_of(wall("2026-03-29 02:15"), BERLIN) == ()
    first, second = instants_of(wall("2026-10-25 02:15"), BERLIN)
    assert second - first == 4 * PERIOD_NS


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_unknown_zone(name: str) -> None:
    with pytest.raises(InputError, match="time zone"):
        time_zone(name)
