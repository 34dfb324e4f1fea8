"""WebSocket adapter on picows: the same `Connection` as behind ASGI, with fewer steps between it and the socket.

uvicorn reads the request line of every connection and hands those that ask for a WebSocket to the class given as `ws`; so REST, the page and this
share one port. From there on picows frames, and all text frames of one read go to the connection as one batch; answers leave in one write.

picows checks what is masked, how long and how split a control frame may be. What it leaves to its user is done here: path, host and origin, number of
connections, assembling of fragments, UTF-8, reserved bits, the closing handshake; and what one client can make it hold, in the buffers of both
directions. `WSProtocol` is no documented interface, so pyproject.toml pins it.
"""

import asyncio
import base64
import binascii
import logging
from http import HTTPStatus
from typing import Any, Final

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSProtocolError, WSTransport, WSUpgradeRequest, WSUpgradeResponse
from picows.common import WSUpgradeResponseWithListener
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined] # in the extension, not in its stub

from exchange.gateway.connection import Connection
from exchange.gateway.hub import Hub
from exchange.gateway.outbox import BYTES_A_WRITE
from exchange.protocol.encoding import Encoding, chosen
from exchange.protocol.messages import WEBSOCKET_PATH
from exchange.protocol.reject_codes import MESSAGES, RejectCode

logger = logging.getLogger("parkex.gateway")

# picows logs every violation of the protocol as an error of ours. What anybody on the network can cause is not worth a line each.
_library_log: Final = logging.getLogger("parkex.gateway.picows")
_library_log.setLevel(logging.CRITICAL)

_HANDSHAKE_TIMEOUT_S: Final = 5.0
_PING_AFTER_S: Final = 20.0
_PONG_TIMEOUT_S: Final = 20.0
_READ_BUFFER_BYTES: Final = 32 * 1024
# picows doubles its buffer when a read has filled nine tenths of it, be it with ever so many small frames, and never makes it smaller. Reads that
# are shorter than that leave it to grow for a long message only.
_READ_BYTES: Final = 24 * 1024
# The writer takes so many frames at once and then lets others run, so that one long queue does not hold them up.
_FRAMES_A_WRITE: Final = 256
_LINGER_S: Final = 0.05  # between the close frame and the end
_VERSION: Final = "13"
_KEY_BYTES: Final = 16
_CLOSE_CODE_MAX: Final = 4999  # RFC 6455, section 7.4.2


class PicowsProtocol(WSProtocol):  # type: ignore[misc] # an extension class without a stub
    """What uvicorn makes for a connection that asks for a WebSocket. Use `functools.partial(PicowsProtocol, hub)` as its `ws`."""

    def __init__(self, hub: Hub, *, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        super().__init__(
            None, None, False, self._accept, _library_log, True, _HANDSHAKE_TIMEOUT_S, True, _PING_AFTER_S, _PONG_TIMEOUT_S,
            WSAutoPingStrategy.PING_WHEN_IDLE, False, hub.limits.frame_headroom * max(hub.limits.frame_bytes, hub.limits.operator_frame_bytes),
            None, _READ_BUFFER_BYTES,
        )  # fmt: skip
        del config, app_state
        self._hub = hub
        self._server_connections = server_state.connections
        self._adapter: _Adapter | None = None
        self._counted_address: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._server_connections.add(self)
        # uvicorn sets this protocol after it has handed over the request; reading goes on with the buffer of this one.
        transport.pause_reading()
        asyncio.get_running_loop().call_soon(_resume, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_connections.discard(self)
        if self._counted_address is not None:
            self._hub.guard.disconnect(self._counted_address)
            self._counted_address = None
        super().connection_lost(exc)

    def get_buffer(self, size_hint: int) -> memoryview:
        return super().get_buffer(size_hint)[:_READ_BYTES]  # type: ignore[no-any-return] # an extension class without a stub

    def data_received(self, data: bytes) -> None:
        """The request as uvicorn has read it."""
        while data and not self.transport.underlying_transport.is_closing():
            room = self.get_buffer(len(data))
            length = min(len(room), len(data))
            room[:length] = data[:length]
            self.buffer_updated(length)
            data = data[length:]

    def buffer_updated(self, nbytes: int) -> None:
        adapter = self._adapter
        if adapter is None:
            super().buffer_updated(nbytes)
            return
        if adapter.is_winding_up:
            return  # and the next read takes the same place: what still comes is read, so that no reset overtakes the close frame, and not kept
        adapter.unframed_bytes += nbytes
        super().buffer_updated(nbytes)
        if adapter.unframed_bytes > adapter.message_bytes_max:
            # picows knows one limit for all, that of an operator. What is on its way is as much as this client may send.
            adapter.end_oversized()
        if self.transport.is_close_frame_sent:
            adapter.wind_up(self.transport)

    def shutdown(self) -> None:
        """The server stops."""
        if not self.transport.is_close_frame_sent:
            self.transport.send_close(WSCloseCode.SERVICE_RESTART)
        self.transport.disconnect()

    def _accept(self, request: WSUpgradeRequest) -> "_Adapter | WSUpgradeResponseWithListener | None":
        """The listener of a connection, or the answer to one that is not let in."""
        if request.path.partition(b"?")[0].decode("latin-1") != WEBSOCKET_PATH:
            return None
        host = self._hub.host_for(_header(request, "Host") or "")
        refusal = "host" if host is None else self._hub.handshake_refusal(_header(request, "Origin"))
        if host is None or refusal is not None:
            self._hub.events.connection_refused(refusal or "host")
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE if refusal in {"limit", "draining"} else HTTPStatus.FORBIDDEN)
        if _header(request, "Sec-WebSocket-Version") != _VERSION:
            return _refusal(HTTPStatus.UPGRADE_REQUIRED, {"Sec-WebSocket-Version": _VERSION})
        return self._accepted(request, host) if _is_upgrade(request) else _refusal(HTTPStatus.BAD_REQUEST)

    def _accepted(self, request: WSUpgradeRequest, host: str) -> WSUpgradeResponseWithListener:
        """The handshake's answer, if the address has not too many connections already."""
        address = str((self.transport.underlying_transport.get_extra_info("peername") or ("",))[0])
        if not self._hub.guard.connect(address):
            self._hub.note_security("connection_refused", address=address, code=int(RejectCode.TOO_MANY_CONNECTIONS))
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        self._counted_address = address
        offered = [name.strip() for name in (_header(request, "Sec-WebSocket-Protocol") or "").split(",") if name.strip()]
        encoding, subprotocol = chosen(offered)
        headers = {} if subprotocol is None else {"Sec-WebSocket-Protocol": subprotocol}
        self._adapter = _Adapter(self._hub, host, encoding, address)
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), self._adapter)


def _header(request: WSUpgradeRequest, name: str) -> str | None:
    """A header of the handshake. One that is repeated is joined, and so is neither of the two."""
    found = request.headers.getall(name, [])
    return ", ".join(found) if found else None


def _is_upgrade(request: WSUpgradeRequest) -> bool:
    """Whether Connection and key are those of an upgrade (RFC 6455, section 4.2.1); picows looks at the first of several keys."""
    if "upgrade" not in (token.strip().lower() for token in (_header(request, "Connection") or "").split(",")):
        return False
    # Browsers may name more than the upgrade here, and picows takes nothing else.
    request.headers["Connection"] = "upgrade"
    try:
        return len(base64.b64decode(_header(request, "Sec-WebSocket-Key") or "", validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _refusal(status: HTTPStatus, headers: dict[str, str] | None = None) -> WSUpgradeResponseWithListener:
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(status, status.phrase.encode(), headers), None)


def _resume(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.resume_reading()


class _Adapter(WSListener):
    """Between one transport and one connection."""

    def __init__(self, hub: Hub, host: str, encoding: Encoding, address: str) -> None:
        self._hub = hub
        self._kind = WSMsgType.BINARY if encoding.is_binary else WSMsgType.TEXT
        self._is_text = not encoding.is_binary
        self._n_fragments = 0
        self.unframed_bytes = 0  # read since the last whole frame
        self._loop = asyncio.get_running_loop()
        self._transport: WSTransport | None = None
        self._frames: list[bytes] = []
        self._fragments: list[bytes] = []
        self._fragments_kind: WSMsgType | None = None
        self._fragments_bytes = 0
        self._is_scheduled = False
        self._is_paused = False
        self._is_ending = False
        self.is_winding_up = False
        self.message_bytes_max = hub.limits.frame_headroom * hub.limits.frame_bytes  # of this client now: an operator's documents are larger
        self._connection = Connection(hub, host, self._woken, encoding, address, self._write_now)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._connection.opened()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.unframed_bytes = 0
        if self._is_ending:
            return
        if frame.msg_type is self._kind and frame.fin and self._fragments_kind is None and not (frame.rsv1 or frame.rsv2 or frame.rsv3):
            payload = frame.get_payload_as_bytes()
            if len(payload) > self.message_bytes_max or not payload.isascii():
                self._check(self._kind, payload)
            self._frames.append(payload)
        else:
            self._unusual_frame(transport, frame)
        if frame.last_in_buffer:
            self._process()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - the signature is picows'
        self._is_ending = True
        self._transport = None
        self._connection.disconnected()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._woken()

    def _process(self) -> None:
        if self._is_ending:
            return
        frames, self._frames = self._frames, []
        if frames:
            self._connection.act_on(frames, is_binary=not self._is_text)
        else:
            self._connection.process()

    def _unusual_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise self._violation(WSCloseCode.PROTOCOL_ERROR, "no extension was agreed on")
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            code: Any = frame.get_close_code()  # a plain integer where it has no name
            if code > _CLOSE_CODE_MAX:
                raise self._violation(WSCloseCode.PROTOCOL_ERROR, "no such close code")
            self._process()
            self._is_ending = True
            self._send(transport)
            transport.send_close(WSCloseCode.OK if code == WSCloseCode.NO_INFO else code)
            transport.disconnect()  # RFC 6455, section 7.1.1: the server is the first to close
        elif kind == WSMsgType.PING:
            # Who does not read gets no pong: it would wait here for ever (RFC 6455, section 5.5.3, asks for the last one only).
            if not self._is_paused:
                transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CONTINUATION:
            self._fragment(frame)
        elif kind in {WSMsgType.TEXT, WSMsgType.BINARY}:
            if self._fragments_kind is not None:
                raise self._violation(WSCloseCode.PROTOCOL_ERROR, "a message begins inside another")
            if frame.fin:
                self._message(kind, frame.get_payload_as_bytes())
            else:
                self._fragments_kind = kind
                self._fragment(frame)

    def _fragment(self, frame: WSFrame) -> None:
        kind = self._fragments_kind
        if kind is None:
            raise self._violation(WSCloseCode.PROTOCOL_ERROR, "nothing to continue")
        payload = frame.get_payload_as_bytes()
        self._fragments_bytes += len(payload)
        self._n_fragments += 1
        if self._fragments_bytes > self.message_bytes_max or self._n_fragments > self._hub.limits.fragments:
            raise self._violation(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
        self._fragments.append(payload)
        if frame.fin:
            message = b"".join(self._fragments)
            self._fragments, self._fragments_kind, self._fragments_bytes, self._n_fragments = [], None, 0, 0
            self._message(kind, message)

    def _message(self, kind: WSMsgType, payload: bytes) -> None:
        self._check(kind, payload)
        if kind == self._kind:
            self._frames.append(payload)
        else:
            self._process()
            self._connection.receive_frames([payload], is_binary=kind == WSMsgType.BINARY)

    def _check(self, kind: WSMsgType, payload: bytes) -> None:
        """Raises WSProtocolError for a message that is too long, and for text that is no UTF-8 (RFC 6455, section 8.1)."""
        if len(payload) > self.message_bytes_max:
            raise self._violation(WSCloseCode.MESSAGE_TOO_BIG, "message too big")
        if kind == WSMsgType.TEXT and not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise self._violation(WSCloseCode.INVALID_TEXT, "text is not UTF-8") from None

    def end_oversized(self) -> None:
        """More is on its way in one frame than this client may send."""
        transport = self._transport
        if transport is not None and not self._is_ending:
            self._is_ending = True
            transport.send_close(WSCloseCode.MESSAGE_TOO_BIG, b"message too big")

    def wind_up(self, transport: WSTransport) -> None:
        """The client has been told that the connection ends: the session is over, and soon the connection."""
        if not self.is_winding_up:
            self.is_winding_up = self._is_ending = True
            self._frames, self._fragments = [], []
            self._connection.disconnected()
            self._loop.call_later(_LINGER_S, transport.disconnect)
            # A transport is closed once its buffer is empty, and a peer that reads nothing never lets it be.
            self._loop.call_later(self._hub.limits.abort_after_s, transport.underlying_transport.abort)

    def _violation(self, code: WSCloseCode, reason: str) -> WSProtocolError:
        """The error that makes picows end the connection. What came before it is acted on, what comes behind it is not."""
        self._process()
        self._is_ending = True
        if self._transport is not None:
            self._send(self._transport)
        return WSProtocolError(code, reason)

    def _woken(self) -> None:
        """The outbox has something, or the session has to end."""
        self.message_bytes_max = self._hub.limits.frame_headroom * self._connection.session.frame_limit_bytes
        if not self._is_scheduled and (not self._is_paused or self._connection.end_code is not None):
            self._is_scheduled = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._is_scheduled = False
        transport = self._transport
        if transport is None or transport.is_close_frame_sent:
            return
        self._send(transport)
        outbox = self._connection.outbox
        if self._connection.end_code is not None and (self._is_paused or not len(outbox)):
            self._end(transport)
        elif len(outbox):
            self._woken()

    def _write_now(self, framed: bytes) -> bool:
        """Past the outbox, in which nothing waits. The loop sends what was written in one of its rounds together."""
        transport = self._transport
        if transport is None or self._is_paused or self._is_ending or transport.is_close_frame_sent:
            return False
        transport.underlying_transport.write(framed)
        return True

    def _send(self, transport: WSTransport) -> None:
        if not self._is_paused and (framed := self._connection.outbox.take_framed(_FRAMES_A_WRITE, BYTES_A_WRITE)):
            transport.underlying_transport.write(framed)

    def _end(self, transport: WSTransport) -> None:
        """Say why the session ends, as far as the transport still takes it."""
        code = self._connection.end_code
        assert code is not None
        self._is_ending = True
        status = WSCloseCode.GOING_AWAY if code is RejectCode.SHUTTING_DOWN else WSCloseCode.POLICY_VIOLATION
        transport.send_close(status, f"{int(code)} {MESSAGES[code]}".encode())
        self.wind_up(transport)
