"""Books by order: every order that is shown, under an id that is made for the channel.

An order gets a new id whenever it comes to stand at the end of a queue: when it enters, when its price changes or its quantity grows, and with each
peak of an iceberg. So an id never outlives a place in the queue, ids of one account have nothing in common, and the reserve of an iceberg shows
nowhere. Ids count up within an instrument and an epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.executions import SIDE_NAMES
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.order_path.records import ExecutionKind
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import OrdersDelta, OrdersSnapshot, ShownOrder, SidedOrder

# Events after which an order stands at the end of a queue.
_TO_THE_END: Final = frozenset({int(ExecutionKind.RESTED), int(ExecutionKind.REFILLED), int(ExecutionKind.REPRICED)})


@dataclass(slots=True)
class _Shown:
    """`id` is what the channel calls it."""

    id: int
    side: int
    price_ticks: int
    quantity_lots: int


@dataclass(slots=True)
class _Queues:
    """The orders of one book as its subscribers know them, in canonical order, by their order ids, which nobody is told."""

    spec: InstrumentSpec
    seq: int = -1
    next_id: int = 1
    orders: dict[int, _Shown] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    subscribers: set[Outbox] = field(default_factory=set)
    owed_snapshot: set[Outbox] = field(default_factory=set)


class OrderChannels:
    """Conflated like the books by price: a flush tells what is different from the last."""

    def __init__(self, exchange: ExchangeView, epoch: Callable[[], int]) -> None:
        self._exchange = exchange
        self._epoch = epoch
        self._queues: dict[str, _Queues] = {}
        self._next_ids: dict[str, int] = {}
        self._dirty: set[str] = set()

    @property
    def pending(self) -> bool:
        return bool(self._dirty) or any(queues.owed_snapshot for queues in self._queues.values())

    def touch(self, symbol: str) -> None:
        """The book of a symbol may have changed."""
        if symbol in self._queues:
            self._dirty.add(symbol)

    def note(self, executions: NDArray[np.void]) -> None:
        """Events of orders (EXECUTION): `touch`, and which orders have lost their place."""
        if not self._queues:
            return
        for instrument, kind, order_id in zip(*(executions[name].tolist() for name in ("instrument", "kind", "order_id")), strict=True):
            symbol = self._exchange.instrument_by_id(instrument).spec.symbol
            queues = self._queues.get(symbol)
            if queues is not None:
                self._dirty.add(symbol)
                if kind in _TO_THE_END:
                    queues.moved.add(order_id)

    def subscribe(self, spec: InstrumentSpec, outbox: Outbox) -> None:
        queues = self._queues.get(spec.symbol)
        if queues is None:
            queues = self._queues[spec.symbol] = _Queues(spec, next_id=self._next_ids.get(spec.symbol, 1))
            self._read(queues)
        queues.subscribers.add(outbox)
        queues.owed_snapshot.add(outbox)
        self._pay_snapshots(queues)

    def unsubscribe(self, symbol: str, outbox: Outbox) -> None:
        queues = self._queues.get(symbol)
        if queues is None:
            return
        queues.subscribers.discard(outbox)
        queues.owed_snapshot.discard(outbox)
        if not queues.subscribers:
            # Ids go on where they stopped: the same id is never another order.
            self._next_ids[symbol] = queues.next_id
            del self._queues[symbol]
            self._dirty.discard(symbol)

    def seq(self, symbol: str) -> int:
        """Sequence of the last frame of a subscribed book."""
        return self._queues[symbol].seq

    def flush(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for symbol in sorted(dirty):
            self._publish_delta(self._queues[symbol])
        for queues in self._queues.values():
            if queues.owed_snapshot:
                self._pay_snapshots(queues)

    def _publish_delta(self, queues: _Queues) -> None:
        before, before_seq = queues.orders, queues.seq
        self._read(queues)
        now, spec = queues.orders, queues.spec
        kept = {shown.id for shown in now.values()}
        removed = [shown.id for shown in before.values() if shown.id not in kept]
        known = {shown.id: shown.quantity_lots for shown in before.values()}
        changed = [shown for shown in now.values() if shown.id in known and known[shown.id] != shown.quantity_lots]
        added = [shown for shown in now.values() if shown.id not in known]
        if not (removed or changed or added):
            queues.seq = before_seq
            return
        delta = OrdersDelta(
            instrument=spec.symbol, seq=queues.seq, prev_seq=before_seq, removed=removed,
            changed=[(shown.id, format_decimal(shown.quantity_lots, spec.quantity_decimals)) for shown in changed],
            added=[SidedOrder(told.id, SIDE_NAMES[shown.side], told.price, told.quantity) for shown in added for told in (_told(shown, spec),)],
        )  # fmt: skip
        frame = SharedNotification("orders.delta", delta)
        for outbox in queues.subscribers:
            if outbox not in queues.owed_snapshot and not outbox.put_public(frame.encoded(outbox.encoding)):
                queues.owed_snapshot.add(outbox)

    def _pay_snapshots(self, queues: _Queues) -> None:
        if all(outbox.lags for outbox in queues.owed_snapshot):
            return
        bids, asks = ([_told(shown, queues.spec) for shown in queues.orders.values() if shown.side == side] for side in (0, 1))
        snapshot = OrdersSnapshot(instrument=queues.spec.symbol, seq=queues.seq, epoch=self._epoch(), bids=bids, asks=asks)
        frame = SharedNotification("orders.snapshot", snapshot)
        queues.owed_snapshot = {outbox for outbox in queues.owed_snapshot if not outbox.put_public(frame.encoded(outbox.encoding))}

    def _read(self, queues: _Queues) -> None:
        before, moved, queues.moved = queues.orders, queues.moved, set()
        queues.seq = self._exchange.book_seq(queues.spec.symbol)
        queues.orders = {}
        for order_id, side, price_ticks, quantity_lots in self._exchange.shown_orders(queues.spec.symbol):
            known = before.get(order_id)
            if known is None or order_id in moved or known.price_ticks != price_ticks:
                queues.orders[order_id] = _Shown(queues.next_id, side, price_ticks, quantity_lots)
                queues.next_id += 1
            else:
                queues.orders[order_id] = _Shown(known.id, side, price_ticks, quantity_lots)


def _told(shown: _Shown, spec: InstrumentSpec) -> ShownOrder:
    price, quantity = format_decimal(shown.price_ticks, spec.price_decimals), format_decimal(shown.quantity_lots, spec.quantity_decimals)
    return ShownOrder(shown.id, price, quantity)
