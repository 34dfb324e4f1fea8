"""What a stranger may cost before there is a session: a time and a size for each HTTP request, and a number of open sockets.

uvicorn waits for the head of a request as long as it takes and as large as it comes. Every WebSocket begins as a request, so this guards both.
"""

from asyncio import TimerHandle, Transport
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from exchange.gateway.limits import Limits

# uvicorn keeps kilobytes for each request of a read that another one is still answered before; no client of ours sends more than one ahead.
_REQUESTS_AHEAD_MAX: Final = 32


class GuardedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits. A request that breaks one is not answered: its socket is gone."""

    limits: ClassVar[Limits] = Limits()

    _deadline: TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_sockets:
            transport.abort()
        else:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.head_bytes:
            self.transport.abort()

    def on_message_begin(self) -> None:
        if self._deadline is None:  # the next request on a connection that was kept
            self._start_deadline()
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.pipeline) < _REQUESTS_AHEAD_MAX:
            super().on_headers_complete()
        else:
            self.transport.abort()

    def on_message_complete(self) -> None:
        self._stop_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_deadline()
        if self.parser.get_http_version() == "1.1":
            super().handle_websocket_upgrade()
        else:
            self.send_400_response("A WebSocket needs HTTP/1.1.")

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.limits.request_timeout_s, self.transport.abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def guarded_http(limits: Limits) -> type[GuardedHttpProtocol]:
    """The protocol class with these limits: uvicorn makes the objects."""
    return type("GuardedHttpProtocol", (GuardedHttpProtocol,), {"limits": limits})
