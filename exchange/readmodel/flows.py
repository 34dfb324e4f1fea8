"""The four flows of the park as series: energy, carbon, money, project. Amounts by period, of one subject or of the whole park.

Energy comes from the readings, the highest revision of each; money from postings by the time of their command and from the lines of statements by
their day; carbon and project from the values that handlers told (exchange.order_path.flows). A day or a month is one of the park's time zone.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement, Label

from exchange.errors import InputError
from exchange.ledger.records import PostingReason
from exchange.readmodel import tables
from exchange.units import NS_PER_HOUR, NS_PER_SECOND, PERIOD_NS


class Flow(StrEnum):
    ENERGY = "energy"
    CARBON = "carbon"
    MONEY = "money"
    PROJECT = "project"


class Resolution(StrEnum):
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"
    MONTH = "1mo"


class Point(NamedTuple):
    """An amount of the bucket that begins at `period_start_ns`."""

    period_start_ns: int
    kind: str
    value: int
    unit: str


class Wanted(NamedTuple):
    """`subject` None: the whole park. `from_ns` <= period < `to_ns`."""

    flow: Flow
    subject: str | None
    from_ns: int
    to_ns: int
    resolution: Resolution
    zone: ZoneInfo


# Buckets of an answer: more than a year of quarter-hours is asked for in parts, or coarser.
BUCKETS_MAX: Final = 36_000
_SPAN_NS: Final = {Resolution.QUARTER: PERIOD_NS, Resolution.HOUR: NS_PER_HOUR, Resolution.DAY: 23 * NS_PER_HOUR, Resolution.MONTH: 672 * NS_PER_HOUR}
_PARK: Final = "park"
_Row = tuple[int, str, int, str]


def series(connection: Connection, wanted: Wanted) -> list[Point]:
    """Amounts by bucket and kind in order of time; buckets without any are left out. Raises InputError for too many buckets."""
    if (wanted.to_ns - wanted.from_ns) // _SPAN_NS[wanted.resolution] > BUCKETS_MAX:
        raise InputError(f"more than {BUCKETS_MAX} buckets; ask for a shorter interval or a coarser resolution")
    totals: dict[tuple[int, str, str], int] = defaultdict(int)
    bucket_of = _buckets(wanted)
    for start_ns, kind, value, unit in _SOURCES[wanted.flow](connection, wanted):
        totals[bucket_of(start_ns), kind, unit] += int(value)
    return [Point(start_ns, kind, value, unit) for (start_ns, kind, unit), value in sorted(totals.items())]


def _buckets(wanted: Wanted) -> Callable[[int], int]:
    """From a time to the start of its bucket."""
    if wanted.resolution in {Resolution.QUARTER, Resolution.HOUR}:
        span_ns = _SPAN_NS[wanted.resolution]
        return lambda start_ns: start_ns // span_ns * span_ns
    known: dict[int, int] = {}

    def local(start_ns: int) -> int:
        quarter = start_ns // PERIOD_NS
        if quarter not in known:
            day = datetime.datetime.fromtimestamp(start_ns // NS_PER_SECOND, wanted.zone).date()
            first = day.replace(day=1) if wanted.resolution is Resolution.MONTH else day
            known[quarter] = int(datetime.datetime.combine(first, datetime.time(), wanted.zone).timestamp()) * NS_PER_SECOND
        return known[quarter]

    return local


def _by_quarter(column: ColumnElement[int], wanted: Wanted) -> Label[int]:
    """The quarter-hour of a time, or its hour where that is fine enough: what the database adds up. Offsets of zones are whole quarter-hours."""
    span_ns = NS_PER_HOUR if wanted.resolution is Resolution.HOUR else PERIOD_NS
    # A literal: the grouping of PostgreSQL does not take two parameters of one value for the same.
    return (column - column % literal_column(str(span_ns))).label("bucket")


def _within(column: ColumnElement[int], wanted: Wanted) -> ColumnElement[bool]:
    return (column >= wanted.from_ns) & (column < wanted.to_ns)


def _energy(connection: Connection, wanted: Wanted) -> Iterable[_Row]:
    """Consumption and generation of an account or of all; import and export of a device; the grid meter for the park."""
    kind, _, number = (wanted.subject or "").partition(":")
    if kind == "device":
        yield from _of_devices(connection, wanted, tables.device_readings.c.device == int(number), ("import", "export"))
        return
    r, d = tables.readings.c, tables.device_readings.c
    other = tables.readings.alias()
    latest = select(func.max(other.c.revision)).where(other.c.account == r.account, other.c.period_start_ns == r.period_start_ns).scalar_subquery()
    bucket = _by_quarter(r.period_start_ns, wanted)
    query = select(bucket, func.sum(r.consumption_wh), func.sum(r.generation_wh)).where(_within(r.period_start_ns, wanted), r.revision == latest)
    by_account = [] if wanted.subject is None else [r.account == int(number)]
    yield from _two_kinds(connection, query.where(*by_account).group_by(bucket), ("consumption", "generation"))
    of_account = d.is_electric == 1 if wanted.subject is None else (d.is_electric == 1) & (d.account == int(number))
    yield from _of_devices(connection, wanted, of_account, ("consumption", "generation"))
    if wanted.subject is None:
        yield from _of_grid(connection, wanted)


def _of_devices(connection: Connection, wanted: Wanted, which: ColumnElement[bool], kinds: tuple[str, str]) -> Iterable[_Row]:
    d = tables.device_readings.c
    other = tables.device_readings.alias()
    latest = select(func.max(other.c.revision)).where(other.c.device == d.device, other.c.period_start_ns == d.period_start_ns).scalar_subquery()
    bucket = _by_quarter(d.period_start_ns, wanted)
    query = select(bucket, func.sum(d.import_wh), func.sum(d.export_wh)).where(_within(d.period_start_ns, wanted), which, d.revision == latest)
    return _two_kinds(connection, query.group_by(bucket), kinds)


def _of_grid(connection: Connection, wanted: Wanted) -> Iterable[_Row]:
    g = tables.grid_readings.c
    other = tables.grid_readings.alias()
    latest = select(func.max(other.c.revision)).where(other.c.period_start_ns == g.period_start_ns).scalar_subquery()
    query = select(g.period_start_ns, g.import_wh, g.export_wh, g.losses_wh).where(_within(g.period_start_ns, wanted), g.revision == latest)
    for start_ns, *values in connection.execute(query):
        for kind, value in zip(("grid_import", "grid_export", "losses"), values, strict=True):
            yield start_ns, kind, value, "Wh"


def _two_kinds(connection: Connection, query: "Select[Any, Any, Any]", kinds: tuple[str, str]) -> Iterable[_Row]:
    for start_ns, *values in connection.execute(query):
        for kind, value in zip(kinds, values, strict=True):
            yield int(start_ns), kind, int(value), "Wh"


def _money(connection: Connection, wanted: Wanted) -> Iterable[_Row]:
    """Of an account: postings by reason, what it received less what it paid, and its statement's lines. Of the park: lines of all statements."""
    if wanted.subject is not None:
        account = int(wanted.subject.partition(":")[2])
        p = tables.postings.c
        query = select(p.stamp_ns, p.debit, p.credit, p.amount, p.reason).where(
            or_(p.debit == account, p.credit == account), p.asset == 0, _within(p.stamp_ns, wanted)
        )
        for stamp_ns, debit, credit, amount, reason in connection.execute(query):
            sign = int(credit == account) - int(debit == account)
            yield stamp_ns, f"posting.{PostingReason(reason).name.lower()}", sign * amount, "micro_cny"
    if wanted.resolution in {Resolution.DAY, Resolution.MONTH}:
        yield from _of_statements(connection, wanted)


def _of_statements(connection: Connection, wanted: Wanted) -> Iterable[_Row]:
    s = tables.statement_lines.c
    query = select(s.day, s.item, func.sum(s.amount_micro)).group_by(s.day, s.item)
    if wanted.subject is not None:
        query = query.where(s.account == int(wanted.subject.partition(":")[2]))
    for day, item, amount in connection.execute(query):
        start_ns = _day_start_ns(day, wanted.zone)
        if start_ns is not None and wanted.from_ns <= start_ns < wanted.to_ns:
            yield start_ns, f"statement.{item}", int(amount), "micro_cny"


def _day_start_ns(day: str, zone: ZoneInfo) -> int | None:
    """Local midnight of a settled day; None for one whose name is no date."""
    try:
        date = datetime.date.fromisoformat(day)
    except ValueError:
        return None
    return int(datetime.datetime.combine(date, datetime.time(), zone).timestamp()) * NS_PER_SECOND


def _values(connection: Connection, wanted: Wanted) -> Iterable[_Row]:
    """What handlers told: the last value of each subject, kind and period."""
    f = tables.flow_values.c
    query = (
        select(f.period_start_ns, f.kind, f.value, f.unit)
        .where(f.flow == str(wanted.flow), f.subject == (wanted.subject or _PARK), _within(f.period_start_ns, wanted))
        .order_by(f.sequence, f.index)
    )
    last = {(start_ns, kind): (value, unit) for start_ns, kind, value, unit in connection.execute(query)}
    return [(start_ns, kind, value, unit) for (start_ns, kind), (value, unit) in last.items()]


_SOURCES: Final[dict[Flow, Callable[[Connection, Wanted], Iterable[_Row]]]] = {
    Flow.ENERGY: _energy,
    Flow.CARBON: _values,
    Flow.MONEY: _money,
    Flow.PROJECT: _values,
}
