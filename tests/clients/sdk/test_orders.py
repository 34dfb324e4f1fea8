"""Orders as a fold of answers and executions, in whichever order they come."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.sdk.orders import Order, OrderTable, add_decimals, is_zero
from exchange.protocol.messages import Execution, OpenOrderResult, OrderResult


def execution(kind: str, sequence: int, remaining: str, quantity: str = "0", **changes: Any) -> Execution:
    fields: dict[str, Any] = {
        "seq": sequence, "prev_seq": sequence - 1, "sequence": sequence, "index": 0, "kind": kind, "instrument": "X", "side": "buy", "order_id": 5,
        "client_order_id": "c", "price": "0.4000", "quantity": quantity, "remaining": remaining, "at_ns": 1,
    }  # fmt: skip
    return Execution(**(fields | changes))


def answer(sequence: int, status: str, remaining: str, filled: str = "0", **changes: Any) -> OrderResult:
    return OrderResult(**({"sequence": sequence, "order_id": 5, "status": status, "filled": filled, "remaining": remaining, "revision": 1} | changes))


def table() -> tuple[OrderTable, Order]:
    orders = OrderTable(None)  # type: ignore[arg-type] # nothing is sent
    order = Order("X", "buy", "c", "0.4000", "10.0", remaining="10.0")
    orders.add_pending(order)
    return orders, order


def apply(orders: OrderTable, order: Order, events: Any) -> None:
    for event in events:
        if isinstance(event, OrderResult):
            orders.apply_answer(order, event)
        else:
            orders.apply_execution(event)


# What happened, as events of the exchange, with the answer wherever the network puts it.
LIVES = [
    ("rested", [execution("rested", 1, "10.0")], answer(1, "resting", "10.0"), ("resting", "10.0", "0")),
    ("filled at once", [execution("trade", 1, "0.0", "10.0")], answer(1, "filled", "0.0", "10.0"), ("filled", "0.0", "10.0")),
    (
        "filled in part, the rest rests and is filled by the next command",
        [execution("trade", 1, "6.0", "4.0"), execution("rested", 1, "6.0"), execution("trade", 2, "0.0", "6.0")],
        answer(1, "resting", "6.0", "4.0"),
        ("filled", "0.0", "10.0"),
    ),
    ("waits", [execution("waiting", 1, "10.0")], answer(1, "waiting", "10.0"), ("waiting", "10.0", "0")),
    (
        "waits, is triggered and filled in part by another's command",
        [execution("waiting", 1, "10.0"), execution("triggered", 5, "10.0"), execution("trade", 5, "6.0", "4.0"), execution("rested", 5, "6.0")],
        answer(1, "waiting", "10.0"),
        ("resting", "6.0", "4.0"),
    ),
    (
        "waits and is made smaller",
        [execution("waiting", 1, "10.0"), execution("reduced", 5, "6.0", "4.0")],
        answer(1, "waiting", "10.0"),
        ("waiting", "6.0", "0"),
    ),
    (
        "filled in part, the rest withdrawn",
        [execution("trade", 1, "6.0", "4.0"), execution("cancelled", 1, "0.0", "6.0")],
        answer(1, "cancelled", "0.0", "4.0"),
        ("cancelled", "0.0", "4.0"),
    ),
    (
        "cancelled by somebody else's command before the answer was read",
        [execution("rested", 1, "10.0"), execution("cancelled", 7, "0.0", "10.0")],
        answer(1, "resting", "10.0"),
        ("cancelled", "0.0", "0"),
    ),
]


@pytest.mark.parametrize(("events", "told", "end"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES])
def test_an_answer_may_come_at_any_time(events: list[Execution], told: OrderResult, end: tuple[str, str, str]) -> None:
    for place in range(len(events) + 1):
        orders, order = table()
        apply(orders, order, [*events[:place], told, *events[place:]])
        assert (order.status, order.remaining) == end[:2], place
        assert float(order.filled) == float(end[2]), place
        assert sum(float(fill.quantity) for fill in order.fills) == float(end[2]), place
        assert (5 in orders.open) is (end[0] in {"resting", "waiting"})
        assert order.order_id == 5


def test_cancel_amend_and_later_fills() -> None:
    orders, order = table()
    apply(orders, order, [execution("rested", 1, "10.0"), answer(1, "resting", "10.0")])
    apply(orders, order, [execution("reduced", 2, "8.0", "2.0", reason="amended"), answer(2, "resting", "8.0", revision=2)])
    assert (order.remaining, order.revision, order.is_open) == ("8.0", 2, True)
    apply(orders, order, [execution("trade", 3, "5.0", "3.0", liquidity="maker", fee_micro=60, trade_number=4)])
    assert (order.filled, order.remaining, order.fills[0].liquidity, order.fills[0].trade_number) == ("3.0", "5.0", "maker", 4)
    apply(orders, order, [execution("cancelled", 4, "0.0", "5.0"), answer(4, "cancelled", "0")])
    assert (order.status, order.filled, orders.open) == ("cancelled", "3.0", {})


def test_an_amend_that_trades_adds_to_what_was_filled() -> None:
    for answered_first in (True, False):
        orders, order = table()
        apply(orders, order, [execution("trade", 1, "8.0", "2.0"), execution("rested", 1, "8.0"), answer(1, "resting", "8.0", "2.0")])
        rested = execution("rested", 2, "5.0", price="0.5000")
        events: list[Any] = [execution("repriced", 2, "0.0", "8.0"), execution("trade", 2, "5.0", "3.0"), rested]
        told = answer(2, "resting", "5.0", "3.0", revision=2)
        apply(orders, order, [told, *events] if answered_first else [*events, told])
        assert (float(order.filled), order.remaining, order.revision) == (5.0, "5.0", 2), answered_first


def test_a_duplicate_answer_changes_nothing_that_is_known() -> None:
    orders, order = table()
    apply(orders, order, [execution("rested", 1, "10.0"), execution("trade", 2, "4.0", "6.0"), answer(9, "resting", "10.0", duplicate=True)])
    assert (order.status, order.remaining, order.filled) == ("resting", "4.0", "6.0")
    orders, order = table()
    apply(orders, order, [answer(9, "cancelled", "0.0", duplicate=True)])
    assert (order.status, orders.open) == ("cancelled", {})


def test_orders_of_another_session_of_the_account_appear() -> None:
    orders, _ = table()
    orders.apply_execution(execution("rested", 3, "7.0", order_id=8, client_order_id="other"))
    assert (orders.open[8].remaining, orders.open[8].price, orders.open[8].client_order_id) == ("7.0", "0.4000", "other")
    assert orders.apply_execution(execution("cancelled", 4, "0", order_id=99, client_order_id="unknown")) is None


def test_the_list_of_the_exchange_is_the_truth() -> None:
    orders, order = table()
    apply(orders, order, [execution("rested", 1, "10.0"), answer(1, "resting", "10.0")])
    gone = orders.apply_execution(execution("rested", 2, "1.0", order_id=6, client_order_id="d"))
    listed = OpenOrderResult(
        order_id=5, client_order_id="c", instrument="X", side="buy", price="0.4100", quantity="10.0", filled="3.0", remaining="7.0",
        time_in_force="gtc", revision=2,
    )  # fmt: skip
    orders.reconcile([listed])
    assert (order.remaining, order.filled, order.price, order.revision) == ("7.0", "3.0", "0.4100", 2)
    assert gone is not None
    assert (gone.status, list(orders.open)) == ("ended", [5])


def test_what_has_ended_is_not_kept() -> None:
    orders, order = table()
    apply(orders, order, [execution("trade", 1, "0.0", "10.0"), answer(1, "filled", "0.0", "10.0")])
    assert orders._by_client_id == {}
    orders, order = table()
    orders.drop_pending(order.client_order_id)
    assert orders._by_client_id == {}


@given(st.permutations([execution("rested", 1, "10.0"), execution("trade", 2, "4.0", "6.0"), execution("trade", 3, "0.0", "4.0")]))
def test_no_order_of_events_raises(events: list[Execution]) -> None:
    for told in itertools.permutations([answer(1, "resting", "10.0")]):
        orders, order = table()
        apply(orders, order, [*told, *events])


def test_decimal_helpers() -> None:
    assert (is_zero("0"), is_zero("0.00"), is_zero("0.01"), is_zero("10")) == (True, True, False, False)
    assert add_decimals("0.10", "2.5") == "2.60"


DUPLICATE = {"sequence": 9, "order_id": 5, "status": "resting", "filled": "0", "remaining": "10", "revision": 1, "duplicate": True}


@pytest.mark.parametrize(
    ("since", "status", "remaining"),
    [
        ([], "resting", "10"),
        ([execution("trade", 2, "4", "6")], "resting", "4"),
        ([execution("trade", 2, "0", "10")], "filled", "0"),
        ([execution("cancelled", 2, "0")], "cancelled", "0"),
    ],
    ids=["nothing", "a part was filled", "filled", "cancelled"],
)
def test_an_order_that_another_session_placed_is_known_as_it_is_now(since: list[Execution], status: str, remaining: str) -> None:
    """The same command sent by a second session: its answer repeats the first outcome, after executions of what has happened since."""
    table = OrderTable(None)  # type: ignore[arg-type]
    table.apply_execution(execution("rested", 1, "10"))
    for told in since:
        table.apply_execution(told)
    order = Order("X", "buy", "c", "1", "10", remaining="10")
    table.add_pending(order)
    table.apply_answer(order, OrderResult(**DUPLICATE))
    assert (order.status, order.remaining) == (status, remaining)
    assert table.open == ({5: order} if status == "resting" else {})
