"""WebSocket frames of a server (RFC 6455, section 5.2): not masked, not compressed, never fragmented."""

from collections.abc import Iterable, Iterator
from typing import Final

_FINAL_TEXT: Final = 0x81  # FIN and opcode 1
_FINAL_BINARY: Final = 0x82
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MADE: Final = 1024
_HEADERS: Final = {
    first: tuple(
        bytes((first, length)) if length < _LENGTH_16 else bytes((first, _LENGTH_16, length >> 8, length & 255)) for length in range(_MADE)
    )
    for first in (_FINAL_TEXT, _FINAL_BINARY)
}


def server_frames(messages: Iterable[bytes], *, is_binary: bool = False) -> bytes:
    """Frames, one a message, one behind the other."""
    first = _FINAL_BINARY if is_binary else _FINAL_TEXT
    headers = _HEADERS[first]
    parts: list[bytes] = []
    for message in messages:
        length = len(message)
        parts.append(headers[length] if length < _MADE else _long_header(first, length))
        parts.append(message)
    return b"".join(parts)


def _long_header(first: int, length: int) -> bytes:
    if length < 1 << 16:
        return bytes((first, _LENGTH_16)) + length.to_bytes(2)
    return bytes((first, _LENGTH_64)) + length.to_bytes(8)


def split_frames(framed: bytes) -> Iterator[bytes]:
    """Inverse of `server_frames`, for transports that frame by themselves."""
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
