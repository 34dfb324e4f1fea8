"""Invariants 9 and 10, claims: one claim a Wh and no more than was metered; retirements are numbered, chained, and of units that have ended."""

import hashlib
from collections import defaultdict

import numpy as np

from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.metering.generation import device_generation_wh
from exchange.order_path.path import BatchResult, Exchange
from exchange.registry.claims import ClaimScheme
from exchange.registry.lifecycle import UnitState
from exchange.registry.retirements import Retirement
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS


class ClaimsWatch:
    """Follows retirements by their notices; at the end compares the claim register with the meters and with live granular certificates."""

    def __init__(self) -> None:
        self._number = 0
        self._head = ""

    def begin(self, exchange: Exchange) -> None:
        retirements = exchange.rooms.certificates.retirements
        self._number, self._head = len(retirements.by_number), retirements.head

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        for notice in batch.notices:
            if notice.kind == "retired":
                self._follow(exchange, batch, int(notice.data["number"]), notice.sequence)

    def conclude(self, exchange: Exchange) -> Finding:
        if exchange.rooms.certificates.retirements.head != self._head:
            raise breach("10", "there is a retirement that no command made, or one was altered", exchange.last_sequence)
        claimed_wh = _check_meters(exchange)
        _check_granular(exchange)
        return Finding("9, 10", "claims", f"{self._number:,} retirements follow from each other; {claimed_wh:,} Wh claimed once, within the meters")

    def _follow(self, exchange: Exchange, batch: BatchResult, number: int, sequence: int) -> None:
        retirement = exchange.rooms.certificates.retirements.by_number.get(number)
        if number != self._number + 1 or retirement is None or retirement.previous != self._head:
            raise breach("10", f"retirement {number} does not follow from the one before", sequence)
        self._number, self._head = number, hashlib.sha256(retirement.text.encode()).hexdigest()
        if sum(serial.quantity for serial in retirement.ranges) != retirement.quantity or not _has_ended(exchange, retirement):
            raise breach("10", f"the serial numbers of retirement {number} are not retired", sequence)
        instrument = exchange.instrument(retirement.series)
        if instrument is not None:
            rows = batch.postings[(batch.postings["sequence"] == sequence) & (batch.postings["reason"] == int(PostingReason.UNITS_RETIRED))]
            if int(rows["amount"][rows["asset"] == instrument.id].sum()) != retirement.quantity:
                raise breach("10", f"retirement {number} is not what was posted", sequence)


def _has_ended(exchange: Exchange, retirement: Retirement) -> bool:
    registry = exchange.rooms.registry
    rows = [registry.find(serial.issuance, serial.serial_from) for serial in retirement.ranges]
    return all(row is not None and int(registry.rows[row]["state"]) == UnitState.RETIRED for row in rows)


def _check_meters(exchange: Exchange) -> int:
    """Claims of all schemes against the meter of their device, where it is known. Returns their sum in Wh."""
    by_day: defaultdict[int, dict[int, np.ndarray]] = defaultdict(dict)
    for _, device, day_ns, energy_wh in exchange.rooms.certificates.claims:
        known = by_day[device].get(day_ns, np.zeros(len(energy_wh), np.int64))
        by_day[device][day_ns] = known + energy_wh
    total_wh = 0
    for device, days in sorted(by_day.items()):
        claimed = np.concatenate([days[day_ns] for day_ns in sorted(days)])
        starts = np.concatenate([day_ns + np.arange(len(days[day_ns])) * PERIOD_NS for day_ns in sorted(days)])
        generation = device_generation_wh(exchange.rooms.devices, exchange.rooms.meters, device, starts)
        total_wh += int(claimed.sum())
        over = np.flatnonzero(claimed > generation)
        if generation.any() and over.size:
            what = f"more of device {device} is claimed in the quarter-hour from {starts[over[0]]} than it generated"
            raise breach("9", what, exchange.last_sequence)
    return total_wh


def _check_granular(exchange: Exchange) -> None:
    """Certificates of production that were not withdrawn are at most what they claim."""
    rows = np.asarray(exchange.rooms.registry.rows)
    live = rows[(rows["scheme"] == int(UnitScheme.GC)) & ~np.isin(rows["state"], (UnitState.SPLIT, UnitState.WITHDRAWN))]
    if not len(live):
        return
    cells, place = np.unique(np.stack([live["source"].astype(np.int64), live["period_start_ns"]]), axis=1, return_inverse=True)
    certified = np.zeros(cells.shape[1], np.int64)
    np.add.at(certified, place.reshape(-1), live["serial_to"] - live["serial_from"] + 1)
    claimed = exchange.rooms.certificates.claims.claimed_wh(cells[0], cells[1], ClaimScheme.GRANULAR)
    over = np.flatnonzero(certified > claimed)
    if over.size:
        device, start_ns = cells[:, over[0]].tolist()
        raise breach("9", f"certificates of device {device} in the quarter-hour from {start_ns} have no claim", exchange.last_sequence)
