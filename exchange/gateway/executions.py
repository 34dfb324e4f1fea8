"""Private execution reports: rows of the order path to notifications, and a bounded ring an account from which recent ones are replayed."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from exchange.gateway.outbox import Outbox
from exchange.market.instruments import Instrument
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.protocol.codec import encode_notification
from exchange.protocol.decimals import format_decimal
from exchange.protocol.messages import Execution
from matching.records import Reason

KIND_NAMES: Final = {int(kind): kind.name.lower() for kind in ExecutionKind}
REASON_NAMES: Final = {int(reason): "" if reason is Reason.NONE else reason.name.lower() for reason in Reason}
SIDE_NAMES: Final = ("buy", "sell")

_TRADE: Final = int(ExecutionKind.TRADE)
_INSTRUMENT: Final = (EXECUTION.names or ()).index("instrument")


def execution_reports(row: tuple[Any, ...], instrument: Instrument) -> Iterator[tuple[int, Execution]]:
    """(account, report) of a row of EXECUTION as a tuple: one, or two for a trade (taker first)."""
    (
        sequence, index, kind, side, reason, _, stamp_ns, _, order_id, counter_order_id, price, quantity, remaining, counter_remaining,
        fee, counter_fee, seq, counter_seq, number, account, counter_account, client_order_id, counter_client_order_id,
    ) = row  # fmt: skip
    spec = instrument.spec
    price_text = format_decimal(price, spec.price_decimals)
    quantity_text = format_decimal(quantity, spec.quantity_decimals)
    yield account, Execution(
        seq=seq, prev_seq=seq - 1, sequence=sequence, index=index, kind=KIND_NAMES[kind], instrument=spec.symbol, side=SIDE_NAMES[side],
        order_id=order_id, client_order_id=client_order_id.decode(), price=price_text, quantity=quantity_text,
        remaining=format_decimal(remaining, spec.quantity_decimals), at_ns=stamp_ns, reason=REASON_NAMES.get(reason, ""),
        liquidity="taker" if kind == _TRADE else "", fee_micro=fee, trade_number=number,
    )  # fmt: skip
    if kind == _TRADE:
        yield counter_account, Execution(
            seq=counter_seq, prev_seq=counter_seq - 1, sequence=sequence, index=index, kind="trade", instrument=spec.symbol,
            side=SIDE_NAMES[1 - side], order_id=counter_order_id, client_order_id=counter_client_order_id.decode(), price=price_text,
            quantity=quantity_text, remaining=format_decimal(counter_remaining, spec.quantity_decimals), at_ns=stamp_ns,
            liquidity="maker", fee_micro=counter_fee, trade_number=number,
        )  # fmt: skip


class ExecutionFeed:
    """Rings and subscribers by account."""

    def __init__(self, ring_length: int, find: Callable[[int], Instrument], last_seq: Callable[[int], int]) -> None:
        self._ring_length = ring_length
        self._find = find
        self._last_seq = last_seq
        self._rings: dict[int, deque[tuple[int, bytes]]] = {}
        self._subscribers: dict[int, set[Outbox]] = {}

    def publish(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Encode each report of EXECUTION rows once, keep it, and queue it for the account's sessions."""
        for row in rows:
            for account, report in execution_reports(row, self._find(row[_INSTRUMENT])):
                frame = encode_notification("execution", report)
                ring = self._rings.get(account)
                if ring is None:
                    ring = self._rings[account] = deque(maxlen=self._ring_length)
                ring.append((report.seq, frame))
                for outbox in self._subscribers.get(account, ()):
                    outbox.put_private(frame)

    def last_seq(self, account: int) -> int:
        """Last private sequence of an account."""
        return self._last_seq(account)

    def replay_from(self, account: int) -> int:
        """Oldest private sequence that can still be replayed."""
        ring = self._rings.get(account)
        return ring[0][0] if ring else self._last_seq(account) + 1

    def subscribe(self, account: int, outbox: Outbox, from_seq: int | None) -> None:
        """From now on, after what the ring still holds from `from_seq` on."""
        if from_seq is not None:
            for seq, frame in self._rings.get(account, ()):
                if seq >= from_seq:
                    outbox.put_private(frame)
        self._subscribers.setdefault(account, set()).add(outbox)

    def unsubscribe(self, account: int, outbox: Outbox) -> None:
        sessions = self._subscribers.get(account)
        if sessions is not None:
            sessions.discard(outbox)
            if not sessions:
                del self._subscribers[account]
