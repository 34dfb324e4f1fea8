"""Trading sessions of instruments that do not trade around the clock, in local time of Asia/Shanghai.

`cea`: Monday to Friday 09:30-11:30 and 13:00-15:00 without public holidays (docs/rules.md, "CEA"). Holidays of 2026 are those of the State
Council's notice on the 2026 holiday arrangement; working weekends stay closed for trading.
"""

import datetime
from typing import Final
from zoneinfo import ZoneInfo

from exchange.errors import InputError
from exchange.units import NS_PER_SECOND

TIME_ZONE: Final = ZoneInfo("Asia/Shanghai")
_SESSIONS: Final = ((datetime.time(9, 30), datetime.time(11, 30)), (datetime.time(13, 0), datetime.time(15, 0)))
_SEARCH_DAYS: Final = 40


def _days(first: str, last: str) -> set[datetime.date]:
    day, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    return {day + datetime.timedelta(days=i) for i in range((end - day).days + 1)}


HOLIDAYS: Final[frozenset[datetime.date]] = frozenset(
    _days("2026-01-01", "2026-01-03")
    | _days("2026-02-15", "2026-02-23")
    | _days("2026-04-04", "2026-04-06")
    | _days("2026-05-01", "2026-05-05")
    | _days("2026-06-19", "2026-06-21")
    | _days("2026-09-25", "2026-09-27")
    | _days("2026-10-01", "2026-10-07")
)


def _ns(day: datetime.date, time: datetime.time) -> int:
    return int(datetime.datetime.combine(day, time, TIME_ZONE).timestamp()) * NS_PER_SECOND


def _local_day(now_ns: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(now_ns // NS_PER_SECOND, TIME_ZONE).date()


def next_transition(calendar: str, now_ns: int) -> tuple[int, bool] | None:
    """(time in ns, opens) of the first session boundary strictly after `now_ns`; None for a calendar that never closes.

    Raises InputError for an unknown calendar.
    """
    if calendar == "continuous":
        return None
    if calendar != "cea":
        raise InputError("unknown calendar; expected continuous or cea")
    day = _local_day(now_ns)
    for _ in range(_SEARCH_DAYS):
        if day.weekday() < 5 and day not in HOLIDAYS:
            for opens, closes in _SESSIONS:
                if _ns(day, opens) > now_ns:
                    return _ns(day, opens), True
                if _ns(day, closes) > now_ns:
                    return _ns(day, closes), False
        day += datetime.timedelta(days=1)
    raise InputError("calendar has no session within forty days")


def is_open(calendar: str, now_ns: int) -> bool:
    """Whether a session is on at `now_ns`."""
    transition = next_transition(calendar, now_ns)
    return transition is None or not transition[1]


def is_last_close_of_day(now_ns: int) -> bool:
    """Whether `now_ns` is the end of the day's last session: session orders end here."""
    return now_ns == _ns(_local_day(now_ns), _SESSIONS[-1][1])


def block_window(calendar: str, now_ns: int) -> tuple[int, int] | None:
    """Half-open interval of the day's block trades that holds `now_ns`: the afternoon session of a trading day; None outside of it."""
    if calendar != "cea" or not is_open(calendar, now_ns):
        return None
    opens_ns, closes_ns = (_ns(_local_day(now_ns), time) for time in _SESSIONS[-1])
    return (opens_ns, closes_ns) if opens_ns <= now_ns else None


def next_midnight_ns(now_ns: int) -> int:
    """The next local midnight strictly after `now_ns`."""
    return _ns(_local_day(now_ns) + datetime.timedelta(days=1), datetime.time())
