"""Calendar months and years of generation and of consumption, in the park's time zone; when certificates expire.

A green certificate is valid for 24 months from the month of generation, that month included (docs/rules.md, "Certificates").
"""

import datetime
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.market.calendar import TIME_ZONE
from exchange.units import NS_PER_SECOND, PERIOD_NS

VALIDITY_MONTHS: Final = 24
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII).fullmatch
# From 1970 on; late enough that every bound fits int64 nanoseconds.
_YEARS: Final = range(1971, 2200)


def month_number(month: str) -> int:
    """Months since year 0 of a name such as 2026-07. Raises InputError for another form."""
    parts = _MONTH(month)
    if parts is None or int(parts[1]) not in _YEARS:
        raise InputError("month is not written YYYY-MM")
    return int(parts[1]) * 12 + int(parts[2]) - 1


def is_month(text: str) -> bool:
    """Whether a text names a month."""
    parts = _MONTH(text)
    return parts is not None and int(parts[1]) in _YEARS


def month_name(number: int) -> str:
    """Inverse of `month_number`."""
    return f"{number // 12:04}-{number % 12 + 1:02}"


def vintage_of(number: int) -> int:
    """A month as YYYYMM, as serial numbers have it."""
    return number // 12 * 100 + number % 12 + 1


def month_of_vintage(vintage: int) -> int:
    """Inverse of `vintage_of`."""
    return vintage // 100 * 12 + vintage % 100 - 1


def start_of_month_ns(number: int) -> int:
    """Local midnight at which a month begins; a month ends where the next one begins."""
    first = datetime.datetime(number // 12, number % 12 + 1, 1, tzinfo=TIME_ZONE)
    return int(first.timestamp()) * NS_PER_SECOND


def month_bounds_ns(month: str) -> tuple[int, int]:
    """Half-open interval of a month. Raises InputError for a text that names none."""
    number = month_number(month)
    return start_of_month_ns(number), start_of_month_ns(number + 1)


def month_at(now_ns: int) -> int:
    """Number of the month that holds an instant."""
    local = datetime.datetime.fromtimestamp(now_ns // NS_PER_SECOND, TIME_ZONE)
    return local.year * 12 + local.month - 1


def year_at(now_ns: int) -> int:
    """The local calendar year that holds an instant."""
    return month_at(now_ns) // 12


def expiry_ns(generation_month: int) -> int:
    """The instant from which certificates of a month are no longer valid."""
    return start_of_month_ns(generation_month + VALIDITY_MONTHS)


def periods_between_ns(start_ns: int, end_ns: int) -> NDArray[np.int64]:
    """Starts of the quarter-hours of a half-open interval that begins with one."""
    return np.arange(start_ns, end_ns, PERIOD_NS, dtype=np.int64)
