"""What the carbon accounts learn of certificates: who was supplied, who is covered, whose claim is gone, and nothing twice."""

from exchange.carbon.claimed_green import Retirement
from exchange.order_path.carbon_queries import year_report
from exchange.order_path.registry_green import RegistryGreen
from exchange.protocol.value_chain.certificates import GrantMandate, RecordCharge
from exchange.protocol.value_chain.units import TransferUnits, WithdrawUnits
from exchange.registry.retirements import RetirementKind
from tests.exchange.order_path.business.certificate_park import JULY, CertificatePark, at
from tests.exchange.order_path.business.test_granular import NOON, august, battery_park, charge, quarter_ns, settled

STARTS = [quarter_ns(NOON), quarter_ns(NOON + 1)]


def told(park: CertificatePark, name: str, account: int) -> list[int]:
    """Wh of an account at noon and in the quarter-hour behind it."""
    green = RegistryGreen(park.exchange.rooms)
    rows: list[int] = getattr(green, name)([account], STARTS)[0].tolist()
    return rows


def test_certificates_count_for_the_beneficiary_and_the_year_of_consumption() -> None:
    park = CertificatePark().with_certificates(110)
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="r", quantity_lots=40), park.plant)
    park.ok(GrantMandate(agent=park.user), park.other)
    park.ok(park.retire(quantity=30), park.user)
    park.ok(park.retire(quantity=5, beneficiary=park.other), park.user)
    year_2025 = {"consumed_from_ns": at("2025-03-01T00:00"), "consumed_to_ns": at("2025-04-01T00:00")}
    park.ok(park.retire(quantity=1, **year_2025), park.user)
    green = RegistryGreen(park.exchange.rooms)
    assert green.retirements(2026) == [
        Retirement(park.user, 2026, "gec", 30_000_000, "1"), Retirement(park.other, 2026, "gec", 5_000_000, "2"),
    ]  # fmt: skip
    assert green.retirements(2025) == [Retirement(park.user, 2025, "gec", 1_000_000, "3")]
    told = {member.account: member.gec_used_wh + member.certificates_idle_wh for member in year_report(park.exchange, 2026).members}
    assert (told[park.user], told[park.other]) == (30_000_000, 5_000_000)


def test_delivered_energy_is_direct_supply_whether_its_certificate_is_retired_or_not() -> None:
    park = settled()
    before = told(park, "direct_wh", park.user)
    assert before[0] == 300
    park.ok(park.retire("", 400), park.user)
    assert told(park, "direct_wh", park.user) == before
    assert told(park, "covered_wh", park.user) == told(park, "forgone_wh", park.user) == [0, 0]
    assert RegistryGreen(park.exchange.rooms).retirements(2026) == [Retirement(park.user, 2026, "granular", 400, "1")]


def test_a_certificate_that_is_sold_speaks_for_the_buyer_alone() -> None:
    park = settled()
    park.ok(TransferUnits(symbol="", to_account=park.other, reference="sold", quantity_lots=200), park.user)
    assert told(park, "forgone_wh", park.user) == [200, 0]
    assert told(park, "covered_wh", park.other) == [0, 0]
    own = told(park, "direct_wh", park.other)
    park.ok(park.retire("", park.exchange.rooms.registry.lots(0, park.other)), park.other)
    assert told(park, "covered_wh", park.other) == [200, 0]
    assert told(park, "direct_wh", park.other) == own


def test_a_certificate_claimed_for_other_hours_covers_nothing_in_its_own() -> None:
    park = settled()
    park.ok(TransferUnits(symbol="", to_account=park.other, reference="sold", quantity_lots=200), park.user)
    noon_alone = {"consumed_from_ns": quarter_ns(NOON), "consumed_to_ns": quarter_ns(NOON + 1)}
    later = {"consumed_from_ns": quarter_ns(NOON + 1), "consumed_to_ns": quarter_ns(NOON + 2)}
    park.ok(park.retire("", 250, **noon_alone), park.other)  # its own 200 first, as they were issued
    park.ok(park.retire("", 30, **later), park.other)
    assert told(park, "covered_wh", park.other) == [50, 0]
    assert told(park, "forgone_wh", park.user) == [200, 0]
    park.ok(park.retire("", 10, **later), park.user)
    assert told(park, "forgone_wh", park.user) == [210, 0], "delivered energy whose certificate was claimed for another hour is green no more"


def test_energy_whose_certificate_was_withdrawn_is_told_from_the_meters_alone() -> None:
    park = settled()
    park.ok(WithdrawUnits(account=park.user, symbol="", reference="meter fault", quantity_lots=310), park.registrar)
    assert told(park, "direct_wh", park.user) == [0, 240]
    assert told(park, "forgone_wh", park.user) == [0, 0]
    park.ok(WithdrawUnits(account=park.plant, symbol="", reference="meter fault", quantity_lots=150), park.registrar)
    assert RegistryGreen(park.exchange.rooms).gone_wh(STARTS).tolist() == [0, 0]


def test_under_a_mandate_the_beneficiary_is_covered() -> None:
    park = settled()
    park.ok(GrantMandate(agent=park.user), park.other)
    park.ok(park.retire("", 100, beneficiary=park.other), park.user)
    assert told(park, "covered_wh", park.other) == [100, 0]
    assert told(park, "forgone_wh", park.user) == [100, 0]


def test_of_an_own_device_only_what_it_gave_away_can_cover_something_else() -> None:
    """What was used behind the meter is there already; what was exported may cover what its generator drew in the same quarter-hour."""
    park = settled()
    park.ok(park.retire("", 150), park.plant)
    assert told(park, "covered_wh", park.plant) == [0, 50]
    assert told(park, "forgone_wh", park.plant) == [0, 0]
    assert [retirement.energy_wh for retirement in RegistryGreen(park.exchange.rooms).retirements(2026)] == [150]


def test_what_was_cancelled_for_storage_covers_no_consumption() -> None:
    park, battery, device = battery_park()
    charge(park, battery, 40, 1_000, 900)
    park.ok(RecordCharge(device=device, period_start_ns=august(40), charged_wh=1_000, certified_wh=500), battery)
    assert park.exchange.rooms.certificates.retirements.by_number[1].kind is RetirementKind.STORAGE
    green = RegistryGreen(park.exchange.rooms)
    assert green.retirements(2026) == []
    assert not green.covered_wh([battery], [august(40)]).any()
