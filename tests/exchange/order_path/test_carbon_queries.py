"""A settled quarter-hour becomes a carbon report: of settled days only, with green energy and retirements from the seam."""

import json

import numpy as np
import pytest

from exchange.carbon.claimed_green import RecordedGreen, Retirement
from exchange.carbon.report import report_content
from exchange.errors import InputError
from exchange.order_path.carbon_queries import claimed_green, revision, statement_of_product, year_report
from exchange.protocol.documents import MeterReadings, SettleDay
from exchange.protocol.reject_codes import RejectCode
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.carbon.accounts import activity
from tests.exchange.order_path.park import DAY_NS, Park
from tests.exchange.order_path.test_first_trade import traded_park

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
    cell = (load, START_NS)
    green = RecordedGreen(direct={cell: 260_000}, covered={cell: 80_000}, forgone={cell: 10_000}, gone={START_NS: 7_000})
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


@pytest.mark.parametrize("year", [1800, 2200, 2020])
def test_years_without_rules_are_refused(year: int) -> None:
    with pytest.raises(InputError):
        year_report(Park().exchange, year)
