"""Documents of the carbon accounts through the exchange: who may send them, what refuses them, and what a restart keeps."""

from typing import Any

import msgspec
import pytest

from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.protocol.document import Document
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.accounting import (
    CloseCarbonYear,
    EmissionFactor,
    FuelFactor,
    RecordActivity,
    RegisterEmissionFactor,
    RegisterFuelFactor,
    SetProductNorm,
)
from exchange.units import NS_PER_DAY
from tests.exchange.carbon.accounts import activity
from tests.exchange.order_path.business.desk import Desk
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPERATOR, Park

NEW_YEAR_NS = DAY_NS + 170 * NS_PER_DAY  # 2027-01-01 00:00 in Shanghai
GRID = EmissionFactor(publisher="MEE", year=2024, region="national", kind="average", mg_per_kwh=500_000)
GAS = FuelFactor(publisher="lab", year=2026, region="park", fuel="natural_gas", unit="m3", mg_co2_per_unit=2_100_000, mg_ce_per_unit=1_300_000)
NORM = SetProductNorm(product="bearings", unit="piece", mg_ce_per_unit=5, from_year=2026)


def closing(year: int = 2026, **changes: Any) -> CloseCarbonYear:
    residual = msgspec.structs.replace(GRID, kind="residual", mg_per_kwh=600_000)
    return CloseCarbonYear(**({"year": year, "factors": [GRID, residual], "fuels": [GAS]} | changes))


def entry(**changes: Any) -> RecordActivity:
    """A thousand m3 of gas."""
    return msgspec.structs.replace(activity("fuel", 1_000_000), **changes)


@pytest.fixture
def park() -> Park:
    """E01 is account 33, E02 is 34."""
    park = Park()
    park.admit("E01", "enterprise", [])
    park.admit("E02", "enterprise", [])
    park.now_ns = DAY_NS
    return park


def refused(park: Park, document: Document, account: int = OPERATOR) -> str:
    before = canonical.state_hash(park.exchange)
    revision = park.exchange.rooms.carbon.revision()
    code, answer = park.document(document, account)
    assert code == RejectCode.BUSINESS_RULE, (code, answer)
    assert park.exchange.rooms.carbon.revision() == revision
    assert canonical.state_hash(park.exchange) != before  # the command itself has a place
    return str(answer["rule"])


def test_entries_are_revised_and_never_edited(park: Park) -> None:
    for revision, quantity in ((1, 1_000_000), (2, 900_000)):
        assert park.document(entry(revision=revision, quantity_milli=quantity), 33)[0] == RejectCode.ACCEPTED
    assert park.document(entry(subject="coal", unit="t"), OPERATOR)[0] == RejectCode.ACCEPTED
    activities = park.exchange.rooms.carbon.activities
    assert [(e.number, e.revision, e.quantity_milli, e.sender) for e in activities.entries] == [
        (1, 1, 1_000_000, 33), (2, 2, 900_000, 33), (3, 1, 1_000_000, OPERATOR),
    ]  # fmt: skip
    assert [(e.key.subject, e.quantity_milli) for e in activities.of_year(2026)] == [("natural_gas", 900_000), ("coal", 1_000_000)]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"account": 99}, "unknown_account"),
        ({"account": 34}, "not_your_account"),
        ({"kind": "steam"}, "unknown_activity_kind"),
        ({"subject": ""}, "subject_malformed"),
        ({"kind": "water_used", "use": "", "subject": "river"}, "subject_malformed"),
        ({"use": ""}, "unknown_use"),
        ({"kind": "process", "subject": "lime"}, "unknown_use"),
        ({"kind": "process", "subject": "lime", "use": "", "unit": "t"}, "unit_is_another"),
        ({"kind": "product_output", "subject": "rings", "use": "", "unit": ""}, "unit_malformed"),
        ({"month": 202613}, "month_malformed"),
        ({"month": 7}, "month_malformed"),
        ({"quantity_milli": -1}, "quantity_out_of_range"),
        ({"quantity_milli": 10**15 + 1}, "quantity_out_of_range"),
        ({"evidence": b"x"}, "evidence_malformed"),
        ({"subject": "peat"}, "unknown_fuel"),
        ({"unit": "t"}, "unit_is_another"),
        ({"month": 202608}, "month_has_not_begun"),
        ({"after_closing": True}, "year_is_open"),
        ({"revision": 2}, "revision_is_not_the_next"),
        ({"revision": 0}, "revision_is_not_the_next"),
    ],
)
def test_bad_entries_are_refused_by_name(park: Park, changes: dict[str, Any], rule: str) -> None:
    assert refused(park, entry(**changes), 33) == rule


def test_the_same_entry_twice_is_refused(park: Park) -> None:
    assert park.document(entry(), 33)[0] == RejectCode.ACCEPTED
    assert refused(park, entry(), 33) == "revision_is_not_the_next"


def test_a_product_keeps_its_unit(park: Park) -> None:
    assert park.document(activity("product_output", 5), 33)[0] == RejectCode.ACCEPTED
    assert refused(park, activity("product_output", 5, unit="t", month=202606), 33) == "unit_is_another"
    assert refused(park, msgspec.structs.replace(NORM, unit="t")) == "unit_is_another"


def test_a_registered_fuel_can_be_entered(park: Park) -> None:
    assert park.document(RegisterFuelFactor(factor=msgspec.structs.replace(GAS, fuel="biogas")))[0] == RejectCode.ACCEPTED
    assert park.document(entry(subject="biogas"), 33)[0] == RejectCode.ACCEPTED
    assert refused(park, RegisterFuelFactor(factor=msgspec.structs.replace(GAS, fuel="biogas", unit="t", year=2027))) == "unit_is_another"


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (RegisterEmissionFactor(factor=msgspec.structs.replace(GRID, kind="x")), "unknown_factor_kind"),
        (RegisterEmissionFactor(factor=GRID), "factor_is_registered"),
        (RegisterEmissionFactor(factor=msgspec.structs.replace(GRID, mg_per_kwh=1)), "factor_is_registered"),
        (RegisterFuelFactor(factor=msgspec.structs.replace(GAS, unit="l")), "unknown_unit"),
        (RegisterFuelFactor(factor=msgspec.structs.replace(GAS, unit="t", year=2027)), "unit_is_another"),
        (RegisterFuelFactor(factor=GAS), "factor_is_registered"),
        (msgspec.structs.replace(NORM, product=""), "name_malformed"),
        (msgspec.structs.replace(NORM, mg_ce_per_unit=0), "norm_out_of_range"),
        (msgspec.structs.replace(NORM, from_year=1), "year_out_of_range"),
        (closing(1900), "year_out_of_range"),
        (closing(), "year_has_not_ended"),
        (closing(2025, factors=[msgspec.structs.replace(GRID, kind="x")]), "unknown_factor_kind"),
        (closing(2025, factors=[GRID, GRID]), "factor_is_named_twice"),
        (closing(2025, fuels=[msgspec.structs.replace(GAS, unit="l")]), "unknown_unit"),
        (closing(2025), "factor_is_of_a_later_year"),
        (closing(2025, factors=[GRID], fuels=[]), "factors_incomplete"),
    ],
)
def test_bad_rules_are_refused_by_name(park: Park, document: Document, rule: str) -> None:
    for first in (RegisterEmissionFactor(factor=GRID), RegisterFuelFactor(factor=GAS)):
        assert park.document(first)[0] == RejectCode.ACCEPTED
    assert refused(park, document) == rule


def test_a_closed_year_takes_flagged_corrections_of_the_operator_alone(park: Park) -> None:
    assert park.document(entry(), 33)[0] == RejectCode.ACCEPTED
    park.now_ns = NEW_YEAR_NS - 1
    assert refused(park, closing()) == "year_has_not_ended"
    park.now_ns = NEW_YEAR_NS
    assert refused(park, closing(fuels=[])) == "factors_incomplete"  # gas was burnt
    assert park.document(closing())[0] == RejectCode.ACCEPTED
    assert refused(park, closing()) == "year_is_closed"
    assert refused(park, entry(revision=2), 33) == "year_is_closed"
    assert refused(park, entry(revision=2)) == "year_is_closed"
    assert refused(park, entry(revision=2, after_closing=True), 33) == "year_is_closed"
    assert refused(park, NORM) == "year_is_closed"
    assert park.document(entry(revision=2, quantity_milli=5, after_closing=True))[0] == RejectCode.ACCEPTED
    activities = park.exchange.rooms.carbon.activities
    assert [e.quantity_milli for e in activities.of_year(2026, after_closing=False)] == [1_000_000]
    assert [e.quantity_milli for e in activities.of_year(2026)] == [5]
    assert activities.is_corrected(2026)
    assert not activities.is_corrected(2027)


@pytest.mark.parametrize("document", [RegisterEmissionFactor(factor=GRID), RegisterFuelFactor(factor=GAS), NORM, closing(2025)])
def test_rules_are_the_operators(park: Park, document: Document) -> None:
    assert park.document(document, 33)[0] == RejectCode.NO_PERMISSION


def test_who_holds_nothing_enters_nothing(park: Park) -> None:
    bank = park.admit("B01", "bank", [])
    assert park.document(entry(account=bank), bank)[0] == RejectCode.NO_PERMISSION


def test_rules_need_two_persons_and_an_operators_key_may_enter_data() -> None:
    desk = Desk()
    desk.now_ns = DAY_NS
    member = desk.member()
    for document in (RegisterEmissionFactor(factor=GRID), RegisterFuelFactor(factor=GAS), NORM):
        code, answer = desk.say(document)
        assert (code, answer) == (RejectCode.APPROVAL_REQUIRED, {"ground": "rules"})
        desk.both(document)
    assert desk.say(entry(account=member))[0] == RejectCode.ACCEPTED
    assert desk.exchange.rooms.audit.count > 0


def test_everything_survives_a_snapshot_and_is_part_of_the_hash(park: Park) -> None:
    hashes = [canonical.state_hash(park.exchange)]
    park.now_ns = NEW_YEAR_NS
    documents: list[Document] = [
        RegisterEmissionFactor(factor=GRID), RegisterFuelFactor(factor=GAS), NORM, entry(evidence=bytes(32)), closing(),
        entry(revision=2, after_closing=True),
    ]  # fmt: skip
    for document in documents:
        assert park.document(document)[0] == RejectCode.ACCEPTED
        books = park.exchange.rooms.carbon.to_canonical()
        hashes.append(canonical.state_hash(park.exchange))
        restored = Exchange(GENESIS)
        canonical.restore(restored, canonical.snapshot(park.exchange))
        assert canonical.state_hash(restored) == hashes[-1]
        assert restored.rooms.carbon == park.exchange.rooms.carbon
        assert restored.rooms.carbon.to_canonical() == books
    assert len(set(hashes)) == len(hashes)
    again = Exchange(GENESIS)
    for records, data in park.log:
        again.apply(records, data, again.last_sequence + 1)
    assert canonical.state_hash(again) == hashes[-1]


def test_an_exchange_without_carbon_books_has_its_old_hash(park: Park) -> None:
    assert "carbon" not in canonical.content(park.exchange)
