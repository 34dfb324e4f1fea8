"""CRC-32 of the top of a book, by which a client finds that its own is another."""

import zlib
from collections.abc import Sequence
from typing import Final, Protocol

CHECKSUM_LEVELS: Final = 10


class PricedLevel(Protocol):
    """A level in decimal strings, as it was sent."""

    @property
    def price(self) -> str: ...

    @property
    def quantity(self) -> str: ...


def book_checksum(bids: Sequence[PricedLevel], asks: Sequence[PricedLevel]) -> int:
    """CRC-32 (that of zlib, unsigned) of an ASCII text: the best ten bids as `price:quantity` joined by commas, a semicolon, the best ten asks.

    Both sides begin with their best; the numbers are written as on the wire. An empty book is the text ";".
    """
    return zlib.crc32(";".join((_text(bids), _text(asks))).encode())


def _text(levels: Sequence[PricedLevel]) -> str:
    return ",".join(f"{level.price}:{level.quantity}" for level in levels[:CHECKSUM_LEVELS])
