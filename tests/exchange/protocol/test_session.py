"""The sans-I/O session: both ends against each other, and the server's end against anything."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.session import Answered, ClientSession, Notified, ServerSession, SessionError

CANCEL = m.CancelParams(client_order_id="c1", order_id=5)


def answers(session: ServerSession) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame) for frame in session.data_to_send()]


def test_request_and_answer() -> None:
    client, server = ClientSession(), ServerSession()
    ids = [client.request("order.cancel", CANCEL), client.request("balances", {})]
    for frame in client.data_to_send():
        server.receive_data(frame)
    cancel, balances = server.events_received()
    assert isinstance(cancel, m.Cancel)
    assert cancel.params == CANCEL
    server.refuse(balances, RejectCode.SCOPE_MISSING, {"scopes": ["read"]})
    server.answer(cancel, m.TurnResult(turn=3))
    for frame in server.data_to_send():
        client.receive_data(frame)
    refused, answered = client.events_received()
    assert isinstance(refused, Answered)
    assert isinstance(answered, Answered)
    assert (answered.id, bytes(answered.result), answered.error) == (ids[0], b'{"turn":3}', None)
    assert refused.error is not None
    assert (refused.id, refused.error.code, refused.error.data) == (ids[1], 5006, {"scopes": ["read"]})
    assert server.unanswered == 0
    assert server.events_received() == client.events_received() == server.data_to_send() == client.data_to_send() == []


def test_notification() -> None:
    client, server = ClientSession(), ServerSession()
    server.notify("phase", m.PhaseChange(instrument="X", phase="continuous", at_ns=1, seq=2, prev_seq=1))
    server.notify("of.a.newer.server", m.PhaseChange(instrument="X", phase="continuous", at_ns=1, seq=2, prev_seq=1))
    for frame in server.data_to_send():
        client.receive_data(frame)
    assert client.events_received() == [Notified("phase", m.PhaseChange(instrument="X", phase="continuous", at_ns=1, seq=2, prev_seq=1))]


def test_frame_limit() -> None:
    server = ServerSession(frame_limit_bytes=100)
    server.receive_data(b"x" * 101)
    server.receive_data(b'{"jsonrpc":"2.0","id":1,"method":"balances"}')
    (answer,) = answers(server)
    assert (answer["id"], answer["error"]["code"], answer["error"]["data"]) == (None, 1001, {"code": 1001, "limit_bytes": 100})
    assert len(server.events_received()) == 1


def test_turned_away_with_its_id_only() -> None:
    server = ServerSession()
    server.turn_away(b'{"id":"a","method":{"not":"decoded"}}', RejectCode.RATE_LIMITED)
    server.turn_away(b"garbage", RejectCode.RATE_LIMITED)
    assert [(a["id"], a["error"]["code"]) for a in answers(server)] == [("a", 5007), (None, 5007)]
    assert server.events_received() == []


@pytest.mark.parametrize("frame", [b"", b"[]", b"{", b"\xff", b'{"id":1}', b'{"id":"x","result":1}', b'{"method":"turn","params":{"turn":"x"}}'])
def test_client_refuses_what_is_not_the_protocol(frame: bytes) -> None:
    with pytest.raises(SessionError):
        ClientSession().receive_data(frame)


def test_client_ignores_errors_about_nothing_it_sent() -> None:
    client = ClientSession()
    client.receive_data(b'{"jsonrpc":"2.0","id":null,"error":{"code":1004,"message":"frame is not valid JSON"}}')
    assert client.events_received() == []


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_every_frame_is_answered_or_becomes_an_event(frames: list[bytes]) -> None:
    server = ServerSession()
    for frame in frames:
        server.receive_data(frame)
    assert len(server.events_received()) + len(server.data_to_send()) == len(frames)
