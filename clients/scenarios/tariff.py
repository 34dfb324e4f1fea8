"""Time-of-use tariffs (分时电价) as data: one retail and one feed-in price a quarter-hour, by month, effective-dated.

Two file formats: TOML with bands and ratios as the notices write them (data/henan-283-2024.toml), or a plain price table in CSV
(data/tariff-template.csv). Prices are micro-CNY/kWh. In every quarter-hour of every month the feed-in price is at most the retail price, or the file
is refused: otherwise buying in order to feed in would be a money machine (docs/rules.md, "Tariffs").
"""

import datetime
import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.periods import QUARTERS_A_DAY, local_datetime
from clients.scenarios.problems import Problems
from clients.scenarios.toml_lines import TomlFile, decode_text, parse_toml
from exchange.errors import InputError
from exchange.units import MICRO_PER_CNY, POWER_TICK_MICRO_PER_KWH, divide_half_even

Integers = NDArray[np.int64]

MONTHS: Final = 12
# Far above any retail price, far below what overflows a bill.
_PRICE_MAX_MICRO: Final = 100 * MICRO_PER_CNY
_MICRO_DECIMALS: Final = 6
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(.*)`")
_MISSING_FIELD: Final = re.compile(r"Object missing required field `(.*)`")


@dataclass(frozen=True, slots=True, eq=False)
class TariffVersion:
    """Prices from a date on: micro-CNY/kWh and letters of bands (blank where the file has none), each [12 months, 96 quarter-hours]."""

    effective_from: datetime.date
    retail_micro_per_kwh: Integers
    feed_in_micro_per_kwh: Integers
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """A tariff in the local time of its park; versions in the order of their dates."""

    id: str
    name_en: str
    name_zh: str
    source: str
    zone: ZoneInfo
    versions: tuple[TariffVersion, ...]

    def _place(self, period_start_ns: int) -> tuple[TariffVersion, int, int]:
        local = local_datetime(period_start_ns, self.zone)
        position = bisect_right([version.effective_from for version in self.versions], local.date())
        if not position:
            first = self.versions[0].effective_from
            raise InputError(f"tariff {self.id} starts on {first}; it has no price for {local.date()}")
        return self.versions[position - 1], local.month - 1, 4 * local.hour + local.minute // 15

    def retail_price_micro_per_kwh(self, period_start_ns: int) -> int:
        """What the grid charges for a kWh in the quarter-hour. Raises InputError before the first version."""
        version, month, quarter = self._place(period_start_ns)
        return int(version.retail_micro_per_kwh[month, quarter])

    def feed_in_price_micro_per_kwh(self, period_start_ns: int) -> int:
        """What the grid pays for a kWh in the quarter-hour. Raises InputError before the first version."""
        version, month, quarter = self._place(period_start_ns)
        return int(version.feed_in_micro_per_kwh[month, quarter])

    def band(self, period_start_ns: int) -> str:
        """The letter of the band: V valley 谷, F flat 平, P peak 峰, S sharp 尖峰; blank for a plain price table."""
        version, month, quarter = self._place(period_start_ns)
        return version.bands[month][quarter]


def to_ticks(price_micro_per_kwh: int) -> int:
    """Ticks of 0.0001 CNY/kWh, rounded half-even (a monotone rounding, so it never turns two prices round)."""
    return divide_half_even(price_micro_per_kwh, POWER_TICK_MICRO_PER_KWH)


def read_tariff(path: Path, zone: ZoneInfo) -> Tariff:
    """Read a .toml or .csv tariff. Raises InputError naming every bad line (the first twenty) and what was expected there."""
    try:
        text = decode_text(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"cannot read tariff {path}: {error.strerror}") from error
    if path.suffix.lower() == ".csv":
        return _from_csv(text, path.name, zone)
    if path.suffix.lower() == ".toml":
        return _from_toml(parse_toml(text, path.name), zone)
    raise InputError(f"{path.name}: expected a tariff in .toml or .csv")


class _VersionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    effective_from: datetime.date
    floating_cny_per_kwh: str | int
    fixed_cny_per_kwh: str | int
    feed_in_cny_per_kwh: str | int
    ratio: dict[str, str | int]
    hours: dict[str, str]


class _TariffTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    version: list[_VersionTable]
    name_zh: str = ""
    source: str = ""


def _from_toml(file: TomlFile, zone: ZoneInfo) -> Tariff:
    problems = Problems(file.name)
    try:
        table = msgspec.convert(file.content, _TariffTable)
    except msgspec.ValidationError as error:
        reason, path = describe_validation(error)
        problems.add(reason, file.line_of(path))
        problems.raise_if_any()
        raise
    if not table.version:
        problems.add("a tariff needs at least one [[version]]")
    versions = [_version(entry, file, ("version", index), problems) for index, entry in enumerate(table.version)]
    dates = [version.effective_from for version in versions]
    if dates != sorted(set(dates)):
        problems.add("versions must be in the order of effective_from, each date once")
    problems.raise_if_any()
    return Tariff(table.id, table.name, table.name_zh or table.name, table.source, zone, tuple(versions))


def describe_validation(error: msgspec.ValidationError) -> tuple[str, tuple[str | int, ...]]:
    """What msgspec found, in the words of a file's author, and its path as keys and indices (`- at `$.member[3].kw`` in the original)."""
    text, _, place = str(error).partition(" - at `")
    path: list[str | int] = []
    for part in place.rstrip("`").removeprefix("$").split("."):
        key, *indices = part.replace("]", "").split("[")
        if key:
            path.append(key)
        path.extend(int(index) if index.isdigit() else index for index in indices if index != "...")
    where = ".".join(str(part) for part in path)
    if match := _UNKNOWN_FIELD.fullmatch(text):
        # The key itself is a better place than the table around it.
        path.append(match[1])
    text = _UNKNOWN_FIELD.sub(r"unknown key \1", _MISSING_FIELD.sub(r"\1 is missing", text))
    return (f"{where}: {text}" if where else text), tuple(path)


def _version(entry: _VersionTable, file: TomlFile, path: tuple[str | int, ...], problems: Problems) -> TariffVersion:
    def number(key: str, value: str | int, *place: str) -> int:
        try:
            return parse_scaled(str(value), _MICRO_DECIMALS)
        except DecimalProblemError as error:
            problems.add(f"{key}: {error}", file.line_of((*path, *(place or (key,)))))
            return 0

    floating = number("floating_cny_per_kwh", entry.floating_cny_per_kwh)
    fixed = number("fixed_cny_per_kwh", entry.fixed_cny_per_kwh)
    feed_in = number("feed_in_cny_per_kwh", entry.feed_in_cny_per_kwh)
    prices: dict[str, int] = {}
    for letter, value in entry.ratio.items():
        if len(letter) != 1 or not letter.isupper():
            problems.add(f"ratio.{letter}: a band is named by one capital letter", file.line_of((*path, "ratio", letter)))
        ratio = Fraction(number(f"ratio.{letter}", value, "ratio", letter), MICRO_PER_CNY)
        exact = floating * ratio + fixed
        prices[letter] = divide_half_even(exact.numerator, exact.denominator)
    retail = np.zeros((MONTHS, QUARTERS_A_DAY), dtype=np.int64)
    bands = [" " * QUARTERS_A_DAY] * MONTHS
    for key in entry.hours:
        if key not in {str(month) for month in range(1, MONTHS + 1)}:
            problems.add(f"hours.{key}: expected the number of a month, 1 to 12", file.line_of((*path, "hours", key)))
    for month in range(1, MONTHS + 1):
        letters = _letters(entry, month, prices, file, path, problems)
        if letters:
            bands[month - 1] = letters
            retail[month - 1] = [prices[letter] for letter in letters]
    feed_ins = np.full((MONTHS, QUARTERS_A_DAY), feed_in, dtype=np.int64)
    if not problems.count:
        _check_prices(retail, feed_ins, problems, file.line_of((*path, "feed_in_cny_per_kwh")))
    return _sealed(TariffVersion(entry.effective_from, retail, feed_ins, tuple(bands)))


def _letters(entry: _VersionTable, month: int, prices: dict[str, int], file: TomlFile, path: tuple[str | int, ...], problems: Problems) -> str | None:
    """The 96 letters of a month, None after noting a problem."""
    letters = entry.hours.get(str(month))
    line = file.line_of((*path, "hours", str(month)))
    if letters is None:
        problems.add(f"hours: month {month} is missing", line)
        return None
    if len(letters) not in {24, QUARTERS_A_DAY}:
        problems.add(f"hours.{month}: {len(letters)} letters; expected 24 (one an hour) or 96 (one a quarter-hour)", line)
        return None
    unknown = sorted(set(letters) - set(prices))
    if unknown:
        problems.add(f"hours.{month}: letter {unknown[0]!r} has no ratio; expected one of {', '.join(sorted(prices))}", line)
        return None
    return "".join(4 * letter for letter in letters) if len(letters) == 24 else letters


def _sealed(version: TariffVersion) -> TariffVersion:
    version.retail_micro_per_kwh.flags.writeable = False
    version.feed_in_micro_per_kwh.flags.writeable = False
    return version


def _check_prices(retail: Integers, feed_in: Integers, problems: Problems, line: int | None = None) -> None:
    """Note quarter-hours whose feed-in (surplus) price is above retail (deficit), and prices beyond all reason."""
    if int(retail.max()) > _PRICE_MAX_MICRO or int(feed_in.max()) > _PRICE_MAX_MICRO:
        problems.add(f"a price is above {_PRICE_MAX_MICRO // MICRO_PER_CNY} CNY/kWh", line)
    for month, quarter in np.argwhere(feed_in > retail).tolist():
        surplus, deficit = (f"{int(prices[month, quarter]) / MICRO_PER_CNY:.4f}" for prices in (feed_in, retail))
        problems.add(
            f"month {month + 1}, {clock(quarter)}: the feed-in (surplus) price {surplus} is above the retail (deficit) price {deficit} CNY/kWh, "
            "so buying to feed in would be a money machine",
            line,
        )


def clock(quarter: int) -> str:
    """Local time of a quarter-hour of the day, 0 to 96: `07:15`."""
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


_CSV_HEADER: Final = ["months", "from", "to", "price_cny_per_kwh", "feed_in_cny_per_kwh"]


def _from_csv(text: str, name: str, zone: ZoneInfo) -> Tariff:
    problems = Problems(name)
    rows = [line.strip() for line in text.splitlines()]
    header = [cell.strip() for cell in rows[0].split(",")] if rows else []
    if header != _CSV_HEADER:
        problems.add(f"expected the header {','.join(_CSV_HEADER)}", 1)
        problems.raise_if_any()
    retail = np.full((MONTHS, QUARTERS_A_DAY), -1, dtype=np.int64)
    feed_in = np.full((MONTHS, QUARTERS_A_DAY), -1, dtype=np.int64)
    for line, row in enumerate(rows[1:], start=2):
        if row:
            _csv_row([cell.strip() for cell in row.split(",")], line, retail, feed_in, problems)
    if not problems.count:
        for month in range(MONTHS):
            missing = np.flatnonzero(retail[month] < 0)
            if len(missing):
                problems.add(f"month {month + 1} has no price from {clock(int(missing[0]))} ({len(missing)} quarter-hours missing)")
    if not problems.count:
        _check_prices(retail, feed_in, problems)
    problems.raise_if_any()
    version = _sealed(TariffVersion(datetime.date.min, retail, feed_in, (" " * QUARTERS_A_DAY,) * MONTHS))
    return Tariff(name, name, name, name, zone, (version,))


def _csv_row(cells: list[str], line: int, retail: Integers, feed_in: Integers, problems: Problems) -> None:
    if len(cells) != len(_CSV_HEADER):
        problems.add(f"{len(cells)} columns; expected {len(_CSV_HEADER)}: {', '.join(_CSV_HEADER)}", line)
        return
    months = _month_range(cells[0])
    first, after = _quarter(cells[1]), _quarter(cells[2])
    if months is None:
        problems.add(f"months: {cells[0][:20]!r} is not a month or a range such as 6-8 within 1 to 12", line)
    if first is None or after is None or first >= after:
        problems.add(
            f"from, to: {cells[1][:20]!r}, {cells[2][:20]!r} are not two times on a quarter-hour, the first before the second (24:00 ends a day)",
            line,
        )
    prices: list[int] = []
    for column, cell in zip(_CSV_HEADER[3:], cells[3:], strict=True):
        try:
            prices.append(parse_scaled(cell, _MICRO_DECIMALS))
        except DecimalProblemError as error:
            problems.add(f"{column}: {error}", line)
    if months is None or first is None or after is None or first >= after or len(prices) != 2:
        return
    block = np.ix_(np.arange(months[0] - 1, months[1]), np.arange(first, after))
    if (retail[block] >= 0).any():
        problems.add("a quarter-hour of this row already has a price from an earlier row", line)
        return
    retail[block], feed_in[block] = prices


def _month_range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit() and len(first) <= 2 and len(last) <= 2):
        return None
    months = int(first), int(last)
    return months if 1 <= months[0] <= months[1] <= MONTHS else None


def _quarter(text: str) -> int | None:
    """Index 0 to 96 of a time `HH:MM`; None when it is not one on a quarter-hour."""
    hours, _, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and len(hours) <= 2 and minutes in {"00", "15", "30", "45"}):
        return None
    quarter = int(hours) * 4 + int(minutes) // 15
    return quarter if quarter <= QUARTERS_A_DAY else None


def describe_tariff(tariff: Tariff, day_starts_ns: Integers) -> list[tuple[str, int, int]]:
    """(local time, retail, feed-in in micro-CNY/kWh) wherever a price of the day changes: what a person wants to see of a tariff."""
    steps: list[tuple[str, int, int]] = []
    for start in day_starts_ns.tolist():
        prices: tuple[int, int] = (tariff.retail_price_micro_per_kwh(start), tariff.feed_in_price_micro_per_kwh(start))
        if not steps or steps[-1][1:] != prices:
            steps.append((f"{local_datetime(start, tariff.zone):%H:%M}", *prices))
    return steps
