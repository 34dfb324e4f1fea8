"""Ways of the SDK to an exchange: WebSocket frames over a socket, or the same frames inside one process.

A transport gives what it receives to one callback, all frames of one socket read at once, and joins what it is given to send into one write.
"""

import asyncio
import ssl as ssl_module
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.headers import build_host
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from exchange.protocol.messages import WEBSOCKET_PATH

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_OPEN_TIMEOUT_S: Final = 10.0

FramesReceived = Callable[[list[bytes]], None]
ConnectionLost = Callable[[Exception | None], None]


class Transport(Protocol):
    """`host` is what the client asked for; the logon signature carries it."""

    host: str

    def send(self, frames: Sequence[bytes]) -> None:
        """Queue text frames; never blocks. Frames sent on a lost connection vanish."""
        ...

    async def drained(self) -> None:
        """Return when the transport can take more."""
        ...

    async def close(self) -> None: ...


Connector = Callable[[FramesReceived, ConnectionLost], Awaitable[Transport]]


class WebSocketTransport(asyncio.Protocol):
    """websockets' sans-I/O client on an asyncio transport."""

    def __init__(self, uri: WebSocketURI, on_frames: FramesReceived, on_lost: ConnectionLost) -> None:
        self.host = build_host(uri.host, uri.port, uri.secure)
        self._protocol = ClientProtocol(uri, max_size=MAX_FRAME_BYTES)
        self._on_frames = on_frames
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writable = asyncio.Event()
        self._writable.set()
        self._fragments: list[bytes] = []

    @classmethod
    async def connect(
        cls, url: str, on_frames: FramesReceived, on_lost: ConnectionLost, ca_file: str | Path | None = None
    ) -> "WebSocketTransport":
        """Open a connection. Raises OSError when there is none to be had, InvalidURI for a bad URL. `ca_file` as of `websocket_connector`."""
        uri = parse_uri(url)
        context = ssl_module.create_default_context(cafile=ca_file) if uri.secure else None
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            _, transport = await loop.create_connection(lambda: cls(uri, on_frames, on_lost), uri.host, uri.port, ssl=context)
            await transport.opened()
        return transport

    async def opened(self) -> None:
        """Wait for the handshake. Raises OSError."""
        try:
            await self._opened
        except BaseException:
            if self._transport is not None:
                self._transport.abort()
            raise

    def send(self, frames: Sequence[bytes]) -> None:
        if self._transport is None or self._protocol.state is not State.OPEN:
            return
        for frame in frames:
            self._protocol.send_text(frame)
        self._flush()

    async def drained(self) -> None:
        await self._writable.wait()

    async def close(self) -> None:
        if self._transport is None:
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        self._transport.close()
        await self._lost

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, though not by inheritance
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        frames: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event, frames)
            elif isinstance(event, Response):
                self._finish_handshake()
        self._flush()
        if frames:
            self._on_frames(frames)
        if self._protocol.close_expected() and self._transport is not None:
            self._transport.close()

    def eof_received(self) -> None:
        self._protocol.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._writable.set()
        if not self._lost.done():
            self._lost.set_result(None)
        if not self._opened.done():
            self._opened.set_exception(exc if isinstance(exc, OSError) else ConnectionError("the connection was closed before it was open"))
            return
        # Whoever gave up waiting for the connection to open hears nothing of its end either.
        if not self._opened.cancelled() and self._opened.exception() is None:
            self._on_lost(exc)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _finish_handshake(self) -> None:
        if self._opened.done():
            return
        error = self._protocol.handshake_exc
        if error is None:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(ConnectionRefusedError(f"the server refused the WebSocket: {type(error).__name__}"))

    def _take(self, frame: Frame, frames: list[bytes]) -> None:
        if frame.opcode is Opcode.TEXT and frame.fin:
            frames.append(bytes(frame.data))
        elif frame.opcode in {Opcode.TEXT, Opcode.CONT}:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                frames.append(b"".join(self._fragments))
                self._fragments.clear()

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            data = b"".join(self._protocol.data_to_send())
            if data:
                self._transport.write(data)


AsgiApp = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class LoopbackTransport:
    """The WebSocket route of an ASGI application in the same process: the same bytes, no socket."""

    host = "loopback"

    def __init__(self, app: AsgiApp, on_frames: FramesReceived, on_lost: ConnectionLost) -> None:
        self._app = app
        self._on_frames = on_frames
        self._on_lost = on_lost
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received: list[bytes] = []
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def connect(cls, app: AsgiApp, on_frames: FramesReceived, on_lost: ConnectionLost) -> "LoopbackTransport":
        """Open a connection. Raises ConnectionRefusedError when the application refuses it."""
        transport = cls(app, on_frames, on_lost)
        await transport.opened()
        return transport

    async def opened(self) -> None:
        """Start the application on this connection and wait for it to accept."""
        self._task = asyncio.create_task(self._run(), name="loopback")
        await self._accepted

    def send(self, frames: Sequence[bytes]) -> None:
        if not self._closed:
            for frame in frames:
                self._to_server.put_nowait({"type": "websocket.receive", "text": frame.decode()})

    async def drained(self) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1000})
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        scope = {
            "type": "websocket", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "ws", "path": WEBSOCKET_PATH,
            "raw_path": WEBSOCKET_PATH.encode(), "root_path": "", "query_string": b"", "headers": [(b"host", self.host.encode())],
            "subprotocols": [], "client": None, "server": None, "state": {}, "extensions": {},
        }  # fmt: skip
        self._to_server.put_nowait({"type": "websocket.connect"})
        error: Exception | None = None
        try:
            await self._app(scope, self._to_server.get, self._send)
        except Exception as failed:  # noqa: BLE001 - whatever ends the application ends the connection
            error = failed
        self._closed = True
        if self._accepted.done():
            self._on_lost(error)
        else:
            self._accepted.set_exception(error or ConnectionRefusedError("the application did not accept the connection"))

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            self._accepted.set_result(None)
        elif message["type"] == "websocket.close":
            if not self._accepted.done():
                self._accepted.set_exception(ConnectionRefusedError("the application refused the connection"))
            self._to_server.put_nowait({"type": "websocket.disconnect", "code": message.get("code", 1000)})
        elif message["type"] == "websocket.send":
            if not self._received:
                asyncio.get_running_loop().call_soon(self._deliver)
            self._received.append(message["text"].encode())

    def _deliver(self) -> None:
        frames, self._received = self._received, []
        self._on_frames(frames)


def websocket_connector(url: str, ca_file: str | Path | None = None) -> Connector:
    """A connector for `ws://host:port` or `wss://host`; the path of the protocol is added when the URL has none.

    `ca_file`: certificates (PEM) of the authorities to trust for `wss://`, instead of the system's.
    Raises ValueError for a URL that is none of these.
    """
    parts = urlsplit(url)
    full = url if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}{WEBSOCKET_PATH}"
    try:
        parse_uri(full)
    except (InvalidURI, InvalidHandshake) as error:
        raise ValueError("the exchange's address is ws://host:port or wss://host") from error
    return lambda on_frames, on_lost: WebSocketTransport.connect(full, on_frames, on_lost, ca_file)


def loopback_connector(app: AsgiApp) -> Connector:
    """A connector to an application in this process."""
    return lambda on_frames, on_lost: LoopbackTransport.connect(app, on_frames, on_lost)
