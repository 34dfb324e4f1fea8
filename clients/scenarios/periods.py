"""Delivery periods of a local day: quarter-hours in UTC, 92 or 100 of them on the days the clock changes."""

import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.units import NS_PER_SECOND, PERIOD_NS

Integers = NDArray[np.int64]

QUARTERS_A_DAY: Final = 96
# Local days at the edges of the calendar have no next day; no park is there.
YEARS: Final = range(2000, 2100)


def time_zone(name: str) -> ZoneInfo:
    """The zone of the IANA name. Raises InputError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"unknown time zone {name!r}; expected an IANA name such as Asia/Shanghai") from error


def local_midnight_ns(day: datetime.date, zone: ZoneInfo) -> int:
    """Start of the local day, ns since the epoch."""
    return int(datetime.datetime.combine(day, datetime.time(), zone).timestamp()) * NS_PER_SECOND


def local_time_ns(day: datetime.date, time: datetime.time, zone: ZoneInfo) -> int:
    """A local wall-clock time as ns since the epoch (the first of two where the hour is repeated)."""
    return int(datetime.datetime.combine(day, time, zone).timestamp()) * NS_PER_SECOND


def day_periods(day: datetime.date, zone: ZoneInfo) -> Integers:
    """Starts of the delivery periods of a local day, ns UTC, int64[92, 96 or 100]."""
    first = local_midnight_ns(day, zone)
    after = local_midnight_ns(day + datetime.timedelta(days=1), zone)
    return np.arange(first, after, PERIOD_NS, dtype=np.int64)


def local_datetime(start_ns: int, zone: ZoneInfo) -> datetime.datetime:
    """Local wall-clock time of an instant."""
    return datetime.datetime.fromtimestamp(start_ns // NS_PER_SECOND, zone)


def quarter_of_day(starts_ns: Integers, zone: ZoneInfo) -> Integers:
    """Index 0..95 of each period on the local clock; a repeated hour repeats its indices. int64, shape of `starts_ns`."""
    local = [local_datetime(int(start), zone) for start in starts_ns]
    return np.array([4 * moment.hour + moment.minute // 15 for moment in local], dtype=np.int64)


def power_symbols(starts_ns: Integers, zone: ZoneInfo) -> tuple[str, ...]:
    """Symbols of the green power contracts, `GP-20260715-1015`; the two passes of a repeated hour end in A and B."""
    symbols = []
    for start in starts_ns:
        moment = local_datetime(int(start), zone)
        other = moment.replace(fold=1 - moment.fold)
        repeated = other.utcoffset() != moment.utcoffset() and _exists(other, zone)
        symbols.append(f"GP-{moment:%Y%m%d-%H%M}" + ("AB"[moment.fold] if repeated else ""))
    return tuple(symbols)


def _exists(moment: datetime.datetime, zone: ZoneInfo) -> bool:
    back = moment.astimezone(datetime.UTC).astimezone(zone)
    return back.replace(tzinfo=None) == moment.replace(tzinfo=None)


def instants_of(local: datetime.datetime, zone: ZoneInfo) -> tuple[int, ...]:
    """Every instant (ns UTC) that a wall-clock time without offset can mean: none in the skipped hour, two in the repeated one."""
    found = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold)
        if _exists(moment, zone):
            found.append(int(moment.timestamp()) * NS_PER_SECOND)
    return tuple(sorted(set(found)))
