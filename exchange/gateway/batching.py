"""The server's WebSocket protocol with one write for all frames of one iteration of the loop.

uvicorn writes each frame by itself, and each write is a system call. Here what is written within an iteration is joined first. This class reaches
into uvicorn's `websockets-sansio` protocol (its `connection_made` and its `transport`), which is why it is small and has a test of its own;
without it (`ws="websockets-sansio"`) everything works as well, only slower.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class JoiningTransport:
    """A transport whose writes leave together. What waits here is bounded by what its user writes within one iteration."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Close after what waits."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            if not self._transport.is_closing():  # the peer may have gone within the iteration
                self._transport.write(data)


class JoiningProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol on a `JoiningTransport`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(JoiningTransport(transport, self.loop))  # type: ignore[arg-type] # it has what the protocol uses
