"""Before there is a session: slow, endless, many, foreign and ambiguous requests."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from exchange.gateway.limits import Limits
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import request
from tests.hostile.gateways import Peer, Served, frame, gateway, handshake, market_lives, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUICK = Limits(flush_interval_s=0.002)
HASTY = Limits(flush_interval_s=0.002, request_timeout_s=0.3, heartbeat_interval_s=0.05)


async def test_slow_loris_sent_by_many_at_once(backend: str) -> None:
    """Sixty upgrades, a byte at a time: each has its deadline from the first byte, and the market goes on."""
    async with gateway(backend, HASTY) as (park, host), AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer.dial(host)) for _ in range(60)]
        ended = [asyncio.create_task(peer.gone()) for peer in peers]

        async def dribble(peer: Peer, ending: "asyncio.Task[bytes]") -> None:
            for byte in handshake(host):
                if ending.done():
                    return
                await peer.send(bytes((byte,)))
                await asyncio.sleep(0.02)

        sending = [asyncio.create_task(dribble(peer, ending)) for peer, ending in zip(peers, ended, strict=True)]
        await market_lives(host)
        assert await asyncio.gather(*ended) == [b""] * 60
        await asyncio.gather(*sending)
        await until(lambda: not park.hub.connections)


@pytest.mark.parametrize(
    "start",
    [b"", b"G", b"GET /ws/v1 HTTP/1.1\r\nHost: x\r\n", b"POST /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow"],
    ids=["nothing", "one byte", "half a head", "half a body"],
)
async def test_connections_that_never_finish_a_request_are_closed(backend: str, start: bytes) -> None:
    async with gateway(backend, HASTY) as (_, host), AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer.dial(host)) for _ in range(20)]
        for peer in peers:
            await peer.send(start)
        received = await asyncio.gather(*(peer.gone() for peer in peers))
        assert all(not data or data.startswith(b"HTTP/1.1 40") for data in received)
        await market_lives(host)


async def test_the_second_request_of_a_connection_has_a_deadline_too(backend: str) -> None:
    async with gateway(backend, HASTY) as (_, host), Peer.dial(host) as peer:
        await peer.send(f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert (await peer.head()).startswith(b"HTTP/1.1 200")
        await peer.send(b"GET /v1/hea")
        assert b"HTTP/1.1" not in await peer.gone()


async def test_a_few_requests_may_be_sent_ahead_and_not_thousands(shared: Served) -> None:
    host = shared[1]
    for count, answered in ((20, 20), (2_000, 0)):
        async with Peer.dial(host) as peer:
            ask = f"GET /v1/health HTTP/1.1\r\nHost: {host}\r\n".encode()
            await peer.send((ask + b"\r\n") * (count - 1) + ask + b"Connection: close\r\n\r\n")
            assert (await peer.gone()).count(b"HTTP/1.1 200") == answered


@pytest.mark.parametrize(
    "endless",
    [b"GET /" + b"x" * 200_000, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000, b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 40_000],
    ids=["path", "header", "headers"],
)
async def test_endless_heads_are_cut(backend: str, endless: bytes) -> None:
    async with gateway(backend, QUICK) as (_, host), Peer.dial(host) as peer:
        sending = asyncio.create_task(peer.send(endless))
        received = await peer.gone()
        assert not received or received.startswith(b"HTTP/1.1 4")
        await asyncio.gather(sending, return_exceptions=True)
        await market_lives(host)


async def test_sockets_are_counted_before_their_handshake(backend: str) -> None:
    async with gateway(backend, Limits(flush_interval_s=0.002, max_sockets=20, request_timeout_s=60)) as (_, host), AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(Peer.dial(host))
        await asyncio.sleep(0.1)
        async with Peer.dial(host) as late:
            assert await late.gone() == b""
        await stack.aclose()
        await asyncio.sleep(0.1)
        await market_lives(host)


async def test_who_does_not_log_on_in_time_and_listens_to_nothing_is_ended(backend: str) -> None:
    limits = Limits(flush_interval_s=0.002, heartbeat_interval_s=0.05, logon_timeout_s=0.2)
    async with gateway(backend, limits) as (park, host), Peer.open(host) as idle, Peer.open(host) as listener, Peer.open(host) as member:
        assert "result" in await listener.ask("subscribe", {"channels": ["ticker"]})
        assert "result" in await member.log_on("factory")
        assert await idle.end() == 1008
        assert idle.close_reason.startswith(str(int(RejectCode.LOGON_OVERDUE)))
        await asyncio.sleep(0.3)
        assert len(park.hub.connections) == 2
        assert "result" in await member.ask("balances")
        assert "result" in await listener.ask("system.status")


ORIGINS = [
    ("none", [], True),
    ("its own", ["Origin: http://{host}"], True),
    ("another site", ["Origin: https://evil.example"], False),
    ("null", ["Origin: null"], False),
    ("its own as a subdomain of another", ["Origin: http://{host}.evil.example"], False),
    ("its own as a user of another", ["Origin: http://{host}@evil.example"], False),
    ("its name with another port", ["Origin: http://127.0.0.1:1"], False),
    ("empty", ["Origin:"], False),
    ("two, the first its own", ["Origin: http://{host}", "Origin: https://evil.example"], False),
    ("two, the last its own", ["Origin: https://evil.example", "Origin: http://{host}"], False),
    ("not ASCII", ["Origin: http://éxample"], False),
]


@pytest.mark.parametrize(("headers", "accepted"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS])
async def test_origins(shared: Served, headers: list[str], accepted: bool) -> None:
    host = shared[1]
    async with Peer.dial(host) as peer:
        await peer.send(handshake(host, *(header.format(host=host) for header in headers)))
        assert (await peer.head())[:12] in ({b"HTTP/1.1 101"} if accepted else {b"HTTP/1.1 400", b"HTTP/1.1 403"})


HOSTS = ["evil.example", "", "127.0.0.1", "127.0.0.1:1", "{host}.evil.example", "{host}, evil.example", "evil.example, {host}"]


@pytest.mark.parametrize("asked", HOSTS)
async def test_a_name_that_is_not_the_exchanges_is_refused(shared: Served, asked: str) -> None:
    host = shared[1]
    async with Peer.dial(host) as peer:
        await peer.send(handshake(asked.format(host=host)))
        assert (await peer.head())[:12] in {b"HTTP/1.1 403", b"HTTP/1.1 400"}


INSIDE = b"GET /v1/summary HTTP/1.1\r\nHost: inside\r\n\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
# Two readers of these bytes may disagree where a request ends. Name, bytes behind the request line and the right Host.
SMUGGLED: list[tuple[str, bytes]] = [
    ("length and chunks", b"Content-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INSIDE),
    ("chunks and length", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + INSIDE),
    ("two lengths", b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + INSIDE),
    ("a length with a sign", b"Content-Length: +44\r\n\r\n" + INSIDE),
    ("a length with a comma", b"Content-Length: 0, 44\r\n\r\n" + INSIDE),
    ("a length in hexadecimal", b"Content-Length: 0x2c\r\n\r\n" + INSIDE),
    ("a blank before the colon", b"Content-Length : 44\r\n\r\n" + INSIDE),
    ("a folded header", b"X: a\r\n Content-Length: 44\r\n\r\n" + INSIDE),
    ("an unknown encoding", b"Transfer-Encoding: xchunked\r\n\r\n" + INSIDE),
    ("two encodings", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + INSIDE),
    ("a chunk that is too long", b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + INSIDE),
    ("a NUL in a header", b"X: a\0b\r\n\r\n" + INSIDE),
    ("a bare line feed", b"X: a\nContent-Length: 44\r\n\r\n" + INSIDE),
    ("after an upgrade with a length", UPGRADE + b"Content-Length: 44\r\n\r\n" + INSIDE),
    ("after an upgrade with chunks", UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INSIDE),
    ("after an upgrade", UPGRADE + b"\r\n" + INSIDE),
    ("after an upgrade of a wrong version", UPGRADE.replace(b"13", b"12") + b"\r\n" + INSIDE),
    ("after an upgrade without a key", UPGRADE[:-50] + b"\r\n" + INSIDE),
    ("behind a closed connection", b"Connection: close\r\n\r\n" + INSIDE),
]


@pytest.mark.parametrize("line", [b"GET /ws/v1 HTTP/1.1\r\n", b"POST /ws/v1 HTTP/1.1\r\n", b"GET /v1/health HTTP/1.1\r\n"])
@pytest.mark.parametrize("rest", [row[1] for row in SMUGGLED], ids=[row[0] for row in SMUGGLED])
async def test_a_request_inside_another_reaches_nothing(shared: Served, line: bytes, rest: bytes) -> None:
    """Either the whole is one request, or it is refused."""
    async with Peer.dial(shared[1]) as peer:
        await peer.send(line + f"Host: {shared[1]}\r\n".encode() + rest)
        received = await _until_quiet(peer)
        answers = received.count(b"HTTP/1.1 ")
        assert answers <= 1, received
        assert b"traded" not in received  # of /v1/summary


async def _until_quiet(peer: Peer) -> bytes:
    """What comes until nothing comes for a while."""
    received = b""
    while True:
        try:
            async with asyncio.timeout(0.15):
                data = await peer.reader.read(65_536)
        except (TimeoutError, ConnectionError):
            return received
        if not data:
            return received
        received += data


WRONG_UPGRADES = [
    ("HTTP/1.0", lambda text: text.replace(b"HTTP/1.1", b"HTTP/1.0")),
    ("a POST", lambda text: text.replace(b"GET", b"POST", 1)),
    ("no key", lambda text: text.replace(b"Sec-WebSocket-Key", b"X-Key")),
    ("a short key", lambda text: text.replace(b"==\r\n", b"\r\n")),
    ("two keys", lambda text: text.replace(b"Upgrade: websocket", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUpgrade: websocket")),
    ("no version", lambda text: text.replace(b"Sec-WebSocket-Version: 13\r\n", b"")),
    ("version 8", lambda text: text.replace(b"Version: 13", b"Version: 8")),
    ("another path", lambda text: text.replace(b"/ws/v1", b"/ws/v2")),
    ("two hosts, the last its own", lambda text: text.replace(b"Host:", b"Host: evil.example\r\nHost:", 1)),
    ("two hosts", lambda text: text.replace(b"Upgrade: websocket", b"Host: evil.example\r\nUpgrade: websocket")),
]


@pytest.mark.parametrize("change", [row[1] for row in WRONG_UPGRADES], ids=[row[0] for row in WRONG_UPGRADES])
async def test_upgrades_that_are_none(shared: Served, change: Callable[[bytes], bytes]) -> None:
    park, host = shared
    await until(lambda: not park.hub.connections)
    async with Peer.dial(host) as peer:
        await peer.send(change(handshake(host)))
        assert (await peer.head()).startswith(b"HTTP/1.1 4")
        assert not park.hub.connections


@pytest.mark.parametrize("connection", ["Connection: keep-alive, Upgrade", "Connection: keep-alive\r\nConnection: upgrade"])
async def test_an_upgrade_among_other_wishes(shared: Served, connection: str) -> None:
    """As Firefox asks for it."""
    async with Peer.dial(shared[1]) as peer:
        await peer.send(handshake(shared[1]).replace(b"Connection: Upgrade", connection.encode()))
        assert (await peer.head()).startswith(b"HTTP/1.1 101")
        assert (await peer.message())["method"] == "challenge"


async def test_a_reconnect_storm(backend: str) -> None:
    """Half of them vanish without a word, half say goodbye; afterwards nothing is left of any."""
    async with gateway(backend, QUICK) as (park, host):

        async def come_and_go(number: int) -> None:
            async with Peer.open(host) as peer:
                await peer.send(frame(request("system.status", None, number)))
                if number % 2:
                    await peer.send(frame((1000).to_bytes(2), 8))
                    await peer.end()

        for first in range(0, 300, 50):
            await asyncio.gather(*(come_and_go(first + number) for number in range(50)))
        await market_lives(host)
        await until(lambda: not park.hub.connections)
        assert park.hub.in_flight == 0


async def _idle_connections(backend: str, count: int) -> None:
    async with gateway(backend, Limits(max_connections=count + 2, max_sockets=count + 64)) as (park, host), AsyncExitStack() as stack:
        peers = []
        for first in range(0, count, 100):
            opened = await asyncio.gather(*(stack.enter_async_context(Peer.open(host)) for _ in range(first, min(first + 100, count))))
            peers += opened
        assert len(park.hub.connections) == count
        await market_lives(host)
        assert "result" in await peers[0].ask("system.status")
        assert "result" in await peers[-1].ask("system.status")


async def test_two_hundred_idle_connections(backend: str) -> None:
    await _idle_connections(backend, 200)


@pytest.mark.soak
async def test_two_thousand_idle_connections(backend: str) -> None:
    await _idle_connections(backend, 2_000)
