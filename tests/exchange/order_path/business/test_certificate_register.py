"""What projects are told of certificates: which energy may be credited, what is frozen by a switch to CCER, and that no Wh is claimed twice."""

from exchange.order_path.business.certificate_register import SWITCH_REFERENCE, RegisterOfCertificates
from exchange.order_path.check import check_exchange
from exchange.protocol.value_chain.units import TransferUnits, WithdrawUnits
from exchange.registry.claims import ClaimScheme
from exchange.units import WH_PER_MWH
from matching.records import Side
from tests.exchange.order_path.business.certificate_park import JULY, CertificatePark, at

START_NS, END_NS = at("2026-07-01T00:00"), at("2026-08-01T00:00")


def certified(quantity: int = 110) -> tuple[CertificatePark, RegisterOfCertificates]:
    park = CertificatePark().with_certificates(quantity)
    return park, RegisterOfCertificates(park.exchange)


def test_a_device_without_a_scheme_may_be_credited_and_one_by_the_quarter_hour_may_not() -> None:
    park = CertificatePark()
    plain, granular = park.device(park.other, "shed", "pv"), park.device(park.user, "wall", "pv", "granular")
    register = RegisterOfCertificates(park.exchange)
    assert [register.may_be_credited(device, START_NS, END_NS, 1) for device in (plain, granular, park.pv, 99)] == [True, False, False, False]


def test_energy_of_certificates_may_be_credited_when_they_are_withdrawn() -> None:
    park, register = certified()
    assert not register.may_be_credited(park.pv, START_NS, END_NS, 1)
    park.ok(WithdrawUnits(account=park.plant, symbol=JULY, reference="switch", quantity_lots=2), park.registrar)
    assert register.may_be_credited(park.pv, START_NS, END_NS, 2 * WH_PER_MWH)
    assert not register.may_be_credited(park.pv, START_NS, END_NS, 2 * WH_PER_MWH + 1)
    # A month that is not certified yet will get certificates.
    assert not register.may_be_credited(park.pv, START_NS, at("2026-08-02T00:00"), 1)


def test_a_claim_of_credits_is_one_of_the_shared_register() -> None:
    park, register = certified()
    park.ok(WithdrawUnits(account=park.plant, symbol=JULY, reference="switch", quantity_lots=3), park.registrar)
    instrument = park.exchange.rooms.instruments.by_symbol[JULY]
    register.claim(instrument, park.pv, START_NS, END_NS, 2 * WH_PER_MWH)
    claims = park.exchange.rooms.certificates.claims
    assert [claims.total_wh(scheme) for scheme in ClaimScheme] == [107 * WH_PER_MWH, 0, 0, 2 * WH_PER_MWH]
    assert register.may_be_credited(park.pv, START_NS, END_NS, WH_PER_MWH)
    assert not register.may_be_credited(park.pv, START_NS, END_NS, WH_PER_MWH + 1)
    # What begins or ends within a quarter-hour counts its whole ones.
    register.claim(instrument, park.pv, START_NS + 1, END_NS - 1, WH_PER_MWH)
    assert claims.total_wh(ClaimScheme.PARK_CREDIT) == 3 * WH_PER_MWH


def test_a_switch_freezes_what_was_not_traded_and_no_order_counts_on() -> None:
    park, register = certified()
    instrument = park.exchange.rooms.instruments.by_symbol[JULY].id
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="r", quantity_lots=40), park.plant)
    assert park.place(park.plant, instrument, Side.SELL, 600, 20)["code"] == 0
    register.freeze_untraded([park.pv, 99])
    assert (park.held(park.plant), park.held(park.user)) == (20, 40)
    (freeze,) = park.exchange.rooms.encumbrances.by_id.values()
    assert (freeze.account, freeze.asset, freeze.reference) == (park.plant, instrument, SWITCH_REFERENCE)
    # Frozen certificates are withdrawn when the reductions are registered; nothing is left to freeze.
    register.freeze_untraded([park.pv])
    assert len(park.exchange.rooms.encumbrances.by_id) == 1
    park.ok(WithdrawUnits(account=park.plant, symbol=JULY, reference="CCER", freeze=freeze.id), park.registrar)
    assert register.may_be_credited(park.pv, START_NS, END_NS, 50 * WH_PER_MWH)
    check_exchange(park.exchange)
