"""Time-of-use tariffs (分时电价) as data: one retail and one feed-in price a quarter-hour, by month, effective-dated.

Prices are micro-CNY/kWh. In every quarter-hour of every month the feed-in price is at most the retail price, or the file is refused: otherwise buying
in order to feed in would be a money machine (docs/rules.md, "Tariffs"). Files of tariffs: `tariff_files`.
"""

import datetime
import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.periods import local_datetime
from clients.scenarios.problems import Problems
from exchange.errors import InputError
from exchange.units import MICRO_PER_CNY, POWER_TICK_MICRO_PER_KWH, divide_half_even

Integers = NDArray[np.int64]

MONTHS: Final = 12
# Far above any retail price, far below what overflows a bill.
_PRICE_MAX_MICRO: Final = 100 * MICRO_PER_CNY


@dataclass(frozen=True, slots=True, eq=False)
class TariffVersion:
    """Prices from a date on: micro-CNY/kWh and letters of bands (blank where the file has none), each [12 months, 96 quarter-hours]."""

    effective_from: datetime.date
    retail_micro_per_kwh: Integers
    feed_in_micro_per_kwh: Integers
    bands: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TariffVersion) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash(self.content())

    def content(self) -> tuple[str, bytes, bytes, tuple[str, ...]]:
        """Everything of it as immutable values, prices as little-endian int64."""
        prices = (self.retail_micro_per_kwh.astype("<i8").tobytes(), self.feed_in_micro_per_kwh.astype("<i8").tobytes())
        return (self.effective_from.isoformat(), *prices, self.bands)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff in the local time of its park; versions in the order of their dates."""

    id: str
    name_en: str
    name_zh: str
    source: str
    zone: ZoneInfo
    versions: tuple[TariffVersion, ...]

    def sha256(self) -> str:
        """Digest of all prices, bands and dates, in hexadecimal: the same wherever the tariff was read."""
        digest = hashlib.sha256()
        for version in self.versions:
            date, retail, feed_in, bands = version.content()
            digest.update(date.encode() + retail + feed_in + "".join(bands).encode())
        return digest.hexdigest()

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


def sealed(version: TariffVersion) -> TariffVersion:
    """The version, its arrays made read-only."""
    version.retail_micro_per_kwh.flags.writeable = False
    version.feed_in_micro_per_kwh.flags.writeable = False
    return version


def check_prices(retail: Integers, feed_in: Integers, problems: Problems, line: int | None = None) -> None:
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


def describe_tariff(tariff: Tariff, day_starts_ns: Integers) -> list[tuple[str, int, int]]:
    """(local time, retail, feed-in in micro-CNY/kWh) wherever a price of the day changes: what a person wants to see of a tariff."""
    steps: list[tuple[str, int, int]] = []
    for start in day_starts_ns.tolist():
        prices: tuple[int, int] = (tariff.retail_price_micro_per_kwh(start), tariff.feed_in_price_micro_per_kwh(start))
        if not steps or steps[-1][1:] != prices:
            steps.append((f"{local_datetime(start, tariff.zone):%H:%M}", *prices))
    return steps
