"""The two ways to write the messages of the protocol, by the WebSocket subprotocol that a connection has agreed on."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from exchange.protocol import codec, packed
from exchange.protocol.codec import Refusal, ServerFrame
from exchange.protocol.messages import Params, Request
from exchange.protocol.reject_codes import RejectCode

T = TypeVar("T")


class Encoding(NamedTuple):
    """Functions of one encoding; `codec` says what they do. `is_binary`: its frames are binary ones, and any other is refused with `wrong_frame`."""

    name: str
    subprotocol: str
    is_binary: bool
    wrong_frame: RejectCode
    decode_request: Callable[[bytes], Request | Refusal]
    decode_id: Callable[[bytes], int | str | None]
    encode_result: Callable[[int | str, Any], bytes]
    encode_error: Callable[[int | str | None, RejectCode, dict[str, Any] | None], bytes]
    encode_notification: Callable[[str, Params], bytes]
    encode_request: Callable[[int, str, Params | dict[str, Any]], bytes]
    decode_server_frame: Callable[[bytes], ServerFrame]
    decode_notification: Callable[[str, Raw], Params | None]


JSON: Final = Encoding(
    "json", "parkex.v1.json", False, RejectCode.BINARY_FRAME, codec.decode_request, codec.decode_id, codec.encode_result, codec.encode_error,
    codec.encode_notification, codec.encode_request, codec.decode_server_frame, codec.decode_notification,
)  # fmt: skip
MSGPACK: Final = Encoding(
    "msgpack", "parkex.v1.msgpack", True, RejectCode.TEXT_FRAME, packed.decode_request, packed.decode_id, packed.encode_result, packed.encode_error,
    packed.encode_notification, packed.encode_request, packed.decode_server_frame, packed.decode_notification,
)  # fmt: skip
ENCODINGS: Final = {encoding.name: encoding for encoding in (JSON, MSGPACK)}
_BY_SUBPROTOCOL: Final = {encoding.subprotocol: encoding for encoding in ENCODINGS.values()}


def chosen(offered: Sequence[str]) -> tuple[Encoding, str | None]:
    """(encoding, subprotocol to answer with) for the subprotocols a client offers: the first that is known, or JSON and none."""
    for subprotocol in offered:
        if subprotocol in _BY_SUBPROTOCOL:
            return _BY_SUBPROTOCOL[subprotocol], subprotocol
    return JSON, None


def result_decoder(result: type[T]) -> Callable[[Raw], T]:
    """Decoder of the undecoded results of answers, in either encoding. It raises one of codec.DECODE_ERRORS.

    A result is an object, so its first byte tells: JSON begins with a brace, which in MessagePack is no map.
    """
    from_json, from_msgpack = msgspec.json.Decoder(result).decode, msgspec.msgpack.Decoder(result).decode

    def decode(raw: Raw) -> T:
        return from_json(raw) if bytes(memoryview(raw)[:1]) == b"{" else from_msgpack(raw)

    return decode


class SharedNotification:
    """A notification for many connections: encoded once for each encoding that somebody reads."""

    __slots__ = ("_encoded", "method", "params")

    def __init__(self, method: str, params: Params) -> None:
        self.method = method
        self.params = params
        self._encoded: dict[str, bytes] = {}

    def encoded(self, encoding: Encoding) -> bytes:
        frame = self._encoded.get(encoding.name)
        if frame is None:
            frame = self._encoded[encoding.name] = encoding.encode_notification(self.method, self.params)
        return frame
