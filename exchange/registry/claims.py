"""The claim register: every generated Wh carries at most one live claim, be it a GEC, a granular certificate, a CCER or a park credit.

Invariant: for each device and quarter-hour the claims of all schemes together are at most the metered generation. So a Wh that one scheme has
cannot be claimed by another until it is released, which only a withdrawal does: what was retired or has expired stays claimed for ever.

Claims are kept as one array of Wh by device and quarter-hour for each scheme and UTC day (7 MB for 50 devices and a year). The state hash takes one
digest a scheme and day, made anew only for days that changed, so a hash after the year is a few hundred short rows.

Cost: a few array operations a day touched. Rule: docs/rules.md, "Claims" (design, after the registries' rule against double counting).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.units import NS_PER_DAY, PERIOD_NS

PERIODS_A_DAY: Final = NS_PER_DAY // PERIOD_NS
# Below it a claim fits the array's int32, and it is as much as a reading may be.
CLAIM_LIMIT_WH: Final = 1_000_000_000
_WH: Final = np.dtype("<i4")
_DEVICE: Final = np.dtype("<i8")

Int64Array = NDArray[np.int64]


class ClaimScheme(IntEnum):
    """What a Wh can be claimed as. Numbers are part of the state and never reused."""

    GEC = 1
    GRANULAR = 2
    CCER = 3
    PARK_CREDIT = 4


class ClaimRows(NamedTuple):
    """Claims as columns of equal length k, int64: `energy_wh[i]` of `device[i]` in the quarter-hour that starts at `period_start_ns[i]`.

    No device and period occurs twice. `generation_wh` is what the meter says of them.
    """

    device: Int64Array
    period_start_ns: Int64Array
    energy_wh: Int64Array
    generation_wh: Int64Array


@dataclass(slots=True, eq=False)
class _Day:
    """Claims of one scheme in one UTC day, int32[rows, 96] in Wh; a device's row is the register's. `digest` is None after a change."""

    energy_wh: NDArray[np.int32]
    digest: bytes | None = None


@dataclass(slots=True, eq=False)
class ClaimRegister:
    """Live claims by scheme, device and quarter-hour."""

    _rows: dict[int, int] = field(default_factory=dict)  # device -> row, in the order of first claims; no part of the content
    _days: dict[tuple[int, int], _Day] = field(default_factory=dict)  # by (UTC day, scheme)

    def problem(self, scheme: ClaimScheme, claims: ClaimRows) -> str | None:
        """Why claims cannot be made, as a stable name, or None."""
        shape = _shape_problem(claims)
        if shape is not None:
            return shape
        own = self.claimed_wh(claims.device, claims.period_start_ns, scheme)
        if np.any(claims.energy_wh + own > claims.generation_wh):
            return "claim_beyond_generation"
        if np.any(claims.energy_wh + self.claimed_wh(claims.device, claims.period_start_ns) > claims.generation_wh):
            return "claimed_by_another_scheme"
        return None

    def claim(self, scheme: ClaimScheme, claims: ClaimRows) -> None:
        """Make all claims. Raises InputError where `problem` has one; then nothing changed."""
        problem = self.problem(scheme, claims)
        if problem is not None:
            raise InputError(problem)
        self._add(scheme, claims, 1)

    def release_problem(self, scheme: ClaimScheme, claims: ClaimRows) -> str | None:
        """Why claims cannot be given up: the scheme does not have them."""
        shape = _shape_problem(claims)
        if shape is not None:
            return shape
        held = self.claimed_wh(claims.device, claims.period_start_ns, scheme)
        return "claim_not_held" if np.any(claims.energy_wh > held) else None

    def release(self, scheme: ClaimScheme, claims: ClaimRows) -> None:
        """Give up claims of units that were withdrawn: another scheme may have the energy. Raises InputError where `release_problem` has one."""
        problem = self.release_problem(scheme, claims)
        if problem is not None:
            raise InputError(problem)
        self._add(scheme, claims, -1)

    def claimed_wh(self, device: Int64Array, period_start_ns: Int64Array, scheme: ClaimScheme | None = None) -> Int64Array:
        """Live claims of one scheme, or of all: int64 in the shape of the columns."""
        total = np.zeros(len(device), np.int64)
        rows = self._rows_of(device)
        schemes = ClaimScheme if scheme is None else (scheme,)
        for number, selected in _by_day(period_start_ns):
            for one in schemes:
                day = self._days.get((number, one))
                if day is None:
                    continue
                known = selected[(rows[selected] >= 0) & (rows[selected] < len(day.energy_wh))]
                total[known] += day.energy_wh[rows[known], _quarter(period_start_ns[known])]
        return total

    def total_wh(self, scheme: ClaimScheme) -> int:
        """All live claims of a scheme."""
        return sum(int(day.energy_wh.sum(dtype=np.int64)) for (_, of), day in self._days.items() if of == scheme)

    def __iter__(self) -> Iterator[tuple[ClaimScheme, int, int, NDArray[np.int32]]]:
        """(scheme, device, start of the UTC day, Wh of its 96 quarter-hours) with any claim, by day, scheme and device."""
        for (number, scheme), day in sorted(self._days.items()):
            for device, row in self._used(day):
                yield ClaimScheme(scheme), device, number * NS_PER_DAY, day.energy_wh[row]

    def to_canonical(self) -> list[list[Any]]:
        """[UTC day, scheme, digest] of the days with a claim: what the state hash sees."""
        return [[number, scheme, self._digest(day)] for (number, scheme), day in sorted(self._days.items()) if day.energy_wh.any()]

    def to_snapshot(self) -> list[list[Any]]:
        """The claims themselves, for `restore`: [UTC day, scheme, devices, Wh by device and quarter-hour]."""
        return [[number, scheme, *self._content(day)] for (number, scheme), day in sorted(self._days.items()) if day.energy_wh.any()]

    def restore(self, canonical: Iterable[Any], snapshot: Iterable[Any]) -> None:
        """Fill an empty register. Raises InputError when the claims are not those whose digests the state names."""
        for number, scheme, device_bytes, wh_bytes in snapshot:
            devices = np.frombuffer(device_bytes, _DEVICE)
            claims = np.frombuffer(wh_bytes, _WH).reshape(len(devices), PERIODS_A_DAY)
            day = self._day(number, scheme, devices.astype(np.int64))
            day.energy_wh[self._rows_of(devices.astype(np.int64))] = claims
        if self.to_canonical() != [list(row) for row in canonical]:
            raise InputError("claims of the snapshot are not those of its state")

    def _add(self, scheme: ClaimScheme, claims: ClaimRows, sign: int) -> None:
        for number, selected in _by_day(claims.period_start_ns):
            day = self._day(number, scheme, claims.device[selected])
            rows = self._rows_of(claims.device[selected])
            day.energy_wh[rows, _quarter(claims.period_start_ns[selected])] += (sign * claims.energy_wh[selected]).astype(np.int32)
            day.digest = None

    def _day(self, number: int, scheme: int, devices: Int64Array) -> _Day:
        """A day with room for the devices."""
        for device in np.unique(devices).tolist():
            self._rows.setdefault(device, len(self._rows))
        day = self._days.setdefault((number, int(scheme)), _Day(np.zeros((0, PERIODS_A_DAY), np.int32)))
        if len(day.energy_wh) < len(self._rows):
            missing = np.zeros((len(self._rows) - len(day.energy_wh), PERIODS_A_DAY), np.int32)
            day.energy_wh = np.concatenate([day.energy_wh, missing])
        return day

    def _rows_of(self, devices: Int64Array) -> Int64Array:
        """Row of each device, -1 for one that never claimed."""
        unique, place = np.unique(devices, return_inverse=True)
        return np.array([self._rows.get(device, -1) for device in unique.tolist()], np.int64)[place]

    def _used(self, day: _Day) -> list[tuple[int, int]]:
        """(device, row) of those with a claim, by device."""
        used = np.zeros(len(self._rows), np.bool_)
        used[: len(day.energy_wh)] = day.energy_wh.any(axis=1)
        return [(device, row) for device, row in sorted(self._rows.items()) if used[row]]

    def _content(self, day: _Day) -> tuple[bytes, bytes]:
        used = self._used(day)
        devices = np.array([device for device, _ in used], _DEVICE)
        return devices.tobytes(), day.energy_wh[[row for _, row in used]].astype(_WH).tobytes()

    def _digest(self, day: _Day) -> bytes:
        if day.digest is None:
            devices, claims = self._content(day)
            day.digest = hashlib.sha256(devices + claims).digest()
        return day.digest


def _shape_problem(claims: ClaimRows) -> str | None:
    if np.any(claims.period_start_ns % PERIOD_NS != 0):
        return "claim_period_off_grid"
    if np.any(claims.energy_wh < 0) or np.any(claims.energy_wh > CLAIM_LIMIT_WH):
        return "claim_out_of_range"
    order = np.lexsort((claims.period_start_ns, claims.device))
    same = (np.diff(claims.device[order]) == 0) & (np.diff(claims.period_start_ns[order]) == 0)
    return "claim_row_twice" if same.any() else None


def _quarter(period_start_ns: Int64Array) -> Int64Array:
    return period_start_ns % NS_PER_DAY // PERIOD_NS


def _by_day(period_start_ns: Int64Array) -> Iterator[tuple[int, Int64Array]]:
    """Each UTC day with the rows of it."""
    days = period_start_ns // NS_PER_DAY
    order = np.argsort(days, kind="stable")
    numbers, first = np.unique(days[order], return_index=True)
    yield from zip(numbers.tolist(), np.split(order, first[1:]), strict=True) if numbers.size else ()
