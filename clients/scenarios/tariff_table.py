"""A tariff as a plain price table in CSV (data/tariff-template.csv)."""

import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.periods import QUARTERS_A_DAY
from clients.scenarios.problems import Problems
from clients.scenarios.tariff import MONTHS, Integers, Tariff, TariffVersion, check_prices, clock, sealed

MICRO_DECIMALS: Final = 6
_CSV_HEADER: Final = ["months", "from", "to", "price_cny_per_kwh", "feed_in_cny_per_kwh"]


def read_table(text: str, name: str, zone: ZoneInfo) -> Tariff:
    """The tariff of a CSV text. Raises InputError naming every bad line (the first twenty)."""
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
        check_prices(retail, feed_in, problems)
    problems.raise_if_any()
    version = sealed(TariffVersion(datetime.date.min, retail, feed_in, (" " * QUARTERS_A_DAY,) * MONTHS))
    return Tariff(name, name, name, name, zone, (version,))


def _csv_row(cells: list[str], line: int, retail: Integers, feed_in: Integers, problems: Problems) -> None:
    if len(cells) != len(_CSV_HEADER):
        problems.add(f"{len(cells)} columns; expected {len(_CSV_HEADER)}: {', '.join(_CSV_HEADER)}", line)
        return
    months = month_range(cells[0])
    first, after = quarter_of(cells[1]), quarter_of(cells[2])
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
            prices.append(parse_scaled(cell, MICRO_DECIMALS))
        except DecimalProblemError as error:
            problems.add(f"{column}: {error}", line)
    if months is None or first is None or after is None or first >= after or len(prices) != 2:
        return
    block = np.ix_(np.arange(months[0] - 1, months[1]), np.arange(first, after))
    if (retail[block] >= 0).any():
        problems.add("a quarter-hour of this row already has a price from an earlier row", line)
        return
    retail[block], feed_in[block] = prices


def month_range(text: str) -> tuple[int, int] | None:
    """First and last month of "7" or "6-8"; None when it is neither."""
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit() and len(first) <= 2 and len(last) <= 2):
        return None
    months = int(first), int(last)
    return months if 1 <= months[0] <= months[1] <= MONTHS else None


def quarter_of(text: str) -> int | None:
    """Index 0 to 96 of a time `HH:MM`; None when it is not one on a quarter-hour."""
    hours, _, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and len(hours) <= 2 and minutes in {"00", "15", "30", "45"}):
        return None
    quarter = int(hours) * 4 + int(minutes) // 15
    return quarter if quarter <= QUARTERS_A_DAY else None
