"""Well-formed frames with hostile text: each is answered once with a code, quotes nothing, and the connection lives."""

import pytest

from tests.exchange.gateway.parks import POWER, request
from tests.hostile.gateways import Peer, Served, band_code, frame

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDER = {"client_order_id": "h1", "instrument": POWER, "side": "buy", "price": "0.4000", "quantity": "1.0"}


def place(**changes: object) -> bytes:
    return request("order.place", ORDER | changes, 7)


def raw(text: str) -> bytes:
    """A place request with `text` for its params."""
    return b'{"jsonrpc": "2.0", "id": 7, "method": "order.place", "params": ' + text.encode() + b"}"


# Name, frame, code, id of the answer.
ROWS: list[tuple[str, bytes, int, object]] = [
    ("arrays 30,000 deep", b"[" * 30_000 + b"]" * 30_000, 1005, None),
    ("objects 10,000 deep", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 1005, None),
    ("params 10,000 deep", raw("[" * 10_000 + "]" * 10_000), 1005, None),
    ("unclosed and 60,000 deep", b"[" * 60_000, 1005, None),
    ("a number of 20,000 digits", raw("1" * 20_000), 1004, None),
    ("an id of 20,000 digits", b'{"jsonrpc": "2.0", "id": ' + b"9" * 20_000 + b', "method": "balances"}', 1004, None),
    ("a label of 20,000 digits", raw('{"label": ' + "9" * 20_000 + "}"), 1004, None),
    ("an exponent of 20,000 digits", raw('{"label": 1e' + "9" * 20_000 + "}"), 1004, None),
    ("a price of 20,000 digits", place(price="9" * 20_000), 2007, 7),
    ("a quantity of 20,000 decimals", place(quantity="1." + "0" * 20_000), 2008, 7),
    ("a price with 20,000 leading zeros", place(price="0" * 20_000 + "1"), 1012, 7),
    ("a client order id of 60,000 characters", place(client_order_id="x" * 60_000), 2001, 7),
    ("an instrument of 60,000 characters", place(instrument="x" * 60_000), 2002, 7),
    ("an id of 60,000 characters", request("balances", None, "x" * 60_000), 1008, None),
    ("an id of 65 characters", request("balances", None, "x" * 65), 1008, None),
    ("an id beyond int64", request("balances", None, 2**63), 1008, None),
    ("an id that is a float", request("balances", None, 1.5), 1008, None),
    ("ten thousand members", request("balances", {f"m{n}": n for n in range(4_000)}, 7), 1011, 7),
    ("a batch of 500 requests", b"[" + b",".join([request("balances")] * 500) + b"]", 1006, None),
    ("a million blanks of JSON in 60,000", b" " * 60_000, 1004, None),
    ("a string of escapes", raw('"' + "\\u0000" * 10_000 + '"'), 1011, 7),
    ("a lone surrogate", raw('{"instrument": "\\ud800"}'), 1004, None),
    ("NUL bytes", b"\0" * 1_000, 1004, None),
    ("a 1000 legs", request("basket.place", {"legs": [ORDER | {"client_order_id": f"l{n}"} for n in range(500)]}, 7), 2025, 7),
    ("a method of 60,000 characters", request("x" * 60_000, None, 7), 1010, 7),
    ("one byte more than a frame may have", request("balances", None, 7).ljust(65_537), 1001, None),
    ("a stamp beyond int64", place(deadline_ns=2**63), 2013, 7),
    ("a stamp below zero", place(deadline_ns=-1), 2013, 7),
    ("SQL", place(instrument="'; DROP TABLE trades; --"), 2002, 7),
    ("a path", request("statement", {"day": "../../etc/passwd"}, 7), 0, 7),
    ("a channel nobody has", request("subscribe", {"channels": ["book:" + "x" * 59]}, 7), 2002, 7),
    ("one unknown channel among 1024", request("subscribe", {"channels": ["ticker"] * 1023 + ["x"]}, 7), 5009, 7),
    ("1025 channels", request("subscribe", {"channels": ["ticker"] * 1025}, 7), 1011, 7),
    ("not a number", raw('{"label": NaN}'), 1004, None),
    ("an infinite speed", request("clock.run", {"speed": 1e308}, 7), 1011, 7),
]


@pytest.mark.parametrize(("data", "code", "answer_id"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_hostile_text_is_answered_once_and_the_connection_lives(shared: Served, data: bytes, code: int, answer_id: object) -> None:
    park, host = shared
    async with Peer.open(host) as peer:
        assert "result" in await peer.log_on("factory")
        await peer.send(frame(data) + frame(request("balances", None, "after")))
        answer = await peer.answer(answer_id)
        assert band_code(answer) == code
        assert len(str(answer)) < 1_000
        assert "result" in await peer.answer("after")
        assert all(connection.session.unanswered == 0 for connection in park.hub.connections)


async def test_repeated_members_count_once_with_their_last_value(shared: Served) -> None:
    park, host = shared
    async with Peer.open(host) as peer:
        await peer.log_on("factory")
        text = '{"client_order_id": "d1", "instrument": "%s", "side": "sell", "side": "buy", "price": "9.9", "price": "0.4000", "quantity": "1.0"}'
        sequence = park.node.exchange.last_sequence
        await peer.send(frame(raw(text % POWER)[:-1] + b', "id": 8, "method": "order.place"}'))
        result = (await peer.answer(8))["result"]
        assert (result["sequence"], result["status"]) == (sequence + 1, "resting")
        assert (await peer.ask("orders.open"))["result"]["orders"][0]["side"] == "buy"
        # A method that is not the first one is no request at all.
        await peer.send(frame(raw(text % POWER)[:-1] + b', "method": "order.cancel"}'))
        assert band_code(await peer.answer(7)) == 1011
        assert park.node.exchange.last_sequence == sequence + 1


async def test_a_subscription_a_thousand_times_over_is_one(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        await peer.log_on("factory")
        for _ in range(5):
            assert "result" in await peer.ask("subscribe", {"channels": [f"book:{POWER}", "executions"] * 512})
        await peer.ask("order.place", ORDER, 2)
        await peer.send(frame(request("unsubscribe", {"channels": ["executions"]}, 3)))
        seen = 0
        while True:
            message = await peer.message()
            if message.get("id") == 3:
                break
            seen += message.get("method") == "execution"
        assert seen <= 1
