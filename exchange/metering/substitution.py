"""Values for readings that are missing or wrong, computed from the device's other readings (docs/rules.md, "Metering": design).

Integers only, rounded half-even once, so that every fold of the journal comes to the same values.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from exchange.metering.device_readings import DeviceColumns
from exchange.metering.device_store import DeviceStore, Quality
from exchange.metering.validation import Int64Array
from exchange.protocol.value_chain.metering import SubstituteReadings
from exchange.units import NS_PER_DAY, PERIOD_NS, divide_half_even

INTERPOLATED_MAX: Final = 8  # quarter-hours: two hours
PERIODS_MAX: Final = 31 * 96
WEEKS: Final = 4
DAYS_AROUND: Final = 3
_SHOWN_MIN: Final = 2  # days around that must show zero before zero is put

Values = tuple[Int64Array, Int64Array]  # import and export, int64[n] in Wh


def substitute(store: DeviceStore, document: SubstituteReadings) -> DeviceColumns | str:
    """The rows that a document comes to, or the rule that refuses it as a stable name."""
    if document.method not in METHODS:
        return "unknown_method"
    if not 1 <= document.count <= PERIODS_MAX:
        return "period_count_out_of_range"
    if document.first_start_ns < 0 or document.first_start_ns % PERIOD_NS or document.first_start_ns > 2**62:
        return "period_off_grid"
    starts_ns = document.first_start_ns + np.arange(document.count, dtype=np.int64) * PERIOD_NS
    values = METHODS[document.method](store, document.device, starts_ns)
    if isinstance(values, str):
        return values
    return DeviceColumns(
        np.full(document.count, document.device, np.int64), starts_ns, *values, np.full(document.count, Quality.SUBSTITUTED, np.uint8)
    )


def _interpolate(store: DeviceStore, device: int, starts_ns: Int64Array) -> Values | str:
    """A straight line between the readings before and behind."""
    n = len(starts_ns)
    if n > INTERPOLATED_MAX:
        return "gap_too_long_to_interpolate"
    neighbours = np.array([starts_ns[0] - PERIOD_NS, starts_ns[-1] + PERIOD_NS])
    cells = store.find(np.full(2, device), neighbours)
    if not (cells.document > 0).all():
        return "no_reading_beside_the_gap"
    return _line(cells.import_wh, n), _line(cells.export_wh, n)


def _line(ends: Int64Array, n: int) -> Int64Array:
    first, last = (int(end) for end in ends)
    return np.array([divide_half_even(first * (n - i) + last * (i + 1), n + 1) for i in range(n)], np.int64)


def _profile(store: DeviceStore, device: int, starts_ns: Int64Array) -> Values | str:
    """The mean of the same quarter-hour of the same weekday in the measured ones of the four weeks before."""
    import_wh, export_wh, counts = _sums(store, device, starts_ns, [-7 * week for week in range(1, WEEKS + 1)])
    if not counts.all():
        return "no_earlier_week_to_follow"
    return _means(import_wh, counts), _means(export_wh, counts)


def _zero(store: DeviceStore, device: int, starts_ns: Int64Array) -> Values | str:
    """Zero where the days around show zero at the time, as a PV plant does at night."""
    days = [day for day in range(-DAYS_AROUND, DAYS_AROUND + 1) if day]
    import_wh, export_wh, counts = _sums(store, device, starts_ns, days)
    if import_wh.any() or export_wh.any() or (counts < _SHOWN_MIN).any():
        return "days_around_do_not_show_zero"
    return np.zeros(starts_ns.shape, np.int64), np.zeros(starts_ns.shape, np.int64)


def _sums(store: DeviceStore, device: int, starts_ns: Int64Array, days: list[int]) -> tuple[Int64Array, Int64Array, Int64Array]:
    """(import, export, number) of the measured readings at the same time, so many days away."""
    totals = np.zeros((3, len(starts_ns)), np.int64)
    for day in days:
        at = starts_ns + day * NS_PER_DAY
        cells = store.find(np.full(at.shape, device), np.maximum(at, 0))
        measured = (cells.document > 0) & (cells.quality == Quality.MEASURED) & (at >= 0)
        totals += np.stack([cells.import_wh * measured, cells.export_wh * measured, measured.astype(np.int64)])
    return totals[0], totals[1], totals[2]


def _means(sums: Int64Array, counts: Int64Array) -> Int64Array:
    return np.array([divide_half_even(total, count) for total, count in zip(sums.tolist(), counts.tolist(), strict=True)], np.int64)


METHODS: Final[dict[str, Callable[[DeviceStore, int, Int64Array], Values | str]]] = {
    "interpolate": _interpolate,
    "profile": _profile,
    "zero": _zero,
}


def has_gaps(store: DeviceStore, start_ns: int, end_ns: int) -> bool:
    """Whether a device that is read lacks a period of the interval, from its first reading on."""
    starts_ns = np.arange(start_ns, end_ns, PERIOD_NS, dtype=np.int64)
    for device in store.meters:
        first = store.first_period(device)
        expected = starts_ns if first is None else starts_ns[starts_ns >= first * PERIOD_NS]
        if not store.has_any(device, expected).all():
            return True
    return False
