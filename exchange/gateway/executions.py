"""Private execution reports: rows of the order path to notifications, and a bounded ring an account from which recent ones are replayed."""

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.outbox import Outbox
from exchange.market.instruments import Instrument
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, TRADE_KINDS, ExecutionKind, HouseReason, joined
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
_INSTRUMENT: Final = _NAMES.index("instrument")
_SORTED_TOGETHER: Final = 4_096
_ROW_BYTES: Final = np.dtype((np.void, EXECUTION.itemsize))
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

_REPORTS: Final[tuple[_Report, _Report]] = (taker_report, maker_report)


class _Chunk(NamedTuple):
    """Reports of one account from one batch, in the order of their seqs."""

    first_seq: int
    rows: NDArray[np.void]  # EXECUTION
    is_maker: NDArray[np.bool_]  # which of the two sides of each row the account is

    def reports(self, from_seq: int) -> Iterator[tuple[Row, _Report]]:
        """Those with a seq of `from_seq` or more."""
        first = max(0, from_seq - self.first_seq)
        for row, is_maker in zip(self.rows[first:].tolist(), self.is_maker[first:].tolist(), strict=True):
            yield row, _REPORTS[is_maker]


class _Ring:
    """Chunks of one account, bounded by the number of reports in them."""

    __slots__ = ("_chunks", "_length", "_n_reports")

    def __init__(self, length: int) -> None:
        self._length = length
        self._chunks: deque[_Chunk] = deque()
        self._n_reports = 0

    @property
    def first_seq(self) -> int:
        """Of the oldest report that is kept."""
        return self._chunks[0].first_seq + max(0, self._n_reports - self._length)

    def append(self, chunk: _Chunk) -> None:
        self._chunks.append(chunk)
        self._n_reports += len(chunk.rows)
        while self._n_reports - len(self._chunks[0].rows) >= self._length:
            self._n_reports -= len(self._chunks.popleft().rows)

    def reports(self, from_seq: int) -> Iterator[tuple[Row, _Report]]:
        from_seq = max(from_seq, self.first_seq)
        for chunk in self._chunks:
            yield from chunk.reports(from_seq)


class ExecutionFeed:
    """Rings and subscribers by account.

    A ring holds rows; a report is encoded when somebody listens or asks for a replay, so folding a long journal into the rings costs little.
    """

    def __init__(self, ring_length: int, find: Callable[[int], Instrument], last_seq: Callable[[int], int]) -> None:
        self._ring_length = ring_length
        self._find = find
        self._last_seq = last_seq
        self._rings: dict[int, _Ring] = {}
        self._unsorted: list[NDArray[np.void]] = []  # nobody listens: sorted when somebody does, or when it is many
        self._n_unsorted = 0
        self._subscribers: dict[int, set[Outbox]] = {}

    def on_batch(self, batch: BatchResult) -> None:
        """A listener for a node that replays its journal before there is a gateway."""
        self.publish(batch.executions)

    def publish(self, executions: NDArray[np.void]) -> None:
        """Keep the reports of EXECUTION rows, and queue them for the sessions of their accounts."""
        if len(executions):
            self._unsorted.append(executions)
            self._n_unsorted += len(executions)
            if self._subscribers or self._n_unsorted >= _SORTED_TOGETHER:
                self._sort()

    def _sort(self) -> None:
        """Put what has come into the rings of its accounts, and queue it for their sessions."""
        if not self._unsorted:
            return
        executions = joined(self._unsorted, EXECUTION)
        self._unsorted, self._n_unsorted = [], 0
        accounts = executions["account"]
        rows = np.arange(len(executions))
        is_trade = np.isin(executions["kind"], TRADE_KINDS)
        n_trades = np.count_nonzero(is_trade)
        if n_trades:
            # Both sides of a trade: the taker's report before the maker's where one account is both.
            accounts = np.concatenate([accounts, executions["counter_account"][is_trade]])
            rows = np.concatenate([rows, rows[is_trade]])
        order = np.lexsort((rows, accounts))
        accounts, rows, is_maker = accounts[order], rows[order], order >= len(executions)
        bounds = np.flatnonzero(accounts[1:] != accounts[:-1]) + 1
        # As runs of bytes: numpy copies records field by field.
        data = executions.view(_ROW_BYTES)[rows].view(EXECUTION)
        starts = [0, *bounds.tolist(), len(rows)]
        for first, end in pairwise(starts):
            self._publish(int(accounts[first]), data[first:end], is_maker[first:end])

    def last_seq(self, account: int) -> int:
        """Last private sequence of an account."""
        return self._last_seq(account)

    def replay_from(self, account: int) -> int:
        """Oldest private sequence that can still be replayed."""
        self._sort()
        ring = self._rings.get(account)
        return ring.first_seq if ring else self._last_seq(account) + 1

    def recent(self, account: int, from_seq: int, limit: int) -> list[Execution]:
        """Reports that the ring still holds, from `from_seq` on, at most `limit`."""
        self._sort()
        ring = self._rings.get(account)
        rows = itertools.islice(ring.reports(from_seq), limit) if ring else ()
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
        self._sort()
        if from_seq is not None:
            ring = self._rings.get(account)
            for row, report in ring.reports(from_seq) if ring else ():
                outbox.put_private(self._told(row, report).encoded(outbox.encoding))
        self._subscribers.setdefault(account, set()).add(outbox)

    def unsubscribe(self, account: int, outbox: Outbox) -> None:
        sessions = self._subscribers.get(account)
        if sessions is not None:
            sessions.discard(outbox)
            if not sessions:
                del self._subscribers[account]

    def _publish(self, account: int, rows: NDArray[np.void], is_maker: NDArray[np.bool_]) -> None:
        chunk = _Chunk(int(rows[0]["counter_seq" if is_maker[0] else "seq"]), rows, is_maker)
        ring = self._rings.get(account)
        if ring is None:
            ring = self._rings[account] = _Ring(self._ring_length)
        ring.append(chunk)
        sessions = self._subscribers.get(account)
        if sessions:
            told = [self._told(row, report) for row, report in chunk.reports(0)]
            for outbox in sessions:
                outbox.put_answers([notification.encoded(outbox.encoding) for notification in told])

    def _told(self, row: Row, report: _Report) -> SharedNotification:
        return SharedNotification("execution", report(row, self._find(row[_INSTRUMENT])))
