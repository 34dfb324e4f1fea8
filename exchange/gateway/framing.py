"""WebSocket frames of a server (RFC 6455, section 5.2): not masked, not compressed, never fragmented."""

from collections.abc import Iterable, Iterator
from typing import Final

_FINAL_TEXT: Final = 0x81  # FIN and opcode 1
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MADE: Final = 1024
_HEADERS: Final = tuple(
    bytes((_FINAL_TEXT, length)) if length < _LENGTH_16 else bytes((_FINAL_TEXT, _LENGTH_16, length >> 8, length & 255)) for length in range(_MADE)
)


def text_frames(messages: Iterable[bytes]) -> bytes:
    """Text frames, one a message, one behind the other."""
    parts: list[bytes] = []
    for message in messages:
        length = len(message)
        parts.append(_HEADERS[length] if length < _MADE else _long_header(length))
        parts.append(message)
    return b"".join(parts)


def _long_header(length: int) -> bytes:
    if length < 1 << 16:
        return bytes((_FINAL_TEXT, _LENGTH_16)) + length.to_bytes(2)
    return bytes((_FINAL_TEXT, _LENGTH_64)) + length.to_bytes(8)


def split_frames(framed: bytes) -> Iterator[bytes]:
    """Inverse of `text_frames`, for transports that frame by themselves."""
    at = 0
    while at < len(framed):
        length = framed[at + 1]
        at += 2
        if length >= _LENGTH_16:
            size = 2 if length == _LENGTH_16 else 8
            length = int.from_bytes(framed[at : at + size])
            at += size
        yield framed[at : at + length]
        at += length
