"""A gateway behind a real socket, by backend, and a client that sends what no library would."""

import asyncio
import base64
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import msgspec

from exchange.gateway.limits import Limits
from exchange.protocol.auth import logon_message
from tests.exchange.gateway.parks import RunningPark, private_key, request
from tests.exchange.gateway.test_websocket import serving

# Every test here runs against each. A further backend of the server is a further name, and its case in `gateway`.
BACKENDS = ("websockets", "picows")
PATIENCE_S = 20.0
Served = tuple[RunningPark, str]  # a park and the host:port of its gateway

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


@asynccontextmanager
async def gateway(backend: str, limits: Limits | None = None, **options: Any) -> AsyncIterator[Served]:
    """A park behind uvicorn: (park, host:port)."""
    async with serving(limits, backend=backend, **options) as (park, url):
        yield park, url.removeprefix("ws://")


def frame(payload: bytes, opcode: int = TEXT, *, flags: int = FIN, masked: bool = True, length: int | None = None) -> bytes:
    """One WebSocket frame (RFC 6455, 5.2); `length` may lie. The mask is all zeros, which leaves the payload as it is."""
    n = len(payload) if length is None else length
    bit = 0x80 if masked else 0
    if n < 126:
        head = bytes((flags | opcode, bit | n))
    elif n < 65_536:
        head = bytes((flags | opcode, bit | 126)) + n.to_bytes(2)
    else:
        head = bytes((flags | opcode, bit | 127)) + n.to_bytes(8)
    return head + (bytes(4) if masked else b"") + payload


def handshake(host: str, *headers: str, path: str = "/ws/v1") -> bytes:
    """A request to upgrade; `headers` come last."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
    return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode("latin-1")


def band_code(answer: dict[str, Any]) -> int:
    """Ours, of a refusal; 0 of what was accepted. Where JSON-RPC has a code of its own, `error.code` is that one (reject_codes.py)."""
    return int(answer["error"]["data"]["code"]) if "error" in answer else 0


class Peer:
    """A TCP connection to a gateway: bytes out; frames, answers and the end in."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self.reader = reader
        self.writer = writer
        self.challenge: dict[str, Any] = {}
        self.close_reason = ""

    @classmethod
    @asynccontextmanager
    async def dial(cls, host: str, receive_buffer_bytes: int | None = None) -> AsyncIterator[Self]:
        """Only TCP. With a small buffer of its own, what the peer does not read stays with the server."""
        name, _, port = host.rpartition(":")
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        await asyncio.get_running_loop().sock_connect(sock, (name, int(port)))
        reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer_bytes or 2**20)
        try:
            yield cls(host, reader, writer)
        finally:
            writer.transport.abort()  # type: ignore[attr-defined] # a socket's transport has it

    @classmethod
    @asynccontextmanager
    async def open(cls, host: str) -> AsyncIterator[Self]:
        """With the handshake done and the challenge read."""
        async with cls.dial(host) as peer:
            await peer.shake_hands()
            yield peer

    async def shake_hands(self) -> None:
        await self.send(handshake(self.host))
        assert (await self.head()).startswith(b"HTTP/1.1 101")
        self.challenge = (await self.message())["params"]

    async def send(self, data: bytes) -> None:
        """Returns when most of it is with the system; a server that does not read holds it up."""
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def head(self) -> bytes:
        """Up to the empty line of an HTTP response."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame. Raises IncompleteReadError or ConnectionError at the end."""
        async with asyncio.timeout(PATIENCE_S):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
            return first & 0x0F, await self.reader.readexactly(length)

    async def message(self) -> dict[str, Any]:
        """The next text frame, decoded."""
        while True:
            opcode, payload = await self.frame()
            if opcode == TEXT:
                return msgspec.json.decode(payload)  # type: ignore[no-any-return]

    async def answer(self, request_id: Any) -> dict[str, Any]:
        """The answer with this id; what comes before it is dropped."""
        while True:
            message = await self.message()
            if "method" not in message and message.get("id") == request_id:
                return message

    async def ask(self, method: str, params: Any = None, request_id: Any = 1) -> dict[str, Any]:
        await self.send(frame(request(method, params, request_id)))
        return await self.answer(request_id)

    async def heard_before(self, method: str) -> list[str]:
        """Ask, and return the methods of the notifications that came before the answer, without heartbeats."""
        await self.send(frame(request(method, None, "behind")))
        heard = []
        while (message := await self.message()).get("id") != "behind":
            heard.append(str(message.get("method")))
        return [name for name in heard if name != "heartbeat"]

    async def code(self, method: str, params: Any = None) -> int:
        """Of the refusal; 0 when it was accepted."""
        answer = await self.ask(method, params)
        return band_code(answer)

    async def log_on(self, name: str, **changes: Any) -> dict[str, Any]:
        return await self.ask("logon", self.logon(name, **changes), "logon")

    def logon(self, name: str, **changes: Any) -> dict[str, Any]:
        """A logon that is right but for `changes`, which are signed as given."""
        signed = self.challenge | {"host": self.host, "timestamp_ns": self.challenge["server_time_ns"], "key_id": name} | changes
        message = logon_message(signed["nonce"], signed["epoch"], signed["timestamp_ns"], signed["key_id"], signed["host"])
        signature = base64.b64encode(private_key(changes.get("signer", name)).sign(message)).decode()
        return {"key_id": signed["key_id"], "timestamp_ns": signed["timestamp_ns"], "signature": signature}

    async def end(self) -> int:
        """Read until the server has ended the connection; the WebSocket close code, 0 where it sent none."""
        code = 0
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    code, self.close_reason = int.from_bytes(payload[:2]), payload[2:].decode()
                    await self.send(frame(payload[:2], CLOSE))
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    async def gone(self) -> bytes:
        """All bytes until the server has closed the socket."""
        received = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while data := await self.reader.read(65_536):
                    received += data
        return received


async def market_lives(host: str) -> None:
    """Somebody else trades as if nothing had happened."""
    async with Peer.open(host) as peer:
        assert "result" in await peer.log_on("solar")
        params = {"client_order_id": os.urandom(8).hex(), "instrument": "GP-20260715-1000", "side": "sell", "price": "0.9000", "quantity": "0.1"}
        assert (await peer.ask("order.place", params, 2))["result"]["status"] == "resting"


async def until(condition: Any) -> None:
    """Wait for it, with patience."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - no one event
            await asyncio.sleep(0.01)
