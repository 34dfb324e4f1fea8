"""The watch of claims and retirements: a month of certificates holds, and every kind of breach is found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from exchange.errors import CheckFailedError
from exchange.maintenance.invariants.claims import ClaimsWatch
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.path import BatchResult, Exchange
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.registry.lifecycle import UnitState
from tests.exchange.order_path.business.certificate_park import JULY, CertificatePark, at
from tests.exchange.order_path.park import GENESIS

Change = Callable[[BatchResult, Exchange], None]


@pytest.fixture(scope="module")
def park() -> CertificatePark:
    """A month certified and two retirements."""
    park = CertificatePark().with_certificates(5)
    for quantity in (1, 2):
        park.ok(park.retire(JULY, quantity), park.plant)
    return park


def watch(park: CertificatePark, last: Change | None = None) -> str:
    """Replay; `last` spoils the batch of the last command before it is seen."""
    exchange, one = Exchange(GENESIS), ClaimsWatch()
    one.begin(exchange)
    for number, (records, documents) in enumerate(park.log, 1):
        batch = exchange.apply(records, documents, exchange.last_sequence + 1)
        batch = replace(batch, postings=batch.postings.copy())
        if last is not None and number == len(park.log):
            last(batch, exchange)
        one.see(batch, exchange)
    return one.conclude(exchange).checked


def test_a_month_of_certificates_holds(park: CertificatePark) -> None:
    assert watch(park) == "2 retirements follow from each other; 5,000,000 Wh claimed once, within the meters"


def _another_past(_: BatchResult, exchange: Exchange) -> None:
    table = exchange.rooms.certificates.retirements
    table.by_number[2] = replace(table.by_number[2], previous="")


def _gone(_: BatchResult, exchange: Exchange) -> None:
    del exchange.rooms.certificates.retirements.by_number[2]


def _fewer_units(_: BatchResult, exchange: Exchange) -> None:
    table = exchange.rooms.certificates.retirements
    table.by_number[2] = replace(table.by_number[2], quantity=1)


def _back_to_life(_: BatchResult, exchange: Exchange) -> None:
    rows = exchange.rooms.registry.table.tables.rows
    rows["state"][rows["state"] == UnitState.RETIRED] = UnitState.ISSUED


def _nothing_posted(batch: BatchResult, _: Exchange) -> None:
    batch.postings["amount"] = 1


def _claimed_twice(_: BatchResult, exchange: Exchange) -> None:
    columns = (1, at("2026-07-10T12:00"), 1, 10**9)
    exchange.rooms.certificates.claims.claim(ClaimScheme.CCER, ClaimRows(*(np.array([value], np.int64) for value in columns)))


def _without_a_claim(_: BatchResult, exchange: Exchange) -> None:
    """A granular certificate whose claim has gone elsewhere."""
    device = exchange.rooms.devices.by_id[1]
    exchange.rooms.devices.by_id[2] = replace(device, id=2, account=34, scheme=type(device.scheme)("granular"))
    start_ns = at("2026-07-11T12:00")
    issue_granular(exchange, GreenOutput(*(np.array([value], np.int64) for value in (start_ns, 2, int(GreenUse.DELIVERED), 34, 10))))
    columns = (2, start_ns, 3, 10)
    exchange.rooms.certificates.claims.release(ClaimScheme.GRANULAR, ClaimRows(*(np.array([value], np.int64) for value in columns)))


BREACHES: dict[str, tuple[Change, str]] = {
    "does not follow": (_another_past, "10.*retirement 2 does not follow"),
    "is not there": (_gone, "10.*retirement 2 does not follow"),
    "of fewer units": (_fewer_units, "10.*serial numbers of retirement 2 are not retired"),
    "of live units": (_back_to_life, "10.*serial numbers of retirement 2 are not retired"),
    "posted otherwise": (_nothing_posted, "10.*retirement 2 is not what was posted"),
    "claimed twice": (_claimed_twice, "9.*device 1: .*more than its meter says"),
    "certificate without a claim": (_without_a_claim, "9.*device 2: certificates of 10 Wh .* not what is claimed for them"),
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_is_found(park: CertificatePark, case: str) -> None:
    change, message = BREACHES[case]
    with pytest.raises(CheckFailedError, match=message):
        watch(park, change)


def test_a_retirement_that_no_command_made_is_found(park: CertificatePark) -> None:
    exchange, one = Exchange(GENESIS), ClaimsWatch()
    for records, documents in park.log:
        exchange.apply(records, documents, exchange.last_sequence + 1)
    with pytest.raises(CheckFailedError, match="no command made"):
        one.conclude(exchange)
    one.begin(exchange)
    assert one.conclude(exchange).checked.startswith("2 retirements")
