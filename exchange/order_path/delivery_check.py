"""Invariant 9, whose the energy was: granular certificates name who used it, and that account's meters bear it out (docs/rules.md, "Claims").

For each account and quarter-hour, of certificates that were not withdrawn, whoever has them now:

    delivered to it                  <= its withdrawal
    delivered or exported from it    <= its injection
    used behind its meter            <= the lesser of what it used and generated

with the meters of now. Settlement certifies by the meters as they were then, so what is beyond them now is the work of a correction where the meters,
as they were known after the command that certified, do bear it out; else it is a fault of issuance or delivery. A reading that is not there is 0 Wh,
as in the carbon accounts. The claims of a device against its own generation are claim_check's. Reads only.

Cost: a sort of the certificates, and the meters once, a day at a time: seconds for a park-year.
"""

import datetime
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from exchange.market.calendar import TIME_ZONE
from exchange.metering.table import MeterTable
from exchange.order_path.tables import Rooms
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme
from exchange.units import NS_PER_SECOND

Int64Array = NDArray[np.int64]

_NO_MORE: Final = (int(UnitState.SPLIT), int(UnitState.WITHDRAWN))
_PERIODS_A_READ: Final = 96


class Side(IntEnum):
    """Which of an account's energies a certificate speaks of."""

    RECEIVED = 0
    SENT = 1
    OWN = 2


_USES: Final = {
    Side.RECEIVED: [int(GreenUse.DELIVERED)],
    Side.SENT: [int(GreenUse.DELIVERED), int(GreenUse.EXPORTED)],
    Side.OWN: [int(GreenUse.SELF_USE)],
}
_WORDS: Final = {
    Side.RECEIVED: ("delivered to it", "withdrew {:,} Wh"),
    Side.SENT: ("delivered or exported from it", "fed in {:,} Wh"),
    Side.OWN: ("used behind its meter", "show {:,} Wh of own use"),
}


class Checked(Protocol):
    """What is asked of an exchange."""

    @property
    def rooms(self) -> Rooms: ...


class BeyondMeters(NamedTuple):
    """Certificates of one account and quarter-hour beyond its meters. `is_corrected`: the meters bore them out when they were issued."""

    account: int
    start_ns: int
    side: Side
    certified_wh: int
    metered_wh: int
    is_corrected: bool

    @property
    def beyond_wh(self) -> int:
        return self.certified_wh - self.metered_wh

    def __str__(self) -> str:
        start = datetime.datetime.fromtimestamp(self.start_ns // NS_PER_SECOND, TIME_ZONE).isoformat(timespec="minutes")
        certified, metered = _WORDS[self.side]
        said = f"certificates say {self.certified_wh:,} Wh {certified}"
        return f"account {self.account} at {start}: {said}, its meters {metered.format(self.metered_wh)}"


class _Cells(NamedTuple):
    """Certificates by quarter-hour, account and side, in this order: int64[k] each. `sequence`: of the last command that issued any of them."""

    start_ns: Int64Array
    account: Int64Array
    side: Int64Array
    certified_wh: Int64Array
    sequence: Int64Array

    def chosen(self, which: Int64Array) -> "_Cells":
        return _Cells(*(column[which] for column in self))


def certificates_beyond_meters(exchange: Checked) -> list[BeyondMeters]:
    """Every account and quarter-hour whose certificates exceed its meters, in order of time, account and side."""
    cells = _certified(exchange.rooms)
    metered_wh = _metered_wh(exchange.rooms.meters, cells)
    beyond = np.flatnonzero(cells.certified_wh > metered_wh)
    cells, metered_wh = cells.chosen(beyond), metered_wh[beyond]
    is_corrected = cells.certified_wh <= _metered_when_issued_wh(exchange.rooms.meters, cells)
    return [
        BeyondMeters(account, start_ns, Side(side), certified, metered, corrected)
        for account, start_ns, side, certified, metered, corrected in zip(
            *(column.tolist() for column in (cells.account, cells.start_ns, cells.side, cells.certified_wh, metered_wh, is_corrected)), strict=True
        )
    ]


def _certified(rooms: Rooms) -> _Cells:
    """Granular certificates of generation, from the bundles that are not split and not withdrawn."""
    rows = rooms.registry.rows
    leaves = np.flatnonzero((rows["scheme"] == int(UnitScheme.GC)) & ~np.isin(rows["state"], _NO_MORE))
    use, holder, start_ns = (np.asarray(rows[name][leaves], np.int64) for name in ("use", "holder", "period_start_ns"))
    energy_wh = np.asarray(rows["serial_to"][leaves] - rows["serial_from"][leaves] + 1, np.int64)
    sequence = np.asarray(rooms.registry.table.issuances["sequence"][rows["issuance"][leaves] - 1], np.int64)
    generator = _generators(rooms, np.asarray(rows["source"][leaves], np.int64))
    parts = []
    for side, account in ((Side.RECEIVED, holder), (Side.SENT, generator), (Side.OWN, holder)):
        which = np.flatnonzero(np.isin(use, _USES[side]))
        parts.append((start_ns[which], account[which], np.full(len(which), int(side), np.int64), energy_wh[which], sequence[which]))
    return _summed(_Cells(*(np.concatenate(columns) for columns in zip(*parts, strict=True))))


def _generators(rooms: Rooms, devices: Int64Array) -> Int64Array:
    """The account of each device, 0 for one that there is not."""
    ids, place = np.unique(devices, return_inverse=True)
    known = rooms.devices.by_id
    return np.array([known[device].account if device in known else 0 for device in ids.tolist()], np.int64)[place]


def _summed(cells: _Cells) -> _Cells:
    """One row for each quarter-hour, account and side."""
    if not len(cells.start_ns):
        return cells
    order = np.lexsort((cells.side, cells.account, cells.start_ns))
    cells = cells.chosen(order)
    differs = (np.diff(cells.start_ns) != 0) | (np.diff(cells.account) != 0) | (np.diff(cells.side) != 0)
    first = np.flatnonzero(np.append(True, differs))
    summed = cells.chosen(first)
    return summed._replace(certified_wh=np.add.reduceat(cells.certified_wh, first), sequence=np.maximum.reduceat(cells.sequence, first))


def _metered_wh(meters: MeterTable, cells: _Cells, as_of_sequence: int | None = None) -> Int64Array:
    """What the meters of each cell's account say of its side in its quarter-hour: now, or as known after a command. `cells` are in order of time."""
    metered_wh = np.zeros(len(cells.start_ns), np.int64)
    starts_ns, column = np.unique(cells.start_ns, return_inverse=True)
    for first in range(0, len(starts_ns), _PERIODS_A_READ):
        begin, end = np.searchsorted(column, [first, first + _PERIODS_A_READ])
        accounts, row = np.unique(cells.account[begin:end], return_inverse=True)
        day = meters.read(accounts.tolist(), starts_ns[first : first + _PERIODS_A_READ].tolist(), as_of_sequence)
        net = day.generation_wh - day.consumption_wh
        sides = np.stack([np.maximum(-net, 0), np.maximum(net, 0), np.minimum(day.generation_wh, day.consumption_wh)])  # in the order of Side
        metered_wh[begin:end] = sides[cells.side[begin:end], row, column[begin:end] - first]
    return metered_wh


def _metered_when_issued_wh(meters: MeterTable, cells: _Cells) -> Int64Array:
    """As `_metered_wh`, as the meters of each cell were known after the command that issued it."""
    metered_wh = np.zeros(len(cells.start_ns), np.int64)
    for sequence in np.unique(cells.sequence).tolist():
        which = np.flatnonzero(cells.sequence == sequence)
        metered_wh[which] = _metered_wh(meters, cells.chosen(which), sequence)
    return metered_wh
