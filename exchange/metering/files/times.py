"""Time stamps of files: with an offset, or local to a zone, where one hour a year is missing and one comes twice."""

import datetime
import re
from typing import Final
from zoneinfo import ZoneInfo

from exchange.metering.files.problems import Finding
from exchange.units import NS_PER_SECOND

_TIME: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.0+)?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_EPOCH: Final = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - what is added to it says in which zone
_YEARS: Final = range(2000, 2100)

Instants = tuple[int, ...]  # one instant in ns, or the two of a repeated hour


def parse_time(text: str, zone: ZoneInfo) -> Instants | Finding:
    """The instants that a time stamp can mean, in order; without an offset it is local to `zone`. Else what is wrong with it."""
    match = _TIME.fullmatch(text)
    if match is None:
        return Finding.TIME_MALFORMED
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if year not in _YEARS:
        return Finding.TIME_MALFORMED
    try:
        local = datetime.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall-clock reading until the zone is known
    except ValueError:
        return Finding.TIME_MALFORMED
    if match[7]:
        offset = "+00:00" if match[7] == "Z" else match[7]
        shift = datetime.timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])) * (-1 if offset[0] == "-" else 1)
        return (int((local - shift).replace(tzinfo=datetime.UTC).timestamp()) * NS_PER_SECOND,)
    return instants_of(local, zone) or Finding.TIME_SKIPPED


def instants_of(local: datetime.datetime, zone: ZoneInfo) -> Instants:
    """Every instant (ns UTC) that a wall-clock time without offset can mean: none in the skipped hour, two in the repeated one."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first == second and first is not None:
        return (int((local - first - _EPOCH).total_seconds()) * NS_PER_SECOND,)
    found = set()
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold)
        if moment.astimezone(datetime.UTC).astimezone(zone).replace(tzinfo=None) == local:
            found.add(int(moment.timestamp()) * NS_PER_SECOND)
    return tuple(sorted(found))


def quarters_of_day(day: datetime.date, zone: ZoneInfo) -> int:
    """Quarter-hours of a local day: 96, or 92 and 100 where the clock changes by an hour."""
    first, after = (
        datetime.datetime.combine(d, datetime.time(), zone).timestamp() for d in (day, day + datetime.timedelta(days=1))
    )
    return int(after - first) // 900
