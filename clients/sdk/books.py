"""Live books as the public channels tell them.

A book is either right or known not to be (`ready`): a delta that does not follow the one before it makes it unready until the next snapshot.
Every change puts new levels in place of the old as a whole, so that another thread reads one moment.
"""

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


class Depth(NamedTuple):
    """Both sides of a book at one moment, best first."""

    seq: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class _Levels(NamedTuple):
    """By price. `seq` is the exchange's revision; -1 before the first snapshot and while a gap is being mended."""

    seq: int
    bids: dict[str, Level]
    asks: dict[str, Level]


_UNKNOWN = _Levels(-1, {}, {})


@dataclass(slots=True, eq=False)
class Book:
    """One book, kept up to date by its client."""

    instrument: str
    _levels: _Levels = field(default=_UNKNOWN)

    @property
    def seq(self) -> int:
        """Revision of the exchange's book that this one is at; -1 while it is not ready."""
        return self._levels.seq

    @property
    def ready(self) -> bool:
        """Whether the levels are those of the exchange at `seq`."""
        return self._levels.seq >= 0

    @property
    def bids(self) -> list[PriceLevel]:
        """Best first."""
        return _sorted(self._levels.bids, descending=True)

    @property
    def asks(self) -> list[PriceLevel]:
        """Best first."""
        return _sorted(self._levels.asks, descending=False)

    def depth(self, levels: int | None = None) -> Depth:
        """The best `levels` of each side (all that are published without it), both of the same moment."""
        now = self._levels
        return Depth(now.seq, _sorted(now.bids, descending=True)[:levels], _sorted(now.asks, descending=False)[:levels])

    def forget(self) -> None:
        """What is known may be old: not ready until the next snapshot. The levels stay to be looked at."""
        self._levels = self._levels._replace(seq=-1)

    def apply_snapshot(self, snapshot: BookSnapshot) -> None:
        self._levels = _Levels(snapshot.seq, {level.price: level for level in snapshot.bids}, {level.price: level for level in snapshot.asks})

    @property
    def checksum(self) -> int:
        """CRC-32 of the best ten levels, as the exchange computes it."""
        return book_checksum(self.bids, self.asks)

    def apply_delta(self, delta: BookDelta) -> bool:
        """False when deltas are missing, or the checksum is another: the book is then not ready until the next snapshot.

        One that came before changes nothing.
        """
        now = self._levels
        if now.seq < 0 or delta.seq <= now.seq:
            return True
        if delta.prev_seq != now.seq:
            self.forget()
            return False
        self._levels = _Levels(delta.seq, _merged(now.bids, delta.bids), _merged(now.asks, delta.asks))
        if isinstance(delta.checksum, int) and delta.checksum != self.checksum:
            self.forget()
            return False
        return True


def _merged(levels: dict[str, Level], changes: list[Level]) -> dict[str, Level]:
    if not changes:
        return levels
    merged = dict(levels)
    for level in changes:
        if level.orders:
            merged[level.price] = level
        else:
            merged.pop(level.price, None)
    return merged


def _sorted(levels: dict[str, Level], *, descending: bool) -> list[PriceLevel]:
    ordered = sorted(levels.values(), key=lambda level: Decimal(level.price), reverse=descending)
    return [PriceLevel(level.price, level.quantity, level.orders) for level in ordered]
