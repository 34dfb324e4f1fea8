"""Invariant 9 from the final state: what is issued and retired holds, and each way to claim a Wh twice is named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from exchange.errors import CheckFailedError
from exchange.maintenance.invariants.claims import ClaimsWatch
from exchange.order_path.claim_check import claim_breaches
from exchange.protocol.documents import MeterReadings
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.lifecycle import UnitState
from tests.exchange.order_path.business.certificate_park import CertificatePark
from tests.exchange.order_path.business.test_granular import NOON, quarter_ns, settled


def retired() -> CertificatePark:
    park = settled()
    starts_ns = [quarter_ns(NOON), quarter_ns(NOON + 1)]
    readings = MeterReadings(
        revision=1, accounts=[account for account in (park.plant, park.user, park.other) for _ in starts_ns], period_starts_ns=starts_ns * 3,
        consumption_wh=[100, 0, 300, 250, 200, 0], generation_wh=[600, 300, 0, 0, 0, 0], soc_wh=[-1] * 6, grid_starts_ns=[], grid_import_wh=[],
        grid_export_wh=[], losses_wh=[],
    )  # fmt: skip
    assert park.document(readings)[0] == 0
    park.ok(park.retire("", 400), park.user)
    park.ok(park.retire("", 50), park.plant)
    return park


def _first(park: CertificatePark) -> np.void:
    return park.exchange.rooms.registry.table.tables.rows[0]


def _beyond_the_meter(park: CertificatePark) -> None:
    row = _first(park)
    columns = (np.array([int(row["source"])]), np.array([int(row["period_start_ns"])]), np.array([7]), np.array([10**6]))
    park.exchange.rooms.certificates.claims.claim(ClaimScheme.PARK_CREDIT, ClaimRows(*columns))


def _claim_given_up(park: CertificatePark) -> None:
    row = _first(park)
    columns = (np.array([int(row["source"])]), np.array([int(row["period_start_ns"])]), np.array([1]), np.array([10**6]))
    park.exchange.rooms.certificates.claims.release(ClaimScheme.GRANULAR, ClaimRows(*columns))


def _withdrawn_but_claimed(park: CertificatePark) -> None:
    _first(park)["state"] = int(UnitState.WITHDRAWN)


def _retired_twice(park: CertificatePark) -> None:
    retirements = park.exchange.rooms.certificates.retirements
    again = replace(retirements.by_number[1], number=3, previous=retirements.head)
    retirements.by_number[3] = again


BREACHES: list[tuple[str, Callable[[CertificatePark], None]]] = [
    ("more than its meter says", _beyond_the_meter),
    ("not what is claimed for them", _claim_given_up),
    ("are retired twice", _retired_twice),
]


def test_what_was_issued_and_retired_holds() -> None:
    park = retired()
    assert list(claim_breaches(park.exchange)) == []
    watch = ClaimsWatch()
    watch.begin(park.exchange)
    assert "2 retirements follow from each other; 900 Wh claimed once" in watch.conclude(park.exchange).checked


@pytest.mark.parametrize(("words", "spoil"), BREACHES, ids=[words for words, _ in BREACHES])
def test_a_breach_is_named(words: str, spoil: Callable[[CertificatePark], None]) -> None:
    park = retired()
    spoil(park)
    found = list(claim_breaches(park.exchange))
    assert len(found) >= 1
    assert all(words in sentence for sentence in found)
    watch = ClaimsWatch()
    watch.begin(park.exchange)
    with pytest.raises(CheckFailedError, match=f"invariant 9 is broken at command [0-9]+: .*{words}"):
        watch.conclude(park.exchange)


def test_a_certificate_whose_claim_has_no_bundle_is_within_the_meter_still() -> None:
    """A withdrawal that forgot its claim blocks energy and doubles nothing."""
    park = retired()
    _withdrawn_but_claimed(park)
    assert list(claim_breaches(park.exchange)) == []
