"""Files of tariffs: TOML with bands and ratios as the notices write them (data/henan-283-2024.toml), or a price table in CSV (`tariff_table`)."""

import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.periods import QUARTERS_A_DAY
from clients.scenarios.problems import Problems
from clients.scenarios.tariff import MONTHS, Tariff, TariffVersion, check_prices, sealed
from clients.scenarios.tariff_table import MICRO_DECIMALS, read_table
from clients.scenarios.toml_lines import TomlFile, decode_text, describe_validation, parse_toml
from exchange.errors import InputError
from exchange.units import MICRO_PER_CNY, divide_half_even


def read_tariff(path: Path, zone: ZoneInfo) -> Tariff:
    """Read a .toml or .csv tariff. Raises InputError naming every bad line (the first twenty) and what was expected there."""
    try:
        text = decode_text(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(f"cannot read tariff {path}: {error.strerror}") from error
    if path.suffix.lower() == ".csv":
        return read_table(text, path.name, zone)
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


def _version(entry: _VersionTable, file: TomlFile, path: tuple[str | int, ...], problems: Problems) -> TariffVersion:
    def number(key: str, value: str | int, *place: str) -> int:
        try:
            return parse_scaled(str(value), MICRO_DECIMALS)
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
        check_prices(retail, feed_ins, problems, file.line_of((*path, "feed_in_cny_per_kwh")))
    return sealed(TariffVersion(entry.effective_from, retail, feed_ins, tuple(bands)))


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
