"""Rates: what a flood is refused, what it leaves behind, and who pays for it."""

import asyncio

import pytest

from exchange.gateway.limits import Limits, Rate
from tests.exchange.gateway.parks import POWER, request
from tests.hostile.gateways import Peer, band_code, frame, gateway, market_lives

LIMITS = Limits(flush_interval_s=0.002, connection=Rate(50, 100), key=Rate(20, 40), account=Rate(30, 60), turned_away_frames=500)


def orders(count: int, first: int = 0) -> bytes:
    params = {"instrument": POWER, "side": "buy", "price": "0.3000", "quantity": "0.1"}
    return b"".join(frame(request("order.place", params | {"client_order_id": f"f{first + n}"}, first + n)) for n in range(count))


async def answers(peer: Peer, count: int) -> list[int]:
    """Codes of the next `count` answers; 0 for accepted."""
    found: list[int] = []
    while len(found) < count:
        message = await peer.message()
        if "method" not in message:
            found.append(band_code(message))
    return found


async def test_a_flood_of_orders_is_refused_before_the_journal(backend: str) -> None:
    async with gateway(backend, LIMITS) as (park, host), Peer.open(host) as peer:
        await peer.log_on("factory")
        sequence = park.node.exchange.last_sequence
        await peer.send(orders(90))
        codes = await answers(peer, 90)
        accepted = codes.count(0)
        assert set(codes) == {0, 5007}
        assert 40 <= accepted <= 50  # the key's burst, and what is refilled meanwhile
        assert park.node.exchange.last_sequence == sequence + accepted
        await market_lives(host)


async def test_a_refusal_says_which_bucket_and_how_long(backend: str) -> None:
    async with gateway(backend, LIMITS) as (_, host), Peer.open(host) as peer:
        await peer.log_on("factory")
        await peer.send(orders(60))
        while "error" not in (message := await peer.message()):
            pass
        data = message["error"]["data"]
        assert (data["bucket"], data["burst"], data["per_s"]) == ("key", 40, 20)
        assert 0 < data["retry_after_ms"] < 1_000
        await asyncio.sleep(2 * data["retry_after_ms"] / 1000)
        await peer.send(orders(1, first=1_000))
        assert "result" in await peer.answer(1_000)


async def test_more_connections_and_new_logons_do_not_refill_a_key(backend: str) -> None:
    async with gateway(backend, LIMITS) as (park, host):
        sequence = park.node.exchange.last_sequence
        accepted = 0
        for number in range(5):
            async with Peer.open(host) as peer:
                await peer.log_on("factory")
                await peer.send(orders(40, 100 * number))
                accepted += (await answers(peer, 40)).count(0)
        assert 40 <= accepted < 40 + 60
        assert park.node.exchange.last_sequence >= sequence + accepted


async def test_frames_beyond_the_rate_are_not_decoded_and_at_last_end_the_connection(backend: str) -> None:
    async with gateway(backend, LIMITS) as (_, host), Peer.open(host) as peer:
        await peer.send(frame(b"[" * 2_000) * 130)
        codes = await answers(peer, 130)
        assert codes.count(1005) >= 100
        assert set(codes) == {1005, 5007}
        await peer.send(frame(b"x") * 1_000)
        assert await peer.end() == 1008
        await market_lives(host)


TEXTS = {"empty": b"", "object": b"{}", "NUL": b"\0", "question": request("instruments")}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_a_flood_of_anything_keeps_others_trading(backend: str, text: bytes) -> None:
    limits = Limits(flush_interval_s=0.002)
    async with gateway(backend, limits) as (_, host), Peer.open(host) as peer:
        flood = asyncio.create_task(peer.send(frame(text) * 20_000))
        drain = asyncio.create_task(peer.gone())
        for _ in range(3):
            await market_lives(host)
        for task in (flood, drain):
            task.cancel()
        await asyncio.gather(flood, drain, return_exceptions=True)


async def test_cancels_still_pass_when_orders_do_not(backend: str) -> None:
    """A member who has spent its orders can still leave: a cancel costs a quarter of one."""
    async with gateway(backend, LIMITS) as (_, host), Peer.open(host) as peer:
        await peer.log_on("factory")
        await peer.send(orders(45))
        await answers(peer, 45)
        await asyncio.sleep(0.04)  # three cancels, and less than an order
        codes = [await peer.code("order.cancel", {"client_order_id": f"c{n}", "order_id": 1 + n}) for n in range(3)]
        assert 5007 not in codes
