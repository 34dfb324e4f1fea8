"""`session.cancel_after` on the wire: ranges, scopes, and renewals that the journal does not hear of."""

import pytest

from clients.sdk import RequestRefused, connect
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND
from tests.exchange.gateway.parks import FACTORY, POWER, request, running_park
from tests.exchange.gateway.parks import private_key as key_of
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.order_path.park import OPEN_NS

S = NS_PER_SECOND


async def test_it_cancels_what_is_open_and_says_why() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("subscribe", {"channels": ["executions"]})
        await client.ask("order.place", ORDER)
        armed = (await client.ask("session.cancel_after", {"timeout_ms": 2_000}))["result"]
        assert armed == {"fires_at_ns": OPEN_NS + 2 * S, "sequence": park.node.exchange.last_sequence}
        client.take()
        client.connection.disconnected()  # the switch outlives the session
        watcher = park.raw()
        await watcher.log_on("factory")
        await watcher.ask("subscribe", {"channels": ["executions"]})
        park.clock.advance_to(OPEN_NS + 3 * S)
        await watcher.ask("session.cancel_after", {"timeout_ms": 0})
        (told,) = [frame["params"] for frame in watcher.take() if frame.get("method") == "execution"]
        assert (told["kind"], told["reason"], told["at_ns"]) == ("cancelled", "cancel_after", OPEN_NS + 2 * S)


async def test_frequent_renewals_are_not_journaled() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        journaled = []
        for tenth in range(100):
            park.clock.advance_to(OPEN_NS + tenth * S // 10)
            result = (await client.ask("session.cancel_after", {"timeout_ms": 5_000}))["result"]
            if "sequence" in result:
                journaled.append(tenth)
            lag_ns = OPEN_NS + tenth * S // 10 + 5 * S - result["fires_at_ns"]
            assert 0 <= lag_ns < S // 2  # a tenth of the timeout
            assert park.node.exchange.switch(FACTORY, None) == (5 * S, result["fires_at_ns"])
        assert journaled == list(range(0, 100, 5))
        other = (await client.ask("session.cancel_after", {"timeout_ms": 6_000}))["result"]
        assert other["sequence"] == park.node.exchange.last_sequence
        assert "sequence" in (await client.ask("session.cancel_after", {"timeout_ms": 6_000, "label": 0}))["result"]


async def test_settings_that_are_on_their_way_together_count_in_their_order() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        await client.ask("session.cancel_after", {"timeout_ms": 5_000})
        frames = [request("session.cancel_after", {"timeout_ms": ms}, n) for n, ms in enumerate((5_000, 60_000, 5_000))]
        client.send(*frames)
        await client.all_answered()
        assert park.node.exchange.switch(FACTORY, None) == (5 * S, OPEN_NS + 5 * S)


@pytest.mark.parametrize("timeout_ms", [1, 999, 86_400_001])
async def test_timeouts_out_of_range(timeout_ms: int) -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("factory")
        sequence = park.node.exchange.last_sequence
        refused = (await client.ask("session.cancel_after", {"timeout_ms": timeout_ms}))["error"]
        assert refused["data"] == {"code": RejectCode.TIMEOUT_OUT_OF_RANGE}
        assert park.node.exchange.last_sequence == sequence


async def test_the_sdk() -> None:
    async with running_park() as park, connect(park.connector, key_id="factory", private_key=key_of("factory")) as client:
        await client.place(POWER, "buy", price="0.4000", quantity="1.0")
        assert await client.cancel_after(1_000, label=0) == OPEN_NS + S
        assert await client.cancel_after(0, label=0) == 0
        with pytest.raises(RequestRefused) as refused:
            await client.cancel_after(10)
        assert refused.value.code == RejectCode.TIMEOUT_OUT_OF_RANGE
