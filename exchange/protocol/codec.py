"""Step 1 of an order, decode: bytes of one frame to a typed request, or to a refusal with its code. And the way back: answers to bytes.

The fast path is one pass over the frame. Only when it fails is the frame read again to find out what is wrong with it.
Exception texts quote the input, so none of them leaves this module.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from exchange.protocol.messages import NOTIFICATIONS, REQUESTS, AnyRequest, Params, Request, RequestId
from exchange.protocol.reject_codes import MESSAGES, RejectCode

# ValueError covers UnicodeDecodeError and Python's own limit on the digits of an integer.
DECODE_ERRORS: Final = (msgspec.MsgspecError, ValueError, RecursionError)

_DECIMAL_FIELDS: Final = ("price", "quantity", "display", "min_quantity", "stop_price", "injection")


class Refusal(Struct, frozen=True, gc=False):
    """Why a frame is not a request. `id` is None when the frame has no valid id."""

    id: int | str | None
    code: RejectCode
    data: dict[str, Any] | None = None


class _Error(Struct, omit_defaults=True, gc=False):
    code: int
    message: str
    data: dict[str, Any] | None = None


class _Result(Struct, gc=False):
    id: int | str
    result: Any
    jsonrpc: str = "2.0"


class _Failure(Struct, gc=False):
    id: int | str | None
    error: _Error
    jsonrpc: str = "2.0"


class _Notification(Struct, gc=False):
    method: str
    params: Any
    jsonrpc: str = "2.0"


class _IdOnly(Struct, gc=False):
    id: RequestId


_request_decoder: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(AnyRequest)
_id_decoder: Final = msgspec.json.Decoder(_IdOnly)
_json_decoder: Final = msgspec.json.Decoder()
_encode: Final = msgspec.json.Encoder().encode


def decode_request(frame: bytes) -> Request | Refusal:
    """The request in a text frame, or why it is none. Never raises on any bytes."""
    try:
        return _request_decoder.decode(frame)
    except DECODE_ERRORS:
        return _diagnose(frame)


def decode_id(frame: bytes) -> int | str | None:
    """Only the id of a frame, for an answer to a frame that is not going to be decoded. None when there is no valid one."""
    try:
        return _id_decoder.decode(frame).id
    except DECODE_ERRORS:
        return None


def encode_result(request_id: int | str, result: Any) -> bytes:
    """Answer to an accepted request."""
    return _encode(_Result(request_id, result))


def encode_error(request_id: int | str | None, code: RejectCode, data: dict[str, Any] | None = None) -> bytes:
    """Answer to a refused request: code, its fixed message, data. Nothing of the input."""
    return _encode(_Failure(request_id, _Error(int(code), MESSAGES[code], data)))


def encode_notification(method: str, params: Params) -> bytes:
    """A frame that is not an answer."""
    return _encode(_Notification(method, params))


def _diagnose(frame: bytes) -> Refusal:
    """The lowest code that applies to a frame that is not a request."""
    try:
        frame.decode()
    except UnicodeDecodeError:
        return Refusal(None, RejectCode.INVALID_UTF8)
    try:
        message = _json_decoder.decode(frame)
    except RecursionError:
        return Refusal(None, RejectCode.NESTING_TOO_DEEP)
    except DECODE_ERRORS:
        return Refusal(None, RejectCode.INVALID_JSON)
    if isinstance(message, list):
        return Refusal(None, RejectCode.BATCH_NOT_SUPPORTED)
    if not isinstance(message, dict):
        return Refusal(None, RejectCode.INVALID_REQUEST)
    return _diagnose_object(frame, message)


def _diagnose_object(frame: bytes, message: dict[str, Any]) -> Refusal:
    method = message.get("method")
    if "id" not in message:
        # Only a well-formed request without an id is a notification; anything else is no request at all.
        is_notification = message.get("jsonrpc") == "2.0" and isinstance(method, str)
        return Refusal(None, RejectCode.NOTIFICATION_NOT_SUPPORTED if is_notification else RejectCode.INVALID_REQUEST)
    request_id = decode_id(frame)
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str) or message.keys() - {"jsonrpc", "id", "method", "params"}:
        return Refusal(request_id, RejectCode.INVALID_REQUEST)
    if request_id is None:
        return Refusal(None, RejectCode.INVALID_REQUEST_ID)
    if method not in REQUESTS:
        return Refusal(request_id, RejectCode.UNKNOWN_METHOD)
    params = message.get("params")
    if any(not isinstance(part.get(name), str | None) for part in _with_decimals(params) for name in _DECIMAL_FIELDS):
        return Refusal(request_id, RejectCode.INVALID_DECIMAL)
    return Refusal(request_id, RejectCode.INVALID_PARAMS, {"fields": _PARAM_FIELDS[method]})


def _with_decimals(params: Any) -> Iterator[dict[str, Any]]:
    """The objects of params that may hold decimals: params themselves and the legs of a basket."""
    if isinstance(params, dict):
        yield params
        legs = params.get("legs")
        yield from (leg for leg in legs if isinstance(leg, dict)) if isinstance(legs, list) else ()


_PARAM_FIELDS: Final = {
    method: list(next(f.type for f in msgspec.structs.fields(cls) if f.name == "params").__struct_encode_fields__) for method, cls in REQUESTS.items()
}


# The client's half: requests to bytes, frames of the server to answers and notifications.


class WireError(Struct, frozen=True, gc=False):
    """The error member of an answer."""

    code: int
    message: str
    data: Any = None


class ServerFrame(Struct, frozen=True, gc=False):
    """Any frame of the server: an answer has an id, a notification a method. Raw members that are absent are empty."""

    id: int | str | None = None
    method: str | None = None
    result: Raw = Raw()
    error: WireError | None = None
    params: Raw = Raw()


class _RequestFrame(Struct, gc=False):
    id: int
    method: str
    params: Any
    jsonrpc: str = "2.0"


_server_frame_decoder: Final = msgspec.json.Decoder(ServerFrame)
_params_decoders: Final = {method: msgspec.json.Decoder(cls) for method, cls in NOTIFICATIONS.items()}


def encode_request(request_id: int, method: str, params: Params | dict[str, Any]) -> bytes:
    """A request frame."""
    return _encode(_RequestFrame(request_id, method, params))


def decode_server_frame(frame: bytes) -> ServerFrame:
    """Raises one of DECODE_ERRORS when the server does not speak this protocol."""
    return _server_frame_decoder.decode(frame)


def decode_notification(method: str, params: Raw) -> Params | None:
    """Typed params of a notification; None for a method of a newer server. Raises one of DECODE_ERRORS."""
    decoder = _params_decoders.get(method)
    return None if decoder is None else decoder.decode(params)
