"""Retirement through the order path: who may, for what, of which units; each refusal has its rule and changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.ledger.chart import House
from exchange.order_path.check import check_exchange
from exchange.protocol.document import Document
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.certificates import GrantMandate, RevokeMandate
from exchange.protocol.value_chain.units import FreezeUnits, LockUnits, TransferUnits, WithdrawUnits
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import parse_serial
from matching.records import Side
from tests.exchange.order_path.business.certificate_park import AUGUST, JULY, CertificatePark, at, gec_spec
from tests.exchange.order_path.park import units_spec

YEAR_2025 = {"consumed_from_ns": at("2025-01-01T00:00"), "consumed_to_ns": at("2026-01-01T00:00")}


def bought(quantity: int = 40) -> CertificatePark:
    """The plant has 110 certificates of July and gave some to the user."""
    park = CertificatePark().with_certificates(110)
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="r", quantity_lots=quantity), park.plant)
    return park


def test_a_retirement_is_numbered_and_names_beneficiary_purpose_and_period() -> None:
    park = bought()
    answer = park.ok(park.retire(quantity=30), park.user)
    retirement = park.exchange.rooms.certificates.retirements.by_number[1]
    assert answer == {"retirement": 1, "digest": retirement.digest, "ranges": 1}
    assert (retirement.account, retirement.beneficiary, retirement.beneficiary_name, retirement.purpose) == (
        park.user, park.user, "E02", "Scope 2, July",
    )  # fmt: skip
    assert (retirement.series, retirement.quantity, retirement.unit, retirement.retired_ns) == (JULY, 30, "1 MWh", park.now_ns)
    assert [str(item) for item in retirement.ranges] == park.serials(park.user, UnitState.RETIRED)
    assert (park.held(park.user), park.ended(House.RETIRED)) == (10, 30)
    assert park.ok(park.retire(quantity=10), park.user)["retirement"] == 2
    assert park.exchange.rooms.certificates.retirements.by_number[2].previous == retirement.digest
    check_exchange(park.exchange)


def test_the_ranges_named_are_the_ones_retired() -> None:
    park = bought()
    (serial,) = park.serials(park.user)
    first = serial.split("-")
    middle = _renumbered(serial, int(first[-3]) + 5, int(first[-3]) + 9)
    park.ok(park.retire(ranges=[middle]), park.user)
    assert park.serials(park.user, UnitState.RETIRED) == [middle]
    assert park.refused(park.retire(ranges=[middle]), park.user) == "units_are_retired"
    assert park.refused(park.retire(ranges=[serial]), park.user) == "units_are_retired"


def _renumbered(serial: str, first: int, last: int) -> str:
    """The serial number of other units of the same issuance."""
    return str(parse_serial(serial)._replace(serial_from=first, serial_to=last))


def test_a_claim_of_2025_certificates_against_2026_load_is_refused() -> None:
    """Story 4; and the other way round, while consumption before the rule may use what it likes."""
    park = CertificatePark()
    park.list(gec_spec("GEC-202512-PV"))
    park.meter(park.plant, "2025-12-10T12:00", 10_000_000)
    park.certify("2025-12")
    assert park.refused(park.retire("GEC-202512-PV", 1), park.plant) == "consumption_year_is_not_generation_year"
    park.ok(park.retire("GEC-202512-PV", 1, **YEAR_2025), park.plant)
    july = bought()
    july.ok(july.retire(quantity=1, **YEAR_2025), july.user)


def test_only_for_itself_unless_mandated() -> None:
    park = bought()
    for_other = park.retire(quantity=1, beneficiary=park.other)
    assert park.refused(for_other, park.user) == "no_mandate"
    park.ok(GrantMandate(agent=park.user), park.other)
    assert park.refused(GrantMandate(agent=park.user), park.other) == "mandate_is_granted"
    park.ok(for_other, park.user)
    retirement = park.exchange.rooms.certificates.retirements.by_number[1]
    assert (retirement.account, retirement.beneficiary, retirement.beneficiary_name) == (park.user, park.other, "E03")
    park.ok(RevokeMandate(agent=park.user), park.other)
    assert park.refused(for_other, park.user) == "no_mandate"
    assert park.refused(RevokeMandate(agent=park.user), park.other) == "no_mandate"
    assert park.refused(GrantMandate(agent=park.other), park.other) == "mandate_to_oneself"
    assert park.refused(GrantMandate(agent=999), park.other) == "unknown_account"


def test_credits_have_no_rule_of_the_same_year() -> None:
    park = CertificatePark()
    park.list(units_spec("PCC-2025", instrument_class="pcc", venue="internal", resale="free"))
    park.issue(park.user, "PCC-2025", 5)
    park.ok(park.retire("PCC-2025", 5), park.user)
    assert park.exchange.rooms.certificates.retirements.by_number[1].unit == "1 tCO2e"


# What a member of the bought-park sends, after what has happened, and the rule that refuses it.
def _lock(park: CertificatePark) -> None:
    park.ok(LockUnits(symbol=JULY, beneficiary=park.other, reference="pledge", quantity_lots=40), park.user)


def _freeze(park: CertificatePark) -> None:
    park.ok(FreezeUnits(account=park.user, symbol=JULY, reference="dispute", quantity_lots=40))


def _withdraw(park: CertificatePark) -> None:
    park.ok(WithdrawUnits(account=park.user, symbol=JULY, reference="error", quantity_lots=40), park.registrar)


def _expire(park: CertificatePark) -> None:
    park.tick(at("2028-07-01T00:00"))


def _retire(park: CertificatePark) -> None:
    park.ok(park.retire(quantity=40), park.user)


def _nothing(_park: CertificatePark) -> None:
    pass


BY_QUANTITY: dict[str, tuple[Callable[[CertificatePark], None], dict[str, Any], str]] = {
    "more than there are": (_nothing, {"quantity": 41}, "units_not_available"),
    "none": (_nothing, {"quantity": 0}, "quantity_out_of_range"),
    "fewer than none": (_nothing, {"quantity": -1}, "quantity_out_of_range"),
    "of a month without any": (_nothing, {"symbol": AUGUST, "quantity": 1}, "units_not_available"),
    "of nothing that is listed": (_nothing, {"symbol": "GEC-202601-PV", "quantity": 1}, "unknown_instrument"),
    "granular ones without any": (_nothing, {"symbol": "", "quantity": 1}, "units_not_available"),
    "by time of generation": (_nothing, {"quantity": 1, "generated_from_ns": 1}, "time_of_generation_is_for_granular_certificates"),
    "locked": (_lock, {"quantity": 1}, "units_not_available"),
    "frozen": (_freeze, {"quantity": 1}, "units_not_available"),
    "expired": (_expire, {"quantity": 1}, "units_have_expired"),
    "twice": (_retire, {"quantity": 1}, "units_not_available"),
    "without a purpose": (_nothing, {"quantity": 1, "purpose": ""}, "purpose_malformed"),
    "with a purpose of two lines": (_nothing, {"quantity": 1, "purpose": "a\nserial PARK"}, "purpose_malformed"),
    "with a purpose that is too long": (_nothing, {"quantity": 1, "purpose": "x" * 201}, "purpose_malformed"),
    "for nobody": (_nothing, {"quantity": 1, "beneficiary": 999}, "unknown_account"),
    "for no time": (_nothing, {"quantity": 1, "consumed_to_ns": at("2026-07-01T00:00")}, "consumption_period_out_of_order"),
    "for two years": (_nothing, {"quantity": 1, "consumed_to_ns": at("2027-01-02T00:00")}, "consumption_period_spans_years"),
    "for another year": (
        _nothing, {"quantity": 1, "consumed_from_ns": at("2027-01-01T00:00"), "consumed_to_ns": at("2027-02-01T00:00")},
        "consumption_year_is_not_generation_year",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_QUANTITY)
def test_a_refused_claim_changes_nothing(case: str) -> None:
    happened, fields, rule = BY_QUANTITY[case]
    park = bought()
    happened(park)
    assert park.refused(park.retire(**fields), park.user) == rule


BY_SERIAL = {
    "locked": (_lock, "units_are_locked"),
    "frozen": (_freeze, "units_are_frozen"),
    "withdrawn": (_withdraw, "units_are_withdrawn"),
    "expired": (_expire, "units_have_expired"),
    "twice": (_retire, "units_are_retired"),
}


@pytest.mark.parametrize("case", BY_SERIAL)
def test_serial_numbers_are_refused_by_what_became_of_them(case: str) -> None:
    happened, rule = BY_SERIAL[case]
    park = bought()
    serials = park.serials(park.user)
    happened(park)
    assert park.refused(park.retire(ranges=serials), park.user) == rule


def test_serial_numbers_that_are_none_are_named() -> None:
    park = bought()
    (mine,), (theirs,) = park.serials(park.user), park.serials(park.plant)
    beyond = _renumbered(mine, 200, 201)

    def rule(*ranges: str, **fields: Any) -> str:
        return park.refused(park.retire(ranges=list(ranges), **fields), park.user)

    assert rule(theirs) == "units_of_another_account"
    assert rule(beyond) == "unknown_serial_number"
    assert rule(_renumbered(mine, 1, 1).replace("-D1-", "-D2-")) == "serial_number_malformed"
    assert rule(mine, mine) == "ranges_overlap"
    assert rule(mine, quantity=39) == "ranges_are_not_the_quantity"
    assert rule(mine, symbol="") == "units_of_another_series"
    assert rule(mine, symbol=AUGUST) == "units_of_another_series"
    assert rule(*["PARK"] * 1_001) == "too_many_ranges"
    park.ok(park.retire(ranges=[mine]), park.user)


def test_units_that_an_order_counts_on_are_not_retired() -> None:
    park = bought()
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    assert park.place(park.plant, instrument, Side.SELL, 600, 60)["code"] == 0
    assert park.refused(park.retire(quantity=11), park.plant) == "units_not_available"
    park.ok(park.retire(quantity=10), park.plant)
    check_exchange(park.exchange)


@pytest.mark.parametrize("role", ["registrar", "operator"])
def test_who_does_not_hold_units_retires_none(role: str) -> None:
    park = bought()
    account = park.registrar if role == "registrar" else 32
    documents: list[Document] = [park.retire(quantity=1), GrantMandate(agent=park.user), RevokeMandate(agent=park.user)]
    assert [park.document(document, account)[0] for document in documents] == [RejectCode.NO_PERMISSION] * 3
