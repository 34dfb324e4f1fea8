"""Invariant 9 from the final state: what is issued and retired holds, and each way to claim a Wh twice is named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from exchange.errors import CheckFailedError
from exchange.maintenance.invariants.claims import ClaimsWatch
from exchange.order_path.claim_check import ClaimBeyond, check_claims, claim_breaches
from exchange.protocol.documents import MeterReadings
from exchange.protocol.value_chain.units import WithdrawUnits
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.lifecycle import UnitState
from tests.exchange.order_path.business.certificate_park import CertificatePark
from tests.exchange.order_path.business.test_granular import NOON, quarter_ns, settled
from tests.exchange.order_path.test_delivery_check import correct, settled_park, settled_wrongly


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
    assert claim_breaches(park.exchange) == []
    watch = ClaimsWatch()
    watch.begin(park.exchange)
    assert "2 retirements follow from each other; 900 Wh claimed once" in watch.conclude(park.exchange).checked


@pytest.mark.parametrize(("words", "spoil"), BREACHES, ids=[words for words, _ in BREACHES])
def test_a_breach_is_named(words: str, spoil: Callable[[CertificatePark], None]) -> None:
    park = retired()
    spoil(park)
    found = claim_breaches(park.exchange)
    assert len(found) >= 1
    assert all(words in sentence for sentence in found)
    watch = ClaimsWatch()
    watch.begin(park.exchange)
    with pytest.raises(CheckFailedError, match=f"invariant 9 is broken at command [0-9]+: .*{words}"):
        watch.conclude(park.exchange)


def test_a_generator_s_meter_that_is_corrected_is_no_breach_but_for_other_claims() -> None:
    """15 kWh were generated and certified; the corrected meter says 12. A claim of another scheme, which names no command, makes it one."""
    park = settled_park()
    registrar = park.admit("R", "registrar", [], cash_cny=0)
    correct(park, 1, used_kwh=11, made_kwh=12)
    start_ns = park.starts_ns[1]
    assert check_claims(park.exchange) == ([], [ClaimBeyond(1, start_ns, 15_000, 12_000, is_corrected=True)])
    park.ok(WithdrawUnits(account=park.load, symbol="", reference="corrected", quantity_lots=11_000), registrar)  # 10 of the quarter-hour before
    assert check_claims(park.exchange) == ([], [ClaimBeyond(1, start_ns, 14_000, 12_000, is_corrected=True)])
    columns = (np.array([1]), np.array([start_ns]), np.array([500]), np.array([10**6]))
    park.exchange.rooms.certificates.claims.claim(ClaimScheme.CCER, ClaimRows(*columns))
    assert claim_breaches(park.exchange) == [f"device 1: 14500 Wh are claimed at {start_ns}, which is more than its meter says"]


def test_a_correction_excuses_no_claim_that_was_beyond_the_meter_before(monkeypatch: pytest.MonkeyPatch) -> None:
    park = settled_wrongly(lambda output: replace(output, energy_wh=output.energy_wh * 2), monkeypatch)
    correct(park, 0, used_kwh=11, made_kwh=12)
    correct(park, 1, used_kwh=11, made_kwh=30)
    assert check_claims(park.exchange) == (
        [f"device 1: 30000 Wh are claimed at {park.starts_ns[0]}, which is more than its meter says"], []
    )  # fmt: skip


def test_a_certificate_whose_claim_has_no_bundle_is_within_the_meter_still() -> None:
    """A withdrawal that forgot its claim blocks energy and doubles nothing."""
    park = retired()
    _withdrawn_but_claimed(park)
    assert claim_breaches(park.exchange) == []
