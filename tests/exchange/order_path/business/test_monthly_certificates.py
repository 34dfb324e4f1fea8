"""Monthly certificates through the order path: stories 3 and 4, self-use on proof, and every refusal with nothing changed."""

import numpy as np
import pytest

from exchange.ledger.chart import House
from exchange.market.one_way_auctions import AuctionStatus
from exchange.order_path import canonical
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.document import Document
from exchange.protocol.documents import IssueUnits, OpenOneWayAuction
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.certificates import DeviceVolume, FileSelfUseProof, IssueMonthlyCertificates
from exchange.protocol.value_chain.units import ConvertUnits, DefineEligibility, FreezeUnits, LockUnits, TransferUnits, WithdrawUnits
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.units import PERIOD_NS, WH_PER_MWH
from matching.records import Side
from tests.exchange.order_path.business.certificate_park import AUGUST, JULY, CertificatePark, at, gec_spec
from tests.exchange.order_path.park import GENESIS, power_spec


def proof(park: CertificatePark) -> FileSelfUseProof:
    return FileSelfUseProof(device=park.pv, contract="EMC-7", payment_reference="B-1")


def counts(park: CertificatePark, symbol: str = JULY) -> dict[str, int]:
    instrument = park.exchange.rooms.instruments.by_symbol[symbol]
    return {state.name: lots for state, lots in park.exchange.rooms.registry.counts(instrument.id).items() if state is not UnitState.SPLIT}


def test_story_four_a_month_issues_1099_and_carries_0_6() -> None:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 1_099_600_000)
    assert park.certify() == {"devices": 1, "tradable": 1_099, "self_use": 0, "waiting": 0}
    assert park.held(park.plant) == 1_099
    assert park.exchange.rooms.certificates.monthly.carry_wh == {(park.pv, 0): 600_000}
    park.tick(at("2026-09-01T00:00"))
    park.meter(park.plant, "2026-08-10T10:00", 400_000)
    assert park.certify("2026-08")["tradable"] == 1
    assert park.held(park.plant, AUGUST) == 1
    assert park.exchange.rooms.certificates.monthly.carry_wh == {}
    assert park.exchange.rooms.certificates.claims.total_wh(ClaimScheme.GEC) == 1_100 * WH_PER_MWH


def test_story_three_110_mwh_delivered_are_110_certificates_for_the_buyer() -> None:
    """Contract 120 MWh, delivered 110, used 130: 110 certificates move with the energy, and cannot be sold again."""
    park = CertificatePark().with_certificates(110)
    volume = min(120, 110, 130)
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="E02-PV01", quantity_lots=volume), park.plant)
    assert (park.held(park.plant), park.held(park.user)) == (0, 110)
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    assert park.place(park.user, instrument, Side.SELL, 600, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    assert park.refused(TransferUnits(symbol=JULY, to_account=park.other, reference="x", quantity_lots=1), park.user) == "units_not_available"


def test_a_certificate_that_was_bought_is_not_sold_again() -> None:
    """Fact 6: one hop, by trade as by transfer; the buyer can still retire it."""
    park = CertificatePark().with_certificates(110)
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    assert park.place(park.plant, instrument, Side.SELL, 551, 30)["code"] == 0
    assert park.place(park.user, instrument, Side.BUY, 551, 30)["filled_lots"] == 30
    park.tick(at("2026-08-03T00:00"))
    assert park.place(park.user, instrument, Side.SELL, 600, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    assert park.refused(TransferUnits(symbol=JULY, to_account=park.other, reference="x", quantity_lots=1), park.user) == "units_not_available"
    park.ok(park.retire(quantity=30), park.user)
    assert park.ended(House.RETIRED) == 30


def self_use_park() -> CertificatePark:
    """July: 12 MWh, of which the user took 9 and the plant 1 for itself."""
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T00:00", 12 * WH_PER_MWH)
    rows = [(0, park.pv, GreenUse.SELF_USE, park.plant, WH_PER_MWH), (0, park.pv, GreenUse.DELIVERED, park.user, 9 * WH_PER_MWH)]
    issue_granular(park.exchange, park.output(*rows, (0, park.pv, GreenUse.EXPORTED, park.plant, 2 * WH_PER_MWH)))
    return park


def test_self_use_of_others_waits_for_its_proof_and_is_never_tradable() -> None:
    park = self_use_park()
    assert park.certify() == {"devices": 1, "tradable": 2, "self_use": 1, "waiting": 9}
    assert (park.held(park.plant), park.held(park.user)) == (3, 0)
    assert park.ok(proof(park), park.user) == {"units": 9}
    assert park.held(park.user) == 9
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    assert park.place(park.user, instrument, Side.SELL, 600, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    # Of the plant's three one is self-use.
    assert park.place(park.plant, instrument, Side.SELL, 600, 3)["code"] == RejectCode.INSUFFICIENT_UNITS
    assert park.place(park.plant, instrument, Side.SELL, 600, 2)["code"] == 0
    assert park.refused(proof(park), park.user) == "proof_is_filed"
    park.ok(park.retire(quantity=9), park.user)
    assert park.ended(House.RETIRED) == 9


def test_a_proof_filed_before_lets_the_month_go_to_the_user_at_once() -> None:
    park = self_use_park()
    assert park.ok(proof(park), park.user) == {"units": 0}
    assert park.certify() == {"devices": 1, "tradable": 2, "self_use": 10, "waiting": 0}
    assert park.held(park.user) == 9


def test_certificates_that_waited_too_long_are_not_issued_any_more() -> None:
    park = self_use_park()
    park.certify()
    park.tick(at("2028-07-01T00:00"))
    assert park.ok(proof(park), park.user) == {"units": 0}
    assert park.exchange.rooms.certificates.monthly.waiting == {}


def test_a_stated_volume_below_the_meter_is_what_is_issued() -> None:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 5 * WH_PER_MWH)
    assert park.certify(volumes=[DeviceVolume(device=park.pv, energy_wh=3_400_000)])["tradable"] == 3
    assert park.exchange.rooms.certificates.claims.total_wh(ClaimScheme.GEC) == 3_400_000


def test_energy_that_another_scheme_has_is_not_certified() -> None:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 5 * WH_PER_MWH)
    cell = (park.pv, at("2026-07-10T10:00"), 2 * WH_PER_MWH, 5 * WH_PER_MWH)
    park.exchange.rooms.certificates.claims.claim(ClaimScheme.PARK_CREDIT, ClaimRows(*(np.array([value], np.int64) for value in cell)))
    assert park.certify()["tradable"] == 3
    assert park.exchange.rooms.certificates.claims.total_wh(ClaimScheme.GEC) == 3 * WH_PER_MWH


def two_plants() -> CertificatePark:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 5 * WH_PER_MWH)
    return park


def july(*volumes: tuple[int, int]) -> IssueMonthlyCertificates:
    """With stated volumes of (device, Wh)."""
    return IssueMonthlyCertificates(month="2026-07", volumes=[DeviceVolume(device=device, energy_wh=wh) for device, wh in volumes])


MONTHS: dict[str, tuple[str, Document]] = {
    "no month": ("month_malformed", IssueMonthlyCertificates(month="2026-7")),
    "not over": ("month_is_not_over", IssueMonthlyCertificates(month="2026-08")),
    "long ago": ("certificates_would_have_expired", IssueMonthlyCertificates(month="2024-07")),
    "nothing listed": ("unknown_instrument", IssueMonthlyCertificates(month="2026-06")),
    "above the meter": ("issuance_above_verified_volume", july((1, 5_000_001))),
    "negative": ("volume_out_of_range", july((1, -1))),
    "twice": ("volume_stated_twice", july((1, 1), (1, 1))),
    "unknown device": ("unknown_device", july((9, 1))),
}


@pytest.mark.parametrize("case", MONTHS)
def test_a_refused_issuance_changes_nothing(case: str) -> None:
    rule, document = MONTHS[case]
    park = two_plants()
    if case == "nothing listed":
        park.meter(park.plant, "2026-06-10T10:00", 5 * WH_PER_MWH)
    assert park.refused(document, park.registrar) == rule


def test_a_month_is_certified_once_and_only_after_it_is_settled() -> None:
    park = two_plants()
    unsettled = CertificatePark()
    unsettled.now_ns = at("2026-08-01T00:00")
    # The last quarter-hour of August is delivered, and not settled.
    start_ns = at("2026-08-31T23:45")
    times = {"delivery_start_ns": start_ns, "delivery_end_ns": start_ns + PERIOD_NS, "close_ns": start_ns - 1, "open_ns": 0}
    spec = power_spec(0, symbol="GP-20260831-2345", **times)
    unsettled.list(spec)
    unsettled.tick(at("2026-09-01T00:00"))
    assert unsettled.refused(IssueMonthlyCertificates(month="2026-08"), unsettled.registrar) == "month_is_not_settled"
    park.certify()
    assert park.refused(IssueMonthlyCertificates(month="2026-07"), park.registrar) == "month_is_certified"
    assert park.refused(july((park.pv, 1)), park.registrar) == "month_is_certified"


def test_more_self_use_than_a_corrected_meter_shows_is_refused() -> None:
    park = self_use_park()
    park.meter(park.plant, "2026-07-10T00:00", 9 * WH_PER_MWH, revision=2)
    assert park.refused(IssueMonthlyCertificates(month="2026-07"), park.registrar) == "self_use_beyond_generation"


def test_who_may_issue_and_who_may_file() -> None:
    park = self_use_park()
    for account in (park.plant, park.user):
        assert park.document(IssueMonthlyCertificates(month="2026-07"), account)[0] == RejectCode.NO_PERMISSION
    assert park.document(proof(park), park.registrar)[0] == RejectCode.NO_PERMISSION
    assert park.refused(proof(park), park.plant) == "user_is_the_generator"
    assert park.refused(FileSelfUseProof(device=9, contract="a", payment_reference="b"), park.user) == "unknown_device"
    for bad in ("", " ", "x" * 201, "two\nlines"):
        assert park.refused(FileSelfUseProof(device=park.pv, contract=bad, payment_reference="b"), park.user) == "reference_malformed"
        assert park.refused(FileSelfUseProof(device=park.pv, contract="a", payment_reference=bad), park.user) == "reference_malformed"


def test_an_instrument_that_could_be_resold_takes_no_certificates() -> None:
    park = CertificatePark()
    park.list(gec_spec("GEC-202606-PV", resale="free"))
    park.meter(park.plant, "2026-06-10T10:00", 5 * WH_PER_MWH)
    assert park.refused(IssueMonthlyCertificates(month="2026-06"), park.registrar) == "certificates_are_sold_once"


def test_unclaimed_certificates_expire_after_24_months_wherever_they_are() -> None:
    """Held, in an open order, locked and frozen ones all end; what was retired stays retired."""
    park = CertificatePark().with_certificates(110)
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="r", quantity_lots=40), park.plant)
    park.ok(park.retire(quantity=10), park.user)
    park.ok(LockUnits(symbol=JULY, beneficiary=park.other, reference="r", quantity_lots=5), park.user)
    park.ok(FreezeUnits(account=park.plant, symbol=JULY, reference="r", quantity_lots=7))
    assert park.place(park.plant, instrument, Side.SELL, 600, 20)["code"] == 0
    park.tick(at("2028-07-01T00:00") - 1)
    assert counts(park) == {"ISSUED": 88, "LOCKED": 5, "FROZEN": 7, "RETIRED": 10}
    notices = park.tick_notices(at("2028-07-01T00:00"))
    assert [notice.data for notice in notices if notice.kind == "expired"] == [{"series": JULY, "quantity": 100}]
    assert counts(park) == {"EXPIRED": 100, "RETIRED": 10}
    assert (park.ended(House.EXPIRED), park.ended(House.RETIRED), park.ended(House.LOCKED), park.ended(House.FROZEN)) == (100, 10, 0, 0)
    assert park.exchange.open_orders(park.plant) == []
    assert park.exchange.rooms.encumbrances.by_id == {}
    assert park.refused(park.retire(quantity=1), park.user) == "units_have_expired"
    assert park.place(park.plant, instrument, Side.SELL, 600, 1)["code"] == RejectCode.INSUFFICIENT_UNITS
    check_exchange(park.exchange)


def test_certificates_expire_in_baskets_and_auctions_too() -> None:
    park = CertificatePark().with_certificates(110)
    park.list(gec_spec("GEC-ANY"))
    park.ok(DefineEligibility(symbol="GEC-ANY", instrument_classes=["gec"]))
    park.ok(ConvertUnits(symbol=JULY, to_symbol="GEC-ANY", quantity_lots=30), park.plant)
    park.ok(TransferUnits(symbol="GEC-ANY", to_account=park.user, reference="r", quantity_lots=10), park.plant)
    basket = park.exchange.rooms.instruments.by_symbol["GEC-ANY"].id
    assert park.place(park.plant, basket, Side.SELL, 600, 20)["code"] == 0
    assert park.refused(park.retire("GEC-ANY", 1), park.user) == "units_of_a_basket_are_named"
    serials = park.serials(park.user, asset=basket)
    next_year = {"consumed_from_ns": at("2027-01-01T00:00"), "consumed_to_ns": at("2027-02-01T00:00")}
    assert park.refused(park.retire("GEC-ANY", ranges=serials, **next_year), park.user) == "consumption_year_is_not_generation_year"
    before_ns = at("2028-06-30T20:00")
    park.tick(before_ns)
    terms = {"applicant": park.plant, "side": "sell", "quantity_lots": 80, "reserve_price_ticks": 100, "tie": "time"}
    park.ok(OpenOneWayAuction(reference="a", symbol=JULY, opens_ns=before_ns + 1, closes_ns=at("2028-07-01T02:00"), **terms))
    park.tick(at("2028-07-01T00:00"))
    assert counts(park) == counts(park, "GEC-ANY") | {"EXPIRED": 80}
    assert counts(park, "GEC-ANY") == {"EXPIRED": 30}
    assert (park.held(park.plant), park.held(park.plant, "GEC-ANY"), park.held(park.user, "GEC-ANY")) == (0, 0, 0)
    assert park.exchange.rooms.one_way.by_id[1].status is AuctionStatus.CANCELLED
    park.tick(at("2028-07-02T00:00"))
    check_exchange(park.exchange)


def test_stated_stocks_expire_as_well_and_come_too_late_afterwards() -> None:
    park = CertificatePark()
    park.issue(park.user, JULY, 5)
    (row,) = park.exchange.rooms.registry.bundles_of(park.user).tolist()
    assert int(park.exchange.rooms.registry.rows[row]["expiry_ns"]) == at("2028-07-01T00:00")
    park.tick(at("2028-07-01T00:00"))
    assert counts(park) == {"EXPIRED": 5}
    assert park.refused(IssueUnits(account=park.user, symbol=JULY, quantity_lots=1, reference="late")) == "units_have_expired"


def test_what_is_withdrawn_gives_its_energy_back() -> None:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 5_600_000)
    park.certify()
    claims = park.exchange.rooms.certificates.claims
    assert claims.total_wh(ClaimScheme.GEC) == 5_600_000
    park.ok(WithdrawUnits(account=park.plant, symbol=JULY, reference="CCER", quantity_lots=2), park.registrar)
    assert claims.total_wh(ClaimScheme.GEC) == 3_600_000
    assert park.ended(House.WITHDRAWN) == 2
    park.ok(FreezeUnits(account=park.plant, symbol=JULY, reference="CCER", quantity_lots=3))
    park.ok(WithdrawUnits(account=park.plant, symbol=JULY, reference="CCER", freeze=1), park.registrar)
    assert claims.total_wh(ClaimScheme.GEC) == 600_000


def test_a_unit_of_carried_energy_gives_back_the_month_before() -> None:
    park = CertificatePark()
    park.meter(park.plant, "2026-07-10T10:00", 600_000)
    park.certify()
    park.tick(at("2026-09-01T00:00"))
    park.meter(park.plant, "2026-08-10T10:00", 400_000)
    assert park.certify("2026-08")["tradable"] == 1
    park.ok(WithdrawUnits(account=park.plant, symbol=AUGUST, reference="x", quantity_lots=1), park.registrar)
    assert park.exchange.rooms.certificates.claims.total_wh(ClaimScheme.GEC) == 0


def test_a_snapshot_brings_all_of_it_back() -> None:
    park = self_use_park()
    park.certify()
    park.ok(park.retire(quantity=1), park.plant)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
    assert restored.rooms.certificates.monthly == park.exchange.rooms.certificates.monthly
    # It goes on as the other one does.
    again = CertificatePark.__new__(CertificatePark)
    again.__dict__.update(park.__dict__ | {"exchange": restored})
    for one in (park, again):
        one.ok(proof(park), park.user)
        one.tick(at("2028-07-01T00:00"))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
