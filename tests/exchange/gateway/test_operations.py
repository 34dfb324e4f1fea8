"""The operator's routes: liveness, readiness, metrics and who may read them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exchange.errors import InputError, JournalFailedError
from exchange.gateway.app import create_app
from exchange.gateway.operations import networks
from exchange.gateway.probes import Probes
from exchange.protocol.reject_codes import RejectCode
from exchange.stages import Stage
from tests.exchange.gateway.parks import RunningPark, request, running_park
from tests.exchange.gateway.test_rest import get, traded


async def scrape(app: Any, client: tuple[str, int] = ("127.0.0.1", 1), **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app, client=client), base_url="http://test") as asking:
        return await asking.get("/metrics", headers=headers)


async def samples(park: RunningPark, app: Any = None) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names) -> value."""
    response = await scrape(app or park.app)
    assert response.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def test_the_process_lives_also_when_it_takes_no_commands() -> None:
    async with running_park() as park:
        park.node.drain()
        response = await get(park, "/healthz")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_node_that_failed_for_good_asks_for_a_restart() -> None:
    async with running_park() as park:
        park.node.failure = JournalFailedError("the disk is gone")
        response = await get(park, "/healthz")
        park.node.failure = None
        assert (response.status_code, response.json()) == (503, {"status": "failed"})


# probes, whether commands are taken, what is wrong
READINESS: list[tuple[dict[str, Any], bool, dict[str, str]]] = [
    ({}, True, {}),
    ({}, False, {"commands": "not_accepting"}),
    ({"read_model_sequence": lambda: 0, "read_model_lag_max": 1_000}, True, {}),
    ({"read_model_sequence": lambda: 0, "read_model_lag_max": 1}, True, {"read_model": "behind"}),
    ({"read_model_sequence": lambda: 10**9, "read_model_lag_max": 1}, True, {}),
    ({"read_model_sequence": lambda: 0, "read_model_failed": lambda: False}, True, {}),
    ({"read_model_sequence": lambda: 10**9, "read_model_failed": lambda: True}, True, {"read_model": "failed"}),
    ({"journal_directory": Path("/"), "disk_free_min_bytes": 0}, True, {}),
    ({"journal_directory": Path("/"), "disk_free_min_bytes": 1 << 62}, True, {"disk": "full"}),
    ({"journal_directory": Path("/no/such/directory"), "disk_free_min_bytes": 1}, False, {"commands": "not_accepting", "disk": "full"}),
]


@pytest.mark.parametrize(("probes", "accepting", "wrong"), READINESS)
async def test_readiness(probes: dict[str, Any], accepting: bool, wrong: dict[str, str]) -> None:
    async with running_park() as park:
        app = create_app(park.node, probes=Probes(**probes))
        if not accepting:
            park.node.drain()
        response = await get(park, "/readyz", app)
        body = response.json()
        assert body["checks"] == {"commands": "ok", "read_model": "ok", "disk": "ok"} | wrong
        assert (response.status_code, body["status"]) == ((503, "not_ready") if wrong else (200, "ready"))
        assert body["as_of_seq"] == park.node.exchange.last_sequence


@pytest.mark.parametrize(("has", "head", "behind"), [(0, 5, 5), (5, 5, 0), (6, 5, 0)])
def test_a_read_model_that_is_ahead_of_the_gateway_is_not_behind(has: int, head: int, behind: int) -> None:
    """It may have a command before the loop has gone on."""
    assert Probes(read_model_sequence=lambda: has).read_model_behind(head) == behind
    assert Probes().read_model_behind(head) is None


async def test_metrics_count_what_happened() -> None:
    async with running_park() as park:
        await traded(park)
        stranger = park.raw()
        await stranger.log_on("factory", signer="solar")
        stranger.send("garbage", "[]", "[]")
        found = await samples(park)
        commands = {key[1:]: value for key, value in found.items() if key[0] == "parkex_commands_total" and value}
        assert commands["place", "accepted"] == 4
        assert commands["cancel", "refused"] == 1
        assert commands["session_opened", "accepted"] == 2
        rejects = {key[1]: value for key, value in found.items() if key[0] == "parkex_rejects_total"}
        assert rejects == {
            str(int(code)): count
            for code, count in (
                (RejectCode.INVALID_JSON, 1), (RejectCode.BATCH_NOT_SUPPORTED, 2), (RejectCode.UNKNOWN_ORDER, 1), (RejectCode.LOGON_SIGNATURE, 1),
            )
        }  # fmt: skip
        assert found["parkex_trades_total",] == 3
        assert found["parkex_connections", "logged_on"] == 2
        assert found["parkex_connections", "new"] == 1
        assert found["parkex_sessions_opened_total",] == 2
        assert found["parkex_logons_refused_total", str(int(RejectCode.LOGON_SIGNATURE))] == 1
        assert found["parkex_last_sequence",] == park.node.exchange.last_sequence
        assert (found["parkex_accepting",], found["parkex_epoch",]) == (1, 1)
        assert found["parkex_queue_depth", "node"] == found["parkex_queue_depth", "in_flight"] == 0


async def test_batches_are_counted_together_and_none_is_lost() -> None:
    """More of them than are counted at once, and a scrape in between."""
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        for start in range(0, 2_400, 300):
            cancels = [{"client_order_id": f"x{number % 2_000}", "order_id": 99} for number in range(start, start + 300)]
            client.send(*(request("order.cancel", params, f"r{start + number}") for number, params in enumerate(cancels)))
            await client.all_answered()
            if start == 300:
                assert (await samples(park))["parkex_commands_total", "cancel", "refused"] == 600
        found = await samples(park)
        assert (found["parkex_commands_total", "cancel", "refused"], found["parkex_commands_total", "cancel", "duplicate"]) == (2_000, 400)


async def test_bytes_of_connections_that_have_gone_stay_counted() -> None:
    async with running_park() as park:
        client = park.raw()
        client.send("garbage")
        client.take()
        before = await samples(park)
        assert before["parkex_received_bytes_total",] == len("garbage")
        assert before["parkex_sent_bytes_total",] > 100
        client.connection.disconnected()
        after = await samples(park)
        assert {name: after[name,] for name in ("parkex_received_bytes_total", "parkex_sent_bytes_total")} == {
            name: before[name,] for name in ("parkex_received_bytes_total", "parkex_sent_bytes_total")
        }
        assert ("parkex_connections", "new") not in after


async def test_every_stage_is_timed_a_group() -> None:
    async with running_park() as park:
        before = await samples(park)
        batches = len(park.published)
        await traded(park)
        after = await samples(park)
        groups = len(park.published) - batches
        for stage in Stage:
            name = stage.name.lower()
            counted = after["parkex_stage_seconds_count", name] - before["parkex_stage_seconds_count", name]
            # Reads of a socket: two logons, five orders.
            assert counted == (7 if stage is Stage.DECODE else groups), name
            assert after["parkex_stage_seconds_bucket", "+Inf", name] == after["parkex_stage_seconds_count", name]
            assert after["parkex_stage_seconds_sum", name] > before["parkex_stage_seconds_sum", name]


async def test_sessions_that_ended_are_counted_by_reason() -> None:
    async with running_park() as park:
        clients = [park.raw(), park.raw()]
        for client in clients:
            await client.log_on("factory")
        clients[0].connection.disconnected()
        clients[1].connection.end(RejectCode.SESSION_BACKLOG)
        clients[1].connection.disconnected()
        found = await samples(park)
        ended = {key[1]: value for key, value in found.items() if key[0] == "parkex_sessions_ended_total"}
        assert ended == {"client": 1, str(int(RejectCode.SESSION_BACKLOG)): 1}


async def test_gateways_of_one_process_have_metrics_of_their_own() -> None:
    async with running_park() as park:
        other = create_app(park.node, probes=Probes(read_model_sequence=lambda: 1))
        park.raw()
        assert ("parkex_connections", "new") in await samples(park)
        found = await samples(park, other)
        assert ("parkex_connections", "new") not in found
        assert found["parkex_read_model_lag_commands",] == park.node.exchange.last_sequence - 1


async def test_scrapers_choose_their_format() -> None:
    async with running_park() as park:
        plain = await scrape(park.app)
        assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
        openmetrics = await scrape(park.app, accept="application/openmetrics-text; version=1.0.0")
        assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
        assert openmetrics.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("allowed", "address", "answered"),
    [
        ((), "127.0.0.1", False),
        (("127.0.0.0/8",), "127.0.0.1", True),
        (("127.0.0.0/8",), "10.1.2.3", False),
        (("10.0.0.0/8", "::1"), "10.1.2.3", True),
        (("10.0.0.0/8", "::1"), "::1", True),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("0.0.0.0/0",), "testclient", False),
    ],
)
async def test_metrics_are_for_the_networks_that_are_named(allowed: tuple[str, ...], address: str, answered: bool) -> None:
    async with running_park() as park:
        response = await scrape(create_app(park.node, metrics_networks=allowed), (address, 1))
        assert response.status_code == (200 if answered else 403)
        assert ("parkex_" in response.text) is answered


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "park.example", ""])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"10\.0\.0\.0/8"):
        networks([text])
