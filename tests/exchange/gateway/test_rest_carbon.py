"""Carbon accounts over REST: totals for everyone, a member's line for its own key and for overseers."""

from typing import Any

import msgspec
import numpy as np
import pytest

from exchange.gateway import rest_carbon
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.carbon_queries import year_report
from exchange.protocol.documents import MeterReadings, SetPhase, SettleDay
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.carbon.accounts import activity
from tests.exchange.gateway.parks import FACTORY, SOLAR, UNITS, RunningPark, running_park
from tests.exchange.gateway.test_administration import authorization, get
from tests.exchange.order_path.park import DAY_NS

START_NS = DAY_NS + 40 * PERIOD_NS


async def settle(park: RunningPark) -> None:
    park.clock.advance_to(START_NS + PERIOD_NS)
    await park.document(MeterReadings(
        revision=1, accounts=[FACTORY, SOLAR], period_starts_ns=[START_NS] * 2, consumption_wh=[380_000, 0], generation_wh=[0, 300_000],
        soc_wh=[-1, -1], grid_starts_ns=[START_NS], grid_import_wh=[100_000], grid_export_wh=[0], losses_wh=[20_000],
    ))  # fmt: skip
    await park.document(SettleDay(day="2026-07-15", day_start_ns=DAY_NS, day_end_ns=DAY_NS + NS_PER_DAY))


async def test_totals_are_public_and_follow_settlements_and_documents() -> None:
    async with running_park() as park:
        target = "/v1/carbon/report?year=2026"
        assert (await get(park, target, None)).json()["report"]["days"] == 0
        await settle(park)
        body = (await get(park, target, None)).json()
        assert body["as_of_seq"] == park.node.exchange.last_sequence
        assert (body["report"]["days"], body["report"]["scope2"]["location_g"]) == (1, 53_060)
        assert not {"members", "retirements"} & body["report"].keys()
        assert len(body["report"]["claims"]) == 35
        await park.document(activity("fuel", 1_000, account=FACTORY))
        assert (await get(park, target, None)).json()["report"]["park"]["fuel_g"] == 2_162


async def test_a_member_sees_its_own_line() -> None:
    async with running_park() as park:
        await settle(park)
        target = f"/v1/carbon/members/{FACTORY}?year=2026"
        expected = next(m for m in year_report(park.node.exchange, 2026).members if m.account == FACTORY)
        for key in ("factory", "operator"):
            body = (await get(park, target, authorization(key, target))).json()
            assert body["member"] == msgspec.to_builtins(expected)
            assert (body["year"], body["closed"], body["retirements"]) == (2026, False, [])


async def test_what_certificates_say_beyond_the_meters_is_told_to_everyone_in_sum_and_to_the_member_in_its_line() -> None:
    async with running_park() as park:
        await settle(park)
        output = GreenOutput(*(np.array([value], np.int64) for value in (START_NS, 1, int(GreenUse.DELIVERED), FACTORY, 400_000)))
        await park.document(RegisterDevice(account=SOLAR, name="roof", kind="pv", capacity_w=10**8, commissioned_ns=0, scheme="granular"))
        issue_granular(park.node.exchange, output)
        target = "/v1/carbon/report?year=2026"
        told = (await get(park, target, None)).json()["report"]["park"]
        assert (told["direct_beyond_wh"], told["forgone_beyond_wh"]) == (100_000, 0)  # 300 kWh were fed in
        target = f"/v1/carbon/members/{FACTORY}?year=2026"
        assert (await get(park, target, authorization("factory", target))).json()["member"]["direct_beyond_wh"] == 100_000


@pytest.mark.parametrize(("signer", "status"), [("solar", 403), ("stranger", 401), (None, 401)])
async def test_a_member_line_is_not_for_others(signer: str | None, status: int) -> None:
    async with running_park() as park:
        target = f"/v1/carbon/members/{FACTORY}?year=2026"
        assert (await get(park, target, authorization(signer, target) if signer else None)).status_code == status


@pytest.mark.parametrize(("path", "status"), [("report?year=2019", 404), ("report?year=9", 422), ("report", 422), ("members/999?year=2026", 404)])
async def test_what_there_is_not(path: str, status: int) -> None:
    async with running_park() as park:
        target = f"/v1/carbon/{path}"
        assert (await get(park, target, authorization("operator", target))).status_code == status


async def test_factors_of_a_year_and_the_matrix() -> None:
    async with running_park() as park:
        body = (await get(park, "/v1/carbon/factors?year=2022", None)).json()
        assert {row["year"] for row in body["grid"]} == {2021, 2022}
        assert {row["fuel"] for row in body["fuels"]} >= {"natural_gas", "purchased_heat"}
        cells = (await get(park, "/v1/carbon/matrix", None)).json()["cells"]
        assert len(cells) == 35
        assert cells[0]["reason_zh"]


async def test_a_report_is_made_anew_when_it_may_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    begin = rest_carbon.YearGathering.__init__

    def counted(self: rest_carbon.YearGathering, *arguments: Any) -> None:
        made.append(1)
        begin(self, *arguments)

    monkeypatch.setattr(rest_carbon.YearGathering, "__init__", counted)
    async with running_park() as park:
        shelf = rest_carbon.ReportShelf(park.hub)
        now_s = 0.0
        monkeypatch.setattr(park.hub, "monotonic_s", lambda: now_s)
        first = await shelf.report(2026)
        now_s = 3 * rest_carbon.KEPT_S  # nothing has come since
        assert await shelf.report(2026) is first
        await park.document(SetPhase(symbol=UNITS, phase="halted", reason="something else"))
        assert (await shelf.report(2026)).as_of_seq == park.node.exchange.last_sequence
        await park.document(SetPhase(symbol=UNITS, phase="resume", reason="something else"))
        kept = await shelf.report(2026)
        assert kept.as_of_seq < park.node.exchange.last_sequence
        await park.document(activity("fuel", 1_000, account=FACTORY, month=202606))
        assert (await shelf.report(2026)).park.fuel_g == 2_162
        for year in (2021, 2022, 2023, 2024):
            await shelf.report(year)
        assert len(made) == 7
        await shelf.report(2026)
        assert len(made) == 8  # only the last four years are kept
