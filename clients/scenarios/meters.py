"""A user's own meters from CSV: read whole or refused whole, every bad line by its number.

Columns `period_start,member,kind,kwh`, in any order, comma-separated UTF-8 (Excel: "CSV UTF-8"). One row is the energy of one quarter-hour:

    period_start   start of the quarter-hour: 2026-07-15 00:15 in the park's local time, or with an offset: 2026-07-15T00:15+08:00, 2026-07-14T16:15Z
    member         id of a member of the scenario
    kind           load, or generation
    kwh            zero or more, at most three decimals (a Wh), at most what the connection or the plant can carry in a quarter-hour

A member and kind that is in the file must have every quarter-hour of the day that is played; members that are not keep their derived profile.
"""

import csv
import datetime
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.model import WH_PER_KW_QUARTER
from clients.scenarios.periods import YEARS, day_periods, instants_of, local_datetime
from clients.scenarios.problems import Problems
from clients.scenarios.toml_lines import decode_text
from exchange.errors import InputError
from exchange.units import NS_PER_SECOND, PERIOD_NS, WH_PER_KWH

Integers = NDArray[np.int64]

COLUMNS: Final = ("period_start", "member", "kind", "kwh")
KINDS: Final = ("load", "generation")
# A year of fifty members is some 120 MB.
_FILE_BYTES_MAX: Final = 512 * 1024 * 1024
_KWH_DECIMALS: Final = 3
_TIME: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class MemberMeter:
    """A member's readings of one day, Wh, int64[periods] each; None where the file has none of the kind."""

    load_wh: Integers | None
    generation_wh: Integers | None


@dataclass(frozen=True, slots=True, eq=False)
class ImportResult:
    """A meter file that was read whole. `readings[member, kind][start_ns]` is Wh."""

    source: str
    zone: ZoneInfo
    readings: Mapping[tuple[str, str], Mapping[int, int]]
    days: tuple[datetime.date, ...]

    @property
    def rows(self) -> int:
        return sum(len(series) for series in self.readings.values())

    def of_day(self, day: datetime.date) -> dict[str, MemberMeter]:
        """Readings of a local day by member. Raises InputError when the file does not cover the day."""
        starts = day_periods(day, self.zone).tolist()
        by_kind: dict[str, dict[str, Integers]] = {}
        for (member, kind), series in self.readings.items():
            if any(start not in series for start in starts):
                raise InputError(f"{self.source}: {member} {kind} does not cover {day}")
            by_kind.setdefault(member, {})[kind] = np.array([series[start] for start in starts], dtype=np.int64)
        return {member: MemberMeter(kinds.get("load"), kinds.get("generation")) for member, kinds in by_kind.items()}

    def describe(self) -> str:
        """What was read, for a person: one line a member and kind, and the sum."""
        span = f"{self.days[0]}" if len(self.days) == 1 else f"{self.days[0]} to {self.days[-1]}, {len(self.days)} days"
        lines = [f"{self.source}: {self.rows} readings of {span} ({self.zone.key}). 读入 {self.rows} 条表计读数。"]
        totals = dict.fromkeys(KINDS, 0)
        for (member, kind), series in sorted(self.readings.items()):
            total = sum(series.values())
            totals[kind] += total
            lines.append(f"  {member:8} {kind:10} {total / WH_PER_KWH:14,.3f} kWh  peak {max(series.values()) * 4 / WH_PER_KWH:10,.1f} kW")
        lines.append(f"  load 用电 {totals['load'] / WH_PER_KWH:,.3f} kWh, generation 发电 {totals['generation'] / WH_PER_KWH:,.3f} kWh")
        return "\n".join(lines)


def import_meters(path: Path, capacities_kw: Mapping[str, tuple[int, int]], zone: ZoneInfo, day: datetime.date | None = None) -> ImportResult:
    """Read a meter file.

    `capacities_kw`: member id -> (connection, generation) in kW; 0 where there is none. `day`: the day that must be complete; without it every
    day that the file touches must be. Raises InputError that names every problem with its line (the first twenty in words).
    """
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise InputError(f"{path.name}: larger than {_FILE_BYTES_MAX // 2**20} MiB; split it by month")
        text = decode_text(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"cannot read meters {path}: {error.strerror}") from error
    problems = Problems(path.name)
    table = _Table(capacities_kw, zone, problems)
    table.read(text)
    if not problems.count and not table.readings:
        problems.add("no readings; expected rows such as 2026-07-15 00:00,E01,load,12.5")
    if not problems.count:
        _check_complete(table.readings, zone, day, problems)
    problems.raise_if_any()
    days = sorted({local_datetime(start, zone).date() for series in table.readings.values() for start in series})
    return ImportResult(path.name, zone, table.readings, tuple(days))


class _Table:
    """Rows of a file on their way into readings."""

    def __init__(self, capacities_kw: Mapping[str, tuple[int, int]], zone: ZoneInfo, problems: Problems) -> None:
        self.readings: dict[tuple[str, str], dict[int, int]] = {}
        self._capacities_kw = capacities_kw
        self._zone = zone
        self._problems = problems
        # The same quarter-hour comes once for each member.
        self._instants: dict[str, int | str] = {}

    def read(self, text: str) -> None:
        order: list[int] | None = None
        # Each line by itself: no column can hold a line break, and a quotation mark that is not closed must not swallow the lines behind it.
        for line, written in enumerate(io.StringIO(text, newline=None), start=1):
            try:
                row = next(csv.reader([written], strict=True), [])
            except csv.Error as error:
                self._problems.add(f"not CSV: {error}", line)
                continue
            if order is None:
                order = self._header(row, line)
                if order is None:
                    return
            elif any(cell.strip() for cell in row):
                self._row(row, order, line)
        if order is None and not self._problems.count:
            self._problems.add(f"empty file; expected the header {','.join(COLUMNS)}", 1)

    def _header(self, row: list[str], line: int) -> list[int] | None:
        names = [cell.strip().lower() for cell in row]
        if sorted(names) == sorted(COLUMNS):
            return [names.index(column) for column in COLUMNS]
        hint = " separated by commas" if len(names) == 1 and (";" in names[0] or "\t" in names[0]) else ""
        self._problems.add(f"expected the header {','.join(COLUMNS)}{hint}, found {','.join(row)[:80]!r}", line)
        return None

    def _row(self, row: list[str], order: list[int], line: int) -> None:
        if len(row) != len(COLUMNS):
            self._problems.add(f"{len(row)} columns; expected {len(COLUMNS)}: {','.join(COLUMNS)}", line)
            return
        time, member, kind, kwh = (row[position].strip() for position in order)
        start_ns = self._instants.get(time)
        if start_ns is None:
            start_ns = self._instants[time] = parse_period_start(time, self._zone)
        if isinstance(start_ns, str):
            self._problems.add(f"period_start: {start_ns}", line)
        limit_wh = self._limit_wh(member, kind, line)
        try:
            energy_wh = parse_scaled(kwh, _KWH_DECIMALS)
        except DecimalProblemError as error:
            self._problems.add(f"kwh: {error}", line)
            return
        if limit_wh is None or isinstance(start_ns, str):
            return
        if energy_wh > limit_wh:
            self._problems.add(
                f"kwh: {kwh[:30]} is more than {member} can carry in a quarter-hour ({limit_wh * 4 // WH_PER_KWH} kW, {limit_wh / WH_PER_KWH:g} kWh)",
                line,
            )
            return
        series = self.readings.setdefault((member, kind), {})
        if start_ns in series:
            self._problems.add(f"{member} {kind} already has a reading of {time}; expected one row a quarter-hour", line)
        series[start_ns] = energy_wh

    def _limit_wh(self, member: str, kind: str, line: int) -> int | None:
        """Most Wh of a quarter-hour; None after noting that there is no such series."""
        capacity = self._capacities_kw.get(member)
        if capacity is None:
            known = ", ".join(sorted(self._capacities_kw)[:6])
            self._problems.add(f"member: {member[:30]!r} is not in the scenario; expected one of {known}, ...", line)
            return None
        if kind not in KINDS:
            self._problems.add(f"kind: {kind[:30]!r}; expected load or generation", line)
            return None
        limit_kw = capacity[KINDS.index(kind)]
        if not limit_kw:
            self._problems.add(f"kind: {member} has no {kind} in the scenario", line)
            return None
        return limit_kw * WH_PER_KW_QUARTER


def parse_period_start(text: str, zone: ZoneInfo) -> int | str:
    """The instant in ns UTC, or the reason why it is none. Without an offset the time is local to `zone`."""
    match = _TIME.fullmatch(text)
    if match is None:
        return f"{text[:40]!r} is not a time such as 2026-07-15 00:15 or 2026-07-14T16:15Z"
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if year not in YEARS:
        return f"{text[:40]!r} is not of this century ({YEARS.start} to {YEARS.stop - 1})"
    try:
        local = datetime.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall-clock reading until the zone is known
    except ValueError:
        return f"{text[:40]!r} is not a date and time of the calendar"
    if minute % 15 or second:
        return f"{text[:40]!r} is not the start of a quarter-hour"
    if match[7]:
        offset = "+00:00" if match[7] == "Z" else match[7]
        sign = -1 if offset[0] == "-" else 1
        shift = sign * datetime.timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        start_ns = int((local - shift).replace(tzinfo=datetime.UTC).timestamp()) * NS_PER_SECOND
        return start_ns if start_ns % PERIOD_NS == 0 else f"{text[:40]!r} is not the start of a quarter-hour in UTC"
    instants = instants_of(local, zone)
    if not instants:
        return f"{text[:40]!r} does not exist in {zone.key}: the clock skips it"
    if len(instants) > 1:
        return f"{text[:40]!r} comes twice in {zone.key}: give the offset from UTC"
    return instants[0]


def _check_complete(readings: Mapping[tuple[str, str], Mapping[int, int]], zone: ZoneInfo, day: datetime.date | None, problems: Problems) -> None:
    touched = sorted({local_datetime(start, zone).date() for series in readings.values() for start in series})
    if day is not None and day not in touched:
        problems.add(f"no readings of {day}; the file covers {touched[0]} to {touched[-1]} (local days of {zone.key})")
        return
    for wanted in [day] if day is not None else touched:
        starts = day_periods(wanted, zone).tolist()
        for (member, kind), series in sorted(readings.items()):
            missing = [start for start in starts if start not in series]
            if missing:
                first = local_datetime(missing[0], zone)
                count = f"{len(missing)} of {len(starts)} quarter-hours of {wanted}"
                problems.add(f"{member} {kind}: {count} are missing, the first at {first:%H:%M}; expected all of them")


def template_csv(rows: Mapping[tuple[str, str], Integers], starts_ns: Integers, zone: ZoneInfo) -> str:
    """A meter file with the given Wh, int64[periods] by (member, kind): what `parkex profiles template` prints."""
    lines = [",".join(COLUMNS)]
    for (member, kind), energies_wh in rows.items():
        for start, energy_wh in zip(starts_ns.tolist(), energies_wh.tolist(), strict=True):
            moment = local_datetime(start, zone)
            lines.append(f"{moment.isoformat(timespec='minutes')},{member},{kind},{energy_wh // WH_PER_KWH}.{energy_wh % WH_PER_KWH:03d}")
    return "\n".join(lines) + "\n"
