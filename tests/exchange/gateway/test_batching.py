"""Many frames in one send, and the same messages under a server that does not know the extension."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from clients.sdk import connect
from exchange.gateway.framing import server_frames, split_frames
from tests.exchange.gateway.parks import POWER, private_key, running_park
from tests.exchange.gateway.test_websocket import serving


def parsed(data: bytes, opcode: Opcode = Opcode.TEXT) -> list[bytes]:
    """What websockets itself makes of the bytes."""
    client = ClientProtocol(parse_uri("ws://x"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    frames = client.events_received()
    assert all(isinstance(frame, Frame) and frame.opcode is opcode and frame.fin for frame in frames)
    return [bytes(frame.data) for frame in frames if isinstance(frame, Frame)]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_lengths_at_the_edges_of_the_header(length: int) -> None:
    message = b"x" * length
    framed = server_frames([message, b"next"])
    assert parsed(framed) == list(split_frames(framed)) == [message, b"next"]


@given(st.lists(st.binary(max_size=300)))
def test_frames_are_those_of_the_standard(messages: list[bytes]) -> None:
    framed = server_frames(messages)
    assert parsed(framed) == list(split_frames(framed)) == messages
    assert parsed(server_frames(messages, is_binary=True), Opcode.BINARY) == messages


async def test_frames_that_wait_together_leave_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    from exchange.gateway.batching import BatchingProtocol

    sends: list[int] = []
    original = BatchingProtocol.send

    async def counted(self: Any, message: Any) -> None:
        sends.append(len(message.get("frames", [])))
        await original(self, message)

    monkeypatch.setattr(BatchingProtocol, "send", counted)
    async with serving(backend="websockets") as (_, url), connect(url, key_id="factory", private_key=private_key("factory")) as client:
        sends.clear()
        await client.place_many([client.order_params(POWER, "buy", price="0.4000", quantity="1.0") for _ in range(20)])
    # An execution and an answer each.
    assert max(sends) == 40


async def test_without_the_extension_messages_leave_one_by_one() -> None:
    async with running_park() as park:
        sent: list[Any] = []
        received: asyncio.Queue[Any] = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/ws/v1", "headers": [], "root_path": "", "query_string": b"", "scheme": "ws"}
        task = asyncio.create_task(park.app(scope, received.get, send))
        await asyncio.sleep(0.01)
        for frame in ("garbage", "[]"):
            received.put_nowait({"type": "websocket.receive", "text": frame})
        await asyncio.sleep(0.01)
        received.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await task
        assert [message["type"] for message in sent] == ["websocket.accept"] + ["websocket.send"] * 3
        assert all("text" in message for message in sent[1:])
