"""Every table of certificates enters the state hash and comes back from a snapshot."""

from collections.abc import Callable

import numpy as np
import pytest

from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.registry.certificate_rules import CertificateRules
from exchange.registry.certificates import Certificates
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.issuance import IssuedMonth, Proof
from exchange.registry.retirements import Retirement, RetirementKind
from exchange.units import PERIOD_NS
from tests.exchange.order_path.park import GENESIS


def _claim(tables: Certificates) -> None:
    tables.claims.claim(ClaimScheme.CCER, ClaimRows(*(np.array([value], np.int64) for value in (3, PERIOD_NS, 5, 9))))


def _retire(tables: Certificates) -> None:
    serials = np.array([[1, 1, 202607, 1, 1, 4]], np.int64)
    tables.retirements.add(Retirement(1, RetirementKind.CLAIM, 5, 33, 34, "E02", "purpose", 1, 2, "GEC-202607-PV", 4, serials, ""))


CHANGES: dict[str, Callable[[Certificates], object]] = {
    "rules": lambda tables: tables.rules.add(CertificateRules(effective_ns=5)),
    "claim": _claim,
    "carry": lambda tables: tables.monthly.carry_wh.__setitem__((1, 0), 5),
    "self-use": lambda tables: tables.monthly.note_self_use(7, 1, 33, 5),
    "issued month": lambda tables: tables.monthly.issued.__setitem__((7, 1), IssuedMonth(7, 1, 5, 0, 0)),
    "proof": lambda tables: tables.monthly.proofs.__setitem__((1, 33), Proof(1, 33, "c", "p", 5)),
    "waiting": lambda tables: tables.monthly.wait_for_proof(1, 33, 7, 5),
    "charge record": lambda tables: tables.storage.charge(1, 0, 5, 4, 0),
    "retirement": _retire,
    "mandate": lambda tables: tables.retirements.mandates.add((33, 34)),
    "expiry": lambda tables: tables.expiring.add(-7),
}


@pytest.fixture(scope="module")
def empty() -> bytes:
    return canonical.state_hash(Exchange(GENESIS))


@pytest.mark.parametrize("name", CHANGES)
def test_every_table_moves_the_hash_and_is_restored(empty: bytes, name: str) -> None:
    exchange = Exchange(GENESIS)
    CHANGES[name](exchange.rooms.certificates)
    changed = canonical.state_hash(exchange)
    assert changed != empty
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(exchange))
    assert canonical.state_hash(restored) == changed
    assert restored.rooms.certificates.to_canonical() == exchange.rooms.certificates.to_canonical()
