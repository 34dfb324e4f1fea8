"""The server's WebSocket protocol with many frames in one send.

ASGI sends one message at a time, and uvicorn makes of each a frame object, a copy and a system call. This class adds an extension to the scope,
`parkex.frames`: a `websocket.send` message with `frames` (a list of bytes, each one text message) leaves as one write. It reaches into uvicorn's
`websockets-sansio` protocol, which is why it is small and has a test of its own; under another server the adapter sends message by message.
"""

from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from exchange.gateway.framing import text_frames

FRAMES_EXTENSION: Final = "parkex.frames"


class BatchingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol and the extension. Messages are not compressed, so a text frame is its length and its bytes."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # The application's task has been made but has not run yet.
            self.scope["extensions"][FRAMES_EXTENSION] = {}

    async def send(self, message: Any) -> None:
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(text_frames(frames))
