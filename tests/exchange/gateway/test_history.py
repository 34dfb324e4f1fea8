"""What is older than the gateway's memory comes from the read model, and the two meet without a gap."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clients.sdk import connect
from clients.sdk.transport import loopback_connector
from exchange.gateway.app import create_app
from exchange.gateway.limits import Limits
from exchange.gateway.ports import History
from exchange.order_path.path import Exchange
from exchange.protocol.reject_codes import RejectCode
from exchange.readmodel.follower import Follower
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from exchange.replay import replay_into
from exchange.units import NS_PER_MINUTE
from tests.exchange.gateway.parks import POWER, RawClient, RunningPark, genesis, private_key, request, running_park
from tests.exchange.gateway.test_channels import bid, traders
from tests.exchange.order_path.park import OPEN_NS


class Recorded:
    """A park with a read model and a gateway that remembers few executions."""

    def __init__(self, park: RunningPark, directory: Path, ring: int) -> None:
        url = f"sqlite:///{directory}/readmodel.sqlite"
        self.projector = Projector.open(url, "00", lambda _: None)
        self.follower = Follower(self.projector, lambda: "")
        replay_into(Exchange(genesis()), park.node.journal, self.follower.on_batch)
        park.node.listeners.append(self.follower.on_batch)
        self.read_model = ReadModel.open(url)
        self.app = create_app(park.node, read_model=self.read_model, limits=Limits(execution_ring=ring, flush_interval_s=0.002))
        park.hub = self.app.state.hub
        self.park = park

    async def caught_up(self) -> None:
        async with asyncio.timeout(10):
            while self.projector.last_sequence < self.park.node.exchange.last_sequence:  # noqa: ASYNC110 - another thread's progress
                await asyncio.sleep(0.005)

    def close(self) -> None:
        self.follower.close()
        self.projector.close()
        self.read_model.close()


async def everything(client: RawClient, from_seq: int, limit: int) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    while True:
        page = (await client.ask("executions", {"from_seq": from_seq, "limit": limit}))["result"]
        found += page["executions"]
        if not page["executions"] or page["executions"][-1]["seq"] == page["execution_seq"]:
            return found
        from_seq = page["executions"][-1]["seq"] + 1


async def test_pages_run_from_the_records_into_the_ring(tmp_path: Path) -> None:
    async with running_park() as park:
        recorded = Recorded(park, tmp_path, ring=3)
        buyer, seller = await traders(park)
        await buyer.ask("subscribe", {"channels": ["executions"]})
        await seller.ask("subscribe", {"channels": ["executions"]})
        for number in range(6):
            await seller.ask("order.place", bid(number, "0.4000", side="sell"))
            await buyer.ask("order.place", bid(number, "0.4000", "2.0"))
            await buyer.ask("order.cancel", {"client_order_id": f"x{number}", "order_id": 2 * number + 2})
        await recorded.caught_up()
        for client, count in ((buyer, 18), (seller, 12)):
            live = [frame["params"] for frame in client.take() if frame.get("method") == "execution"]
            assert len(live) == count
            assert (await client.ask("subscribe", {"channels": []}))["result"] == {"channels": []}
            assert await everything(client, 1, 5) == live
            assert await everything(client, 1, 1_000) == live
            assert await everything(client, 4, 2) == live[3:]
            assert await everything(client, count + 1, 2) == []
        recorded.close()


async def test_the_sdk_mends_a_gap_that_is_longer_than_the_ring(tmp_path: Path) -> None:
    async with running_park() as park:
        recorded = Recorded(park, tmp_path, ring=2)
        connector = loopback_connector(recorded.app)
        told: list[int] = []
        async with connect(connector, key_id="factory", private_key=private_key("factory")) as client:
            client.on("execution", lambda event: told.append(event.seq))
            await client.place(POWER, "buy", price="0.4000", quantity="1.0")
            transport = client._link._transport
            assert transport is not None
            other = park.raw()
            await other.log_on("factory")
            await transport.close()
            for number in range(8):
                await other.ask("order.place", bid(number, "0.4100"))
            await recorded.caught_up()
            async with asyncio.timeout(10):
                while len(client.open_orders) < 9:  # noqa: ASYNC110 - the client resumes by itself
                    await asyncio.sleep(0.01)
            assert told == list(range(1, 10))
        recorded.close()


async def test_the_sdk_waits_for_records_that_are_a_moment_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_park() as park:
        recorded = Recorded(park, tmp_path, ring=2)
        told: list[int] = []
        missed: list[Any] = []
        asked = 0
        read = recorded.read_model.executions

        def late(*arguments: Any) -> Any:
            nonlocal asked
            asked += 1
            return read(*arguments) if asked > 3 else (0, [])

        async with connect(loopback_connector(recorded.app), key_id="factory", private_key=private_key("factory")) as client:
            client.on("execution", lambda event: told.append(event.seq))
            client.on("missed", missed.append)
            await client.place(POWER, "buy", price="0.4000", quantity="1.0")
            other = park.raw()
            await other.log_on("factory")
            monkeypatch.setattr(type(recorded.read_model), "executions", lambda _, *arguments: late(*arguments))
            transport = client._link._transport
            assert transport is not None
            await transport.close()
            for number in range(8):
                await other.ask("order.place", bid(number, "0.4100"))
            await recorded.caught_up()
            async with asyncio.timeout(10):
                while len(told) < 9:  # noqa: ASYNC110 - the client resumes by itself
                    await asyncio.sleep(0.01)
        assert told == list(range(1, 10))
        assert missed == []
        recorded.close()


async def test_bars_of_the_records_and_of_the_gateway_agree(tmp_path: Path) -> None:
    async with running_park() as park:
        recorded = Recorded(park, tmp_path, ring=100)
        buyer, seller = await traders(park)
        for number, (minute, price) in enumerate(((0, "0.4000"), (1, "0.4100"), (4, "0.3900"), (61, "0.3950"))):
            park.clock.advance_to(OPEN_NS + minute * NS_PER_MINUTE)
            await seller.ask("order.place", bid(2 * number, price, side="sell"))
            await buyer.ask("order.place", bid(2 * number + 1, price))
        await recorded.caught_up()
        spec = park.node.exchange.instrument(POWER).spec  # type: ignore[union-attr]
        for interval in ("1m", "5m", "15m", "1h", "1d"):
            answer = (await buyer.ask("bars", {"instrument": POWER, "interval": interval}))["result"]
            # The gateway cannot know that nothing was traded in the day before it began; the records do.
            remembered = [msgspec.structs.replace(bar, partial=False) for bar in park.hub.publisher.bars.bars(spec, interval)]
            assert answer["bars"] == msgspec.to_builtins(remembered)
            assert answer["as_of_seq"] == park.node.exchange.last_sequence
        page = (await buyer.ask("bars", {"instrument": POWER, "interval": "1m", "limit": 3}))["result"]
        assert (len(page["bars"]), page["next_ns"]) == (3, OPEN_NS + 61 * NS_PER_MINUTE)
        rest = (await buyer.ask("bars", {"instrument": POWER, "interval": "1m", "from_ns": page["next_ns"]}))["result"]
        assert [bar["close"] for bar in rest["bars"]] == ["0.3950"]
        recorded.close()


class Slow(History):
    """A read model that answers when it is let, or not at all."""

    def __init__(self) -> None:
        self.fails = False
        self.let = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def executions(self, account: int, from_seq: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        del account, from_seq, limit
        if self.fails:
            raise OSError("the database is gone")
        asyncio.run_coroutine_threadsafe(self.let.wait(), self.loop).result()
        return 0, []

    def candles(
        self, instrument: int, interval_ns: int, offset_ns: int, from_ns: int, to_ns: int, limit: int
    ) -> tuple[int, list[tuple[int, int, int, int, int, int, int, int]]]:
        raise NotImplementedError


async def test_one_question_at_a_time_and_a_failure_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    async with running_park(Limits(execution_ring=1)) as park:
        park.hub.history = history = Slow()
        client = park.raw()
        await client.log_on("factory")
        for number in range(3):
            await client.ask("order.place", bid(number, "0.4000"))
        client.send(request("executions", {"from_seq": 1}, "first"), request("executions", {"from_seq": 1}, "second"))
        second = await client.answer("second")
        assert second["error"]["data"] == {"code": RejectCode.QUEUE_FULL, "questions": 1}
        history.let.set()
        assert [e["seq"] for e in (await client.answer("first"))["result"]["executions"]] == []
        history.fails = True
        assert (await client.ask("executions", {"from_seq": 1}))["error"]["data"]["code"] == RejectCode.NOT_ACCEPTING
        assert "the database is gone" in caplog.text
        assert [e["seq"] for e in (await client.ask("executions", {"from_seq": 3}))["result"]["executions"]] == [3]
        assert not park.hub.asking
