"""WebSocket adapter: a raw ASGI application between the server's frames and a `Connection`.

ASGI hands over one frame at a time, but `receive` does not suspend while more frames of the same socket read are queued. So the reader only gathers,
and the batch is processed by a callback that runs when the reader has had to wait. What waits to be sent leaves in one write where the server can
(batching.py), and message by message where it cannot.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from exchange.gateway.batching import FRAMES_EXTENSION
from exchange.gateway.connection import Connection
from exchange.gateway.hub import Hub
from exchange.gateway.outbox import BYTES_A_WRITE
from exchange.protocol.encoding import Encoding, chosen
from exchange.protocol.reject_codes import MESSAGES, RejectCode

logger = logging.getLogger("parkex.gateway")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GOING_AWAY: Final = 1001
_POLICY_VIOLATION: Final = 1008
_TRY_AGAIN_LATER: Final = 1013
# The writer takes so many frames at once and then lets others run, so that one long queue does not hold them up.
_FRAMES_A_WRITE: Final = 64
_CLOSE_TIMEOUT_S: Final = 1.0


class WebSocketEndpoint:
    """One instance serves all connections."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if message["type"] != "websocket.connect":
            return
        host = self._hub.host_for(_header(scope, b"host") or "")
        refusal = "host" if host is None else self._hub.handshake_refusal(_header(scope, b"origin"))
        if host is None or refusal is not None:
            self._hub.events.connection_refused(refusal or "host")
            code = _TRY_AGAIN_LATER if refusal in {"limit", "draining"} else _POLICY_VIOLATION
            await send({"type": "websocket.close", "code": code})
        else:
            encoding, subprotocol = chosen(scope.get("subprotocols", ()))
            await self._serve_address(scope, host, encoding, subprotocol, receive, send)

    async def _serve_address(self, scope: Scope, host: str, encoding: Encoding, subprotocol: str | None, receive: Receive, send: Send) -> None:
        """Accept, if the address has not too many connections already."""
        address = (scope.get("client") or ("",))[0]
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        if not self._hub.guard.connect(address):
            self._hub.note_security("connection_refused", address=address, code=int(RejectCode.TOO_MANY_CONNECTIONS))
            reason = f"{int(RejectCode.TOO_MANY_CONNECTIONS)} {MESSAGES[RejectCode.TOO_MANY_CONNECTIONS]}"
            await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": reason})
            return
        try:
            await _serve(self._hub, host, encoding, receive, _sender(scope, send), _limiter(scope), address)
        finally:
            self._hub.guard.disconnect(address)


def _header(scope: Scope, wanted: bytes) -> str | None:
    """A header of the handshake. One that is repeated is joined, and so is neither of the two."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]
    return ", ".join(found) if found else None


def _sender(scope: Scope, send: Send) -> Send:
    """`send`, which takes messages with `frames` whether the server can or not."""
    if FRAMES_EXTENSION in scope.get("extensions", {}):
        return send

    async def send_one_by_one(message: Message) -> None:
        if "frames" not in message:
            await send(message)
            return
        for frame in message["frames"]:
            await send({"type": "websocket.send", "bytes": frame} if message["binary"] else {"type": "websocket.send", "text": frame.decode()})

    return send_one_by_one


def _limiter(scope: Scope) -> Callable[[int], None]:
    """Sets the largest message the server takes from this client, where it can."""
    limit: Callable[[int], None] | None = scope.get("extensions", {}).get(FRAMES_EXTENSION, {}).get("limit")
    return limit if limit is not None else lambda _: None


async def _serve(hub: Hub, host: str, encoding: Encoding, receive: Receive, send: Send, set_limit: Callable[[int], None], address: str) -> None:
    wake, backlog = asyncio.Event(), asyncio.Event()
    frame_bytes = hub.limits.frame_bytes

    def woken() -> None:
        nonlocal frame_bytes
        wake.set()
        if connection.session.frame_limit_bytes != frame_bytes:  # an operator has logged on
            frame_bytes = connection.session.frame_limit_bytes
            set_limit(hub.limits.frame_headroom * frame_bytes)
        if connection.outbox.overflowed:
            backlog.set()

    connection = Connection(hub, host, woken, encoding, address)
    connection.opened()
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(_read(connection, receive), name="websocket reader"),
        asyncio.create_task(_write(connection, wake, send), name="websocket writer"),
        # The writer may be stuck in a transport that takes nothing more, so somebody else has to see the backlog.
        asyncio.create_task(backlog.wait(), name="websocket backlog"),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        connection.disconnected()
        for task in tasks:
            task.cancel()
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            # A server says by an OSError that the client has gone.
            if isinstance(error, Exception) and not isinstance(error, OSError):
                logger.error("a connection failed", exc_info=error)
    await _close(connection, send)


async def _read(connection: Connection, receive: Receive) -> None:
    loop = asyncio.get_running_loop()
    scheduled = False

    def process() -> None:
        nonlocal scheduled
        scheduled = False
        connection.process()

    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            connection.receive_binary(message["bytes"])
        else:
            connection.receive_text(text.encode())
        if not scheduled:
            scheduled = True
            loop.call_soon(process)


async def _write(connection: Connection, wake: asyncio.Event, send: Send) -> None:
    outbox = connection.outbox
    while True:
        await wake.wait()
        wake.clear()
        while frames := outbox.take(_FRAMES_A_WRITE, BYTES_A_WRITE):
            await send({"type": "websocket.send", "frames": frames, "binary": outbox.encoding.is_binary})
            if len(frames) == _FRAMES_A_WRITE:
                await asyncio.sleep(0)
        if connection.end_code is not None:
            return


async def _close(connection: Connection, send: Send) -> None:
    """Say why the session ends, if it was the exchange that ended it and the transport still takes it."""
    code = connection.end_code
    if code is None:
        return
    status = _GOING_AWAY if code is RejectCode.SHUTTING_DOWN else _POLICY_VIOLATION
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await send({"type": "websocket.close", "code": status, "reason": f"{int(code)} {MESSAGES[code]}"})
    except (TimeoutError, OSError):
        logger.info("a session that was ended (%d) had no transport left to say so", int(code))
