"""The compiled scanner against the decoder and validation: what it takes becomes their record, and what they refuse it never takes."""

import random
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.gateway.usual.requests import N_FOUND, N_PARAMS
from exchange.gateway.usual.scanner import SENDER, TICKET, scan_frames
from exchange.gateway.usual.symbols import SYMBOL_BYTES, Symbols, as_kernel_records, find_symbol
from exchange.gateway.validate import amend_record, cancel_record, place_record
from exchange.journal.record import COMMAND
from exchange.order_path.state import COMMAND_WORDS
from exchange.protocol import messages as m
from exchange.protocol.codec import decode_request, encode_request
from tests.exchange.order_path.park import power_spec, units_spec

POWER = SimpleNamespace(id=9, spec=power_spec(max_order_lots=10**15, max_price_ticks=2**31 - 1, min_price_ticks=1))
UNITS = SimpleNamespace(id=10, spec=units_spec("CEA25"))
WHOLE = SimpleNamespace(id=11, spec=units_spec("X" * SYMBOL_BYTES, price_decimals=0))
LISTED = {"GP": POWER, "CEA25": UNITS, "X" * SYMBOL_BYTES: WHOLE}
ACCOUNT, SESSION, FLAGS = 33, 7, 2
LIMIT_BYTES = 2_000


def known() -> Symbols:
    symbols = Symbols()
    for symbol, listed in LISTED.items():
        symbols.learn(symbol, listed)
    return symbols


SYMBOLS = known()


def scanned(*frames: bytes) -> tuple[int, np.ndarray, np.ndarray]:
    """(how many of the first frames are usual, their records, their tickets)."""
    senders = np.zeros(1, SENDER)
    senders["account"], senders["session"], senders["order_flags"] = ACCOUNT, SESSION, FLAGS
    senders["frame_bytes_max"], senders["n_frames"] = LIMIT_BYTES, len(frames)
    data = np.frombuffer(b"\0".join(frames) + b"\0", np.uint8)
    ends = np.cumsum([len(frame) + 1 for frame in frames]) - 1
    commands, tickets = np.zeros(len(frames), COMMAND), np.zeros(len(frames), TICKET)
    n_usual = scan_frames(
        data, ends, as_kernel_records(senders), SYMBOLS.table, np.zeros(2 * N_PARAMS, np.int64), np.zeros(N_FOUND, np.int64),
        as_kernel_records(commands.view(COMMAND_WORDS)), as_kernel_records(tickets),
    )  # fmt: skip
    return n_usual, commands, tickets


def ordinary(frame: bytes) -> tuple[Any, bytes | None]:
    """(the request, its record or None) by the decoder and validation."""
    request = decode_request(frame)
    record: Any = None
    if isinstance(request, m.Place):
        record = place_record(request.params, ACCOUNT, SESSION, LISTED.get(request.params.instrument), FLAGS)
    elif isinstance(request, m.Amend):
        record = amend_record(request.params, ACCOUNT, SESSION, LISTED.get(request.params.instrument))
    elif isinstance(request, m.Cancel):
        record = cancel_record(request.params, ACCOUNT, SESSION)
    return request, record if isinstance(record, bytes) else None


def check(frame: bytes) -> bool:
    """Compare both on one frame; returns whether it is a usual one."""
    n_usual, commands, tickets = scanned(frame)
    if not n_usual:
        return False
    request, record = ordinary(frame)
    assert record is not None, (frame, request)
    assert commands[0].tobytes() == record, frame
    ticket = tickets[0]
    assert ticket["id"] == request.id
    assert ticket["quantity_lots"] == np.frombuffer(record, COMMAND)[0]["quantity_lots"]
    if not isinstance(request, m.Cancel):
        spec = LISTED[request.params.instrument].spec
        assert (ticket["multiplier_micro"], ticket["price_decimals"], ticket["quantity_decimals"]) == (
            spec.multiplier_micro, spec.price_decimals, spec.quantity_decimals,
        )  # fmt: skip
    return True


ORDER = {"client_order_id": "c-1_X", "instrument": "GP", "side": "buy", "price": "0.4100", "quantity": "12.5"}
AMEND = {"client_order_id": "a", "instrument": "CEA25", "order_id": 5, "revision": 1, "price": "60.00"}
CANCEL = {"client_order_id": "x", "order_id": 2**63 - 1}

USUAL = [
    ("order.place", ORDER),
    ("order.place", ORDER | {"side": "sell", "type": "limit", "time_in_force": "gtc", "post_only": True}),
    ("order.place", ORDER | {"label": 2**32 - 1, "deadline_ns": 2**63 - 1}),
    ("order.place", ORDER | {"time_in_force": "ioc", "post_only": False, "self_trade": "cancel_oldest"}),
    ("order.place", ORDER | {"time_in_force": "fok", "self_trade": "cancel_both", "client_order_id": "x" * 36}),
    ("order.place", ORDER | {"time_in_force": "session", "self_trade": "decrement", "price": "1", "quantity": "1"}),
    ("order.place", ORDER | {"instrument": "X" * SYMBOL_BYTES, "price": "60", "quantity": "2", "self_trade": "cancel_newest"}),
    ("order.amend", AMEND),
    ("order.amend", AMEND | {"quantity": "7", "deadline_ns": 1}),
    ("order.amend", {"client_order_id": "a", "instrument": "GP", "order_id": 5, "revision": 0, "quantity": "7"}),
    ("order.cancel", CANCEL),
    ("order.cancel", {"client_order_id": "x", "order_id": 1, "deadline_ns": 1_784_044_800_000_000_000}),
]


@pytest.mark.parametrize(("method", "params"), USUAL)
def test_what_clients_send_is_usual(method: str, params: dict[str, Any]) -> None:
    for frame in (encode_request(12, method, params), msgspec.json.encode({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})):
        assert check(frame)
        assert check(msgspec.json.format(frame, indent=2))


# Valid or not, each is left to the decoder.
UNUSUAL: list[tuple[str, dict[str, Any]]] = [
    *(("order.place", ORDER | change) for change in (
        {"type": "market"}, {"type": "limits"}, {"price": None}, {"price": "0.41000"}, {"price": "00.41"}, {"price": ".41"}, {"price": "1."},
        {"price": "+1"}, {"price": "1e3"}, {"price": ""}, {"price": "0"}, {"price": "214748.3648"}, {"price": "1" * 19}, {"price": "\u0661"},
        {"quantity": "0"}, {"quantity": "100000000000000.1"}, {"quantity": "1.25"}, {"price": "200000", "quantity": "90000000"},
        {"side": "BUY"}, {"side": "buyer"}, {"side": ""}, {"instrument": "GQ"}, {"instrument": ""}, {"instrument": "X" * 33},
        {"instrument": "\u00e9"},
        {"client_order_id": ""}, {"client_order_id": "x" * 37}, {"client_order_id": "a b"}, {"client_order_id": 'a"'}, {"client_order_id": "a\u00e9"},
        {"time_in_force": "gtd"}, {"time_in_force": "gate"}, {"time_in_force": "gtcx"}, {"time_in_force": "ioc", "post_only": True},
        {"self_trade": "allow"}, {"self_trade": "cancel_newest "}, {"label": -1}, {"label": 2**32}, {"label": "1"}, {"deadline_ns": 0},
        {"deadline_ns": 2**63}, {"deadline_ns": None}, {"post_only": 1}, {"post_only": None}, {"reprice": True, "post_only": True},
        {"display": "1"},
        {"min_quantity": "1"}, {"all_or_none": True}, {"stop_price": "1"}, {"reduce_only": True}, {"expires_at_ns": 1}, {"order_id": 1},
        {"account": 1},
    )),
    *(("order.amend", AMEND | change) for change in ({"order_id": 0}, {"order_id": -1}, {"revision": 2**32}, {"revision": None}, {"price": "60.001"},
                                                     {"side": "buy"}, {"label": 1}, {"quantity": "0"}, {"order_id": 1.5}, {"order_id": 2**64})),
    ("order.amend", {"client_order_id": "a", "instrument": "GP", "order_id": 5, "revision": 0}),
    *(("order.cancel", CANCEL | change) for change in ({"order_id": 0}, {"order_id": 2**63}, {"order_id": None}, {"instrument": "GP"})),
    ("order.cancel", {"order_id": 1}),
    ("order.mass_cancel", {"client_order_id": "m"}),
    ("balances", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "params"), UNUSUAL)
def test_what_is_not_usual_is_left(method: str, params: dict[str, Any]) -> None:
    assert not check(encode_request(12, method, params))


FRAME = encode_request(12, "order.place", ORDER)


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"{", b"[]", b"null", FRAME[:-1], FRAME + b"x", FRAME + b"\0", FRAME.replace(b"12", b"012", 1), FRAME.replace(b":12", b":-1", 1),
        FRAME.replace(b":12", b':"12"', 1), FRAME.replace(b":12", b":1.0", 1), FRAME.replace(b":12", b":1e2", 1), FRAME.replace(b"2.0", b"1.0"),
        FRAME.replace(b'"id":12', b'"id":12,"id":13'), FRAME.replace(b'"side"', b'"side":"buy","side"'), FRAME.replace(b"c-1_X", b"c\\u002d1"),
        FRAME.replace(b"c-1_X", b"c\x7f"), FRAME.replace(b"c-1_X", b"c\n"), FRAME.replace(b'"params":{', b'"params":{,'),
        FRAME.replace(b"{", b"{,", 1),
        FRAME.replace(b',"jsonrpc":"2.0"', b""), FRAME.replace(b'"jsonrpc"', b'"jsonrpx"'), FRAME[:-1] + b" " * LIMIT_BYTES + b"}",
        FRAME[:-1] + b",}",
        FRAME.replace(b'"jsonrpc"', b'"jsonrpc2"'), FRAME.replace(b'{"client', b'{"":"","client'),
    ],
)  # fmt: skip
def test_frames_that_are_no_usual_requests(frame: bytes) -> None:
    assert not check(frame)


def test_the_first_frame_that_is_not_usual_ends_a_run() -> None:
    second = encode_request(13, "order.cancel", CANCEL)
    n_usual, commands, tickets = scanned(FRAME, second, b"{}", FRAME)
    assert n_usual == 2
    assert tickets["id"].tolist() == [12, 13, 0, 0]
    assert commands[1].tobytes() == ordinary(second)[1]


_PIECES = st.sampled_from(
    ["0", "1", "0.4", "12.5", "60.00", "00", "1.", ".5", "-1", "buy", "sell", "gtc", "ioc", "limit", "market", "GP", "CEA25", "c-1", "x" * 37, ""]
)
_VALUES = _PIECES | st.integers(-2, 2**64) | st.booleans() | st.none() | st.text(max_size=4)
_CHANGES = st.dictionaries(st.sampled_from([*m.PlaceParams.__struct_fields__, "order_id", "revision", "x"]), _VALUES, max_size=3)


@given(st.sampled_from(USUAL), _CHANGES, st.randoms(use_true_random=False), st.integers(-1, 2**63), st.integers(0, 2))
def test_made_up_requests(usual: tuple[str, dict[str, Any]], changes: dict[str, Any], mixer: random.Random, request_id: int, blanks: int) -> None:
    """Members shuffled, params changed, blanks between tokens."""
    members = [("jsonrpc", "2.0"), ("id", request_id), ("method", usual[0]), ("params", usual[1] | changes)]
    mixer.shuffle(members)
    frame = msgspec.json.encode(dict(members))
    check(msgspec.json.format(frame, indent=blanks) if blanks else frame)


@given(st.sampled_from(USUAL), st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), min_size=1, max_size=3))
def test_damaged_requests(usual: tuple[str, dict[str, Any]], damages: list[tuple[int, bytes]]) -> None:
    frame = encode_request(12, *usual)
    for place, piece in damages:
        at = place % len(frame)
        frame = frame[:at] + piece + frame[at + 1 :]
    if b"\0" not in frame:
        check(frame)


def test_symbols_grow_and_are_all_found() -> None:
    symbols = Symbols()
    names = [f"GP-{number:06d}" for number in range(1_000)]
    for index, name in enumerate(names):
        symbols.learn(name, SimpleNamespace(id=index + 1, spec=POWER.spec))
        symbols.learn(name, SimpleNamespace(id=99_999, spec=POWER.spec))  # known already
    for name in ("", "\u00e9", "X" * 33):
        symbols.learn(name, POWER)
    for index, name in enumerate([*names, "unknown"]):
        words = np.frombuffer(name.encode().ljust(SYMBOL_BYTES, b"\0"), np.uint64)
        place = int(find_symbol(symbols.table, *words))
        assert (place >= 0) is (index < len(names))
        assert place < 0 or symbols.table[place]["id"] == index + 1
