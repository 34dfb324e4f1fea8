"""Compliance positions, projects and the park scheme over REST: what is told, and to whom."""

import base64

from exchange.protocol.documents import ListInstruments
from exchange.protocol.value_chain.allowances import AllocateAllowances, RegisterComplianceEntity
from exchange.protocol.value_chain.park_scheme import OpenParkScheme, ParkBenchmark
from tests.exchange.gateway.parks import FACTORY, SOLAR, RunningPark, running_park
from tests.exchange.gateway.test_administration import authorization, get
from tests.exchange.order_path.carbon_market import CONTRACT, DESIGN, T, park_credit

PROJECT = {
    "name": "lamps", "kind": "retrofit", "host": SOLAR, "symbol": "PCC-2026", "credit_owner": SOLAR, "contract_sha256": CONTRACT,
    "design_sha256": DESIGN, "starts_ns": 0, "measure": "lamps",
    "factor": {"publisher": "MEE", "year": 2023, "region": "CN", "kind": "average", "mg_per_kwh": 530_600},
}  # fmt: skip


async def prepare(park: RunningPark) -> None:
    """The factory is a covered entity with 10,000 CEA25 and 700 more by its pre-allocation; solar has proposed a project."""
    await park.document(ListInstruments(instruments=[park_credit()]))
    await park.document(RegisterComplianceEntity(account=FACTORY, sector="steel", sources=["kiln"], boundary="works"))
    await park.document(AllocateAllowances(account=FACTORY, year=2025, symbol="CEA25", stage="pre", base_emissions_g=1_000 * T))
    now_ns = park.node.exchange.now_ns
    benchmarks = [ParkBenchmark(product="steel", unit="t", benchmark_g_per_unit=T)]
    await park.document(
        OpenParkScheme(
            symbol="PCC-2026", period_start_ns=0, period_end_ns=now_ns, deadline_ns=now_ns + 10**15, penalty_micro_per_t=120_000_000,
            benchmarks=benchmarks,
        )
    )  # fmt: skip
    member = park.raw()
    await member.log_on("solar")
    body = PROJECT | {name: _base64(PROJECT[name]) for name in ("contract_sha256", "design_sha256")}
    assert "result" in await member.ask("document.submit", {"schema": "propose_project", "document": body})


def _base64(data: object) -> str:
    assert isinstance(data, bytes)
    return base64.b64encode(data).decode()


async def test_an_entity_sees_its_own_position_and_who_audits_sees_all() -> None:
    async with running_park() as park:
        await prepare(park)
        own = (await get(park, "/v1/compliance", authorization("factory", "/v1/compliance"))).json()
        (position,) = own["positions"]
        assert own["as_of_seq"] == park.node.exchange.last_sequence
        assert (position["account"], position["year"], position["entitled_t"], position["held_t"]) == (FACTORY, 2025, 700, 10_700)
        assert position["held"] == [{"symbol": "CEA25", "vintage": 2025, "owned_t": 10_700, "usable_t": 10_700}]
        for target in ("/v1/compliance", f"/v1/compliance?account={FACTORY}", "/v1/compliance?year=2025"):
            assert (await get(park, target, authorization("operator", target))).json()["positions"] == own["positions"]
        target = "/v1/compliance?year=2027"
        assert (await get(park, target, authorization("operator", target))).json()["positions"][0]["entitled_t"] == 0
        # Who names another account sees its own.
        target = f"/v1/compliance?account={FACTORY}"
        assert (await get(park, target, authorization("solar", target))).json()["positions"] == []


async def test_projects_are_shown_to_their_parties_and_to_who_oversees() -> None:
    async with running_park() as park:
        await prepare(park)
        (project,) = (await get(park, "/v1/projects", authorization("solar", "/v1/projects"))).json()["projects"]
        assert (project["name"], project["state"], project["developer"], project["design_sha256"]) == ("lamps", "proposed", SOLAR, DESIGN.hex())
        assert project["factor"] == ["MEE", 2023, "CN", "average", 530_600]
        assert (await get(park, "/v1/projects", authorization("operator", "/v1/projects"))).json()["projects"] == [project]
        assert (await get(park, "/v1/projects", authorization("factory", "/v1/projects"))).json()["projects"] == []


async def test_the_park_scheme_publishes_its_penalty() -> None:
    async with running_park() as park:
        await prepare(park)
        body = (await get(park, "/v1/park-schemes", authorization("solar", "/v1/park-schemes"))).json()
        (scheme,) = body["schemes"]
        assert (scheme["symbol"], scheme["penalty_micro_per_t"], scheme["benchmarks"]) == (
            "PCC-2026", 120_000_000, [{"product": "steel", "unit": "t", "g_per_unit": T}],
        )  # fmt: skip
        assert body["performances"] == []


async def test_nothing_is_told_to_who_does_not_sign() -> None:
    async with running_park() as park:
        for target in ("/v1/compliance", "/v1/projects", "/v1/park-schemes"):
            assert (await get(park, target, None)).status_code == 401
