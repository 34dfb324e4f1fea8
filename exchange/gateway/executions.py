"""Private execution reports: rows of the order path to notifications, and a bounded ring an account from which recent ones are replayed."""

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from exchange.gateway.outbox import Outbox
from exchange.market.instruments import Instrument
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, TRADE_KINDS, ExecutionKind, HouseReason
from exchange.protocol.decimals import format_decimal
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import Execution
from matching.records import Reason

KIND_NAMES: Final = {int(kind): kind.name.lower() for kind in ExecutionKind}
REASON_NAMES: Final = {int(reason): "" if reason is Reason.NONE else reason.name.lower() for reason in (*Reason, *HouseReason)}
SIDE_NAMES: Final = ("buy", "sell")

_TRADES: Final = frozenset(TRADE_KINDS)
_AUCTION: Final = int(Reason.AUCTION)
_NAMES: Final = EXECUTION.names or ()
_KIND, _INSTRUMENT, _ACCOUNT, _COUNTER_ACCOUNT, _SEQ, _COUNTER_SEQ = (
    _NAMES.index(name) for name in ("kind", "instrument", "account", "counter_account", "seq", "counter_seq")
)
# The reports below unpack rows whole, which is the fastest way to read them; so they rely on the order of the fields.
assert _NAMES == (
    "sequence", "index", "kind", "side", "reason", "unused", "stamp_ns", "instrument", "order_id", "counter_order_id", "price_ticks",
    "quantity_lots", "remaining_lots", "counter_remaining_lots", "fee_micro", "counter_fee_micro", "seq", "counter_seq", "trade_number", "account",
    "counter_account", "client_order_id", "counter_client_order_id",
)  # fmt: skip

Row = tuple[Any, ...]  # of EXECUTION


def taker_report(row: Row, instrument: Instrument) -> Execution:
    """What a row of EXECUTION says to its `account`."""
    (
        sequence, index, kind, side, reason, _, stamp_ns, _, order_id, _, price, quantity, remaining, _, fee, _, seq, _, number, _, _,
        client_order_id, _,
    ) = row  # fmt: skip
    spec = instrument.spec
    return Execution(
        seq=seq,
        prev_seq=seq - 1,
        sequence=sequence,
        index=index,
        kind=KIND_NAMES[kind],
        instrument=spec.symbol,
        side=SIDE_NAMES[side],
        order_id=order_id,
        client_order_id=client_order_id.decode(),
        price=format_decimal(price, spec.price_decimals),
        quantity=format_decimal(quantity, spec.quantity_decimals),
        remaining=format_decimal(remaining, spec.quantity_decimals),
        at_ns=stamp_ns,
        reason="" if kind in _TRADES else REASON_NAMES[reason],
        liquidity=_liquidity(reason, "taker") if kind in _TRADES else "",
        fee_micro=fee,
        trade_number=number,
    )


def maker_report(row: Row, instrument: Instrument) -> Execution:
    """What a trade says to its `counter_account`."""
    (
        sequence, index, kind, side, reason, _, stamp_ns, _, _, order_id, price, quantity, _, remaining, _, fee, _, seq, number, _, _, _,
        client_order_id,
    ) = row  # fmt: skip
    spec = instrument.spec
    return Execution(
        seq=seq,
        prev_seq=seq - 1,
        sequence=sequence,
        index=index,
        kind=KIND_NAMES[kind],
        instrument=spec.symbol,
        side=SIDE_NAMES[1 - side],
        order_id=order_id,
        client_order_id=client_order_id.decode(),
        price=format_decimal(price, spec.price_decimals),
        quantity=format_decimal(quantity, spec.quantity_decimals),
        remaining=format_decimal(remaining, spec.quantity_decimals),
        at_ns=stamp_ns,
        liquidity=_liquidity(reason, "maker"),
        fee_micro=fee,
        trade_number=number,
    )


def _liquidity(reason: int, otherwise: str) -> str:
    """What a trade was to one of its sides: in an auction neither takes what the other offered."""
    return "auction" if reason == _AUCTION else otherwise


def _as_in_a_row(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


_Report = Callable[[Row, Instrument], Execution]


class ExecutionFeed:
    """Rings and subscribers by account.

    A ring holds rows; a report is encoded when somebody listens or asks for a replay, so folding a long journal into the rings costs little.
    """

    def __init__(self, ring_length: int, find: Callable[[int], Instrument], last_seq: Callable[[int], int]) -> None:
        self._ring_length = ring_length
        self._find = find
        self._last_seq = last_seq
        self._rings: dict[int, deque[tuple[int, Row, _Report]]] = {}
        self._subscribers: dict[int, set[Outbox]] = {}

    def on_batch(self, batch: BatchResult) -> None:
        """A listener for a node that replays its journal before there is a gateway."""
        self.publish(batch.executions.tolist())

    def publish(self, rows: Sequence[Row]) -> None:
        """Keep each report of EXECUTION rows, and queue it for the account's sessions."""
        for row in rows:
            self._publish(row[_ACCOUNT], row[_SEQ], row, taker_report)
            if row[_KIND] in _TRADES:
                self._publish(row[_COUNTER_ACCOUNT], row[_COUNTER_SEQ], row, maker_report)

    def last_seq(self, account: int) -> int:
        """Last private sequence of an account."""
        return self._last_seq(account)

    def replay_from(self, account: int) -> int:
        """Oldest private sequence that can still be replayed."""
        ring = self._rings.get(account)
        return ring[0][0] if ring else self._last_seq(account) + 1

    def recent(self, account: int, from_seq: int, limit: int) -> list[Execution]:
        """Reports that the ring still holds, from `from_seq` on, at most `limit`."""
        ring = self._rings.get(account, ())
        rows = itertools.islice(((row, report) for seq, row, report in ring if seq >= from_seq), limit)
        return [report(row, self._find(row[_INSTRUMENT])) for row, report in rows]

    def recorded(self, account: int, rows: Sequence[Mapping[str, Any]]) -> list[Execution]:
        """Reports of rows of the read model, which has the fields of EXECUTION and the `private_seq` of the side that asks."""
        found = []
        for recorded in rows:
            row = tuple(_as_in_a_row(recorded.get(name, 0)) for name in _NAMES)
            is_taker = recorded["account"] == account and recorded["seq"] == recorded["private_seq"]
            found.append((taker_report if is_taker else maker_report)(row, self._find(row[_INSTRUMENT])))
        return found

    def subscribe(self, account: int, outbox: Outbox, from_seq: int | None) -> None:
        """From now on, after what the ring still holds from `from_seq` on."""
        if from_seq is not None:
            for seq, row, report in self._rings.get(account, ()):
                if seq >= from_seq:
                    outbox.put_private(self._told(row, report).encoded(outbox.encoding))
        self._subscribers.setdefault(account, set()).add(outbox)

    def unsubscribe(self, account: int, outbox: Outbox) -> None:
        sessions = self._subscribers.get(account)
        if sessions is not None:
            sessions.discard(outbox)
            if not sessions:
                del self._subscribers[account]

    def _publish(self, account: int, seq: int, row: Row, report: _Report) -> None:
        ring = self._rings.get(account)
        if ring is None:
            ring = self._rings[account] = deque(maxlen=self._ring_length)
        ring.append((seq, row, report))
        sessions = self._subscribers.get(account)
        if sessions:
            told = self._told(row, report)
            for outbox in sessions:
                outbox.put_private(told.encoded(outbox.encoding))

    def _told(self, row: Row, report: _Report) -> SharedNotification:
        return SharedNotification("execution", report(row, self._find(row[_INSTRUMENT])))
