"""Cells of a text file to integers: whole columns at once where all is well, row by row where something is not."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.rows import FLAGS, Park
from exchange.metering.files.times import Instants, parse_time
from exchange.metering.validation import Int64Array

_NOT_PLAIN: Final = str.maketrans("", "", "0123456789.,")
_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]+))?", re.ASCII)
_DECIMALS: Final = 3  # of a kWh: a Wh
_UNKNOWN: Final = -1
AMBIGUOUS_FROM: Final = -(2**62)  # a time of a repeated hour is this plus its number until the whole file is read


class CellReader:
    """Remembers names and time stamps: a file of a park-year has a hundred of the one and 35,040 of the other."""

    def __init__(self, park: Park, findings: Findings) -> None:
        self._park = park
        self._findings = findings
        self._times: dict[str, int] = {}
        self._devices = dict(park.ids)
        self._flags: dict[str, int] = dict(FLAGS)
        self.ambiguous: list[tuple[str, Instants]] = []

    def devices(self, column: Sequence[str], lines: Int64Array) -> Int64Array:
        """Ids; -1 where a meter is not known."""
        for name in set(column) - self._devices.keys():
            self._devices[name] = self._park.ids.get(name.strip(), _UNKNOWN)
        found = np.fromiter(map(self._devices.__getitem__, column), np.int64, len(column))
        for row in np.flatnonzero(found == _UNKNOWN).tolist():
            self._findings.add(Finding.UNKNOWN_METER, int(lines[row]), f"{column[row][:40]!r} is no registered device")
        return found

    def times(self, column: Sequence[str], lines: Int64Array) -> Int64Array:
        """Instants in ns; what is wrong is noted at each of its lines."""
        wrong: dict[str, Finding] = {}
        for text in set(column) - self._times.keys():
            instants = parse_time(text.strip(), self._park.zone)
            if isinstance(instants, Finding):
                wrong[text] = instants
                continue
            if len(instants) > 1:
                self._times[text] = AMBIGUOUS_FROM + len(self.ambiguous)
                self.ambiguous.append((text, instants))
            else:
                self._times[text] = instants[0]
        if not wrong:
            return np.fromiter(map(self._times.__getitem__, column), np.int64, len(column))
        for row, text in enumerate(column):
            if text in wrong:
                words = "does not exist: the clock skips it" if wrong[text] is Finding.TIME_SKIPPED else "is no time such as 2026-07-15 00:15"
                self._findings.add(wrong[text], int(lines[row]), f"{text[:40]!r} {words}")
        return np.fromiter((self._times.get(text, 0) for text in column), np.int64, len(column))

    def flags(self, column: Sequence[str], lines: Int64Array) -> Int64Array:
        for text in set(column) - self._flags.keys():
            self._flags[text] = FLAGS.get(text.strip().lower(), _UNKNOWN)
        found = np.fromiter(map(self._flags.__getitem__, column), np.int64, len(column))
        for row in np.flatnonzero(found == _UNKNOWN).tolist():
            self._findings.add(Finding.FLAG_UNKNOWN, int(lines[row]), f"{column[row][:30]!r}; expected one of {', '.join(filter(None, FLAGS))}")
        return found

    def energies(self, column: Sequence[str], lines: Int64Array, name: str, *, may_be_blank: bool) -> Int64Array:
        """KWh as Wh."""
        if may_be_blank:
            column = [text or "0" for text in column]
        if not ",".join(column).translate(_NOT_PLAIN):
            try:
                scaled = np.fromiter(map(float, column), np.float64, len(column)) * 10**_DECIMALS
            except ValueError:
                return self._slowly(column, lines, name)
            whole = np.rint(scaled)
            # Below 2**40 a float tells every thousandth from its neighbours; what has more decimals is told row by row.
            if scaled.max(initial=0.0) < 2**40 and (np.abs(scaled - whole) < 1e-3).all():
                return whole.astype(np.int64)
        return self._slowly(column, lines, name)

    def _slowly(self, column: Sequence[str], lines: Int64Array, name: str) -> Int64Array:
        found = np.zeros(len(column), np.int64)
        for row, text in enumerate(column):
            value = parse_energy_wh(text.strip())
            if isinstance(value, Finding):
                words = "is negative" if value is Finding.NEGATIVE else "is no plain number of kWh with at most three decimals"
                self._findings.add(value, int(lines[row]), f"{name} {text[:30]!r} {words}")
            else:
                found[row] = value
        return found


def parse_energy_wh(text: str) -> int | Finding:
    """A number of kWh as Wh, exactly; at most 12 digits before the point and three decimals (zeros beyond are allowed)."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return Finding.NUMBER_MALFORMED
    fraction = (match[3] or "").rstrip("0")
    if len(fraction) > _DECIMALS:
        return Finding.NUMBER_MALFORMED
    value = int(match[2] + fraction.ljust(_DECIMALS, "0"))
    return Finding.NEGATIVE if match[1] and value else value


def resolve_ambiguous(
    ambiguous: Sequence[tuple[str, Instants]], device: Int64Array, at_ns: Int64Array, lines: Int64Array, findings: Findings
) -> None:
    """Times of a repeated hour, in place: where a device has both passes the first row is the first pass. One pass alone cannot be told."""
    seen: dict[tuple[int, int], list[int]] = {}
    for row in np.flatnonzero(at_ns < 0).tolist():
        seen.setdefault((int(device[row]), int(at_ns[row] - AMBIGUOUS_FROM)), []).append(row)
    for (_, number), rows in seen.items():
        text, instants = ambiguous[number]
        if len(rows) == len(instants):
            at_ns[rows] = instants
            continue
        for row in rows:
            at_ns[row] = instants[0]
            words = f"{text[:40]!r} comes twice that day and the file has it {len(rows)} times: give the offset from UTC"
            findings.add(Finding.TIME_AMBIGUOUS, int(lines[row]), words)
