"""The protocol in MessagePack: the same messages with the same values, one binary frame each. See `codec` for what the functions do.

What JSON cannot say is refused here too, so that nobody can tell by its effect in which of the two a request was written: binary values (bytes are
base64 text in both), extension types and timestamps, keys that are no text, numbers that are not finite. Lengths are those of the frame: the decoder
allocates nothing for a list that claims more than there is.
"""

import math
from typing import Any, Final

import msgspec
from msgspec import Raw

from exchange.protocol.codec import (
    DECODE_ERRORS,
    IdOnly,
    Notification,
    Refusal,
    RequestFrame,
    Result,
    ServerFrame,
    diagnose_object,
    failure,
)
from exchange.protocol.messages import NOTIFICATIONS, AnyRequest, DocumentSubmit, OperatorSubmit, Params, Request
from exchange.protocol.reject_codes import RejectCode

_request_decoder: Final[msgspec.msgpack.Decoder[Request]] = msgspec.msgpack.Decoder(AnyRequest)
_id_decoder: Final = msgspec.msgpack.Decoder(IdOnly)
_any_decoder: Final = msgspec.msgpack.Decoder()
_encode: Final = msgspec.msgpack.Encoder().encode
_server_frame_decoder: Final = msgspec.msgpack.Decoder(ServerFrame)
_params_decoders: Final = {method: msgspec.msgpack.Decoder(cls) for method, cls in NOTIFICATIONS.items()}


def decode_request(frame: bytes) -> Request | Refusal:
    """The request in a binary frame, or why it is none. Never raises on any bytes."""
    try:
        request = _request_decoder.decode(frame)
    except DECODE_ERRORS:
        return _diagnose(frame)
    # The one message with a part that has no type of its own.
    if isinstance(request, OperatorSubmit | DocumentSubmit) and not _json_could_say(request.params.document):
        return Refusal(request.id, RejectCode.UNSUPPORTED_VALUE)
    return request


def decode_id(frame: bytes) -> int | str | None:
    """Only the id of a frame; None when there is no valid one."""
    try:
        return _id_decoder.decode(frame).id
    except DECODE_ERRORS:
        return None


def encode_result(request_id: int | str, result: Any) -> bytes:
    return _encode(Result(request_id, result))


def encode_error(request_id: int | str | None, code: RejectCode, data: dict[str, Any] | None = None) -> bytes:
    return _encode(failure(request_id, code, data))


def encode_notification(method: str, params: Params) -> bytes:
    return _encode(Notification(method, params))


def encode_request(request_id: int, method: str, params: Params | dict[str, Any]) -> bytes:
    return _encode(RequestFrame(request_id, method, params))


def decode_server_frame(frame: bytes) -> ServerFrame:
    """Raises one of DECODE_ERRORS."""
    return _server_frame_decoder.decode(frame)


def decode_notification(method: str, params: Raw) -> Params | None:
    """None for a method of a newer server. Raises one of DECODE_ERRORS."""
    decoder = _params_decoders.get(method)
    return None if decoder is None else decoder.decode(params)


def _diagnose(frame: bytes) -> Refusal:
    """The lowest code that applies to a frame that is not a request."""
    try:
        message = _any_decoder.decode(frame)
    except UnicodeDecodeError:
        return Refusal(None, RejectCode.INVALID_UTF8)
    except RecursionError:
        return Refusal(None, RejectCode.NESTING_TOO_DEEP)
    except DECODE_ERRORS:
        return Refusal(None, RejectCode.INVALID_MSGPACK)
    if isinstance(message, list):
        return Refusal(None, RejectCode.BATCH_NOT_SUPPORTED)
    request_id = decode_id(frame)
    if not _json_could_say(message):
        return Refusal(request_id, RejectCode.UNSUPPORTED_VALUE)
    if not isinstance(message, dict):
        return Refusal(None, RejectCode.INVALID_REQUEST)
    return diagnose_object(message, request_id)


def _json_could_say(value: Any) -> bool:
    """Whether a decoded value is one that JSON has. Without recursion: depth is the decoder's limit alone."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                return False
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, float):
            if not math.isfinite(value):
                return False
        elif value is not None and not isinstance(value, str | int | bool):
            return False
    return True
