"""The protocol without I/O: one object an end, driven by whoever owns the transport (WebSocket, loopback, a test).

    session.receive_data(frame)          # one frame's bytes; never raises on the server's side
    for event in session.events_received(): ...
    transport.write_all(session.data_to_send())

Invariants: the server's session answers every frame exactly once, either itself (a frame that is no request) or by `answer` or `refuse`; what it
sends never quotes what it received. Which encoding a session speaks is settled before its first frame.
"""

from collections import Counter
from typing import Any, Final

from msgspec import Raw, Struct

from exchange.errors import ParkexError
from exchange.protocol import codec
from exchange.protocol.encoding import JSON, Encoding
from exchange.protocol.messages import Params, Request
from exchange.protocol.reject_codes import RejectCode

FRAME_LIMIT_BYTES: Final = 64 * 1024


class ServerSession:
    """The exchange's end of one connection."""

    __slots__ = ("_events", "_output", "_refused", "encoding", "frame_limit_bytes", "frames_refused", "unanswered")

    def __init__(self, frame_limit_bytes: int = FRAME_LIMIT_BYTES, encoding: Encoding = JSON, refused: Counter[int] | None = None) -> None:
        """`refused` counts what is refused by code; sessions may share it."""
        self.encoding = encoding
        self._refused = Counter() if refused is None else refused
        self.frame_limit_bytes = frame_limit_bytes
        self.unanswered = 0
        self.frames_refused = 0
        self._events: list[Request] = []
        self._output: list[bytes] = []

    def receive_data(self, frame: bytes) -> None:
        """One frame. What is no request is answered here and becomes no event."""
        if len(frame) > self.frame_limit_bytes:
            self.refuse_frame(RejectCode.FRAME_TOO_LARGE, {"limit_bytes": self.frame_limit_bytes})
            return
        request = self.encoding.decode_request(frame)
        if isinstance(request, codec.Refusal):
            self.frames_refused += 1
            self._put_error(request.id, request.code, request.data)
            return
        self.unanswered += 1
        self._events.append(request)

    def turn_away(self, frame: bytes, code: RejectCode, data: dict[str, Any] | None = None) -> None:
        """Refuse a frame before it is decoded: only its id is read, so that the client knows which request was refused."""
        request_id = self.encoding.decode_id(frame) if len(frame) <= self.frame_limit_bytes else None
        self.frames_refused += 1
        self._put_error(request_id, code, data)

    def refuse_frame(self, code: RejectCode, data: dict[str, Any] | None = None) -> None:
        """Refuse a frame that is not going to be read at all: too large, or of the kind that the encoding does not use."""
        self.frames_refused += 1
        self._put_error(None, code, data)

    def events_received(self) -> list[Request]:
        """Requests since the last call, in the order of their frames."""
        events, self._events = self._events, []
        return events

    def answer(self, request: Request, result: Any) -> None:
        self.unanswered -= 1
        self._output.append(self.encoding.encode_result(request.id, result))

    def refuse(self, request: Request, code: RejectCode, data: dict[str, Any] | None = None) -> None:
        self.unanswered -= 1
        self._put_error(request.id, code, data)

    def claim(self, count: int) -> None:
        """`count` frames wait elsewhere for their answers, which come by `answer_encoded` and `refuse_id`; a negative count gives some back."""
        self.unanswered += count

    def answer_encoded(self, frames: list[bytes]) -> None:
        """Answers, one a frame, that are encoded already."""
        self.unanswered -= len(frames)
        self._output.extend(frames)

    def refuse_id(self, request_id: int | str, code: RejectCode, data: dict[str, Any] | None = None) -> None:
        """As `refuse`, for a request of which only the id is at hand."""
        self.unanswered -= 1
        self._put_error(request_id, code, data)

    def notify(self, method: str, params: Params) -> None:
        self._output.append(self.encoding.encode_notification(method, params))

    @property
    def has_output(self) -> bool:
        """Whether there is something to send."""
        return bool(self._output)

    def data_to_send(self) -> list[bytes]:
        """Frames to send, in order."""
        output, self._output = self._output, []
        return output

    def _put_error(self, request_id: int | str | None, code: RejectCode, data: dict[str, Any] | None) -> None:
        self._refused[code] += 1
        self._output.append(self.encoding.encode_error(request_id, code, data))


class Answered(Struct, frozen=True, gc=False):
    """The answer to request `id`: its `result` still encoded, or empty where `error` is set. The code of the error is that of the band."""

    id: int
    result: Raw
    error: codec.WireError | None


class Notified(Struct, frozen=True, gc=False):
    """A typed notification."""

    method: str
    params: Params


class SessionError(ParkexError):
    """The server sent a frame that is not of this protocol."""


class ClientSession:
    """The client's end of one connection. Request ids count from 1."""

    __slots__ = ("_events", "_next_id", "_output", "encoding")

    def __init__(self, encoding: Encoding = JSON) -> None:
        self.encoding = encoding
        self._next_id = 1
        self._events: list[Answered | Notified] = []
        self._output: list[bytes] = []

    def request(self, method: str, params: Params | dict[str, Any]) -> int:
        """Queue a request; returns the id its answer will carry."""
        request_id = self._next_id
        self._next_id += 1
        self._output.append(self.encoding.encode_request(request_id, method, params))
        return request_id

    def receive_data(self, frame: bytes) -> None:
        """One frame. Raises SessionError when it is neither an answer nor a notification; methods of newer servers are ignored."""
        try:
            message = self.encoding.decode_server_frame(frame)
            if message.method is not None:
                params = self.encoding.decode_notification(message.method, message.params)
                if params is not None:
                    self._events.append(Notified(message.method, params))
            elif isinstance(message.id, int) and (message.error is not None or len(message.result) > 0):
                self._events.append(Answered(message.id, message.result, None if message.error is None else message.error.in_band()))
            elif message.error is None:
                raise SessionError("the server sent neither an answer nor a notification")
            # An error without an id refuses a frame that carried no readable id: not one of ours.
        except codec.DECODE_ERRORS as error:
            raise SessionError("the server does not speak this protocol") from error

    def events_received(self) -> list[Answered | Notified]:
        """Answers and notifications since the last call, in order."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> list[bytes]:
        """Frames to send, in order."""
        output, self._output = self._output, []
        return output
