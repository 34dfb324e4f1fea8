"""The WebSocket adapter under the real server: sockets, batches, limits, clients that do not read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from clients.sdk import LogonRefused, connect
from exchange.errors import InputError
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.server import DEFAULT_PORT, bind, own_hosts, serve
from exchange.gateway.tls import TlsFiles
from exchange.gateway.websocket import WebSocketEndpoint
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, RunningPark, private_key, request, running_park

FREE = 0  # the system chooses


@asynccontextmanager
async def serving(
    limits: Limits | None = None, send_buffer_bytes: int | None = None, tls: TlsFiles | None = None
) -> AsyncIterator[tuple[RunningPark, str]]:
    """A park behind uvicorn on a free port: (park, ws://host:port), with `tls` wss://."""
    limits = limits or Limits(flush_interval_s=0.002)
    async with running_park(limits) as park:
        sock = bind("127.0.0.1", FREE)
        if send_buffer_bytes is not None:  # connections inherit it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        port = sock.getsockname()[1]
        app = create_app(park.node, limits=limits, hosts=own_hosts("127.0.0.1", port))
        park.hub = app.state.hub
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(sock, app, limits, ready.set_result, tls=tls))
        url = (await ready).replace("http", "ws")
        try:
            yield park, url
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            sock.close()


async def receive(websocket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        return msgspec.json.decode(await websocket.recv())  # type: ignore[no-any-return]


async def exchange(websocket: ClientConnection, frame: bytes) -> dict[str, Any]:
    await websocket.send(frame, text=True)
    return await receive(websocket)


async def test_an_order_over_a_socket() -> None:
    async with serving() as (_, url), connect(url, key_id="solar", private_key=private_key("solar")) as park:
        order = await park.place(POWER, "sell", price="0.4100", quantity="12.5")
        assert order.status == "resting"
        await order.cancel()
        assert len(park.ack_latency_ns) == 2


async def test_malformed_frames_are_answered_and_the_connection_lives() -> None:
    async with serving() as (_, url), open_websocket(url + "/ws/v1", max_size=None) as websocket:
        assert (await receive(websocket))["method"] == "challenge"
        rows: list[tuple[bytes | str, int]] = [
            ("garbage", 1004), ("[]", 1006), ("[" * 20_000, 1005), ("x" * 70_000, 1001), (b"binary", 1002), ("{}", 1007),
            (request("order.place", {}).decode(), 5001 - 3990), ("x" * 5_000_000, 1001),
        ]  # fmt: skip
        for frame, code in rows:
            await websocket.send(frame)
            assert (await receive(websocket))["error"]["code"] == code
        await websocket.send(request("system.status").decode())
        assert (await receive(websocket))["result"]["sessions"] == 1


async def test_fragmented_frames_are_one_message() -> None:
    async with serving() as (_, url), open_websocket(url + "/ws/v1") as websocket:
        await receive(websocket)
        text = request("system.status").decode()
        await websocket.send([text[:10], text[10:30], text[30:]])
        assert "result" in await receive(websocket)


@pytest.mark.parametrize("frame", [b"\xff\xfe", b"x" * (9 * 1024 * 1024)], ids=["not UTF-8", "beyond every limit"])
async def test_what_websocket_itself_forbids_ends_this_connection_only(frame: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (_, url), open_websocket(url + "/ws/v1") as other:
        await receive(other)
        async with open_websocket(url + "/ws/v1") as websocket:
            await receive(websocket)
            with pytest.raises(ConnectionClosedError) as closed:
                await exchange(websocket, frame)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in {1007, 1009}
        await other.send(request("system.status").decode())
        assert "result" in await receive(other)


async def test_the_frames_of_one_write_are_one_batch() -> None:
    async with serving() as (park, url), connect(url, key_id="factory", private_key=private_key("factory")) as client:
        park.published.clear()
        results = await client.place_many([client.order_params(POWER, "buy", price=f"0.40{n:02d}", quantity="1.0") for n in range(50)])
        assert [order.status for order in results if not isinstance(order, Exception)] == ["resting"] * 50
        assert max(len(batch.records) for batch in park.published) == 50


async def test_logon_signed_for_another_host_is_refused() -> None:
    async with serving() as (park, url):
        park.hub.hosts = ("park.example:443",)
        with pytest.raises(OSError, match="refused"):
            async with connect(url, key_id="solar", private_key=private_key("solar")):
                pass
        park.hub.hosts = ()
        with pytest.raises(LogonRefused):
            async with connect(url, key_id="solar", private_key=private_key("factory")):
                pass


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [({}, True), ({"Origin": "http://{host}"}, True), ({"Origin": "https://evil.example"}, False), ({"Origin": "null"}, False)],
)
async def test_origin(headers: dict[str, str], accepted: bool) -> None:
    async with serving() as (_, url):
        headers = {name: value.format(host=url.removeprefix("ws://")) for name, value in headers.items()}
        if accepted:
            async with open_websocket(url + "/ws/v1", additional_headers=headers) as websocket:
                assert (await receive(websocket))["method"] == "challenge"
        else:
            with pytest.raises(InvalidStatus) as refused:
                await open_websocket(url + "/ws/v1", additional_headers=headers)
            assert refused.value.response.status_code == 403


async def test_connections_are_counted() -> None:
    async with serving(Limits(max_connections=2)) as (_, url):
        async with open_websocket(url + "/ws/v1"), open_websocket(url + "/ws/v1"):
            with pytest.raises(InvalidStatus):
                await open_websocket(url + "/ws/v1")
        await asyncio.sleep(0.05)
        async with open_websocket(url + "/ws/v1") as websocket:
            assert (await receive(websocket))["method"] == "challenge"


async def test_a_client_that_does_not_read_costs_the_others_nothing() -> None:
    """It is ended when its private data piles up; meanwhile the others trade as before."""
    limits = Limits(flush_interval_s=0.002, outbox_frames=300, outbox_bytes=200_000)
    async with serving(limits, 8192) as (park, url), connect(url, key_id="solar", private_key=private_key("solar")) as solar:
        reader, writer = await asyncio.open_connection(*url.removeprefix("ws://").split(":"), limit=1024)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        writer.write(
            f"GET /ws/v1 HTTP/1.1\r\nHost: {url.removeprefix('ws://')}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await asyncio.sleep(0.05)
        assert len(park.hub.connections) == 2
        ask = request("instruments", {})
        masked = bytes([0x81, 0x80 | len(ask)]) + bytes(4) + ask  # a mask of zeros
        for _ in range(4000):
            writer.write(masked)
            if len(park.hub.connections) == 1:
                break
            await asyncio.sleep(0)
        for number in range(20):
            order = await solar.place(POWER, "sell", price="0.4100", quantity="1.0", client_order_id=f"n{number}")
            assert order.is_open
        for _ in range(500):
            if len(park.hub.connections) == 1:
                break
            await asyncio.sleep(0.01)
        assert len(park.hub.connections) == 1
        writer.transport.abort()  # type: ignore[attr-defined] # a socket's transport has it
        del reader


async def test_sessions_end_when_the_server_stops() -> None:
    async with serving() as (park, url):
        client = await open_websocket(url + "/ws/v1")
        await receive(client)
        assert len(park.hub.connections) == 1
    with pytest.raises(ConnectionClosedOK) as closed:
        await client.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason[:4]) == (1001, str(int(RejectCode.SHUTTING_DOWN)))
    assert not park.hub.connections


async def test_cookies_are_neither_read_nor_set() -> None:
    """A browser attaches them to whatever page asks, so they must not be worth anything: not even a refusal."""
    async with serving() as (_, url):
        headers = {"Cookie": "session=1; key_id=factory", "Origin": url.replace("ws", "http")}
        async with open_websocket(url + "/ws/v1", additional_headers=headers) as websocket:
            assert websocket.response is not None
            assert "Set-Cookie" not in websocket.response.headers
            await receive(websocket)
            assert (await exchange(websocket, request("balances", {})))["error"]["code"] == RejectCode.NOT_LOGGED_ON
        async with httpx.AsyncClient(base_url=url.replace("ws", "http"), cookies={"session": "1"}) as client:
            for path in ("/v1/health", "/healthz", "/metrics", "/openapi.json"):
                assert "set-cookie" not in (await client.get(path)).headers


async def test_metrics_are_for_the_client_that_a_proxy_on_this_machine_names() -> None:
    async with serving() as (_, url), httpx.AsyncClient(base_url=url.replace("ws", "http")) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"})).status_code == 403


async def test_an_origin_header_that_is_repeated_is_refused_whatever_the_server_in_front_makes_of_it() -> None:
    async with running_park() as park:
        own = b"http://127.0.0.1:1"
        endpoint = WebSocketEndpoint(create_app(park.node, hosts=("127.0.0.1:1",)).state.hub)
        for origins, first_answer in (([own], "websocket.accept"), ([own, own], "websocket.close"), ([b"null", own], "websocket.close")):
            told: list[str] = []
            incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

            async def receive_next(incoming: list[dict[str, Any]] = incoming) -> dict[str, Any]:
                return incoming.pop(0)

            async def send(message: Any, told: list[str] = told) -> None:
                told.append(message["type"])

            headers = [(b"host", b"127.0.0.1:1"), *((b"origin", origin) for origin in origins)]
            await endpoint({"headers": headers, "extensions": {}}, receive_next, send)
            assert told[0] == first_answer


async def test_an_origin_header_that_is_repeated_is_refused() -> None:
    async with serving() as (_, url):
        own = url.replace("ws", "http")
        with pytest.raises(InvalidStatus):
            await open_websocket(url + "/ws/v1", additional_headers=[("Origin", own), ("Origin", own)])


def test_a_taken_port_is_an_error_and_a_taken_default_means_the_next() -> None:
    with bind("127.0.0.1", FREE) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}"):
            bind("127.0.0.1", port)
    with bind("127.0.0.1") as first, bind("127.0.0.1") as second:
        assert DEFAULT_PORT <= first.getsockname()[1] < second.getsockname()[1]


def test_own_hosts() -> None:
    assert own_hosts("0.0.0.0", 80) == ("0.0.0.0:80", "127.0.0.1:80", "localhost:80", "[::1]:80")
    assert own_hosts("::1", 80)[0] == "[::1]:80"
