"""What the picows adapter does itself: fragments, reserved bits, text, the closing handshake. Raw frames, as no client library sends them."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from picows.picows import WSProtocol  # type: ignore[attr-defined] # in the extension, not in its stub

from exchange.errors import InputError
from exchange.gateway import guard
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.picows_adapter import PicowsProtocol
from exchange.gateway.server import bind, serve
from tests.exchange.gateway.parks import RunningPark, request, running_park
from tests.exchange.gateway.test_websocket import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ASK = request("system.status")


def frame(kind: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A frame of a client; its mask is of zeros."""
    first = (0x80 if final else 0) | reserved | kind
    mask = 0x80 if masked else 0
    length = len(payload)
    head = bytes((first, mask | length)) if length < 126 else bytes((first, mask | 126)) + length.to_bytes(2) if length < 65_536 else (
        bytes((first, mask | 127)) + length.to_bytes(8)
    )  # fmt: skip
    return head + (bytes(4) if masked else b"") + payload


class Raw:
    """A socket behind its handshake."""

    def __init__(self, park: RunningPark, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.park, self.reader, self.writer = park, reader, writer

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def next(self) -> tuple[int, bytes]:
        """(kind, payload) of the next frame of the server."""
        async with asyncio.timeout(5):
            head = await self.reader.readexactly(2)
            length = head[1]
            if length >= 126:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
            return head[0] & 15, await self.reader.readexactly(length)

    async def closed_with(self) -> int:
        """The code of the close frame; then the connection ends."""
        while (message := await self.next())[0] != CLOSE:
            pass
        async with asyncio.timeout(5):
            assert await self.reader.read() == b""
        return int.from_bytes(message[1][:2])


@pytest_asyncio.fixture(name="served", scope="module", loop_scope="module")
async def fixture_served() -> AsyncIterator[tuple[RunningPark, str]]:
    """One gateway for the tests that change nothing for each other."""
    async with serving(Limits(flush_interval_s=0.002, abort_after_s=0.2), send_buffer_bytes=8_192, backend="picows") as served:
        yield served


def upgrade(host: str, key: str = "dGhlIHNhbXBsZSBub25jZQ==") -> bytes:
    return (
        f"GET /ws/v1 HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@asynccontextmanager
async def dialled(park: RunningPark, url: str, receive_buffer_bytes: int | None = None) -> AsyncIterator[Raw]:
    host = url.removeprefix("ws://")
    sock = socket.socket()
    sock.setblocking(False)
    if receive_buffer_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", int(host.rpartition(":")[2])))
    reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer_bytes or 2**16)
    try:
        yield Raw(park, reader, writer)
    finally:
        writer.transport.abort()  # type: ignore[attr-defined] # a socket's transport has it


@asynccontextmanager
async def raw(served: tuple[RunningPark, str], receive_buffer_bytes: int | None = None) -> AsyncIterator[Raw]:
    async with dialled(*served, receive_buffer_bytes) as client:
        client.send(upgrade(served[1].removeprefix("ws://")))
        assert b" 101 " in await client.reader.readuntil(b"\r\n\r\n")
        assert b"challenge" in (await client.next())[1]
        yield client


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - no one event
            await asyncio.sleep(0.005)


async def test_what_belongs_together_is_put_together(served: tuple[RunningPark, str]) -> None:
    """Fragments with a ping and an empty one among them, and a binary message between two of text: each is answered once, in order."""
    async with raw(served) as client:
        client.send(
            frame(TEXT, ASK[:10], final=False), frame(PING, b"here"), frame(CONTINUATION, b"", final=False), frame(CONTINUATION, ASK[10:]),
            frame(BINARY, b"x"), frame(TEXT, request("system.status", None, 2)),
        )  # fmt: skip
        assert await client.next() == (10, b"here")
        answers = [(await client.next())[1] for _ in range(3)]
        assert b'"id":1' in answers[0]
        assert b"1002" in answers[1]
        assert b'"id":2' in answers[2]


def protocol_of_the_server() -> PicowsProtocol:
    """Of the one connection that is up: neither uvicorn nor the hub gives it away."""
    (protocol,) = (item for item in gc.get_objects() if isinstance(item, PicowsProtocol) and not item.transport.is_disconnected)
    return protocol


VIOLATIONS = {
    "a continuation of nothing": (1002, [frame(CONTINUATION, b"x")]),
    "a message inside another": (1002, [frame(TEXT, b"x", final=False), frame(TEXT, b"y")]),
    "a reserved bit": (1002, [frame(TEXT, b"x", reserved=0x40)]),
    "another reserved bit": (1002, [frame(TEXT, b"x", reserved=0x20)]),
    "an unknown kind": (1002, [frame(3, b"x")]),
    "no mask": (1002, [frame(TEXT, b"x", masked=False)]),
    "a long ping": (1002, [frame(PING, b"x" * 126)]),
    "a ping in parts": (1002, [frame(PING, b"x", final=False)]),
    "text that is none": (1007, [frame(TEXT, b"\xff")]),
    "text that is none, in parts": (1007, [frame(TEXT, b"\xc3", final=False), frame(CONTINUATION, b"\x28")]),
    "a header of 1 GB": (1009, [bytes((0x81, 0xFF)) + (1 << 30).to_bytes(8) + bytes(4)]),
    "parts beyond every limit": (1009, [frame(TEXT, b"x" * 60_000, final=False), *[frame(CONTINUATION, b"x" * 60_000, final=False)] * 4]),
}


@pytest.mark.parametrize(("code", "frames"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
async def test_violations_end_the_connection_with_their_code(served: tuple[RunningPark, str], code: int, frames: list[bytes]) -> None:
    async with raw(served) as client:
        client.send(*frames, frame(TEXT, ASK))
        assert await client.closed_with() == code


async def test_what_comes_before_a_violation_is_answered_and_what_comes_behind_it_is_not(served: tuple[RunningPark, str]) -> None:
    async with raw(served) as client:
        await until(lambda: len(client.park.hub.connections) == 1)
        connection = next(iter(client.park.hub.connections))
        client.send(frame(TEXT, ASK), frame(TEXT, b"\xff"), frame(TEXT, ASK) * 50, frame(PING), frame(TEXT, b"\xff"))
        kind, answer = await client.next()
        assert (kind, b'"result"' in answer) == (TEXT, True)
        assert await client.next() == (CLOSE, (1007).to_bytes(2) + b"text is not UTF-8")
        assert await client.reader.read() == b""
        assert connection.received_bytes == len(ASK)


async def test_who_reads_nothing_loses_its_socket_after_a_violation_too(served: tuple[RunningPark, str]) -> None:
    """Its transport has bytes that it never gets rid of."""
    async with raw(served, 4_096) as client:
        await until(lambda: len(client.park.hub.connections) == 1)
        connection = next(iter(client.park.hub.connections))
        while not len(connection.outbox):  # the transport takes no more
            client.send(frame(TEXT, request("instruments", {})) * 20)
            await asyncio.sleep(0.01)
        protocol = protocol_of_the_server()
        client.send(frame(3))
        await until(lambda: protocol.transport.is_disconnected)


async def test_a_flood_of_small_frames_does_not_make_the_read_buffer_larger(served: tuple[RunningPark, str]) -> None:
    """More than one read can take waits in the system; a long message does make it larger."""
    async with raw(served) as client:
        protocol = protocol_of_the_server()
        room = [len(WSProtocol.get_buffer(protocol, -1))]
        for sent in (frame(PONG) * 200_000, frame(TEXT, b"x" * 100_000)):
            client.send(sent, frame(PING))
            while (await client.next())[0] != PONG:
                pass
            room.append(len(WSProtocol.get_buffer(protocol, -1)))
        assert room[0] == room[1] < 100_000 < room[2]


@pytest.mark.parametrize(("payload", "code"), [(b"", 1000), ((1000).to_bytes(2), 1000), ((4000).to_bytes(2) + b"bye", 4000)])
async def test_the_closing_handshake(served: tuple[RunningPark, str], payload: bytes, code: int) -> None:
    """What was sent before it is answered, what comes behind it is not."""
    async with raw(served) as client:
        client.send(frame(TEXT, ASK), frame(CLOSE, payload), frame(TEXT, ASK))
        kind, answer = await client.next()
        assert (kind, b'"id":1' in answer) == (TEXT, True)
        assert await client.closed_with() == code


async def test_an_exchange_that_ends_a_session_says_why() -> None:
    async with serving(Limits(max_logon_failures=1), backend="picows") as served, raw(served) as client:
        params = {"key_id": "nobody", "timestamp_ns": time.time_ns(), "signature": "AA=="}
        client.send(frame(TEXT, request("logon", params)))
        assert b"error" in (await client.next())[1]
        kind, payload = await client.next()
        assert (kind, payload[:2], payload[2:].split(b" ")[0]) == (CLOSE, (1008).to_bytes(2), b"5005")


async def test_an_address_that_was_refused_or_has_left_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the handshake fails behind the count. The tests' own address is exempt otherwise."""
    monkeypatch.setattr(guard, "network_of", lambda address: address)
    async with serving(Limits(max_connections_per_address=1), backend="picows") as (park, url):
        host = url.removeprefix("ws://")
        for key, status in (("short", b" 400 "), ("dGhlIHNhbXBsZSBub25jZQ==", b" 101 "), ("dGhlIHNhbXBsZSBub25jZQ==", b" 101 ")):
            async with dialled(park, url) as client:
                client.send(upgrade(host, key))
                assert status in await client.reader.readuntil(b"\r\n\r\n")
                async with dialled(park, url) as second:
                    second.send(upgrade(host))
                    assert (b" 101 " if status == b" 400 " else b" 503 ") in await second.reader.readuntil(b"\r\n\r\n")
            await until(lambda: park.hub.guard.sizes()["connections"] == 0)


async def test_a_backend_that_is_none_is_an_error() -> None:
    async with running_park() as park:
        with bind("127.0.0.1", 0) as sock, pytest.raises(InputError, match="picows, websockets"):
            await serve(sock, create_app(park.node), Limits(), backend="carrier-pigeon")
