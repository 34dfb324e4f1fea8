"""The server's WebSocket protocol with many frames in one send.

ASGI sends one message at a time, and uvicorn makes of each a frame object, a copy and a system call. This class adds an extension to the scope,
`parkex.frames`: a `websocket.send` message with `frames` (a list of bytes, each one message; `binary` says of which kind) leaves as one write.
It reaches into uvicorn's
`websockets-sansio` protocol, which is why it is small and has a test of its own; under another server the adapter sends message by message.

It also bounds what one client can make the protocol hold: fragments of a message, answers to pings that nobody reads, and a transport that was
closed but never takes its last bytes.
"""

from typing import Any, ClassVar, Final

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import State

from exchange.gateway.framing import server_frames
from exchange.gateway.limits import Limits

FRAMES_EXTENSION: Final = "parkex.frames"


class BatchingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol and the extension. Messages are not compressed, so a frame is its length and its bytes.

    `limit` of the extension sets the largest message from now on; a larger one ends the connection (WebSocket code 1009).
    """

    limits: ClassVar[Limits] = Limits()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # The application's task has been made but has not run yet.
            self.scope["extensions"][FRAMES_EXTENSION] = {"limit": self._set_limit}

    def _set_limit(self, message_bytes: int) -> None:
        self.conn.max_message_size = message_bytes

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < self.limits.fragments:
            super().handle_cont(event)
        elif not self.close_sent:
            # Empty fragments have no size that another limit could see.
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.frames = []
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        # Who does not read gets no pong: it would wait here for ever (RFC 6455, section 5.5.3, asks for the last one only).
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        # A transport is closed once its buffer is empty, and a peer that reads nothing never lets it be.
        self.loop.call_later(self.limits.abort_after_s, self.transport.abort)

    async def send(self, message: Any) -> None:
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(server_frames(frames, is_binary=message.get("binary", False)))


def batching_protocol(limits: Limits) -> type[BatchingProtocol]:
    """The protocol class with these limits: uvicorn makes the objects."""
    return type("BatchingProtocol", (BatchingProtocol,), {"limits": limits})
