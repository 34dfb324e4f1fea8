"""The last state of every order, followed in arrays from what each batch did. It shares no code with the projector, whose rows it checks."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind, OutcomeFlag
from exchange.readmodel import tables
from exchange.readmodel.columns import values_of
from exchange.readmodel.rows import Row

_OPEN, _FILLED, _CANCELLED = range(3)
_STATUS_NAMES: Final = ("open", "filled", "cancelled")
_FROM_COMMAND: Final = ("account", "instrument", "side", "order_type", "time_in_force", "client_order_id", "label", "price_ticks")
_COUNTED: Final = (
    "placed_sequence", "placed_ns", "original_lots", "revision", "filled_lots", "remaining_lots", "status", "reason", "last_sequence",
    "price_sequence",
)  # fmt: skip
# By order id. `price_sequence`: the command that gave the price; 0 in `placed_sequence`: there is no such order.
_ORDER: Final = np.dtype([(name, COMMAND[name]) for name in _FROM_COMMAND] + [(name, "<i8") for name in _COUNTED])
_FIRST_SIZE: Final = 1 << 16


class FollowedOrders:
    """All orders that got an id since the genesis."""

    def __init__(self) -> None:
        self._orders = np.zeros(_FIRST_SIZE, _ORDER)

    def follow(self, batch: BatchResult) -> None:
        """Take in what a batch did, in the order of its commands."""
        fresh = (batch.outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0
        self._place(batch, fresh)
        self._amend(batch, fresh)
        executions = batch.executions[batch.executions["order_id"] > 0]  # trades without orders are not its business
        self._rest(executions)
        self._apply(executions)

    def rows(self, at_most: int) -> Iterator[list[Row]]:
        """Rows of the table in the order of order ids, `at_most` of them at once."""
        ids = np.flatnonzero(self._orders["placed_sequence"])
        names = [column.name for column in tables.orders.columns if column.name != "order_id"]
        for start in range(0, len(ids), at_most):
            some = ids[start : start + at_most]
            columns = {name: values_of(self._orders[name][some]) for name in names}
            columns["status"] = [_STATUS_NAMES[status] for status in columns["status"]]
            yield list(zip(some.tolist(), *columns.values(), strict=True))

    def _place(self, batch: BatchResult, fresh: NDArray[np.bool_]) -> None:
        is_order = np.isin(batch.records["kind"], [int(CommandKind.PLACE), int(CommandKind.BASKET)])
        chosen = is_order & fresh & (batch.outcomes["order_id"] > 0)
        records, outcomes = batch.records[chosen], batch.outcomes[chosen]
        new = np.zeros(len(records), _ORDER)
        for name in _FROM_COMMAND:
            new[name] = records[name]
        new["placed_sequence"] = new["last_sequence"] = new["price_sequence"] = outcomes["sequence"]
        new["placed_ns"] = outcomes["stamp_ns"]
        new["original_lots"] = new["remaining_lots"] = records["quantity_lots"]
        new["revision"] = 1
        self._grow(int(outcomes["order_id"].max(initial=0)) + 1)
        self._orders[outcomes["order_id"]] = new

    def _amend(self, batch: BatchResult, fresh: NDArray[np.bool_]) -> None:
        """Of several amends of one order in a batch the last one stays."""
        amended = (batch.records["kind"] == int(CommandKind.AMEND)) & fresh & (batch.outcomes["code"] == 0)
        records, outcomes = batch.records[amended], batch.outcomes[amended]
        ids = records["order_id"]
        orders = self._orders
        orders["revision"][ids] = outcomes["revision"]
        orders["last_sequence"][ids] = outcomes["sequence"]
        priced = (records["flags"] & int(CommandFlag.AMEND_PRICE)) != 0
        orders["price_ticks"][ids[priced]] = records["price_ticks"][priced]
        orders["price_sequence"][ids[priced]] = outcomes["sequence"][priced]

    def _rest(self, executions: NDArray[np.void]) -> None:
        """An order that steps behind the other side rests at another price than its command gave."""
        resting = executions[np.isin(executions["kind"], [int(ExecutionKind.RESTED), int(ExecutionKind.WAITING)])]
        resting = resting[resting["sequence"] >= self._orders["price_sequence"][resting["order_id"]]]
        self._orders["price_ticks"][resting["order_id"]] = resting["price_ticks"]

    def _apply(self, executions: NDArray[np.void]) -> None:
        """Fills add up; the last event of an order says what is left of it. A trade is an event of both its orders."""
        traded = np.flatnonzero(executions["kind"] == int(ExecutionKind.TRADE))
        trades = executions[traded]
        orders = self._orders
        for name in ("order_id", "counter_order_id"):
            np.add.at(orders["filled_lots"], trades[name], trades["quantity_lots"])
        ids = np.concatenate([executions["order_id"], trades["counter_order_id"]])
        place = np.concatenate([np.arange(len(executions)), traded])
        left = np.concatenate([executions["remaining_lots"], trades["counter_remaining_lots"]])
        in_time = np.argsort(place, kind="stable")
        ids, left, events = ids[in_time], left[in_time], executions[place[in_time]]
        # Of assignments to one order the last one stays.
        cancelled = events["kind"] == int(ExecutionKind.CANCELLED)
        orders["last_sequence"][ids] = events["sequence"]
        orders["remaining_lots"][ids] = np.where(cancelled, 0, left)
        orders["status"][ids] = np.where(cancelled, _CANCELLED, np.where(left > 0, _OPEN, _FILLED))
        orders["reason"][ids] = np.where(cancelled, events["reason"], 0)

    def _grow(self, size: int) -> None:
        have = len(self._orders)
        if size > have:
            self._orders = np.concatenate([self._orders, np.zeros(max(size, 2 * have) - have, _ORDER)])
