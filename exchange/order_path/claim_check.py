"""Invariant 9, recomputed from the final state: every generated Wh carries at most one live claim (docs/rules.md, "Claims").

Claims of all schemes against the meters, granular certificates against their claims, and retirements against each other. Reads only.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from exchange.metering.generation import generations_wh
from exchange.order_path.tables import Rooms
from exchange.registry.claims import PERIODS_A_DAY, ClaimScheme, Int64Array
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS


class Claimed(Protocol):
    """What is asked of an exchange."""

    @property
    def rooms(self) -> Rooms: ...


def claim_breaches(exchange: Claimed) -> Iterator[str]:
    """What is claimed twice or not by a meter, one sentence each; nothing where all holds."""
    rooms = exchange.rooms
    for day_ns, claimed in sorted(_claims_by_day(rooms).items()):
        starts_ns = day_ns + PERIOD_NS * np.arange(PERIODS_A_DAY)
        devices = sorted(claimed)
        generations = generations_wh(rooms.devices, rooms.meters, devices, starts_ns)
        for device, generation_wh in zip(devices, generations, strict=True):
            # Of a device that is not metered here there is nothing to compare with.
            for place in np.flatnonzero(claimed[device] > generation_wh).tolist() if generation_wh.any() else ():
                yield f"device {device}: {claimed[device][place]} Wh are claimed at {starts_ns[place]}, which is more than its meter says"
    yield from _certificates_without_claim(rooms)
    yield from _retired_twice(rooms)


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
    keys = np.stack([rows["source"][chosen].astype(np.int64), rows["period_start_ns"][chosen]])
    found, place = np.unique(keys, axis=1, return_inverse=True)
    issued_wh = np.zeros(found.shape[1], np.int64)
    np.add.at(issued_wh, place.reshape(-1), rows["serial_to"][chosen] - rows["serial_from"][chosen] + 1)
    claimed_wh = rooms.certificates.claims.claimed_wh(found[0], found[1], ClaimScheme.GRANULAR)
    for cell in np.flatnonzero(issued_wh != claimed_wh).tolist():
        device, start_ns = found[:, cell].tolist()
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
