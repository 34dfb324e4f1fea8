"""The last known state of orders, from the commands and executions of one batch. Arrays in, rows out; no SQL."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind, OutcomeFlag
from exchange.readmodel.columns import values_of

OPEN: Final = "open"
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"
_NEW_ORDERS: Final = (int(CommandKind.PLACE), int(CommandKind.BASKET))

# What the table takes from the command, in its order; price and quantity are handled apart.
_FROM_RECORD: Final = (
    "account", "instrument", "side", "order_type", "time_in_force", "client_order_id", "label", "price_ticks", "quantity_lots",
)  # fmt: skip


@dataclass(slots=True)
class OrderChange:
    """What a batch changed of one order. `price_ticks` and `revision` are None where they stay; the price is that of command `price_sequence`."""

    filled_lots: int = 0
    remaining_lots: int | None = None
    status: str | None = None
    reason: int = 0
    price_ticks: int | None = None
    revision: int | None = None
    last_sequence: int = 0
    price_sequence: int = 0


@dataclass(slots=True)
class OrderChanges:
    """`placed`: what never changes of the orders that the batch brought, as the first columns of the table, by order id.

    `changes` speaks of these and of older orders.
    """

    placed: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    changes: dict[int, OrderChange] = field(default_factory=dict)


def order_changes(batch: BatchResult) -> OrderChanges:
    """What the batch did to orders."""
    found = OrderChanges()
    _read_commands(batch, found)
    _read_executions(batch.executions, found)
    return found


def _read_commands(batch: BatchResult, found: OrderChanges) -> None:
    records, outcomes = batch.records, batch.outcomes
    fresh = (outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
    placed = np.isin(records["kind"], _NEW_ORDERS) & fresh & (outcomes["order_id"] > 0)
    columns = [values_of(outcomes["order_id"][placed]), *(values_of(records[name][placed]) for name in _FROM_RECORD)]
    columns += [values_of(outcomes[name][placed]) for name in ("sequence", "stamp_ns")]
    for order_id, *terms, price_ticks, original_lots, sequence, stamp_ns in zip(*columns, strict=True):
        found.placed[order_id] = (order_id, *terms, sequence, stamp_ns, original_lots)
        found.changes[order_id] = OrderChange(price_ticks=price_ticks, revision=1, last_sequence=sequence, price_sequence=sequence)
    amended = (records["kind"] == int(CommandKind.AMEND)) & fresh & (outcomes["code"] == 0)
    columns = [values_of(records[name][amended]) for name in ("order_id", "price_ticks", "flags")]
    columns += [values_of(outcomes[name][amended]) for name in ("revision", "sequence")]
    for order_id, price_ticks, flags, revision, sequence in zip(*columns, strict=True):
        change = found.changes.setdefault(order_id, OrderChange())
        change.revision = revision
        change.last_sequence = sequence
        if flags & CommandFlag.AMEND_PRICE:
            change.price_ticks, change.price_sequence = price_ticks, sequence


def _read_executions(executions: NDArray[np.void], found: OrderChanges) -> None:
    """The last event of each order says what is left of it; fills add up. Trades without orders are not its business."""
    executions = executions[executions["order_id"] > 0]
    trades = executions["kind"] == int(ExecutionKind.TRADE)
    position = np.arange(len(executions))
    order_id = np.concatenate([executions["order_id"], executions["counter_order_id"][trades]])
    row = np.concatenate([position, position[trades]])
    remaining = np.concatenate([executions["remaining_lots"], executions["counter_remaining_lots"][trades]])
    filled = np.concatenate([np.where(trades, executions["quantity_lots"], 0), executions["quantity_lots"][trades]])
    in_time = np.argsort(row, kind="stable")
    order_id, row, remaining, filled = order_id[in_time], row[in_time], remaining[in_time], filled[in_time]
    ids, last_from_end, number = np.unique(order_id[::-1], return_index=True, return_inverse=True)
    last = len(order_id) - 1 - last_from_end
    filled_lots = np.zeros(len(ids), np.int64)
    np.add.at(filled_lots, number, filled[::-1])
    last_rows = executions[row[last]]
    # An order that steps behind the other side rests at another price than its command gave.
    placed = executions[(executions["kind"] == int(ExecutionKind.RESTED)) | (executions["kind"] == int(ExecutionKind.WAITING))]
    names = ("order_id", "price_ticks", "sequence")
    for order, price_ticks, sequence in zip(*(placed[name].tolist() for name in names), strict=True):
        change = found.changes.setdefault(order, OrderChange())
        if sequence >= change.price_sequence:
            change.price_ticks = price_ticks
    columns = (ids, filled_lots, remaining[last], last_rows["kind"], last_rows["reason"], last_rows["sequence"])
    for order, lots, left, kind, reason, sequence in zip(*(column.tolist() for column in columns), strict=True):
        change = found.changes.setdefault(order, OrderChange())
        change.filled_lots = lots
        change.last_sequence = sequence
        if kind == ExecutionKind.CANCELLED:
            change.remaining_lots, change.status, change.reason = 0, CANCELLED, reason
        else:
            change.remaining_lots, change.status = left, OPEN if left else FILLED
