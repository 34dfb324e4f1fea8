"""What is strange in the series of a file though each row by itself is not: told, never refused (docs/rules.md, "Metering": design).

gap     quarter-hours missing between the first and the last reading of a device
spike   above the median of the same quarter-hour of the day by more than eight scaled median deviations (Hampel's identifier) and an eighth of
        capacity at least, where that quarter-hour has seven readings, those before the file included
frozen  twelve times the same energy that is not zero, or a day of zeros of a load
sum     generation and grid import against use, grid export and losses: further apart than one per cent of what was used, and than 1 kWh
"""

import datetime
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Device, DeviceKind
from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.rows import GRID, FileRows, Park
from exchange.metering.files.times import quarters_of_day
from exchange.metering.validation import BoolArray, Int64Array
from exchange.units import NS_PER_DAY, NS_PER_SECOND, PERIOD_NS, WH_PER_KWH

HISTORY_DAYS: Final = 28
QUARTERS: Final = 96
SPIKE_DEVIATIONS: Final = 8.0
_SCALE: Final = 1.4826  # of a median deviation, to be the standard deviation of a normal distribution
SPIKE_CAPACITY_PARTS: Final = 8  # at least an eighth of what the device can carry
SPIKE_READINGS_MIN: Final = 7
FROZEN_MIN: Final = 12
FROZEN_ZEROS_MIN: Final = QUARTERS
SUM_TOLERANCE_PPM: Final = 10_000
SUM_TOLERANCE_WH: Final = WH_PER_KWH

# By device: import and export in the periods of `history_starts_ns`, NaN where there is no reading, float[2, n].
History = Mapping[int, NDArray[np.float64]]


def history_starts_ns(first_ns: int) -> Int64Array:
    """The quarter-hours of the days before a device's first reading in a file, and of that day up to it (days of UTC)."""
    day_ns = first_ns // NS_PER_DAY * NS_PER_DAY
    return np.arange(max(day_ns - HISTORY_DAYS * NS_PER_DAY, 0), first_ns, PERIOD_NS, dtype=np.int64)



def check_series(rows: FileRows, park: Park, findings: Findings, history: History | None = None) -> None:
    """`rows` by device and time, each once."""
    bounds = np.flatnonzero(np.diff(rows.device, prepend=-2, append=-2))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        part = rows.select(np.arange(first, end))
        device = park.devices.by_id.get(int(part.device[0]))
        name = "the grid meter" if device is None else f"device {device.id} ({device.name})"
        _check_gaps(part, name, park, findings)
        if device is not None:
            for energies_wh, what in ((part.import_wh, "import"), (part.export_wh, "export")):
                _check_spikes(part, energies_wh, device, f"{what} of {name}", findings, history, what)
                _check_frozen(part, energies_wh, f"{what} of {name}", findings, zeros=device.kind is DeviceKind.LOAD and what == "import")
    _check_sums(rows, park, findings)
    _tell_clock_changes(rows, park, findings)


def _check_gaps(part: FileRows, name: str, park: Park, findings: Findings) -> None:
    steps = np.diff(part.at_ns)
    for index in np.flatnonzero(steps > PERIOD_NS).tolist():
        n = int(steps[index] // PERIOD_NS) - 1
        at = _shown(int(part.at_ns[index]) + PERIOD_NS, park)
        findings.add(Finding.GAP, int(part.line[index + 1]), f"{name}: {n} quarter-hours from {at} are missing")


def _check_spikes(
    part: FileRows, energies_wh: Int64Array, device: Device, name: str, findings: Findings, history: History | None, what: str
) -> None:
    before = None if history is None else history[device.id][0 if what == "import" else 1]
    first_day = int(part.at_ns[0]) // NS_PER_DAY - (HISTORY_DAYS if before is not None else 0)
    n_days = int(part.at_ns[-1]) // NS_PER_DAY - first_day + 1
    days = np.full(n_days * QUARTERS, np.nan)
    places = (part.at_ns - first_day * NS_PER_DAY) // PERIOD_NS
    if before is not None:
        days[int(places[0]) - len(before) : int(places[0])] = before
    days[places] = energies_wh
    by_quarter = np.sort(days.reshape(n_days, QUARTERS), axis=0)  # NaN last
    counts = np.sum(~np.isnan(by_quarter), axis=0)
    medians = _medians(by_quarter, counts)
    deviations = _medians(np.sort(np.abs(by_quarter - medians), axis=0), counts)
    floor = device.capacity_w / 4 / SPIKE_CAPACITY_PARTS
    limits = np.where(counts >= SPIKE_READINGS_MIN, medians + np.maximum(SPIKE_DEVIATIONS * _SCALE * deviations, floor), np.inf)
    quarter = places % QUARTERS
    for index in np.flatnonzero(energies_wh > limits[quarter]).tolist():
        usual = f"usual at that time are {medians[quarter[index]] / WH_PER_KWH:g} kWh"
        findings.add(Finding.SPIKE, int(part.line[index]), f"{name}: {energies_wh[index] / WH_PER_KWH:g} kWh, {usual}")


def _medians(ordered: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median of the first `counts[j]` values of each column."""
    columns = np.arange(ordered.shape[1])
    low, high = np.maximum((counts - 1) // 2, 0), np.minimum(counts // 2, ordered.shape[0] - 1)
    medians: NDArray[np.float64] = (ordered[low, columns] + ordered[high, columns]) / 2
    return medians


def _check_frozen(part: FileRows, energies_wh: Int64Array, name: str, findings: Findings, *, zeros: bool) -> None:
    changes = np.flatnonzero((np.diff(energies_wh) != 0) | (np.diff(part.at_ns) != PERIOD_NS))
    firsts = np.concatenate([[0], changes + 1])
    lengths = np.diff(firsts, append=len(energies_wh))
    values = energies_wh[firsts]
    frozen = ((values > 0) & (lengths >= FROZEN_MIN)) | ((values == 0) & (lengths >= FROZEN_ZEROS_MIN) & zeros)
    for index in np.flatnonzero(frozen).tolist():
        words = f"{name}: {values[index] / WH_PER_KWH:g} kWh {lengths[index]} times in a row"
        findings.add(Finding.FROZEN, int(part.line[firsts[index]]), words)


def _check_sums(rows: FileRows, park: Park, findings: Findings) -> None:
    """Where the grid meter and all electric devices of the file have a reading."""
    grid = rows.select(rows.device == GRID)
    thermal = np.array([False, *(device.kind in {DeviceKind.HEAT, DeviceKind.COLD} for _, device in sorted(park.devices.by_id.items()))])
    of_devices = rows.select((rows.device != GRID) & ~thermal[rows.device])
    if not len(grid.device) or not len(of_devices.device):
        return
    expected = len(np.unique(of_devices.device))
    place = np.searchsorted(grid.at_ns, of_devices.at_ns)
    hit = (place < len(grid.at_ns)) & (grid.at_ns[np.minimum(place, len(grid.at_ns) - 1)] == of_devices.at_ns)
    place = place[hit]
    counts, use_wh, generation_wh = np.zeros((3, len(grid.at_ns)), np.int64)
    np.add.at(counts, place, 1)
    np.add.at(use_wh, place, of_devices.import_wh[hit])
    np.add.at(generation_wh, place, of_devices.export_wh[hit])
    error_wh = generation_wh + grid.import_wh - use_wh - grid.export_wh - grid.losses_wh
    off: BoolArray = np.abs(error_wh) > np.maximum(SUM_TOLERANCE_WH, use_wh * SUM_TOLERANCE_PPM // 1_000_000)
    for index in np.flatnonzero(off & (counts == expected)).tolist():
        at = _shown(int(grid.at_ns[index]), park)
        words = f"{at}: devices and grid meter are {error_wh[index] / WH_PER_KWH:+g} kWh apart at {use_wh[index] / WH_PER_KWH:g} kWh of use"
        findings.add(Finding.SUM_CHECK, int(grid.line[index]), words)


def _tell_clock_changes(rows: FileRows, park: Park, findings: Findings) -> None:
    if not len(rows.at_ns):
        return
    first, last = (datetime.datetime.fromtimestamp(int(ns) // NS_PER_SECOND, park.zone).date() for ns in (rows.at_ns.min(), rows.at_ns.max()))
    for number in range((last - first).days + 1):
        day = first + datetime.timedelta(days=number)
        quarters = quarters_of_day(day, park.zone)
        if quarters != QUARTERS:
            start_ns = int(datetime.datetime.combine(day, datetime.time(), park.zone).timestamp()) * NS_PER_SECOND
            inside = (rows.at_ns >= start_ns) & (rows.at_ns < start_ns + quarters * PERIOD_NS)
            _, counts = np.unique(rows.device[inside], return_counts=True)
            words = f"{day} has {quarters} quarter-hours in {park.zone.key}; {int((counts == quarters).sum())} of {len(counts)} meters have them all"
            findings.add(Finding.CLOCK_CHANGE_DAY, 0, words)


def _shown(at_ns: int, park: Park) -> str:
    return datetime.datetime.fromtimestamp(at_ns // NS_PER_SECOND, park.zone).isoformat(" ", "minutes")
