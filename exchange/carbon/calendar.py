"""Dates of the compliance cycle in local time of Asia/Shanghai: a deadline day is included, so the deadline is the midnight after it."""

import datetime
from typing import Final

from exchange.market.calendar import TIME_ZONE
from exchange.units import NS_PER_SECOND

_LEAP_YEAR: Final = 2024


def is_day(day: int) -> bool:
    """Whether month * 100 + day is a day of every year."""
    month, number = divmod(day, 100)
    try:
        datetime.date(_LEAP_YEAR, month, number)
    except ValueError:
        return False
    return day != 229


def deadline_ns(year: int, day: int) -> int:
    """The end of a day (month * 100 + day) of the year after compliance year `year`."""
    return _midnight_ns(datetime.date(year + 1, *divmod(day, 100)) + datetime.timedelta(days=1))


def year_end_ns(year: int) -> int:
    """The end of a calendar year."""
    return _midnight_ns(datetime.date(year + 1, 1, 1))


def year_at(now_ns: int) -> int:
    """The local calendar year."""
    return _local(now_ns).year


def month_at(now_ns: int) -> int:
    """The local month as year * 100 + month."""
    local = _local(now_ns)
    return local.year * 100 + local.month


def month_before(at_ns: int) -> int:
    """The month before a deadline, as year * 100 + month: the one that its last day lies in (a deadline on 31 December: December)."""
    return month_at(at_ns - 1)


def _local(now_ns: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(now_ns // NS_PER_SECOND, TIME_ZONE)


def _midnight_ns(day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), TIME_ZONE).timestamp()) * NS_PER_SECOND
