"""Orders followed in arrays: a table of what batches did, told by hand, and the state that each leaves."""

from typing import Any

import numpy as np
import pytest

from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.maintenance.followed_orders import FollowedOrders
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, OUTCOME, POSTING, ExecutionKind, OutcomeFlag
from exchange.readmodel import tables
from matching.records import Reason

Row = dict[str, Any]
PRICED = int(CommandFlag.AMEND_PRICE)


def place(sequence: int, order_id: int, price_ticks: int, lots: int, **outcome: int) -> tuple[Row, Row]:
    record = {"kind": CommandKind.PLACE, "price_ticks": price_ticks, "quantity_lots": lots, "client_order_id": b"c%d" % order_id}
    return record, {"sequence": sequence, "order_id": order_id, **outcome}


def amend(sequence: int, order_id: int, revision: int, **fields: int) -> tuple[Row, Row]:
    return {"kind": CommandKind.AMEND, "order_id": order_id, **fields}, {"sequence": sequence, "revision": revision}


def event(sequence: int, kind: ExecutionKind, order_id: int, remaining_lots: int, **fields: int) -> Row:
    return {"sequence": sequence, "kind": kind, "order_id": order_id, "remaining_lots": remaining_lots, **fields}


def batch(commands: list[tuple[Row, Row]], events: list[Row]) -> BatchResult:
    def array(rows: list[Row], dtype: np.dtype[np.void]) -> Any:
        made = np.zeros(len(rows), dtype)
        for target, row in zip(made, rows, strict=True):
            for name, value in row.items():
                target[name] = value
        return made

    records, outcomes = array([record for record, _ in commands], COMMAND), array([outcome for _, outcome in commands], OUTCOME)
    first = int(outcomes["sequence"][0])
    return BatchResult(first, records, b"", outcomes, array(events, EXECUTION), np.zeros(0, POSTING), [], {})


RESTED, TRADE, CANCELLED, WAITING = ExecutionKind.RESTED, ExecutionKind.TRADE, ExecutionKind.CANCELLED, ExecutionKind.WAITING
RESTING = batch([place(1, 1, 40, 9)], [event(1, RESTED, 1, 9, price_ticks=40)])

STORIES: dict[str, tuple[list[BatchResult], Row]] = {
    "it rests": ([RESTING], {"price_ticks": 40, "revision": 1, "remaining_lots": 9, "status": "open", "last_sequence": 1, "original_lots": 9}),
    "it is told by no event": ([batch([place(1, 1, 40, 9)], [])], {"price_ticks": 40, "remaining_lots": 9, "status": "open", "last_sequence": 1}),
    "a resend places nothing": (
        [RESTING, batch([place(2, 1, 99, 3, flags=OutcomeFlag.DUPLICATE)], [])],
        {"price_ticks": 40, "original_lots": 9, "last_sequence": 1},
    ),
    "it steps behind the other side": ([batch([place(1, 1, 40, 9)], [event(1, WAITING, 1, 9, price_ticks=39)])], {"price_ticks": 39}),
    "an amend": (
        [RESTING, batch([amend(2, 1, 2, price_ticks=41, flags=PRICED)], [])],
        {"price_ticks": 41, "revision": 2, "last_sequence": 2, "status": "open"},
    ),
    "an amend of the quantity": (
        [RESTING, batch([amend(2, 1, 2, price_ticks=7)], [event(2, ExecutionKind.REDUCED, 1, 4)])],
        {"price_ticks": 40, "remaining_lots": 4, "revision": 2},
    ),
    "of two amends the last": (
        [RESTING, batch([amend(2, 1, 2, price_ticks=41, flags=PRICED), amend(3, 1, 3, price_ticks=42, flags=PRICED)], [])],
        {"price_ticks": 42, "revision": 3},
    ),
    "an amend behind its rest in one batch": (
        [
            batch(
                [place(1, 1, 40, 9), amend(2, 1, 2, price_ticks=45, flags=PRICED)],
                [event(1, RESTED, 1, 9, price_ticks=40), event(2, TRADE, 1, 0, quantity_lots=9, counter_order_id=2, price_ticks=44)],
            )
        ],
        {"price_ticks": 45, "filled_lots": 9, "remaining_lots": 0, "status": "filled", "last_sequence": 2},
    ),
    "fills as taker and as maker": (
        [
            batch([place(1, 1, 40, 9)], [event(1, TRADE, 1, 7, quantity_lots=2, counter_order_id=5), event(1, RESTED, 1, 7, price_ticks=40)]),
            batch([place(2, 3, 40, 4)], [event(2, TRADE, 3, 0, quantity_lots=4, counter_order_id=1, counter_remaining_lots=3)]),
        ],
        {"filled_lots": 6, "remaining_lots": 3, "status": "open", "last_sequence": 2},
    ),
    "cancelled": (
        [RESTING, batch([({"kind": CommandKind.CANCEL}, {"sequence": 2})], [event(2, CANCELLED, 1, 9, reason=Reason.REQUESTED)])],
        {"filled_lots": 0, "remaining_lots": 0, "status": "cancelled", "reason": int(Reason.REQUESTED), "last_sequence": 2},
    ),
    "a refused amend": ([RESTING, batch([({"kind": CommandKind.AMEND, "order_id": 1}, {"sequence": 2, "code": 3001})], [])], {"revision": 1}),
    "a trade without orders": (
        [RESTING, batch([({"kind": CommandKind.TICK}, {"sequence": 2})], [event(2, ExecutionKind.BLOCK_TRADE, 0, 0, quantity_lots=5)])],
        {"filled_lots": 0, "last_sequence": 1},
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_the_state_of_an_order(story: str) -> None:
    batches, expected = STORIES[story]
    orders = FollowedOrders()
    for one in batches:
        orders.follow(one)
    names = tables.orders.columns.keys()
    rows = {row[0]: dict(zip(names, row, strict=True)) for some in orders.rows(2) for row in some}
    assert {name: rows[1][name] for name in expected} == expected
    assert rows[1]["client_order_id"] == "c1"
    assert rows[1]["placed_sequence"] == 1
    assert 0 not in rows


def test_orders_come_in_the_order_of_their_ids_and_of_any_number() -> None:
    orders = FollowedOrders()
    ids = [200_000, 3, 70_000, 5]
    orders.follow(batch([place(number, order_id, 40, 1) for number, order_id in enumerate(ids, start=1)], []))
    told = list(orders.rows(3))
    assert [len(rows) for rows in told] == [3, 1]
    assert [row[0] for rows in told for row in rows] == sorted(ids)
