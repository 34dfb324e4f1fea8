"""A settled quarter-hour becomes a carbon report: of settled days only, with green energy and retirements from the seam."""

import json

import msgspec
import numpy as np
import pytest

from exchange.carbon.claimed_green import Retirement
from exchange.carbon.rendering import report_to_text
from exchange.carbon.report import report_content
from exchange.errors import InputError
from exchange.order_path import canonical
from exchange.order_path.carbon_queries import revision, statement_of_product, year_report
from exchange.order_path.path import Exchange
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.accounting import CloseCarbonYear
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.carbon.accounts import activity
from tests.exchange.carbon.recorded_green import RecordedGreen, claimed_green
from tests.exchange.order_path.park import DAY_NS, GENESIS, Park
from tests.exchange.order_path.test_first_trade import traded_park

NEW_YEAR_NS = DAY_NS + 170 * NS_PER_DAY
START_NS = DAY_NS + 40 * PERIOD_NS


def settled_park() -> tuple[Park, int, int]:
    """A factory of 380 kWh and a plant of 300: 100 kWh come from the grid, 20 are lost."""
    park, load, solar, _ = traded_park()
    park.tick(START_NS + PERIOD_NS)
    readings = MeterReadings(
        revision=1, accounts=[load, solar], period_starts_ns=[START_NS] * 2, consumption_wh=[380_000, 0], generation_wh=[0, 300_000],
        soc_wh=[-1, -1], grid_starts_ns=[START_NS], grid_import_wh=[100_000], grid_export_wh=[0], losses_wh=[20_000],
    )  # fmt: skip
    assert park.document(readings)[0] == RejectCode.ACCEPTED
    return park, load, solar


def settle(park: Park) -> None:
    assert park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))[0] == RejectCode.ACCEPTED


def test_a_day_counts_once_it_is_settled() -> None:
    park, load, _ = settled_park()
    before = revision(park.exchange)
    assert year_report(park.exchange, 2026).days == 0
    settle(park)
    assert revision(park.exchange) != before
    report = year_report(park.exchange, 2026)
    assert (report.days, report.as_of_seq, report.closed) == (1, park.exchange.last_sequence, False)
    members = {member.account: member for member in report.members}
    # 400 kWh to supply, losses included, a quarter of them from the grid.
    assert (members[load].grid_wh, members[load].undelivered_wh, report.scope2.network_wh) == (95_000, 285_000, 5_000)
    assert (report.scope2.location_g, report.scope2.market_g) == (53_060, 60_960)
    assert year_report(park.exchange, 2025).days == 0


def test_delivered_green_and_retirements_come_from_the_seam() -> None:
    park, load, solar = settled_park()
    settle(park)
    rows = GreenOutput(
        period_start_ns=np.full(3, START_NS), device=np.ones(3, np.int64), energy_wh=np.array([200_000, 60_000, 40_000]),
        use=np.array([GreenUse.DELIVERED, GreenUse.DELIVERED, GreenUse.EXPORTED]), holder=np.array([load, load, solar]),
    )  # fmt: skip
    green = claimed_green([rows], [Retirement(load, 2026, "gec", 30_000, "GEC-1"), Retirement(load, 2025, "gec", 10**6, "GEC-0")])
    report = year_report(park.exchange, 2026, green=green)
    member = next(m for m in report.members if m.account == load)
    # 140 kWh are left to supply, 100 from the grid: 5/7 of them the factory's 120 kWh and the rest losses.
    assert (member.direct_wh, member.grid_wh, report.scope2.network_wh) == (260_000, 85_714, 14_286)
    assert (member.gec_used_wh, member.scope2_market_g) == (30_000, round(55.714 * 609.6))
    assert [r.reference for r in report.retirements] == ["GEC-1"]


def test_what_the_seam_knows_of_certificates_is_used() -> None:
    park, load, _ = settled_park()
    settle(park)
    direct, covered, forgone = ({START_NS: {load: energy_wh}} for energy_wh in (260_000, 80_000, 10_000))
    green = RecordedGreen(direct=direct, covered=covered, forgone=forgone, gone={START_NS: 7_000})
    member = next(m for m in year_report(park.exchange, 2026, green=green).members if m.account == load)
    assert (member.covered_wh, member.forgone_wh, member.lost_wh) == (80_000, 10_000, 6_000)
    assert member.uncovered_wh == 85_714 + 6_000 + 10_000 - 80_000


def test_activities_and_products_of_the_exchange() -> None:
    park, load, _ = settled_park()
    settle(park)
    for document in (activity("fuel", 1_000, account=load), activity("product_output", 1_000, account=load)):
        assert park.document(document, load)[0] == RejectCode.ACCEPTED
    report = year_report(park.exchange, 2026)
    assert report.park.fuel_g == 2_162
    statement = statement_of_product(park.exchange, report, load, "bearings")
    assert (statement.electricity_wh, statement.scope1_g, statement.unit) == (380_000, 2_162, "piece")
    with pytest.raises(InputError, match="no account 99"):
        statement_of_product(park.exchange, report, 99, "bearings")
    json.dumps(report_content(report))


def test_a_closed_year_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a correction nor a certificate that is retired later moves it; both are told beside it."""
    park, load, _ = settled_park()
    gas = activity("fuel", 1_000_000, account=load)
    assert park.document(gas, load)[0] == RejectCode.ACCEPTED
    grid, fuels = park.exchange.rooms.carbon.factors_of(2026).resolved()
    closing = CloseCarbonYear(year=2026, factors=grid, fuels=fuels)
    park.tick(NEW_YEAR_NS)
    assert park.document(closing) == (RejectCode.BUSINESS_RULE, {"rule": "periods_are_not_settled"})
    settle(park)
    before = year_report(park.exchange, 2026)
    assert (before.closed, before.restated) == (False, None)
    assert park.document(closing)[0] == RejectCode.ACCEPTED
    after = year_report(park.exchange, 2026)
    assert (after.closed, after.restated, after.park, after.members) == (True, None, before.park, before.members)
    late = [Retirement(load, 2026, "gec", 30_000, "GEC-1")]
    corrected = msgspec.structs.replace(gas, revision=2, quantity_milli=0, after_closing=True)
    assert park.document(corrected)[0] == RejectCode.ACCEPTED
    for exchange in (park.exchange, restored_from(park.exchange)):
        report = year_report(exchange, 2026, green=claimed_green([], late))
        assert (report.park, report.members, report.retirements) == (before.park, before.members, [])
        assert report.restated is not None
        assert (report.restated.fuel_g, report.restated.gec_used_wh) == (0, 30_000)
        assert "by what is known now" in report_to_text(report)


def restored_from(exchange: Exchange) -> Exchange:
    restored = Exchange(GENESIS)
    canonical.restore(restored, canonical.snapshot(exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(exchange)
    return restored


def test_a_year_before_the_rules_has_no_indicators() -> None:
    report = year_report(Park().exchange, 2023)
    assert (report.indicators, report.direct_connection, report.gec_needed) == ([], [], None)
    assert "Indicators" not in report_to_text(report)


@pytest.mark.parametrize("year", [1800, 2200, 2020])
def test_years_without_factors_are_refused(year: int) -> None:
    with pytest.raises(InputError):
        year_report(Park().exchange, year)
