"""Step 1 of an order, decode: bytes of one frame to a typed request, or to a refusal with its code. And the way back: answers to bytes.

This is JSON; `packed` is the same for MessagePack, and `encoding` names both.
The fast path is one pass over the frame. Only when it fails is the frame read again to find out what is wrong with it.
Exception texts quote the input, so none of them leaves this module.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from exchange.protocol.messages import NOTIFICATIONS, REQUESTS, AnyRequest, Params, Request, RequestId
from exchange.protocol.reject_codes import JSON_RPC_CODES, MESSAGES, RejectCode

# ValueError covers UnicodeDecodeError and Python's own limit on the digits of an integer.
DECODE_ERRORS: Final = (msgspec.MsgspecError, ValueError, RecursionError)

_DECIMAL_FIELDS: Final = ("price", "quantity", "display", "min_quantity", "stop_price", "injection")


class Refusal(Struct, frozen=True, gc=False):
    """Why a frame is not a request. `id` is None when the frame has no valid id."""

    id: int | str | None
    code: RejectCode
    data: dict[str, Any] | None = None


class _Error(Struct, gc=False):
    code: int
    message: str
    data: dict[str, Any]


class Result(Struct, gc=False):
    """Frame of an answer."""

    id: int | str
    result: Any
    jsonrpc: str = "2.0"


class Failure(Struct, gc=False):
    """Frame of an answer that refuses."""

    id: int | str | None
    error: _Error
    jsonrpc: str = "2.0"


class Notification(Struct, gc=False):
    """Frame of a notification."""

    method: str
    params: Any
    jsonrpc: str = "2.0"


class IdOnly(Struct, gc=False):
    """Of a frame, only the id."""

    id: RequestId


_request_decoder: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(AnyRequest)
_id_decoder: Final = msgspec.json.Decoder(IdOnly)
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
    return _encode(Result(request_id, result))


def encode_error(request_id: int | str | None, code: RejectCode, data: dict[str, Any] | None = None) -> bytes:
    """Answer to a refused request, see `failure`."""
    return _encode(failure(request_id, code, data))


def failure(request_id: int | str | None, code: RejectCode, data: Mapping[str, Any] | None = None) -> Failure:
    """Code, its fixed message, and data with the code of the band. Nothing of the input. `code` is JSON-RPC's own where it has one."""
    number = int(code)
    own = {"code": number} if data is None else {"code": number, **data}
    return Failure(request_id, _Error(JSON_RPC_CODES.get(code, number), MESSAGES[code], own))


def encode_notification(method: str, params: Params) -> bytes:
    """A frame that is not an answer."""
    return _encode(Notification(method, params))


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
    return diagnose_object(message, decode_id(frame))


def diagnose_object(message: dict[str, Any], request_id: int | str | None) -> Refusal:
    """The lowest code that applies to an object that is not a request. `request_id` is None when it has no valid one."""
    method = message.get("method")
    if "id" not in message:
        # Only a well-formed request without an id is a notification; anything else is no request at all.
        is_notification = message.get("jsonrpc") == "2.0" and isinstance(method, str)
        return Refusal(None, RejectCode.NOTIFICATION_NOT_SUPPORTED if is_notification else RejectCode.INVALID_REQUEST)
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

    def in_band(self) -> "WireError":
        """With the code that data names, which `code` is not where JSON-RPC has one of its own, and without it in the data."""
        if not isinstance(self.data, dict) or not isinstance(self.data.get("code"), int):
            return self
        return WireError(self.data["code"], self.message, {name: value for name, value in self.data.items() if name != "code"} or None)


class ServerFrame(Struct, frozen=True, gc=False):
    """Any frame of the server: an answer has an id, a notification a method. Raw members that are absent are empty."""

    id: int | str | None = None
    method: str | None = None
    result: Raw = Raw()
    error: WireError | None = None
    params: Raw = Raw()


class RequestFrame(Struct, gc=False):
    """Frame of a request."""

    id: int
    method: str
    params: Any
    jsonrpc: str = "2.0"


_server_frame_decoder: Final = msgspec.json.Decoder(ServerFrame)
_params_decoders: Final = {method: msgspec.json.Decoder(cls) for method, cls in NOTIFICATIONS.items()}


def encode_request(request_id: int, method: str, params: Params | dict[str, Any]) -> bytes:
    """A request frame."""
    return _encode(RequestFrame(request_id, method, params))


def decode_server_frame(frame: bytes) -> ServerFrame:
    """Raises one of DECODE_ERRORS when the server does not speak this protocol."""
    return _server_frame_decoder.decode(frame)


def decode_notification(method: str, params: Raw) -> Params | None:
    """Typed params of a notification; None for a method of a newer server. Raises one of DECODE_ERRORS."""
    decoder = _params_decoders.get(method)
    return None if decoder is None else decoder.decode(params)
