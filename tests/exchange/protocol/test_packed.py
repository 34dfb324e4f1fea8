"""MessagePack: what it can say that JSON cannot has a code, and what both can say means the same."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol import codec, packed
from exchange.protocol import messages as m
from exchange.protocol.codec import Refusal
from exchange.protocol.encoding import JSON, MSGPACK, SharedNotification, chosen, result_decoder
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import Answered, ClientSession, Notified, ServerSession
from tests.exchange.protocol.test_codec import JSON as JSON_VALUES
from tests.exchange.protocol.test_codec import METHODS, PLACE

pack = msgspec.msgpack.encode


def frame(**changes: Any) -> bytes:
    """A good place request but for `changes`; None removes a member."""
    body = {"jsonrpc": "2.0", "id": 7, "method": "order.place", "params": PLACE} | changes
    return pack({name: value for name, value in body.items() if value is not None})


def params(**changes: Any) -> bytes:
    return frame(params=PLACE | changes)


def submitted(document: Any) -> bytes:
    return frame(method="operator.submit", params={"schema": "deposit", "document": document})


def cut(whole: bytes, tail: bytes) -> bytes:
    """`whole` without its last byte, the value 1 of a document, and `tail` instead."""
    assert whole[-1] == 1
    return whole[:-1] + tail


EXTENSION = msgspec.msgpack.Ext(5, b"abc")
ROWS = [
    # name, frame, code, id of the answer
    ("not UTF-8", frame(id="aa").replace(b"aa", b"\xff\xff"), RejectCode.INVALID_UTF8, None),
    ("empty", b"", RejectCode.INVALID_MSGPACK, None),
    ("cut off", frame()[:-1], RejectCode.INVALID_MSGPACK, None),
    ("trailing bytes", frame() + b"\x00", RejectCode.INVALID_MSGPACK, None),
    ("two messages", frame() * 2, RejectCode.INVALID_MSGPACK, None),
    ("the byte that is no type", b"\xc1", RejectCode.INVALID_MSGPACK, None),
    ("a list that claims more than there is", cut(submitted(1), b"\xdd\xff\xff\xff\xff"), RejectCode.INVALID_MSGPACK, None),
    ("a map that claims more than there is", cut(submitted(1), b"\xdf\xff\xff\xff\xff"), RejectCode.INVALID_MSGPACK, None),
    ("text that claims more than there is", cut(submitted(1), b"\xdb\xff\xff\xff\xff"), RejectCode.INVALID_MSGPACK, None),
    ("legs that claim more than there are", cut(frame(method="basket.place", params={"legs": 1}), b"\xdd\x0f\xff\xff\xff"),
     RejectCode.INVALID_MSGPACK, None),
    ("nested", b"\x91" * 20_000 + b"\xc0", RejectCode.NESTING_TOO_DEEP, None),
    ("nested in a document", cut(submitted(1), b"\x91" * 20_000 + b"\xc0"), RejectCode.NESTING_TOO_DEEP, None),
    ("batch", pack([msgspec.msgpack.decode(frame())]), RejectCode.BATCH_NOT_SUPPORTED, None),
    ("a number", b"\x07", RejectCode.INVALID_REQUEST, None),
    ("nil", b"\xc0", RejectCode.INVALID_REQUEST, None),
    ("binary id", frame(id=b"7"), RejectCode.UNSUPPORTED_VALUE, None),
    ("binary method", frame(method=b"balances"), RejectCode.UNSUPPORTED_VALUE, 7),
    ("binary text", params(instrument=b"X"), RejectCode.UNSUPPORTED_VALUE, 7),
    ("binary key", b"\x81\xc4\x02id\x07", RejectCode.UNSUPPORTED_VALUE, None),
    ("number as a key", pack({1: 2}), RejectCode.UNSUPPORTED_VALUE, None),
    ("list as a key", b"\x81\x91\x01\x02", RejectCode.UNSUPPORTED_VALUE, None),
    ("extension", params(label=EXTENSION), RejectCode.UNSUPPORTED_VALUE, 7),
    ("extension in a document", submitted({"account": EXTENSION}), RejectCode.UNSUPPORTED_VALUE, 7),
    ("timestamp in a document", cut(submitted(1), b"\xd6\xff\x00\x00\x00\x01"), RejectCode.UNSUPPORTED_VALUE, 7),
    ("bytes deep in a document", submitted([{"a": [1, {"b": b"x"}]}]), RejectCode.UNSUPPORTED_VALUE, 7),
    ("number as a key of a document", submitted({"a": {7: 1}}), RejectCode.UNSUPPORTED_VALUE, 7),
    ("NaN", frame(method="clock.run", params={"speed": math.nan}), RejectCode.UNSUPPORTED_VALUE, 7),
    ("infinity", frame(method="clock.run", params={"speed": math.inf}), RejectCode.UNSUPPORTED_VALUE, 7),
    ("NaN in a document", submitted([math.nan]), RejectCode.UNSUPPORTED_VALUE, 7),
    ("id is a float", frame(id=7.0), RejectCode.INVALID_REQUEST_ID, None),
    ("id beyond int64", frame(id=2**63), RejectCode.INVALID_REQUEST_ID, None),
    ("notification", frame(id=None), RejectCode.NOTIFICATION_NOT_SUPPORTED, None),
    ("unknown method", frame(method="order.replace"), RejectCode.UNKNOWN_METHOD, 7),
    ("unknown field", params(account=33), RejectCode.INVALID_PARAMS, 7),
    ("price is a float", params(price=0.41), RejectCode.INVALID_DECIMAL, 7),
]


@pytest.mark.parametrize(("wrong", "code", "answer_id"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_wrong_frames(wrong: bytes, code: RejectCode, answer_id: int | None) -> None:
    refusal = packed.decode_request(wrong)
    assert isinstance(refusal, Refusal)
    assert (refusal.code.name, refusal.id) == (code.name, answer_id)


def test_json_frames_are_no_messagepack() -> None:
    refusal = packed.decode_request(msgspec.json.encode(msgspec.msgpack.decode(frame())))
    assert isinstance(refusal, Refusal)
    assert refusal.code is RejectCode.INVALID_MSGPACK


def test_repeated_members_count_with_their_last_value() -> None:
    assert packed.decode_id(b"\x82\xa2id\x01\xa2id\x02") == 2


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    assert isinstance(packed.decode_request(data), Refusal | m.Request)
    packed.decode_id(data)


@given(METHODS, st.dictionaries(st.sampled_from(sorted(PLACE)) | st.text(), JSON_VALUES), JSON_VALUES)
def test_what_both_can_say_means_the_same(method: str, fields: dict[str, Any], request_id: Any) -> None:
    text = msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "method": method, "params": fields})
    body = msgspec.json.decode(text)
    try:
        binary = pack(body)
    except OverflowError:  # MessagePack has no integers of more than 64 bits
        return
    assert codec.decode_request(text) == packed.decode_request(binary)


@pytest.mark.parametrize("encoding", [JSON, MSGPACK], ids=lambda encoding: encoding.name)
def test_both_ends_of_a_session(encoding: Any) -> None:
    client, server = ClientSession(encoding), ServerSession(encoding=encoding)
    client.request("order.cancel", m.CancelParams(client_order_id="c1", order_id=5))
    client.request("balances", {})
    for sent in client.data_to_send():
        server.receive_data(sent)
    cancel, balances = server.events_received()
    server.answer(cancel, m.TurnResult(turn=3))
    server.refuse(balances, RejectCode.SCOPE_MISSING, {"scopes": ["read"]})
    server.notify("turn", m.Turn(turn=1, now_ns=2, next_ns=3))
    for sent in server.data_to_send():
        client.receive_data(sent)
    answered, refused, told = client.events_received()
    assert isinstance(answered, Answered)
    assert isinstance(refused, Answered)
    assert isinstance(told, Notified)
    assert result_decoder(m.TurnResult)(answered.result) == m.TurnResult(turn=3)
    assert refused.error is not None
    assert (refused.error.code, refused.error.data) == (RejectCode.SCOPE_MISSING, {"scopes": ["read"]})
    assert told.params == m.Turn(turn=1, now_ns=2, next_ns=3)


@pytest.mark.parametrize(
    ("offered", "name", "answered"),
    [
        ([], "json", None),
        (["parkex.v1.json"], "json", "parkex.v1.json"),
        (["parkex.v1.msgpack"], "msgpack", "parkex.v1.msgpack"),
        (["other", "parkex.v1.msgpack", "parkex.v1.json"], "msgpack", "parkex.v1.msgpack"),
        (["other"], "json", None),
    ],
)
def test_the_first_known_subprotocol_is_chosen(offered: list[str], name: str, answered: str | None) -> None:
    encoding, subprotocol = chosen(offered)
    assert (encoding.name, subprotocol) == (name, answered)


def test_a_shared_notification_is_encoded_once_for_each_encoding() -> None:
    shared = SharedNotification("turn", m.Turn(turn=1, now_ns=2, next_ns=3))
    for encoding in (JSON, MSGPACK):
        assert shared.encoded(encoding) is shared.encoded(encoding)
        assert shared.encoded(encoding) == encoding.encode_notification("turn", shared.params)
