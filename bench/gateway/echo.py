"""A bare echo server on each WebSocket stack of the gateway: what comes in one read goes back in one write, and nothing is looked at."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from exchange.gateway.batching import BatchingProtocol
from exchange.gateway.framing import server_frames


class _EchoListener(WSListener):
    def __init__(self) -> None:
        self._frames: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        self._frames.append(frame.get_payload_as_bytes())
        if frame.last_in_buffer:
            transport.underlying_transport.write(server_frames(self._frames))
            self._frames = []


async def _echo_application(_: Any, receive: Any, send: Any) -> None:
    """A raw ASGI application. Frames that are queued are taken together: `receive` does not suspend while there are more."""
    loop = asyncio.get_running_loop()
    frames: list[bytes] = []
    sending: set[asyncio.Task[None]] = set()

    def reply() -> None:
        task = loop.create_task(send({"type": "websocket.send", "frames": frames[:]}))
        sending.add(task)
        task.add_done_callback(sending.discard)
        frames.clear()

    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if not frames:
            loop.call_soon(reply)
        frames.append(message["text"].encode())


async def serve_echo(sock: socket.socket, backend: str, on_ready: Callable[[], None]) -> None:
    """Until cancelled."""
    if backend == "picows":
        server = await ws_create_server(lambda _: _EchoListener(), sock=sock)
        on_ready()
        async with server:
            await server.serve_forever()
        return
    config = uvicorn.Config(_echo_application, ws=BatchingProtocol, ws_per_message_deflate=False, lifespan="off", log_level="warning")
    loop = asyncio.get_running_loop()
    loop.call_later(0.5, on_ready)
    await uvicorn.Server(config).serve(sockets=[sock])
