"""JSON and MessagePack tell the same: one session in both, frame by frame, on two exchanges that hear the same."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect as open_websocket
from websockets.typing import Subprotocol

from clients.sdk import ParkClient, connect
from clients.sdk.transport import loopback_connector
from exchange.gateway.connection import Connection
from exchange.gateway.limits import Limits
from exchange.gateway.server import BACKENDS
from exchange.protocol.encoding import JSON, MSGPACK, Encoding
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, UNITS, RawClient, RunningPark, logon_params, private_key, running_park
from tests.exchange.gateway.test_websocket import serving

CODECS: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "json": (msgspec.json.encode, msgspec.json.decode),
    "msgpack": (msgspec.msgpack.encode, msgspec.msgpack.decode),
}


class EncodedClient(RawClient):
    """A raw client that speaks one encoding and keeps every frame in the form of JSON."""

    def __init__(self, park: RunningPark, encoding: Encoding) -> None:
        self._encode, self._decode = CODECS[encoding.name]
        self.connection = Connection(park.hub, "test-host", lambda: None, encoding)
        self._frames = []
        self.connection.opened()
        self.challenge = self.take()[0]["params"]

    def take(self) -> list[dict[str, Any]]:
        self._frames += [self._decode(frame) for frame in self.connection.outbox.take(1_000_000)]
        frames, self._frames = self._frames, []
        return frames

    def say(self, body: Any) -> None:
        frame = self._encode(body)
        (self.connection.receive_binary if self.connection.session.encoding.is_binary else self.connection.receive_text)(frame)

    async def said(self, park: RunningPark, *bodies: Any) -> list[dict[str, Any]]:
        """All frames that one batch of requests brings, public data included."""
        for body in bodies:
            self.say(body)
        self.connection.process()
        await self.all_answered()
        park.hub.publisher.flush()
        return self.take()


def asked(number: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def order(number: int, **changes: Any) -> dict[str, Any]:
    terms = {"client_order_id": f"c-{number}", "instrument": POWER, "side": "buy", "price": "0.4000", "quantity": "5.0"} | changes
    return asked(number, "order.place", **terms)


CHANNELS = [f"book:{POWER}", "trades:*", "ticker", "phases", "auctions", "one_way", "executions", "blocks"]
SESSION: list[list[Any]] = [
    [asked(1, "subscribe", channels=CHANNELS)],
    [order(2), order(3, price="0.3990", label=7), order(4, price="0.40")],
    [order(5, side="sell", price="0.4000"), order(5, quantity="6.0"), order(6, price=0.4), order(7, instrument="GP-NONE")],
    [order(8, instrument=UNITS, side="sell", price="62.00", quantity="5", display="1"), order(9, price="0.4010", post_only=True)],
    [asked(10, "order.amend", client_order_id="a1", instrument=POWER, order_id=2, revision=1, quantity="2.5")],
    [asked(11, "orders.open"), asked(12, "balances"), asked(13, "positions"), asked(14, "instruments"), asked(15, "auctions")],
    [asked(16, "basket.place", legs=[]), asked(17, "nothing"), asked(18, "balances", account=1), {"jsonrpc": "2.0", "method": "x"}, [1], "text"],
    [asked(19, "order.mass_cancel", client_order_id="m1"), asked(20, "order.cancel", client_order_id="x", order_id=99)],
    [asked(21, "statement", day="2026-07-15"), asked(22, "one_way.auctions"), asked(23, "block.proposals"), asked(24, "system.status")],
]


async def transcript(encoding: Encoding) -> list[list[dict[str, Any]]]:
    async with running_park(Limits(flush_interval_s=60)) as park:
        client = EncodedClient(park, encoding)
        client.say(asked(0, "logon", **logon_params(client, "factory")))
        client.connection.process()
        await client.all_answered()
        client.take()
        return [await client.said(park, *batch) for batch in SESSION]


async def test_messagepack_and_json_give_the_same_frames_for_the_same_session() -> None:
    in_json, in_msgpack = await transcript(JSON), await transcript(MSGPACK)
    assert in_json == in_msgpack
    frames = [frame for batch in in_json for frame in batch]
    assert {frame["method"] for frame in frames if "method" in frame} >= {"book.snapshot", "book.delta", "ticker", "execution"}
    assert sum("error" in frame for frame in frames) >= 9
    assert sum("result" in frame for frame in frames) >= 12


async def sdk_story(park: RunningPark, client: ParkClient) -> dict[str, Any]:
    told: list[Any] = []
    client.on("execution", told.append)
    await client.subscribe_ticker()
    book = await client.subscribe_book(POWER)
    order = await client.place(POWER, "buy", price="0.4000", quantity="5.0")
    await order.amend(quantity="4.0")
    park.hub.publisher.flush()
    terms = ({"price": "0.4", "quantity": "1.0"}, {"price": "0.4005", "quantity": "2.0"}, {"price": "0.40051", "quantity": "2.0"})
    orders = await client.place_many([client.order_params(POWER, "buy", **each) for each in terms])
    await client.cancel(order)
    park.hub.publisher.flush()
    status = await client.status()
    return {
        "orders": [getattr(o, "status", None) for o in orders], "codes": [getattr(o, "code", None) for o in orders],
        "told": [(e.kind, e.price, e.quantity, e.remaining, e.seq, e.sequence, e.index, e.at_ns) for e in told], "sequence": status.sequence,
        "balances": await client.balances(), "positions": await client.positions(), "bids": book.bids, "ticker": dict(client.ticker),
        "instruments": await client.instruments(),
    }  # fmt: skip


async def test_the_sdk_lives_the_same_in_both() -> None:
    stories = []
    for encoding in (JSON, MSGPACK):
        async with running_park() as park:
            connector = loopback_connector(park.app, encoding)
            async with connect(connector, key_id="factory", private_key=private_key("factory"), encoding=encoding.name) as client:
                stories.append(await sdk_story(park, client))
    assert stories[0] == stories[1]
    assert [event[0] for event in stories[0]["told"]] == ["rested", "reduced", "rested", "rested", "cancelled"]


@pytest.mark.parametrize("backend", BACKENDS)
async def test_messagepack_over_a_socket(backend: str) -> None:
    async with serving(backend=backend) as (_, url), connect(url, key_id="solar", private_key=private_key("solar"), encoding="msgpack") as park:
        order = await park.place(POWER, "sell", price="0.4100", quantity="12.5")
        assert order.status == "resting"
        await order.cancel()


@pytest.mark.parametrize("backend", BACKENDS)
async def test_the_kind_of_frame_is_that_of_the_encoding(backend: str) -> None:
    async with serving(backend=backend) as (_, url):
        async with open_websocket(url + "/ws/v1", subprotocols=[Subprotocol("other"), Subprotocol("parkex.v1.msgpack")]) as websocket:
            assert websocket.subprotocol == "parkex.v1.msgpack"
            assert msgspec.msgpack.decode(await websocket.recv(decode=False))["method"] == "challenge"
            for sent, code in (("text", RejectCode.TEXT_FRAME), (b"\xc1", RejectCode.INVALID_MSGPACK)):
                await websocket.send(sent)
                answer = await websocket.recv()
                assert isinstance(answer, bytes)
                assert msgspec.msgpack.decode(answer)["error"]["data"]["code"] == code
        async with open_websocket(url + "/ws/v1", subprotocols=[Subprotocol("parkex.v1.json")]) as websocket:
            assert websocket.subprotocol == "parkex.v1.json"
            assert isinstance(await websocket.recv(), str)


async def test_an_encoding_that_is_none() -> None:
    with pytest.raises(ValueError, match="json, msgpack"):
        async with connect("ws://127.0.0.1:1", encoding="xml"):
            pass
