"""Frames that break the rules of WebSocket or stretch them: each ends its own connection at most, and holds little memory until then."""

import asyncio

import pytest

from exchange.gateway.limits import Limits
from tests.exchange.gateway.parks import request
from tests.hostile.gateways import BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, RSV1, TEXT, Peer, Served, frame, gateway, market_lives, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = request("system.status", None, 7)
PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
# Some frames break two rules at once, and RFC 6455 does not say which a server names: one stack looks at the length first, the other at the form.
EITHER = (PROTOCOL_ERROR, TOO_BIG)

# Name, bytes behind a good handshake, close code.
FORBIDDEN: list[tuple[str, bytes, int | tuple[int, int]]] = [
    ("a header of 1 GB", frame(b"", length=2**30), TOO_BIG),
    ("a header of 2**63 - 1 bytes", frame(b"", length=2**63 - 1), TOO_BIG),
    ("a header of 2**64 - 1 bytes", frame(b"", length=2**64 - 1), EITHER),
    ("a binary header of 1 GB", frame(b"", BINARY, length=2**30), TOO_BIG),
    ("a first fragment of 1 GB", frame(b"", flags=0, length=2**30), TOO_BIG),
    ("fragments of 1 GB in all", frame(b"x", flags=0) + frame(b"", CONTINUATION, length=2**30), TOO_BIG),
    # All of it: a server may judge by the length in the header or wait for the bytes, as long as it keeps no more than that of them.
    ("larger than what is answered with a code", frame(bytes(4 * 64 * 1024 + 1)), TOO_BIG),
    ("an unmasked frame", frame(GOOD, masked=False), PROTOCOL_ERROR),
    ("a compressed frame", frame(GOOD, flags=FIN | RSV1), PROTOCOL_ERROR),
    ("the second reserved bit", frame(GOOD, flags=FIN | 0x20), PROTOCOL_ERROR),
    ("the third reserved bit", frame(GOOD, flags=FIN | 0x10), PROTOCOL_ERROR),
    ("an unknown data opcode", frame(GOOD, 3), PROTOCOL_ERROR),
    ("an unknown control opcode", frame(b"", 11), PROTOCOL_ERROR),
    ("a ping of 126 bytes", frame(bytes(126), PING), PROTOCOL_ERROR),
    ("a pong of 65,536 bytes", frame(bytes(65_536), PONG), PROTOCOL_ERROR),
    ("a ping of 1 GB", frame(b"", PING, length=2**30), EITHER),
    ("a fragmented ping", frame(b"x", PING, flags=0), PROTOCOL_ERROR),
    ("a continuation of nothing", frame(GOOD, CONTINUATION), PROTOCOL_ERROR),
    ("a text frame inside a message", frame(b"{", flags=0) + frame(GOOD), PROTOCOL_ERROR),
    ("a close frame of one byte", frame(b"\x03", CLOSE), PROTOCOL_ERROR),
    ("a close code that nobody may send", frame((1005).to_bytes(2), CLOSE), PROTOCOL_ERROR),
    ("a close code beyond all", frame((5000).to_bytes(2), CLOSE), PROTOCOL_ERROR),
    ("a close reason that is not UTF-8", frame((1000).to_bytes(2) + b"\xff", CLOSE), INVALID_DATA),
    ("text that is not UTF-8", frame(b'{"id": 7, "x": "\xff"}'), INVALID_DATA),
    ("text that ends within a character", frame('"电'.encode()[:-1]), INVALID_DATA),
    ("fragments that are not UTF-8", frame(b"\xc3", flags=0) + frame(b"\x28", CONTINUATION), INVALID_DATA),
    ("endless empty fragments", frame(b"", flags=0) + frame(b"", CONTINUATION, flags=0) * 1_000, TOO_BIG),
    ("fragments of a byte", frame(b"{", flags=0) + frame(b" ", CONTINUATION, flags=0) * 1_000, TOO_BIG),
]


@pytest.mark.parametrize(("data", "close_code"), [row[1:] for row in FORBIDDEN], ids=[row[0] for row in FORBIDDEN])
async def test_forbidden_frames_end_this_connection_only(shared: Served, data: bytes, close_code: int | tuple[int, int]) -> None:
    park, host = shared
    async with Peer.open(host) as other:
        async with Peer.open(host) as peer:
            await peer.send(data)
            assert await peer.end() in (close_code if isinstance(close_code, tuple) else (close_code,))
        assert "result" in await other.ask("system.status")
        await until(lambda: [connection.session.unanswered for connection in park.hub.connections] == [0])


async def test_good_frames_before_a_bad_one_are_answered(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        await peer.send(frame(GOOD))
        assert "result" in await peer.answer(7)
        await peer.send(frame(GOOD, masked=False))
        assert await peer.end() == PROTOCOL_ERROR


async def test_a_message_in_many_fragments_with_pings_between(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        parts = [GOOD[n : n + 1] for n in range(len(GOOD))]
        data = frame(parts[0], flags=0)
        for part in parts[1:-1]:
            data += frame(b"", PING) + frame(part, CONTINUATION, flags=0)
        await peer.send(data + frame(parts[-1], CONTINUATION))
        assert (await peer.answer(7))["result"]["accepting"] is True


async def test_a_message_may_have_as_many_fragments_as_the_limit_says(backend: str) -> None:
    async with gateway(backend, Limits(fragments=4)) as (_, host), Peer.open(host) as peer:
        for fragments, expected in ((4, None), (5, TOO_BIG)):
            parts = [frame(GOOD[:-1], flags=0), *[frame(b" ", CONTINUATION, flags=0)] * (fragments - 2), frame(GOOD[-1:], CONTINUATION)]
            await peer.send(b"".join(parts))
            if expected is None:
                assert "result" in await peer.answer(7)
            else:
                assert await peer.end() == expected


async def test_an_operator_sends_large_documents_and_nobody_else(shared: Served) -> None:
    """A frame of a megabyte: of a stranger or a member it ends the connection, of an operator it is decoded."""
    large = request("operator.submit", {"schema": "x" * 1_000_000, "document": {}}, 8)
    host = shared[1]
    for name, expected in ((None, TOO_BIG), ("factory", TOO_BIG), ("operator", None)):
        async with Peer.open(host) as peer:
            if name is not None:
                assert "result" in await peer.log_on(name)
            await peer.send(frame(large))
            if expected is None:
                assert (await peer.answer(8))["error"]["code"] == 2015
            else:
                assert await peer.end() == expected


async def test_a_frame_byte_by_byte(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        for byte in frame(GOOD):
            await peer.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert "result" in await peer.answer(7)


async def test_pings_are_answered_and_pongs_ignored(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        await peer.send(frame(b"unasked", PONG) * 500 + frame(b"hello", PING) + frame(GOOD))
        replies = [await peer.frame(), await peer.frame()]
        assert sorted(opcode for opcode, _ in replies) == [TEXT, PONG]
        assert dict(replies)[PONG] == b"hello"


async def test_a_flood_of_control_frames_costs_the_others_nothing(shared: Served) -> None:
    host = shared[1]
    async with Peer.open(host) as peer:
        flood = asyncio.create_task(peer.send((frame(bytes(125), PING) + frame(b"", PONG)) * 20_000))
        await market_lives(host)
        drain = asyncio.create_task(peer.gone())
        await flood
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)


async def test_binary_frames_are_refused_one_by_one(shared: Served) -> None:
    async with Peer.open(shared[1]) as peer:
        await peer.send(frame(GOOD, BINARY) * 3)
        assert [(await peer.message())["error"]["code"] for _ in range(3)] == [1002] * 3
        assert "result" in await peer.ask("system.status")
