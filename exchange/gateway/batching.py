"""The server's WebSocket protocol with many frames in one send.

ASGI sends one message at a time, and uvicorn makes of each a frame object, a copy and a system call. This class adds an extension to the scope,
`parkex.frames`: a `websocket.send` message with `frames` (a list of bytes, each one message; `binary` says of which kind) leaves as one write.
It reaches into uvicorn's
`websockets-sansio` protocol, which is why it is small and has a test of its own; under another server the adapter sends message by message.
"""

from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

FRAMES_EXTENSION: Final = "parkex.frames"

_FINAL_TEXT: Final = 0x81  # RFC 6455, 5.2: FIN and opcode 1
_FINAL_BINARY: Final = 0x82


class BatchingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol and the extension. Messages are not compressed, so a frame is its length and its bytes."""

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
        self.transport.write(server_frames(frames, is_binary=message.get("binary", False)))


def server_frames(messages: Iterable[bytes], *, is_binary: bool = False) -> bytes:
    """Unmasked WebSocket frames, one a message (RFC 6455, section 5.2)."""
    first = _FINAL_BINARY if is_binary else _FINAL_TEXT
    parts: list[bytes] = []
    for message in messages:
        length = len(message)
        if length < 126:
            parts.append(bytes((first, length)))
        elif length < 65_536:
            parts.append(bytes((first, 126, length >> 8, length & 255)))
        else:
            parts.append(bytes((first, 127)) + length.to_bytes(8))
        parts.append(message)
    return b"".join(parts)
