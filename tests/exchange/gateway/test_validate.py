"""Step 2, validate: one row a code, in the order in which codes win; records carry what was asked for."""

import itertools
import struct
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.gateway.validate import (
    SELF_TRADES,
    SIDES,
    TIMES_IN_FORCE,
    amend_record,
    cancel_record,
    mass_cancel_record,
    pack_command,
    place_record,
    quantity_of,
)
from exchange.journal.record import COMMAND, CommandFlag, CommandKind, OrderType
from exchange.order_path.admit import conditions_contradict
from exchange.order_path.state import COMMAND_WORDS
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode
from exchange.units import INT64_MAX
from matching.compile import kernel
from matching.records import SelfTrade, Side, TimeInForce
from tests.exchange.order_path.park import block_spec, power_spec, units_spec

# Wide enough that a notional can overflow: no such instrument can be listed, but the gateway does not rely on that.
LISTED = SimpleNamespace(id=9, spec=power_spec(max_order_lots=10**15, max_price_ticks=2**31 - 1, min_price_ticks=1))
UNITS = SimpleNamespace(id=10, spec=units_spec(price_decimals=4, quantity_decimals=1))
BLOCK = SimpleNamespace(id=11, spec=block_spec())
GOOD: dict[str, Any] = {"client_order_id": "c-1_X", "instrument": "GP", "side": "buy", "price": "0.4100", "quantity": "12.5"}


def place(listed: Any = LISTED, **changes: Any) -> bytes | RejectCode:
    return place_record(m.PlaceParams(**(GOOD | changes)), 33, 7, listed)


def decoded(record: bytes | RejectCode) -> np.void:
    assert isinstance(record, bytes), record
    return np.frombuffer(record, COMMAND)[0]


PLACE_ROWS = [
    (RejectCode.INVALID_DECIMAL, {"price": "1e3"}),
    (RejectCode.INVALID_DECIMAL, {"quantity": "-1"}),
    (RejectCode.INVALID_DECIMAL, {"price": "+1", "listed": None}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": ""}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": "x" * 37}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": "a b"}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": "订单"}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": "a\n"}),
    (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": "a\0"}),
    (RejectCode.UNKNOWN_INSTRUMENT, {"listed": None}),
    (RejectCode.INVALID_COMBINATION, {"post_only": True, "time_in_force": "ioc"}),
    (RejectCode.INVALID_COMBINATION, {"post_only": True, "time_in_force": "fok"}),
    (RejectCode.INVALID_COMBINATION, {"post_only": True, "type": "market", "price": None}),
    (RejectCode.INVALID_COMBINATION, {"type": "market", "price": None, "time_in_force": "gtc"}),
    (RejectCode.PRICE_REQUIRED, {"price": None}),
    (RejectCode.PRICE_NOT_ALLOWED, {"type": "market"}),
    (RejectCode.PRICE_OFF_TICK, {"price": "0.41001"}),
    (RejectCode.PRICE_OFF_TICK, {"price": "0.41000"}),
    (RejectCode.PRICE_OUT_OF_RANGE, {"price": "0.0000"}),
    (RejectCode.PRICE_OUT_OF_RANGE, {"price": "214748.3648"}),
    (RejectCode.PRICE_OUT_OF_RANGE, {"price": "9" * 40}),
    (RejectCode.QUANTITY_OFF_LOT, {"quantity": "12.55"}),
    (RejectCode.QUANTITY_OUT_OF_RANGE, {"quantity": "0"}),
    (RejectCode.QUANTITY_OUT_OF_RANGE, {"quantity": "100000000000000.1"}),
    (RejectCode.QUANTITY_OUT_OF_RANGE, {"quantity": "9" * 40}),
    (RejectCode.NOTIONAL_OVERFLOW, {"price": "200000.0000", "quantity": "100000000000000.0"}),
    (RejectCode.NOTIONAL_OVERFLOW, {"type": "market", "price": None, "quantity": "100000000000000.0"}),
    (RejectCode.EXPIRY_REQUIRED, {"time_in_force": "gtd"}),
    (RejectCode.EXPIRY_NOT_ALLOWED, {"expires_at_ns": 1}),
    (RejectCode.INVALID_TIMESTAMP, {"time_in_force": "gtd", "expires_at_ns": 0}),
    (RejectCode.INVALID_TIMESTAMP, {"time_in_force": "gtd", "expires_at_ns": INT64_MAX + 1}),
    (RejectCode.INVALID_TIMESTAMP, {"deadline_ns": -1}),
    (RejectCode.INVALID_DECIMAL, {"display": "-1"}),
    (RejectCode.INVALID_DECIMAL, {"min_quantity": ""}),
    (RejectCode.INVALID_DECIMAL, {"stop_price": "1e3", "listed": None}),
    (RejectCode.INVALID_COMBINATION, {"reprice": True}),
    (RejectCode.INVALID_COMBINATION, {"time_in_force": "gate", "listed": UNITS}),
    (RejectCode.INVALID_COMBINATION, {"reduce_only": True, "listed": UNITS}),
    (RejectCode.INVALID_COMBINATION, {"reduce_only": True, "listed": BLOCK}),
    (RejectCode.INVALID_COMBINATION, {"reduce_only": True, "all_or_none": True}),
    (RejectCode.PRICE_REQUIRED, {"price": None, "stop_price": "0.4200"}),
    (RejectCode.PRICE_NOT_ALLOWED, {"type": "market", "stop_price": "0.4200"}),
    (RejectCode.PRICE_OFF_TICK, {"stop_price": "0.41001"}),
    (RejectCode.PRICE_OFF_TICK, {"price": "0.0000", "stop_price": "0.41001"}),
    (RejectCode.PRICE_OUT_OF_RANGE, {"stop_price": "0.0000"}),
    (RejectCode.QUANTITY_OFF_LOT, {"display": "1.25"}),
    (RejectCode.QUANTITY_OFF_LOT, {"min_quantity": "1.25", "quantity": "0"}),
    (RejectCode.NOTIONAL_OVERFLOW, {"post_only": True, "reprice": True, "quantity": "100000000000000.0"}),
    (RejectCode.DISPLAY_OUT_OF_RANGE, {"display": "0"}),
    (RejectCode.DISPLAY_OUT_OF_RANGE, {"display": "12.6"}),
    (RejectCode.DISPLAY_OUT_OF_RANGE, {"display": "0.1"}),
    (RejectCode.DISPLAY_OUT_OF_RANGE, {"display": "9" * 40}),
    (RejectCode.MINIMUM_OUT_OF_RANGE, {"min_quantity": "0"}),
    (RejectCode.MINIMUM_OUT_OF_RANGE, {"min_quantity": "12.6"}),
    (RejectCode.MINIMUM_OUT_OF_RANGE, {"min_quantity": "9" * 40}),
]


@pytest.mark.parametrize(("code", "changes"), PLACE_ROWS)
def test_place_refused(code: RejectCode, changes: dict[str, Any]) -> None:
    assert place(**changes) is code


def test_the_lowest_code_wins() -> None:
    """Put one fault after the other into an order, from the highest code down: the answer is always the newest fault."""
    faults: list[tuple[RejectCode, dict[str, Any]]] = [
        (RejectCode.MINIMUM_OUT_OF_RANGE, {"min_quantity": "0"}),
        (RejectCode.INVALID_TIMESTAMP, {"deadline_ns": -1}),
        (RejectCode.EXPIRY_NOT_ALLOWED, {"expires_at_ns": 1}),
        (RejectCode.NOTIONAL_OVERFLOW, {"price": "200000.0000", "quantity": "100000000000000.0"}),
        (RejectCode.QUANTITY_OUT_OF_RANGE, {"quantity": "0.0"}),
        (RejectCode.QUANTITY_OFF_LOT, {"quantity": "0.01"}),
        (RejectCode.PRICE_OUT_OF_RANGE, {"price": "0"}),
        (RejectCode.PRICE_OFF_TICK, {"price": "0.00001"}),
        (RejectCode.INVALID_COMBINATION, {"post_only": True, "time_in_force": "ioc"}),
        (RejectCode.UNKNOWN_INSTRUMENT, {"listed": None}),
        (RejectCode.INVALID_CLIENT_ORDER_ID, {"client_order_id": ""}),
        (RejectCode.INVALID_DECIMAL, {"price": "x"}),
    ]
    order: dict[str, Any] = {}
    for code, fault in faults:
        order |= fault
        assert place(**order) is code


def test_place_record() -> None:
    record = decoded(
        place(time_in_force="gtd", expires_at_ns=5, deadline_ns=4, label=2**32 - 1, self_trade="decrement", post_only=True, side="sell")
    )
    expected = np.zeros(1, COMMAND)[0]
    for name, value in {
        "kind": CommandKind.PLACE, "version": 1, "flags": CommandFlag.POST_ONLY, "side": Side.SELL, "order_type": OrderType.LIMIT, "account": 33,
        "session": 7, "instrument": 9, "price_ticks": 4100, "quantity_lots": 125, "deadline_ns": 4, "expiry_ns": 5, "label": 2**32 - 1,
        "time_in_force": TimeInForce.GTD, "self_trade": SelfTrade.DECREMENT, "client_order_id": b"c-1_X",
    }.items():  # fmt: skip
        expected[name] = value
    assert record == expected
    assert quantity_of(record.tobytes()) == 125


def test_market_order_is_immediate_or_cancel() -> None:
    record = decoded(place(type="market", price=None))
    assert (record["order_type"], record["time_in_force"], record["price_ticks"]) == (OrderType.MARKET, TimeInForce.IOC, 0)
    assert decoded(place(type="market", price=None, time_in_force="fok"))["time_in_force"] == TimeInForce.FOK


def test_record_of_an_order_with_conditions() -> None:
    record = decoded(place(display="2.5", stop_price="0.4200", time_in_force="gate"))
    assert record["flags"] == CommandFlag.ICEBERG | CommandFlag.STOP
    assert (record["display_lots"], record["stop_ticks"], record["min_lots"]) == (25, 4_200, 0)
    assert (record["time_in_force"], record["order_type"]) == (TimeInForce.GATE, OrderType.LIMIT)
    record = decoded(place(min_quantity="2.5"))
    assert (record["flags"], record["min_lots"]) == (CommandFlag.MINIMUM, 25)
    assert decoded(place(all_or_none=True))["flags"] == CommandFlag.ALL_OR_NONE
    assert decoded(place(post_only=True, reprice=True))["flags"] == CommandFlag.POST_ONLY | CommandFlag.REPRICE
    stop = decoded(place(type="market", price=None, stop_price="0.4200"))
    assert (stop["order_type"], stop["time_in_force"], stop["price_ticks"]) == (OrderType.MARKET, TimeInForce.GTC, 0)


def test_combinations_are_those_of_admission() -> None:
    """Every combination of attributes: refused here where the order path would refuse it, and for a market order that is to rest."""
    fields: list[dict[str, Any]] = [
        {"post_only": True}, {"reprice": True}, {"display": "5.0"}, {"min_quantity": "5.0"}, {"all_or_none": True}, {"stop_price": "0.4200"},
        {"type": "market", "price": None},
    ]  # fmt: skip
    bits = [
        CommandFlag.POST_ONLY, CommandFlag.REPRICE, CommandFlag.ICEBERG, CommandFlag.MINIMUM, CommandFlag.ALL_OR_NONE, CommandFlag.STOP, 0,
    ]  # fmt: skip
    cases = list(itertools.product(range(1 << len(fields)), TIMES_IN_FORCE))
    commands = np.zeros(len(cases), COMMAND_WORDS).view(np.recarray)
    refused = []
    for row, (mask, time_in_force) in enumerate(cases):
        chosen = [n for n in range(len(fields)) if mask >> n & 1]
        commands[row]["flags"] = sum(int(bits[n]) for n in chosen)
        commands[row]["order_type"] = OrderType.MARKET if mask >> 6 else OrderType.LIMIT
        commands[row]["time_in_force"] = TIMES_IN_FORCE[time_in_force]
        expiry = {"expires_at_ns": 5} if time_in_force == "gtd" else {}
        answer = place(**{name: value for n in chosen for name, value in fields[n].items()}, time_in_force=time_in_force, **expiry)
        assert isinstance(answer, bytes) or answer is RejectCode.INVALID_COMBINATION, (chosen, time_in_force)
        refused.append(not isinstance(answer, bytes))
    found = np.zeros(len(cases), np.bool_)
    contradictory(commands, found)
    is_plain_market = (commands["order_type"] == OrderType.MARKET) & (commands["flags"] & CommandFlag.STOP == 0)
    rests = ~np.isin(commands["time_in_force"], [TimeInForce.IOC, TimeInForce.FOK])
    assert refused == (found | (is_plain_market & rests)).tolist()


@kernel
def contradictory(commands: Any, found: Any) -> None:
    """Fills `found` with what admission says of each command."""
    for i in range(commands.shape[0]):
        found[i] = conditions_contradict(commands[i])


def test_flags_of_the_session_are_on_every_order() -> None:
    flags = int(CommandFlag.CANCEL_ON_DISCONNECT)
    for post_only in (False, True):
        record = decoded(place_record(m.PlaceParams(**GOOD, post_only=post_only), 33, 7, LISTED, flags))
        assert record["flags"] == flags | (CommandFlag.POST_ONLY if post_only else 0)


AMEND: dict[str, Any] = {"client_order_id": "c", "instrument": "GP", "order_id": 5, "revision": 2}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (RejectCode.INVALID_DECIMAL, {"price": "-1"}),
        (RejectCode.INVALID_CLIENT_ORDER_ID, {"price": "1", "client_order_id": "!"}),
        (RejectCode.UNKNOWN_INSTRUMENT, {"price": "1", "listed": None}),
        (RejectCode.PRICE_OFF_TICK, {"price": "1.00001"}),
        (RejectCode.PRICE_OUT_OF_RANGE, {"price": "0"}),
        (RejectCode.QUANTITY_OFF_LOT, {"quantity": "1.01"}),
        (RejectCode.QUANTITY_OUT_OF_RANGE, {"quantity": "0"}),
        (RejectCode.NOTIONAL_OVERFLOW, {"price": "200000.0", "quantity": "100000000000000.0"}),
        (RejectCode.NOTIONAL_OVERFLOW, {"quantity": "100000000000000.0"}),
        (RejectCode.INVALID_TIMESTAMP, {"price": "1", "deadline_ns": 0}),
        (RejectCode.NOTHING_TO_AMEND, {}),
    ],
)
def test_amend_refused(code: RejectCode, changes: dict[str, Any]) -> None:
    listed = changes.pop("listed", LISTED) if "listed" in changes else LISTED
    assert amend_record(m.AmendParams(**(AMEND | changes)), 33, 7, listed) is code


@pytest.mark.parametrize(
    ("changes", "flags", "price", "quantity"),
    [
        ({"price": "0.4"}, CommandFlag.AMEND_PRICE, 4000, 0),
        ({"quantity": "3"}, CommandFlag.AMEND_QUANTITY, 0, 30),
        ({"price": "0.4", "quantity": "3"}, CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY, 4000, 30),
    ],
)
def test_amend_record(changes: dict[str, Any], flags: CommandFlag, price: int, quantity: int) -> None:
    record = decoded(amend_record(m.AmendParams(**(AMEND | changes)), 33, 7, LISTED))
    assert (record["kind"], record["flags"], record["order_id"], record["revision"]) == (CommandKind.AMEND, flags, 5, 2)
    assert (record["price_ticks"], record["quantity_lots"], record["instrument"]) == (price, quantity, 9)


def test_cancel() -> None:
    record = decoded(cancel_record(m.CancelParams(client_order_id="c", order_id=5, deadline_ns=3), 33, 7))
    assert (record["kind"], record["order_id"], record["deadline_ns"], record["client_order_id"]) == (CommandKind.CANCEL, 5, 3, b"c")
    assert cancel_record(m.CancelParams(client_order_id="", order_id=5), 33, 7) is RejectCode.INVALID_CLIENT_ORDER_ID
    assert cancel_record(m.CancelParams(client_order_id="c", order_id=5, deadline_ns=-3), 33, 7) is RejectCode.INVALID_TIMESTAMP


ALL = CommandFlag.ALL_INSTRUMENTS | CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS


@pytest.mark.parametrize(
    ("filters", "flags"),
    [
        ({}, ALL),
        ({"instrument": "GP"}, ALL & ~CommandFlag.ALL_INSTRUMENTS),
        ({"side": "sell"}, ALL & ~CommandFlag.ALL_SIDES),
        ({"label": 0}, ALL & ~CommandFlag.ALL_LABELS),
        ({"instrument": "GP", "side": "buy", "label": 4}, CommandFlag.NONE),
    ],
)
def test_mass_cancel_says_which_filters_are_not_set(filters: dict[str, Any], flags: CommandFlag) -> None:
    listed = LISTED if "instrument" in filters else None
    record = decoded(mass_cancel_record(m.MassCancelParams(client_order_id="c", **filters), 33, 7, listed))
    assert (record["flags"], record["side"], record["label"]) == (flags, filters.get("side") == "sell", filters.get("label", 0))


def test_mass_cancel_refused() -> None:
    params = m.MassCancelParams(client_order_id="c", instrument="nowhere")
    assert mass_cancel_record(params, 33, 7, None) is RejectCode.UNKNOWN_INSTRUMENT
    assert mass_cancel_record(m.MassCancelParams(client_order_id="~"), 33, 7, None) is RejectCode.INVALID_CLIENT_ORDER_ID
    assert mass_cancel_record(m.MassCancelParams(client_order_id="c", deadline_ns=-1), 33, 7, None) is RejectCode.INVALID_TIMESTAMP


def test_packing_is_the_layout_of_the_record() -> None:
    """Each argument lands in the field of its name and in no other."""
    fields = (
        "flags", "side", "order_type", "instrument", "order_id", "price_ticks", "quantity_lots", "deadline_ns", "expiry_ns", "revision", "label",
        "time_in_force", "self_trade",
    )  # fmt: skip
    for place_, name in enumerate(fields, start=1):
        record = np.frombuffer(pack_command(19, 1, 2, **{name: place_}), COMMAND)
        expected = np.zeros(1, COMMAND)
        expected["kind"], expected["version"], expected["account"], expected["session"], expected[name] = 19, 1, 1, 2, place_
        assert record == expected


def test_every_name_of_the_wire_has_its_number() -> None:
    assert {*SIDES} == {*m.SideName.__args__}
    assert {*TIMES_IN_FORCE} == {*m.TimeInForceName.__args__}
    assert {*SELF_TRADES} == {*m.SelfTradeName.__args__}
    assert SelfTrade.ALLOW not in SELF_TRADES.values()


@given(st.builds(m.PlaceParams, client_order_id=st.text(max_size=40), instrument=st.text(), side=st.just("buy"), quantity=st.text(max_size=40),
                 price=st.none() | st.text(max_size=40), expires_at_ns=st.none() | st.integers(), deadline_ns=st.none() | st.integers()))  # fmt: skip
def test_no_params_raise(params: m.PlaceParams) -> None:
    for listed in (LISTED, None):
        try:
            record = place_record(params, 1, 1, listed)
        except (struct.error, msgspec.MsgspecError) as error:  # pragma: no cover - the property
            raise AssertionError from error
        assert isinstance(record, RejectCode | bytes)
