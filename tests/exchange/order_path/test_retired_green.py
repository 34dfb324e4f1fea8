"""What the carbon accounts learn of retirements: GEC by year, granular certificates by quarter-hour, nothing twice."""

from exchange.carbon.claimed_green import Retirement
from exchange.order_path.carbon_queries import year_report
from exchange.order_path.retired_green import retired_green
from exchange.protocol.value_chain.certificates import GrantMandate, RecordCharge
from exchange.protocol.value_chain.units import TransferUnits
from exchange.registry.retirements import RetirementKind
from tests.exchange.order_path.business.certificate_park import JULY, CertificatePark, at
from tests.exchange.order_path.business.test_granular import NOON, august, battery_park, charge, quarter_ns, settled


def test_certificates_count_for_the_beneficiary_and_the_year_of_consumption() -> None:
    park = CertificatePark().with_certificates(110)
    park.ok(TransferUnits(symbol=JULY, to_account=park.user, reference="r", quantity_lots=40), park.plant)
    park.ok(GrantMandate(agent=park.user), park.other)
    park.ok(park.retire(quantity=30), park.user)
    park.ok(park.retire(quantity=5, beneficiary=park.other), park.user)
    year_2025 = {"consumed_from_ns": at("2025-03-01T00:00"), "consumed_to_ns": at("2025-04-01T00:00")}
    park.ok(park.retire(quantity=1, **year_2025), park.user)
    green = retired_green(park.exchange.rooms)
    assert green.retirements(2026) == [
        Retirement(park.user, 2026, "gec", 30_000_000, "1"), Retirement(park.other, 2026, "gec", 5_000_000, "2"),
    ]  # fmt: skip
    assert green.retirements(2025) == [Retirement(park.user, 2025, "gec", 1_000_000, "3")]
    told = {member.account: member.gec_used_wh + member.certificates_idle_wh for member in year_report(park.exchange, 2026).members}
    assert (told[park.user], told[park.other]) == (30_000_000, 5_000_000)


def test_granular_certificates_cover_their_quarter_hour() -> None:
    park = settled()
    park.ok(park.retire("", 400), park.user)
    green = retired_green(park.exchange.rooms)
    assert green.retirements(2026) == [Retirement(park.user, 2026, "granular", 400, "1")]
    assert green.covered == {(park.user, quarter_ns(NOON)): 300, (park.user, quarter_ns(NOON + 1)): 100}


def test_only_within_the_consumption_they_were_retired_for() -> None:
    park = settled()
    hour = {"consumed_from_ns": quarter_ns(NOON), "consumed_to_ns": quarter_ns(NOON + 1)}
    park.ok(park.retire("", 400, **hour), park.user)
    assert retired_green(park.exchange.rooms).covered == {(park.user, quarter_ns(NOON)): 300}


def test_certificates_of_an_own_device_cover_nothing_else() -> None:
    park = settled()
    park.ok(park.retire("", 150), park.plant)
    green = retired_green(park.exchange.rooms)
    assert green.covered == {}
    assert [retirement.energy_wh for retirement in green.retirements(2026)] == [150]


def test_what_was_cancelled_for_storage_covers_no_consumption() -> None:
    park, battery, device = battery_park()
    charge(park, battery, 40, 1_000, 900)
    park.ok(RecordCharge(device=device, period_start_ns=august(40), charged_wh=1_000, certified_wh=500), battery)
    assert park.exchange.rooms.certificates.retirements.by_number[1].kind is RetirementKind.STORAGE
    green = retired_green(park.exchange.rooms)
    assert (green.retired, green.covered) == ([], {})
