"""What the picows adapter does itself: fragments, reserved bits, text, the closing handshake. Raw frames, as no client library sends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exchange.errors import InputError
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.server import bind, serve
from tests.exchange.gateway.parks import request, running_park
from tests.exchange.gateway.test_websocket import serving

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9
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

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

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


@asynccontextmanager
async def raw(limits: Limits | None = None) -> AsyncIterator[Raw]:
    async with serving(limits, backend="picows") as (_, url):
        host, port = url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /ws/v1 HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        client = Raw(reader, writer)
        assert b"challenge" in (await client.next())[1]
        try:
            yield client
        finally:
            writer.close()


async def test_what_belongs_together_is_put_together() -> None:
    """Fragments with a ping and an empty one among them, and a binary message between two of text: each is answered once, in order."""
    async with raw() as client:
        client.send(
            frame(TEXT, ASK[:10], final=False), frame(PING, b"here"), frame(CONTINUATION, b"", final=False), frame(CONTINUATION, ASK[10:]),
            frame(BINARY, b"x"), frame(TEXT, request("system.status", None, 2)),
        )  # fmt: skip
        assert await client.next() == (10, b"here")
        answers = [(await client.next())[1] for _ in range(3)]
        assert b'"id":1' in answers[0]
        assert b"1002" in answers[1]
        assert b'"id":2' in answers[2]


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
async def test_violations_end_the_connection_with_their_code(code: int, frames: list[bytes]) -> None:
    async with raw(Limits(operator_frame_bytes=100_000)) as client:
        client.send(*frames, frame(TEXT, ASK))
        assert await client.closed_with() == code


@pytest.mark.parametrize(("payload", "code"), [(b"", 1000), ((1000).to_bytes(2), 1000), ((4000).to_bytes(2) + b"bye", 4000)])
async def test_the_closing_handshake(payload: bytes, code: int) -> None:
    """What was sent before it is answered, what comes behind it is not."""
    async with raw() as client:
        client.send(frame(TEXT, ASK), frame(CLOSE, payload), frame(TEXT, ASK))
        kind, answer = await client.next()
        assert (kind, b'"id":1' in answer) == (TEXT, True)
        assert await client.closed_with() == code


async def test_an_exchange_that_ends_a_session_says_why() -> None:
    async with raw(Limits(max_logon_failures=1)) as client:
        params = {"key_id": "nobody", "timestamp_ns": 1, "signature": "AA=="}
        client.send(frame(TEXT, request("logon", params)))
        assert b"error" in (await client.next())[1]
        kind, payload = await client.next()
        assert (kind, payload[:2], payload[2:].split(b" ")[0]) == (CLOSE, (1008).to_bytes(2), b"5003")


async def test_a_backend_that_is_none_is_an_error() -> None:
    async with running_park() as park:
        with bind("127.0.0.1", 0) as sock, pytest.raises(InputError, match="picows, websockets"):
            await serve(sock, create_app(park.node), Limits(), backend="carrier-pigeon")
