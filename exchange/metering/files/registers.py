"""States of cumulative registers to energies of quarter-hours.

A register counts kWh up and begins again at zero after its last digit. Where a meter was exchanged the file has its last state (flag `removed`) and
the first of the new one (`installed`), at any instant between. A quarter-hour has an energy where there is a state at both of its ends.
"""

from typing import Final

import numpy as np

from exchange.metering.device_readings import limit_wh
from exchange.metering.devices import Devices
from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.rows import INSTALLED, REMOVED, FileRows
from exchange.metering.validation import READING_LIMIT_WH, BoolArray, Int64Array
from exchange.units import PERIOD_NS, WH_PER_KWH

DIGITS_DEFAULT: Final = 8


def intervals_of(states: FileRows, devices: Devices, findings: Findings, digits: int = DIGITS_DEFAULT) -> FileRows:
    """Energies by quarter-hour; `line` is that of the later state. A register with `digits` digits before the point counts to 10**digits kWh."""
    rows = states.select(np.lexsort((states.line, states.flag == INSTALLED, states.at_ns, states.device)))
    if not len(rows.device):
        return rows
    same = rows.device[1:] == rows.device[:-1]
    exchanged = same & (rows.flag[:-1] == REMOVED) & (rows.flag[1:] == INSTALLED)
    _note_twice(rows, same & (rows.at_ns[1:] == rows.at_ns[:-1]) & ~exchanged, findings)
    counted = same & ~exchanged
    limits = _limits_wh(rows, devices)
    totals = [_counted_wh(states_wh, counted, limits, digits, rows, findings) for states_wh in (rows.import_wh, rows.export_wh)]
    # Of two states at one boundary, removed and installed, either will do: nothing was counted between them.
    at_boundary = np.flatnonzero((rows.at_ns % PERIOD_NS == 0) & ~np.append((rows.at_ns[1:] == rows.at_ns[:-1]) & same, False))
    first, last = at_boundary[:-1], at_boundary[1:]
    whole = (rows.device[first] == rows.device[last]) & (rows.at_ns[last] - rows.at_ns[first] == PERIOD_NS)
    first, last = first[whole], last[whole]
    quality = np.where(rows.flag < REMOVED, rows.flag, 0)
    import_wh, export_wh = (total[last] - total[first] for total in totals)
    return FileRows(
        rows.device[last], rows.at_ns[first], import_wh, export_wh, rows.losses_wh[last], np.maximum(quality[first], quality[last]), rows.line[last]
    )


def _note_twice(rows: FileRows, again: BoolArray, findings: Findings) -> None:
    for index in np.flatnonzero(again).tolist():
        findings.add(Finding.TWICE, int(rows.line[index + 1]), f"the meter has a state of this time in line {rows.line[index]} already")


def _limits_wh(rows: FileRows, devices: Devices) -> Int64Array:
    """Most that can be counted between each state and the next, int64[n - 1]."""
    of_device = np.array([READING_LIMIT_WH, *(limit_wh(device) for _, device in sorted(devices.by_id.items()))], np.int64)
    periods = -(-(rows.at_ns[1:] - rows.at_ns[:-1]) // PERIOD_NS)
    limits: Int64Array = np.clip(periods, 0, 2**20) * of_device[rows.device[1:]]
    return limits


def _counted_wh(states_wh: Int64Array, counted: BoolArray, limits: Int64Array, digits: int, rows: FileRows, findings: Findings) -> Int64Array:
    """What each register has counted since the first state of the file, int64[n]."""
    steps = np.where(counted, np.diff(states_wh), 0)
    steps = np.where(steps < 0, steps + 10**digits * WH_PER_KWH, steps)
    for index in np.flatnonzero(steps > limits).tolist():
        if states_wh[index + 1] < states_wh[index]:
            words = f"the register fell from {states_wh[index] / WH_PER_KWH:g} to {states_wh[index + 1] / WH_PER_KWH:g} kWh"
            findings.add(Finding.REGISTER_WENT_BACK, int(rows.line[index + 1]), f"{words}, which is no rollover at {digits} digits")
        else:
            words = f"{steps[index] / WH_PER_KWH:g} kWh since line {rows.line[index]} are more than the device can carry"
            findings.add(Finding.OVER_CAPACITY, int(rows.line[index + 1]), words)
    return np.concatenate([[0], np.cumsum(np.where(steps > limits, 0, steps))])
