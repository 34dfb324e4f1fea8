"""The conductor of the market clock."""

import asyncio
from typing import Any

import pytest

from exchange.gateway.turns import TurnConductor
from exchange.units import NS_PER_HOUR
from tests.exchange.gateway.parks import RawClient, RunningPark, running_park
from tests.exchange.order_path.park import OPEN_NS


def conductor_of(park: RunningPark) -> TurnConductor:
    assert park.hub.conductor is not None
    return park.hub.conductor


def turns(client: RawClient) -> list[tuple[int, int, int, bool]]:
    told = [frame["params"] for frame in client.take() if frame.get("method") == "turn"]
    return [(t["turn"], (t["now_ns"] - OPEN_NS) // NS_PER_HOUR, (t["next_ns"] - OPEN_NS) // NS_PER_HOUR, t.get("last", False)) for t in told]


async def joined(park: RunningPark, name: str, *, take_part: bool = True) -> RawClient:
    client = park.raw()
    await client.log_on(name)
    await client.ask("subscribe", {"channels": ["clock"], "turns": take_part})
    return client


async def until(condition: Any) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


async def test_the_clock_waits_for_run_and_then_for_everyone() -> None:
    async with running_park(turns=2) as park:
        conductor = conductor_of(park)
        factory, solar = await joined(park, "factory"), await joined(park, "solar")
        watcher = await joined(park, "factory", take_part=False)
        await asyncio.sleep(0.01)
        assert turns(factory) == []
        operator = park.raw()
        await operator.log_on("operator")
        assert (await operator.ask("clock.run", {}))["result"] == {"turn": 0}
        await until(lambda: conductor.turn == 1)
        assert turns(factory) == turns(solar) == turns(watcher) == [(1, 0, 1, False)]
        await factory.ask("turn.done", {"turn": 1})
        await asyncio.sleep(0.01)
        assert conductor.turn == 1
        await solar.ask("turn.done", {"turn": 1})
        await until(lambda: conductor.turn == 2)
        assert park.node.exchange.now_ns == park.clock.now_ns() == OPEN_NS + NS_PER_HOUR
        for client in (factory, solar):
            await client.ask("turn.done", {"turn": 2})
        await until(lambda: conductor.finished)
        await until(lambda: not conductor.running)
        assert turns(solar) == [(2, 1, 2, False), (3, 2, 2, True)]
        assert park.clock.now_ns() == OPEN_NS + 2 * NS_PER_HOUR


async def test_who_leaves_is_not_waited_for() -> None:
    async with running_park(turns=2) as park:
        conductor = conductor_of(park)
        factory, solar = await joined(park, "factory"), await joined(park, "solar")
        conductor.run(None)
        await until(lambda: conductor.turn == 1)
        await factory.ask("turn.done", {"turn": 1})
        solar.connection.disconnected()
        await until(lambda: conductor.turn == 2)


async def test_who_joins_late_is_told_the_turn_and_waited_for() -> None:
    async with running_park(turns=3) as park:
        conductor = conductor_of(park)
        factory = await joined(park, "factory")
        conductor.run(None)
        await until(lambda: conductor.turn == 1)
        solar = await joined(park, "solar")
        assert turns(solar) == [(1, 0, 1, False)]
        await factory.ask("turn.done", {"turn": 1})
        await asyncio.sleep(0.01)
        assert conductor.turn == 1
        await solar.ask("turn.done", {"turn": 1})
        await until(lambda: conductor.turn == 2)


async def test_a_report_of_an_earlier_turn_is_void() -> None:
    async with running_park(turns=3) as park:
        conductor = conductor_of(park)
        factory = await joined(park, "factory")
        conductor.run(None)
        await until(lambda: conductor.turn == 1)
        await factory.ask("turn.done", {"turn": 1})
        await until(lambda: conductor.turn == 2)
        assert (await factory.ask("turn.done", {"turn": 1}))["result"] == {"turn": 2}
        await asyncio.sleep(0.01)
        assert conductor.turn == 2


async def test_a_turn_ends_after_its_wall_time_without_who_sleeps() -> None:
    async with running_park(turns=2, turn_timeout_s=0.01) as park:
        conductor = conductor_of(park)
        await joined(park, "factory")
        conductor.run(None)
        await until(lambda: conductor.finished)
        assert conductor.turns_timed_out == 2


async def test_a_fixed_speed_waits_for_nobody() -> None:
    async with running_park(turns=3) as park:
        conductor = conductor_of(park)
        factory = await joined(park, "factory")
        began = asyncio.get_running_loop().time()
        conductor.run(3600 / 0.02)  # an hour in 20 ms
        await until(lambda: conductor.finished)
        assert asyncio.get_running_loop().time() - began >= 0.06
        assert [turn[0] for turn in turns(factory)] == [1, 2, 3, 4]


async def test_pause_and_go_on_in_the_same_turn() -> None:
    async with running_park(turns=3) as park:
        conductor = conductor_of(park)
        factory, operator = await joined(park, "factory"), park.raw()
        await operator.log_on("operator")
        await operator.ask("clock.run", {})
        await until(lambda: conductor.turn == 1)
        assert (await operator.ask("clock.pause"))["result"] == {"turn": 1}
        await factory.ask("turn.done", {"turn": 1})
        await asyncio.sleep(0.01)
        assert conductor.turn == 1
        await operator.ask("clock.run", {})
        await until(lambda: conductor.turn == 2)
        assert [turn[0] for turn in turns(factory)] == [1, 2]


async def test_public_data_is_flushed_before_a_turn_begins() -> None:
    async with running_park(turns=3) as park:
        conductor = conductor_of(park)
        park.hub.publisher._flush_interval_s = 60.0
        factory = await joined(park, "factory")
        await factory.ask("subscribe", {"channels": ["ticker"]})
        conductor.run(None)
        await until(lambda: conductor.turn == 1)
        factory.take()
        order = {"client_order_id": "c", "instrument": "CEA25", "side": "sell", "price": "62.00", "quantity": "1"}
        await factory.ask("order.place", order)
        await factory.ask("turn.done", {"turn": 1}, "done")
        await until(lambda: conductor.turn == 2)
        assert [frame["method"] for frame in factory.take() if "method" in frame] == ["ticker", "turn"]


@pytest.mark.parametrize("method", ["turn.done", "clock.run", "clock.pause"])
async def test_an_exchange_without_a_stepped_clock(method: str) -> None:
    async with running_park() as park:
        client = park.raw()
        await client.log_on("operator")
        params = {"turn": 1} if method == "turn.done" else {}
        assert (await client.ask(method, params))["error"]["data"]["code"] == 5010
        assert (await client.ask("subscribe", {"channels": ["clock"], "turns": True}))["error"]["data"]["code"] == 5009
