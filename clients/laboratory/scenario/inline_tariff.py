"""A tariff inside a scenario file, exact to the last digit: months, and from when on in the day which prices hold."""

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from clients.laboratory.scenario.rules import MINUTES_A_DAY, minute_of
from clients.laboratory.scenario.schema import TariffStepTable, TariffTable, TariffVersionTable
from clients.scenarios.attributes import Reader
from clients.scenarios.decimals import decimal_text
from clients.scenarios.layers import Place
from clients.scenarios.periods import QUARTERS_A_DAY
from clients.scenarios.problems import Problems
from clients.scenarios.tariff import MONTHS, Tariff, TariffVersion, check_prices, clock, sealed
from clients.scenarios.tariff_table import MICRO_DECIMALS, month_range
from exchange.errors import InputError

_MINUTES_A_QUARTER = MINUTES_A_DAY // QUARTERS_A_DAY


def read_inline(table: TariffTable, zone: ZoneInfo, reader: Reader) -> Tariff:
    """The tariff of a [tariff] table. What is wrong with single prices is noted; raises InputError for prices that cannot stand together."""
    versions = [_version(entry, ("tariff", "version", index), reader) for index, entry in enumerate(table.version)]
    if not versions:
        reader.note("tariff: expected one version at least", "tariff", "version")
    if [version.effective_from for version in versions] != sorted({version.effective_from for version in versions}):
        reader.note("tariff: versions must be in the order of effective_from, each date once", "tariff", "version")
    return Tariff(table.id, table.name, table.name_zh, table.source, zone, tuple(versions))


def _version(table: TariffVersionTable, place: Place, reader: Reader) -> TariffVersion:
    retail = np.full((MONTHS, QUARTERS_A_DAY), -1, dtype=np.int64)
    feed_in = np.full((MONTHS, QUARTERS_A_DAY), -1, dtype=np.int64)
    bands = np.full((MONTHS, QUARTERS_A_DAY), " ", dtype="<U1")
    for index, step in enumerate(table.step):
        where = (*place, "step", index)
        months = month_range(step.months)
        if months is None:
            reader.note(f"tariff: months {step.months[:20]!r}: expected a month or a range such as 6-8 within 1 to 12", *where, "months")
            continue
        if len(step.band) != 1:
            reader.note(f"tariff: band {step.band[:20]!r}: expected one letter", *where, "band")
        block = slice(months[0] - 1, months[1]), slice(_quarter(step, where, reader), None)
        retail[block] = reader.scaled(step.retail_cny_per_kwh, MICRO_DECIMALS, *where, "retail_cny_per_kwh")
        feed_in[block] = reader.scaled(step.feed_in_cny_per_kwh, MICRO_DECIMALS, *where, "feed_in_cny_per_kwh")
        bands[block] = step.band[:1] or " "
    version = sealed(TariffVersion(table.effective_from, retail, feed_in, tuple("".join(row) for row in bands.tolist())))
    missing = np.argwhere(retail < 0)
    if len(missing):
        month, quarter = missing[0].tolist()
        reader.note(f"tariff: month {month + 1} has no price from {clock(quarter)} on", *place)
    else:
        problems = Problems("prices", "no day can be settled")
        check_prices(retail, feed_in, problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            reader.note(f"tariff: {error}", *place)
    return version


def _quarter(step: TariffStepTable, where: Place, reader: Reader) -> int:
    minute = minute_of(step.begins, reader, *where, "begins")
    if minute % _MINUTES_A_QUARTER:
        reader.note(f"tariff: {step.begins} is not on a quarter-hour", *where, "begins")
    return minute // _MINUTES_A_QUARTER


def inline_tables(tariff: Tariff) -> dict[str, Any]:
    """The content of a [tariff] table that reads as the same tariff."""
    return {
        "id": tariff.id, "name": tariff.name_en, "name_zh": tariff.name_zh, "source": tariff.source,
        "version": [{"effective_from": version.effective_from, "step": _steps(version)} for version in tariff.versions],
    }  # fmt: skip


def _steps(version: TariffVersion) -> list[dict[str, str]]:
    rows = [_row_steps(version, month) for month in range(MONTHS)]
    steps: list[dict[str, str]] = []
    first = 0
    for month in range(1, MONTHS + 1):
        if month == MONTHS or rows[month] != rows[first]:
            steps += [{"months": str(first + 1) if first + 1 == month else f"{first + 1}-{month}", **step} for step in rows[first]]
            first = month
    return steps


def _row_steps(version: TariffVersion, month: int) -> list[dict[str, str]]:
    """The steps of a month's day: one wherever a price or a band changes."""
    steps: list[dict[str, str]] = []
    before: tuple[int, int, str] | None = None
    for quarter in range(QUARTERS_A_DAY):
        retail, feed_in = int(version.retail_micro_per_kwh[month, quarter]), int(version.feed_in_micro_per_kwh[month, quarter])
        band = version.bands[month][quarter]
        if (retail, feed_in, band) != before:
            steps.append(
                {
                    "begins": clock(quarter), "retail_cny_per_kwh": decimal_text(retail, MICRO_DECIMALS),
                    "feed_in_cny_per_kwh": decimal_text(feed_in, MICRO_DECIMALS), "band": band,
                }
            )  # fmt: skip
            before = (retail, feed_in, band)
    return steps
