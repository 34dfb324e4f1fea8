"""The last known state of orders, from the commands and executions of one batch. Arrays in, rows out; no SQL."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind, OutcomeFlag

OPEN: Final = "open"
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"


@dataclass(slots=True)
class OrderChange:
    """What a batch changed of one order. `price_ticks` and `revision` are None where they stay."""

    filled_lots: int = 0
    remaining_lots: int | None = None
    status: str | None = None
    reason: int = 0
    price_ticks: int | None = None
    revision: int | None = None
    last_sequence: int = 0

    def then(self, later: "OrderChange") -> "OrderChange":
        """This change and a later one as one."""
        is_told = later.status is not None
        return OrderChange(
            filled_lots=self.filled_lots + later.filled_lots,
            remaining_lots=later.remaining_lots if is_told else self.remaining_lots,
            status=later.status if is_told else self.status,
            reason=later.reason if is_told else self.reason,
            price_ticks=self.price_ticks if later.price_ticks is None else later.price_ticks,
            revision=self.revision if later.revision is None else later.revision,
            last_sequence=later.last_sequence,
        )


@dataclass(slots=True)
class OrderChanges:
    """`placed`: rows of the columns that never change, by order id. `changes` speaks of these and of older orders."""

    placed: dict[int, dict[str, Any]] = field(default_factory=dict)
    changes: dict[int, OrderChange] = field(default_factory=dict)

    def add(self, later: "OrderChanges") -> None:
        """Take over what a later batch changed."""
        self.placed |= later.placed
        for order_id, change in later.changes.items():
            earlier = self.changes.get(order_id)
            self.changes[order_id] = change if earlier is None else earlier.then(change)


def order_changes(batch: BatchResult) -> OrderChanges:
    """What the batch did to orders."""
    found = OrderChanges()
    _read_commands(batch, found)
    _read_executions(batch.executions, found)
    return found


def _read_commands(batch: BatchResult, found: OrderChanges) -> None:
    records, outcomes = batch.records, batch.outcomes
    fresh = (outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
    placed = np.flatnonzero((records["kind"] == int(CommandKind.PLACE)) & fresh & (outcomes["order_id"] > 0))
    for record, outcome in zip(records[placed], outcomes[placed], strict=True):
        order_id = int(outcome["order_id"])
        found.placed[order_id] = {
            "order_id": order_id,
            "account": int(record["account"]),
            "instrument": int(record["instrument"]),
            "side": int(record["side"]),
            "order_type": int(record["order_type"]),
            "time_in_force": int(record["time_in_force"]),
            "client_order_id": record["client_order_id"].decode("ascii"),
            "label": int(record["label"]),
            "placed_sequence": int(outcome["sequence"]),
            "placed_ns": int(outcome["stamp_ns"]),
            "original_lots": int(record["quantity_lots"]),
        }
        found.changes[order_id] = OrderChange(price_ticks=int(record["price_ticks"]), revision=1, last_sequence=int(outcome["sequence"]))
    amended = np.flatnonzero((records["kind"] == int(CommandKind.AMEND)) & fresh & (outcomes["code"] == 0))
    for record, outcome in zip(records[amended], outcomes[amended], strict=True):
        change = found.changes.setdefault(int(record["order_id"]), OrderChange())
        change.revision = int(outcome["revision"])
        change.last_sequence = int(outcome["sequence"])
        if record["flags"] & int(CommandFlag.AMEND_PRICE):
            change.price_ticks = int(record["price_ticks"])


def _read_executions(executions: NDArray[np.void], found: OrderChanges) -> None:
    """The last event of each order says what is left of it; fills add up."""
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
    columns = (ids, filled_lots, remaining[last], last_rows["kind"], last_rows["reason"], last_rows["sequence"])
    for order, lots, left, kind, reason, sequence in zip(*(column.tolist() for column in columns), strict=True):
        change = found.changes.setdefault(order, OrderChange())
        change.filled_lots = lots
        change.last_sequence = sequence
        if kind == ExecutionKind.CANCELLED:
            change.remaining_lots, change.status, change.reason = 0, CANCELLED, reason
        else:
            change.remaining_lots, change.status = left, OPEN if left else FILLED
