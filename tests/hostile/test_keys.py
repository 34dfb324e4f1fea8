"""Logon under attack: replay, reuse of nonces, skewed clocks, guessed keys, floods of logons."""

import asyncio
import base64
import os
from typing import Any

import pytest

from tests.exchange.gateway.parks import request
from tests.hostile.gateways import Peer, Served, frame, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECOND_NS = 1_000_000_000
STALE, SIGNATURE, ALREADY = 5004, 5005, 5002


async def code_of(peer: Peer, params: dict[str, Any]) -> int:
    return await peer.code("logon", params)


async def test_a_recorded_logon_is_worth_nothing_again(shared: Served) -> None:
    """Not on another connection, not on its own, not after it has ended."""
    host = shared[1]
    async with Peer.open(host) as first:
        recorded = first.logon("factory")
        assert "result" in await first.ask("logon", recorded)
        assert await code_of(first, recorded) == ALREADY
        async with Peer.open(host) as second:
            assert await code_of(second, recorded) == SIGNATURE
    async with Peer.open(host) as third:
        assert await code_of(third, recorded) == SIGNATURE


async def test_nonces_never_repeat_and_one_of_another_connection_does_not_help(shared: Served) -> None:
    host = shared[1]
    nonces = set()
    async with Peer.open(host) as victim:
        for _ in range(30):
            async with Peer.open(host) as peer:
                nonces.add(peer.challenge["nonce"])
        async with Peer.open(host) as peer:
            assert await code_of(peer, peer.logon("factory", nonce=victim.challenge["nonce"])) == SIGNATURE
        assert "result" in await victim.log_on("factory")
    assert len(nonces) == 30
    assert {len(nonce) for nonce in nonces} == {32}


@pytest.mark.parametrize("skew_ns", [-31 * SECOND_NS, 31 * SECOND_NS, -(10**18), 2**63 - 1, -(2**63)])
async def test_a_clock_that_is_off(shared: Served, skew_ns: int) -> None:
    async with Peer.open(shared[1]) as peer:
        stamp = max(-(2**63), min(2**63 - 1, peer.challenge["server_time_ns"] + skew_ns))
        assert await code_of(peer, peer.logon("factory", timestamp_ns=stamp)) == STALE
        assert "result" in await peer.log_on("factory", timestamp_ns=peer.challenge["server_time_ns"] - 25 * SECOND_NS)


async def test_guessing_ends_after_three_tries_and_tells_no_words(shared: Served) -> None:
    """The third failure closes the connection; the text of a refusal is the same for a key that exists and one that does not."""
    messages = set()
    async with Peer.open(shared[1]) as peer:
        for name in ("factory", "nobody", "solar"):
            answer = await peer.ask("logon", peer.logon(name, signer="attacker"))
            messages.add(answer["error"]["message"])
            assert answer["error"]["data"] == {"code": SIGNATURE}
        assert await peer.end() == 1008
    assert messages == {"logon refused"}


ZEROS = [base64.b64encode(bytes(length)).decode() for length in (64, 65)]
SIGNATURES = ["", "=", "AAAA", "A" * 88, *ZEROS, "签" * 64, "A" * 50_000, "\0" * 64]


@pytest.mark.parametrize("signature", SIGNATURES)
async def test_signatures_that_are_none(shared: Served, signature: str) -> None:
    async with Peer.open(shared[1]) as peer:
        assert await code_of(peer, peer.logon("factory") | {"signature": signature}) == SIGNATURE
        assert "result" in await peer.log_on("factory")


@pytest.mark.parametrize("key_id", ["", "x" * 50_000, "factory\0", "FACTORY", " factory", "factory|1", "../operator", "operator-2"])
async def test_key_ids_that_are_none(shared: Served, key_id: str) -> None:
    async with Peer.open(shared[1]) as peer:
        assert await code_of(peer, peer.logon("factory", key_id=key_id)) == SIGNATURE


async def test_fields_cannot_be_shifted_into_each_other(shared: Served) -> None:
    """The signed text joins its fields with bars; another split of the same text is another logon."""
    async with Peer.open(shared[1]) as peer:
        signed = peer.logon("factory", host=f"x|{peer.host}")
        assert await code_of(peer, signed | {"key_id": "factory"}) == SIGNATURE


async def test_many_logons_in_one_batch_open_one_session(shared: Served) -> None:
    park, host = shared
    async with Peer.open(host) as peer:
        logon = peer.logon("factory")
        await peer.send(b"".join(frame(request("logon", logon, number)) for number in range(200)))
        answers = [await peer.message() for _ in range(200)]
        assert sum("result" in answer for answer in answers) == 1
        assert {answer["error"]["code"] for answer in answers if "error" in answer} == {ALREADY}
        sessions = [connection.identity for connection in park.hub.connections if connection.identity is not None]
        assert len(sessions) == 1
    await until(lambda: not park.hub.connections)


async def test_a_flood_of_guesses_by_many_keeps_nobody_out(shared: Served) -> None:
    host = shared[1]

    async def guess() -> None:
        async with Peer.open(host) as peer:
            for _ in range(3):
                await peer.send(frame(request("logon", peer.logon("factory") | {"signature": base64.b64encode(os.urandom(64)).decode()})))
            assert await peer.end() == 1008

    guesses = [asyncio.create_task(guess()) for _ in range(40)]
    async with Peer.open(host) as member:
        assert "result" in await member.log_on("solar")
    await asyncio.gather(*guesses)


async def test_a_logon_cut_off_before_its_answer_leaves_no_session(shared: Served) -> None:
    park, host = shared
    for _ in range(10):
        async with Peer.open(host) as peer:
            await peer.send(frame(request("logon", peer.logon("factory"))))
    await until(lambda: not park.hub.connections and park.hub.in_flight == 0)
    async with Peer.open(host) as peer:
        assert "result" in await peer.log_on("factory")
