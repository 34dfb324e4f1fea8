"""Live books and quotes as the public channels tell them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from exchange.protocol.checksum import book_checksum
from exchange.protocol.messages import BookDelta, BookSnapshot, Level


class PriceLevel(NamedTuple):
    """Price and quantity as decimal strings, number of orders."""

    price: str
    quantity: str
    orders: int


@dataclass(slots=True, eq=False)
class Book:
    """One book. `seq` is the exchange's revision; -1 before the first snapshot and while a gap is being mended."""

    instrument: str
    seq: int = -1
    _bids: dict[str, Level] = field(default_factory=dict)
    _asks: dict[str, Level] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether the levels are those of the exchange at `seq`."""
        return self.seq >= 0

    @property
    def bids(self) -> list[PriceLevel]:
        """Best first."""
        return _sorted(self._bids, descending=True)

    @property
    def asks(self) -> list[PriceLevel]:
        """Best first."""
        return _sorted(self._asks, descending=False)

    def apply_snapshot(self, snapshot: BookSnapshot) -> None:
        self.seq = snapshot.seq
        self._bids = {level.price: level for level in snapshot.bids}
        self._asks = {level.price: level for level in snapshot.asks}

    @property
    def checksum(self) -> int:
        """CRC-32 of the best ten levels, as the exchange computes it."""
        return book_checksum(self.bids, self.asks)

    def apply_delta(self, delta: BookDelta) -> bool:
        """False when deltas are missing, or the checksum is another: the book is then not ready until the next snapshot."""
        if self.seq < 0:
            return True
        if delta.prev_seq != self.seq:
            self.seq = -1
            return False
        self.seq = delta.seq
        _apply(self._bids, delta.bids)
        _apply(self._asks, delta.asks)
        if isinstance(delta.checksum, int) and delta.checksum != self.checksum:
            self.seq = -1
            return False
        return True


def _apply(levels: dict[str, Level], changes: list[Level]) -> None:
    for level in changes:
        if level.orders:
            levels[level.price] = level
        else:
            levels.pop(level.price, None)


def _sorted(levels: dict[str, Level], *, descending: bool) -> list[PriceLevel]:
    ordered = sorted(levels.values(), key=lambda level: Decimal(level.price), reverse=descending)
    return [PriceLevel(level.price, level.quantity, level.orders) for level in ordered]
