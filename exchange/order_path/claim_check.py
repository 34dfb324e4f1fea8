"""Invariant 9, recomputed from the final state: every generated Wh carries at most one live claim (docs/rules.md, "Claims").

Claims of all schemes against the meters, granular certificates against their claims, and retirements against each other. What granular certificates
claim beyond a meter is the work of a correction and no breach where the meter, as it was known after the command that issued them, bears it out.
Reads only.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from exchange.metering.generation import device_generation_wh, generations_wh
from exchange.metering.validation import BoolArray
from exchange.order_path.tables import Rooms
from exchange.registry.claims import PERIODS_A_DAY, ClaimScheme, Int64Array
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS


class Claimed(Protocol):
    """What is asked of an exchange."""

    @property
    def rooms(self) -> Rooms: ...


class ClaimBeyond(NamedTuple):
    """Claims on a device beyond its meter in one quarter-hour. `is_corrected`: the meter bore them out when they were issued."""

    device: int
    start_ns: int
    claimed_wh: int
    generation_wh: int
    is_corrected: bool

    @property
    def beyond_wh(self) -> int:
        return self.claimed_wh - self.generation_wh

    def __str__(self) -> str:
        return f"device {self.device}: {self.claimed_wh} Wh are claimed at {self.start_ns}, which is more than its meter says"


class ClaimFindings(NamedTuple):
    """`breaches`: one sentence each. `corrected`: what a correction put beyond its meter."""

    breaches: list[str]
    corrected: list[ClaimBeyond]


def check_claims(exchange: Claimed) -> ClaimFindings:
    """What is claimed twice or not by a meter; nothing where all holds."""
    beyond = list(_beyond_meters(exchange.rooms))
    breaches = [str(one) for one in beyond if not one.is_corrected]
    breaches += [*_certificates_without_claim(exchange.rooms), *_retired_twice(exchange.rooms)]
    return ClaimFindings(breaches, [one for one in beyond if one.is_corrected])


def claim_breaches(exchange: Claimed) -> list[str]:
    """The breaches alone."""
    return check_claims(exchange).breaches


def _beyond_meters(rooms: Rooms) -> Iterator[ClaimBeyond]:
    for day_ns, claimed in sorted(_claims_by_day(rooms).items()):
        starts_ns = day_ns + PERIOD_NS * np.arange(PERIODS_A_DAY)
        devices = sorted(claimed)
        generations = generations_wh(rooms.devices, rooms.meters, devices, starts_ns)
        for device, generation_wh in zip(devices, generations, strict=True):
            # Of a device that is not metered here there is nothing to compare with.
            places = np.flatnonzero(claimed[device] > generation_wh)
            if len(places) and generation_wh.any():
                is_corrected = _borne_out_when_issued(rooms, device, starts_ns[places], claimed[device][places])
                columns = (starts_ns[places], claimed[device][places], generation_wh[places], is_corrected)
                yield from (ClaimBeyond(device, *cell) for cell in zip(*(column.tolist() for column in columns), strict=True))


def _borne_out_when_issued(rooms: Rooms, device: int, starts_ns: Int64Array, claimed_wh: Int64Array) -> BoolArray:
    """Whether claims, [k] in order of time, are of granular certificates alone and within the meter as it was known after the last were issued."""
    rows = rooms.registry.rows
    own = np.flatnonzero((rows["scheme"] == int(UnitScheme.GC)) & (rows["source"] == device) & np.isin(rows["period_start_ns"], starts_ns))
    sequence = np.zeros(len(starts_ns), np.int64)
    issued = rooms.registry.table.issuances["sequence"][rows["issuance"][own] - 1]
    np.maximum.at(sequence, np.searchsorted(starts_ns, rows["period_start_ns"][own]), issued)
    known_wh = np.zeros(len(starts_ns), np.int64)
    for one in np.unique(sequence).tolist():
        places = np.flatnonzero(sequence == one)
        known_wh[places] = device_generation_wh(rooms.devices, rooms.meters, device, starts_ns[places], one)
    granular_wh = rooms.certificates.claims.claimed_wh(np.full(len(starts_ns), device), starts_ns, ClaimScheme.GRANULAR)
    return np.asarray((granular_wh == claimed_wh) & (claimed_wh <= known_wh))


def _claims_by_day(rooms: Rooms) -> dict[int, dict[int, Int64Array]]:
    """Claims of all schemes by start of the UTC day and device: int64[96] in Wh."""
    total: dict[int, dict[int, Int64Array]] = {}
    for _, device, day_ns, energy_wh in rooms.certificates.claims:
        of_day = total.setdefault(day_ns, {})
        of_day[device] = of_day.get(device, np.zeros(PERIODS_A_DAY, np.int64)) + energy_wh
    return total


def _certificates_without_claim(rooms: Rooms) -> Iterator[str]:
    """Granular certificates that were not withdrawn are what is claimed for them, by device and quarter-hour."""
    rows = rooms.registry.rows
    live = (rows["scheme"] == int(UnitScheme.GC)) & ~np.isin(rows["state"], (int(UnitState.SPLIT), int(UnitState.WITHDRAWN)))
    chosen = np.flatnonzero(live)
    chosen = chosen[np.lexsort((rows["period_start_ns"][chosen], rows["source"][chosen]))]
    devices, starts_ns = rows["source"][chosen].astype(np.int64), rows["period_start_ns"][chosen]
    first = np.flatnonzero(np.diff(devices, prepend=-1) | np.diff(starts_ns, prepend=-1))
    issued_wh = np.add.reduceat(rows["serial_to"][chosen] - rows["serial_from"][chosen] + 1, first) if first.size else first
    claimed_wh = rooms.certificates.claims.claimed_wh(devices[first], starts_ns[first], ClaimScheme.GRANULAR)
    for cell in np.flatnonzero(issued_wh != claimed_wh).tolist():
        device, start_ns = devices[first[cell]], starts_ns[first[cell]]
        yield f"device {device}: certificates of {issued_wh[cell]} Wh at {start_ns} are not what is claimed for them"


def _retired_twice(rooms: Rooms) -> Iterator[str]:
    """No serial number is in two retirements."""
    retired = [one.serials[:, 3:6] for one in rooms.certificates.retirements.by_number.values()]
    if not retired:
        return
    ranges = np.concatenate(retired)
    ranges = ranges[np.lexsort((ranges[:, 1], ranges[:, 0]))]
    overlap = (ranges[1:, 0] == ranges[:-1, 0]) & (ranges[1:, 1] <= ranges[:-1, 2])
    for place in np.flatnonzero(overlap).tolist():
        yield f"units from {ranges[place + 1, 1]} of issuance {ranges[place + 1, 0]} are retired twice"
