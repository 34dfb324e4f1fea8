"""REST: every route, its model and its errors."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.protocol.documents import MeterReadings
from exchange.units import NS_PER_HOUR, PERIOD_NS
from tests.exchange.gateway.parks import FACTORY, POWER, SOLAR, UNITS, RunningPark, running_park
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.order_path.park import DAY_NS


async def get(park: RunningPark, path: str, app: Any = None) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app or park.app), base_url="http://test") as client:
        return await client.get(path)


async def traded(park: RunningPark) -> None:
    buyer, seller = park.raw(), park.raw()
    await buyer.log_on("factory")
    await seller.log_on("solar")
    await seller.ask("order.place", ORDER | {"side": "sell", "quantity": "5.0"})
    for number in range(3):
        await buyer.ask("order.place", ORDER | {"client_order_id": f"b{number}", "quantity": "1.0"})
    assert "error" in await buyer.ask("order.cancel", {"client_order_id": "x", "order_id": 99})


async def test_health() -> None:
    async with running_park() as park:
        body = (await get(park, "/v1/health")).json()
        assert body == {"status": "ok", "epoch": 1, "as_of_seq": park.node.exchange.last_sequence, "now_ns": park.clock.now_ns(), "sessions": 0}


async def test_instruments() -> None:
    async with running_park() as park:
        body = (await get(park, "/v1/instruments")).json()
        assert [i["symbol"] for i in body["instruments"]] == [POWER, UNITS]
        assert (body["instruments"][0]["deficit_price"], body["instruments"][0]["max_order"]) == ("0.6500", "100000.0")
        assert [i["symbol"] for i in (await get(park, "/v1/instruments?class=cea")).json()["instruments"]] == [UNITS]
        # The same content as over the socket.
        wire = (await park.raw().ask("instruments"))["result"]["instruments"]
        assert all(wire[k].items() <= body["instruments"][k].items() for k in range(2))


async def test_trades_newest_first() -> None:
    async with running_park() as park:
        await traded(park)
        body = (await get(park, f"/v1/trades?instrument={POWER}&limit=2")).json()
        told = [(t["number"], t["price"], t["quantity"], t["side"]) for t in body["trades"]]
        assert told == [(3, "0.4000", "1.0", "buy"), (2, "0.4000", "1.0", "buy")]
        assert (await get(park, f"/v1/trades?instrument={UNITS}")).json()["trades"] == []
        assert (await get(park, "/v1/trades?instrument=GP-NONE")).status_code == 404
        for bad in ("limit=0", "limit=1001", "limit=x", "instrument=" + "x" * 65):
            assert (await get(park, f"/v1/trades?{bad}")).status_code == 422


async def test_trades_from_a_read_model() -> None:
    class History:
        def trades(self, instrument: str | None, limit: int) -> tuple[int, list[dict[str, Any]]]:
            row = {"instrument": instrument or UNITS, "number": 1, "price": "62.00", "quantity": "5", "side": "sell", "at_ns": 7}
            return 5, [row] * min(limit, 2)

    async with running_park() as park:
        app = create_app(park.node, read_model=History(), limits=Limits())
        body = (await get(park, "/v1/trades", app)).json()
        assert (body["as_of_seq"], len(body["trades"])) == (5, 2)


async def test_summary() -> None:
    async with running_park() as park:
        await traded(park)
        park.clock.advance_to(DAY_NS + 40 * PERIOD_NS)
        body = (await get(park, "/v1/summary")).json()
        assert {name: body[name] for name in ("orders", "trades", "energy_traded_wh", "participants", "rejects", "period", "time_zone")} == {
            "orders": 4, "trades": 3, "energy_traded_wh": 3_000, "participants": 2, "rejects": {"3006": 1}, "period": POWER,
            "time_zone": "Asia/Shanghai",
        }  # fmt: skip
        assert body["phases"] == {"continuous": 2}


async def test_energy_of_metered_periods() -> None:
    async with running_park() as park:
        assert (await get(park, "/v1/energy")).json()["periods"] == []
        park.clock.advance_to(DAY_NS + 41 * PERIOD_NS + NS_PER_HOUR)
        start_ns = DAY_NS + 40 * PERIOD_NS
        readings = MeterReadings(
            revision=1, accounts=[FACTORY, SOLAR], period_starts_ns=[start_ns] * 2, consumption_wh=[900, 0], generation_wh=[0, 500], soc_wh=[-1, -1],
            grid_starts_ns=[start_ns], grid_import_wh=[410], grid_export_wh=[0], losses_wh=[10],
        )  # fmt: skip
        await park.document(readings)
        assert (await get(park, "/v1/energy")).json()["periods"] == [
            {"start_ns": start_ns, "generation_wh": 500, "consumption_wh": 900, "grid_import_wh": 410, "grid_export_wh": 0, "losses_wh": 10}
        ]


async def test_openapi_and_the_page(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>park</title>")
    async with running_park() as park:
        app = create_app(park.node, web_directory=tmp_path, limits=Limits())
        assert "park" in (await get(park, "/", app)).text
        assert set((await get(park, "/openapi.json", app)).json()["paths"]) == {
            "/v1/health", "/v1/instruments", "/v1/trades", "/v1/auctions", "/v1/summary", "/v1/energy", "/healthz", "/readyz", "/metrics",
            "/v1/keys", "/v1/proposals", "/v1/audit", "/v1/alerts", "/v1/carbon/report", "/v1/carbon/factors", "/v1/carbon/matrix",
            "/v1/carbon/members/{account}", "/v1/projects", "/v1/compliance", "/v1/park-schemes", "/v1/flows/{flow}", "/v1/meters/readings",
            "/v1/certificates", "/v1/certificates/{serial}", "/v1/retirements", "/v1/retirements/{number}", "/v1/retirements/{number}/text",
            "/retirements/{number}", "/v1/statements/{name}/{account}", "/v1/statements/{name}/{account}/{form}",
        }  # fmt: skip
        assert (await get(park, "/v1/health", app)).status_code == 200
        assert (await get(park, "/")).status_code == 404


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/health", "/ws/v1"])
async def test_unknown_routes(path: str) -> None:
    async with running_park() as park:
        assert (await get(park, path)).status_code == 404
