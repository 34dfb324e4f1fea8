"""Granular certificates: of a settled day, by whom and when; their retirement by time of generation; storage records under both schemes."""

import numpy as np
import pytest

from exchange.order_path import canonical
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import MeterReadings, RegisterStorage
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.certificates import RecordCharge, RecordDischarge, SetCertificateRules
from exchange.protocol.value_chain.units import LockUnits, TransferUnits, WithdrawUnits
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme, parse_serial
from exchange.units import NS_PER_HOUR, PERIOD_NS, PPM
from tests.exchange.order_path.business.certificate_park import CertificatePark, at
from tests.exchange.order_path.park import GENESIS

NOON = 48


def quarter_ns(quarter: int) -> int:
    return at("2026-07-10T00:00") + quarter * PERIOD_NS


def settled() -> CertificatePark:
    """Two quarter-hours of 10 July: used behind the meter, delivered to two users, exported."""
    park = CertificatePark("granular")
    issue_granular(park.exchange, park.output(
        (NOON, park.pv, GreenUse.SELF_USE, park.plant, 100), (NOON, park.pv, GreenUse.DELIVERED, park.user, 300),
        (NOON, park.pv, GreenUse.DELIVERED, park.other, 200), (NOON + 1, park.pv, GreenUse.DELIVERED, park.user, 250),
        (NOON + 1, park.pv, GreenUse.EXPORTED, park.plant, 50),
    ))  # fmt: skip
    return park


def test_each_row_is_a_bundle_of_its_holder_with_device_and_quarter_hour() -> None:
    park = settled()
    assert [park.granular(account) for account in (park.plant, park.user, park.other)] == [150, 550, 200]
    registry, claims = park.exchange.rooms.registry, park.exchange.rooms.certificates.claims
    facts = [(int(row["account"]), int(row["period_start_ns"]), int(row["period_end_ns"]), int(row["source"])) for row in registry.rows]
    assert facts == [
        (account, quarter_ns(quarter), quarter_ns(quarter + 1), park.pv)
        for account, quarter in ((park.plant, NOON), (park.user, NOON), (park.other, NOON), (park.user, NOON + 1), (park.plant, NOON + 1))
    ]
    assert parse_serial(park.serials(park.user)[0])[:3] == (UnitScheme.GC, park.pv, 202607)
    assert claims.total_wh(ClaimScheme.GRANULAR) == 900
    check_exchange(park.exchange)


def test_devices_of_other_schemes_have_none() -> None:
    park = CertificatePark("gec")
    assert issue_granular(park.exchange, park.output((NOON, park.pv, GreenUse.DELIVERED, park.user, 300))) == 0
    assert len(park.exchange.rooms.registry) == 0
    assert issue_granular(park.exchange, park.output()) == 0


@pytest.mark.parametrize(("claimed", "left"), [(0, [100, 300, 200]), (150, [100, 300, 50]), (250, [100, 250]), (600, [])])
def test_energy_with_another_claim_is_left_out_from_the_end(claimed: int, left: list[int]) -> None:
    park = CertificatePark("granular")
    columns = (park.pv, quarter_ns(NOON), claimed, 600)
    park.exchange.rooms.certificates.claims.claim(ClaimScheme.CCER, ClaimRows(*(np.array([value], np.int64) for value in columns)))
    output = park.output(
        (NOON, park.pv, GreenUse.SELF_USE, park.plant, 100), (NOON, park.pv, GreenUse.DELIVERED, park.user, 300),
        (NOON, park.pv, GreenUse.DELIVERED, park.other, 200),
    )  # fmt: skip
    assert issue_granular(park.exchange, output) == sum(left)
    registry = park.exchange.rooms.registry
    assert [registry.quantity(row) for row in range(len(registry))] == left


def test_granular_certificates_are_retired_by_the_time_they_were_generated() -> None:
    park = settled()
    second = {"generated_from_ns": quarter_ns(NOON + 1), "generated_to_ns": quarter_ns(NOON + 2)}
    first = {"generated_from_ns": quarter_ns(NOON), "generated_to_ns": quarter_ns(NOON + 1)}
    assert park.refused(park.retire("", 301, **first), park.user) == "units_not_available"
    assert park.refused(park.retire("", 251, **second), park.user) == "units_not_available"
    park.ok(park.retire("", 200, **second), park.user)
    assert (park.granular(park.user), park.granular(park.user, UnitState.RETIRED)) == (350, 200)
    # Without a time the earliest come first.
    park.ok(park.retire("", 310), park.user)
    retirement = park.exchange.rooms.certificates.retirements.by_number[2]
    assert [item.quantity for item in retirement.ranges] == [300, 10]
    assert (retirement.series, retirement.unit, retirement.quantity) == ("GC", "1 Wh", 310)
    check_exchange(park.exchange)


def test_granular_certificates_follow_the_rule_of_the_same_year() -> None:
    park = settled()
    next_year = {"consumed_from_ns": at("2027-01-01T00:00"), "consumed_to_ns": at("2027-02-01T00:00")}
    assert park.refused(park.retire("", 10, **next_year), park.user) == "consumption_year_is_not_generation_year"
    serials = park.serials(park.user)[:1]
    assert park.refused(park.retire("", ranges=serials, **next_year), park.user) == "consumption_year_is_not_generation_year"
    park.ok(park.retire("", ranges=serials), park.user)
    assert park.refused(park.retire("", ranges=serials), park.user) == "units_are_retired"


def test_granular_certificates_expire_with_their_month() -> None:
    park = settled()
    park.ok(park.retire("", 100), park.user)
    park.ok(LockUnits(symbol="", beneficiary=park.other, reference="r", quantity_lots=50), park.user)
    notices = park.tick_notices(at("2028-07-01T00:00"))
    assert [notice.data for notice in notices if notice.kind == "expired"] == [{"series": "GC", "vintage": 202607, "quantity": 800}]
    assert park.granular(park.user, UnitState.EXPIRED) == 450
    assert park.granular(park.user, UnitState.RETIRED) == 100
    assert park.exchange.rooms.encumbrances.by_id == {}
    assert park.refused(park.retire("", 1), park.user) == "units_not_available"
    check_exchange(park.exchange)


def test_what_is_withdrawn_gives_its_quarter_hour_back() -> None:
    park = settled()
    claims = park.exchange.rooms.certificates.claims
    park.ok(WithdrawUnits(account=park.user, symbol="", reference="meter fault", quantity_lots=310), park.registrar)
    cells = (np.full(2, park.pv), np.array([quarter_ns(NOON), quarter_ns(NOON + 1)]))
    assert claims.claimed_wh(*cells).tolist() == [300, 290]


# Storage. A battery behind a meter of its own, which has bought certificates of the plant.


def battery_park(storage: str = "energytag", allocation: str = "fifo") -> tuple[CertificatePark, int, int]:
    """(park, battery account, device). Losses are a fifth: 0.8 come out."""
    park = CertificatePark("granular")
    battery = park.admit("S01", "storage", ["power_buy", "power_sell"], low=-10_000, high=10_000)
    park.ok(RegisterStorage(
        account=battery, soc_wh=0, soc_min_wh=0, soc_max_wh=10_000_000, power_w=4_000_000, charge_efficiency_ppm=PPM, discharge_efficiency_ppm=800_000
    ))  # fmt: skip
    device = park.device(battery, "cells", "storage")
    park.now_ns = at("2026-08-01T00:00")
    park.ok(SetCertificateRules(effective_ns=park.now_ns, storage=storage, allocation=allocation))
    park.tick(at("2026-08-03T00:00"))
    return park, battery, device


def august(quarter: int) -> int:
    return at("2026-08-02T00:00") + quarter * PERIOD_NS


def charge(park: CertificatePark, battery: int, quarter: int, charged_wh: int, certificates_wh: int) -> None:
    """The meter shows a charge, and the battery has certificates of that quarter-hour."""
    start_ns = august(quarter)
    park.ok(reading(battery, start_ns, consumption_wh=charged_wh))
    output = park.output((0, park.pv, GreenUse.DELIVERED, battery, certificates_wh))
    output.period_start_ns[:] = start_ns
    issue_granular(park.exchange, output)


def reading(account: int, start_ns: int, consumption_wh: int = 0, generation_wh: int = 0) -> MeterReadings:
    return MeterReadings(
        revision=1, accounts=[account], period_starts_ns=[start_ns], consumption_wh=[consumption_wh], generation_wh=[generation_wh], soc_wh=[-1],
        grid_starts_ns=[], grid_import_wh=[], grid_export_wh=[], losses_wh=[],
    )  # fmt: skip


def test_certified_charge_comes_back_as_certificates_of_discharge_less_losses() -> None:
    park, battery, device = battery_park()
    charge(park, battery, 40, 1_000, 900)
    answer = park.ok(RecordCharge(device=device, period_start_ns=august(40), charged_wh=1_000, certified_wh=500), battery)
    assert answer == {"record": 1, "retirement": 1}
    assert park.granular(battery) == 400
    cancelled = park.exchange.rooms.certificates.retirements.by_number[1]
    assert (cancelled.kind.name, cancelled.quantity, cancelled.consumed_from_ns) == ("STORAGE", 500, august(40))
    park.ok(reading(battery, august(72), generation_wh=800))
    answer = park.ok(RecordDischarge(device=device, period_start_ns=august(72), discharged_wh=400), battery)
    assert answer == {"record": 2, "issued_wh": 200, "drawn_wh": 500, "certified_wh": 250}
    registry = park.exchange.rooms.registry
    row = registry.bundles_of(battery, 0, UnitState.ISSUED)[-1]
    assert registry.range_of(int(row)).scheme is UnitScheme.SDGC
    assert (int(registry.rows[row]["period_start_ns"]), registry.quantity(int(row))) == (august(72), 200)
    # It matches consumption of the hour in which it came out, as any other.
    hour = {"generated_from_ns": august(72), "generated_to_ns": august(72) + NS_PER_HOUR}
    fields = {"consumed_from_ns": august(72), "consumed_to_ns": august(72) + NS_PER_HOUR}
    park.ok(TransferUnits(symbol="", to_account=park.user, reference="r", ranges=[str(registry.range_of(int(row)))]), battery)
    park.ok(park.retire("", 200, **hour, **fields), park.user)
    check_exchange(park.exchange)
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)


def test_discharge_earns_nothing_under_the_china_scheme() -> None:
    park, battery, device = battery_park("none")
    charge(park, battery, 40, 1_000, 900)
    record = RecordCharge(device=device, period_start_ns=august(40), charged_wh=1_000, certified_wh=500)
    assert park.refused(record, battery) == "discharge_earns_no_certificates"
    document = RecordDischarge(device=device, period_start_ns=august(40), discharged_wh=1)
    assert park.refused(document, battery) == "discharge_earns_no_certificates"


def test_a_period_keeps_the_rules_of_its_own_time() -> None:
    """Switched on from 4 August: a quarter-hour of 2 August stays without."""
    park, battery, device = battery_park("none")
    park.ok(SetCertificateRules(effective_ns=at("2026-08-04T00:00"), storage="energytag"))
    park.tick(at("2026-08-06T00:00"))
    charge(park, battery, 40, 1_000, 900)
    before = RecordCharge(device=device, period_start_ns=august(40), charged_wh=1, certified_wh=0)
    assert park.refused(before, battery) == "discharge_earns_no_certificates"
    later_ns = at("2026-08-04T00:00")
    park.ok(reading(battery, later_ns, consumption_wh=7))
    park.ok(RecordCharge(device=device, period_start_ns=later_ns, charged_wh=7, certified_wh=0), battery)


def test_refused_records_change_nothing() -> None:
    park, battery, device = battery_park()
    charge(park, battery, 40, 1_000, 900)
    park.ok(reading(battery, august(72), generation_wh=800))

    def charged(**changes: int) -> str:
        fields = {"device": device, "period_start_ns": august(40), "charged_wh": 1_000, "certified_wh": 900}
        return park.refused(RecordCharge(**(fields | changes)), battery)

    def discharged(**changes: int) -> str:
        return park.refused(RecordDischarge(**({"device": device, "period_start_ns": august(72), "discharged_wh": 800} | changes)), battery)

    assert charged(charged_wh=1_001) == "charge_beyond_meter"
    assert charged(charged_wh=0) == "charge_beyond_meter"
    assert charged(certified_wh=1_001) == "certified_beyond_charge"
    assert charged(certified_wh=-1) == "certified_beyond_charge"
    assert charged(certified_wh=901) == "units_not_available"
    assert charged(device=park.pv) == charged(device=99) == "unknown_device"
    assert charged(period_start_ns=august(40) + 1) == "period_off_grid"
    assert charged(period_start_ns=at("2026-08-03T00:00")) == "period_is_not_over"
    assert discharged(discharged_wh=801) == "discharge_beyond_meter"
    park.ok(RecordDischarge(device=device, period_start_ns=august(72), discharged_wh=800), battery)
    assert charged() == "record_out_of_order"
    assert discharged() == "record_out_of_order"
    assert park.document(RecordCharge(device=device, period_start_ns=august(80), charged_wh=1, certified_wh=0))[0] == RejectCode.NO_PERMISSION


def test_rules_of_the_past_stay_and_only_the_operator_sets_them() -> None:
    park, battery, _ = battery_park()
    assert park.refused(SetCertificateRules(effective_ns=park.now_ns - 1)) == "rules_begin_in_the_past"
    assert park.refused(SetCertificateRules(effective_ns=park.now_ns, storage="china")) == "unknown_storage_scheme"
    assert park.document(SetCertificateRules(effective_ns=park.now_ns), battery)[0] == RejectCode.NO_PERMISSION
