"""A public channel of one value a symbol: the latest counts, and who was left out while lagging gets all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import UNSET, UnsetType

from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.protocol.encoding import SharedNotification

T = TypeVar("T")


class ConflatedChannel(ABC, Generic[T]):
    """Values are read at a flush, of the symbols that were touched since the last."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int]) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self.seq = 0  # of the last change told
        self._values: dict[str, T] = {}
        self._dirty: set[str] = set()
        self._subscribers: set[Outbox] = set()
        self._owed_all: set[Outbox] = set()

    @abstractmethod
    def _read(self, symbol: str) -> T | None:
        """The value of a symbol now, None when it has none."""

    @abstractmethod
    def _frame(self, values: list[T], seq: int, prev_seq: int | UnsetType, epoch: int | UnsetType) -> SharedNotification:
        """The notification that tells these values: changes since `prev_seq`, or all, in an `epoch`."""

    @property
    def pending(self) -> bool:
        return bool(self._dirty or self._owed_all)

    def touch(self, symbol: str) -> None:
        """The value of a symbol may have changed."""
        self._dirty.add(symbol)

    def touch_all(self) -> None:
        """Read every symbol anew."""
        self._dirty.update(instrument.symbol for instrument in self._exchange.instruments())

    def subscribe(self, outbox: Outbox) -> None:
        self._subscribers.add(outbox)
        self._owed_all.add(outbox)
        self.flush()

    def unsubscribe(self, outbox: Outbox) -> None:
        self._subscribers.discard(outbox)
        self._owed_all.discard(outbox)

    def flush(self) -> None:
        """One frame with the values that changed."""
        changed = self._refresh()
        self.seq += bool(changed)
        if changed and len(self._subscribers) > len(self._owed_all):
            frame = self._frame(changed, self.seq, self.seq - 1, UNSET)
            for outbox in self._subscribers - self._owed_all:
                if not outbox.put_public(frame.encoded(outbox.encoding)):
                    self._owed_all.add(outbox)
        if not all(outbox.lags for outbox in self._owed_all):
            frame = self._frame(list(self._values.values()), self.seq, UNSET, self._epoch())
            self._owed_all = {outbox for outbox in self._owed_all if not outbox.put_public(frame.encoded(outbox.encoding))}

    def _refresh(self) -> list[T]:
        dirty, self._dirty = self._dirty, set()
        changed = []
        for symbol in sorted(dirty):
            value = self._read(symbol)
            if value is None:
                self._values.pop(symbol, None)
            elif self._values.get(symbol) != value:
                self._values[symbol] = value
                changed.append(value)
        return changed
