"""Invariants 9 and 10, claims: one claim a Wh and no more than was metered, where it was generated and where it went; retirements are numbered,
chained, and of units that have ended.
"""

import hashlib

from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.claim_check import check_claims
from exchange.order_path.delivery_check import certificates_beyond_meters
from exchange.order_path.path import BatchResult, Exchange
from exchange.registry.claims import ClaimScheme
from exchange.registry.lifecycle import UnitState
from exchange.registry.retirements import Retirement


class ClaimsWatch:
    """Follows retirements by their notices; at the end looks for what is claimed twice (exchange.order_path.claim_check) and for certificates
    beyond the meters (exchange.order_path.delivery_check).
    """

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
        claimed, certified = check_claims(exchange), certificates_beyond_meters(exchange)
        faults = claimed.breaches + [str(one) for one in certified if not one.is_corrected]
        if faults:
            raise breach("9", "; ".join(faults), exchange.last_sequence)
        corrected = [(str(one), one.beyond_wh) for one in claimed.corrected] + [(str(one), one.beyond_wh) for one in certified]
        waiting = tuple(f"{what}; the readings were corrected after it was settled: {wh:,} Wh wait for the registrar" for what, wh in corrected)
        claims = exchange.rooms.certificates.claims
        claimed_wh = sum(claims.total_wh(scheme) for scheme in ClaimScheme)
        checked = f"{self._number:,} retirements follow from each other; {claimed_wh:,} Wh claimed once, within the meters"
        return Finding("9, 10", "claims", checked, waiting)

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
