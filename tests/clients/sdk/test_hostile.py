"""Exchanges and clocks that misbehave: what must not happen is that the client believes something that is not so, or waits for ever."""

import asyncio
import logging
import time
from dataclasses import replace
from typing import Any

import pytest

from clients.sdk import ConnectionChange, ConnectionLost, LogonRefused, Missed, ParkClient, connect
from clients.sdk import link as link_module
from clients.sdk.sync import SyncClient
from exchange.gateway.limits import Limits
from tests.clients.sdk.test_resume import Line, factory_on, until
from tests.exchange.gateway.parks import FACTORY, POWER, UNITS, private_key, running_park


def solar_of(park: Any) -> Any:
    return connect(park.connector, key_id="solar", private_key=private_key("solar"))


async def test_a_line_that_is_dead_but_open_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_FIRST_DELAY_S", 0.001)
    async with running_park(Limits(heartbeat_interval_s=0.01)) as park:
        line = Line(park)
        changes: list[ConnectionChange] = []
        async with factory_on(line, silence_s=0.1) as factory:
            factory.on("connection", changes.append)
            await asyncio.sleep(0.25)
            assert line.opened == 1  # heartbeats are signs of life
            line.drop = lambda frame: line.opened == 1
            order = await factory.place(POWER, "buy", price="0.4000", quantity="0.5")
            assert order.is_open
            assert (line.opened, [change.connected for change in changes]) == (2, [False, True])
            assert "nothing was heard" in changes[0].reason


async def test_executions_that_are_lost_are_told_and_ended_orders_are_not_called_cancelled() -> None:
    async with running_park(Limits(execution_ring=2)) as park:
        line = Line(park)
        missed: list[Missed] = []
        seen: list[int] = []
        async with factory_on(line) as factory, solar_of(park) as solar:
            factory.on("missed", missed.append)
            factory.on("execution", lambda event: seen.append(event.seq))
            order = await factory.place(POWER, "buy", price="0.4000", quantity="0.4")
            line.refusals = 4
            await line.cut()
            for _ in range(4):
                await solar.place(POWER, "sell", price="0.4000", quantity="0.1")
            await until(lambda: factory.connected)
            assert order.status == "filled"  # its last fill was still to be had
            assert len(order.fills) == 2
            assert (missed, seen) == ([Missed(first_seq=2, last_seq=3)], [1, 4, 5])


async def test_an_order_that_came_and_went_within_a_gap_is_not_taken_for_open() -> None:
    async with running_park(Limits(execution_ring=1)) as park:
        line = Line(park)
        async with factory_on(line) as factory, solar_of(park) as solar:
            line.drop = lambda frame: line.opened == 1 and (b'"result"' in frame or b"execution" in frame)
            placing = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="0.1"))
            await until(lambda: len(park.node.exchange.open_orders(FACTORY)) == 1)
            line.refusals = 3
            await line.cut()
            await solar.place(POWER, "sell", price="0.4000", quantity="0.1")
            async with factory_on(Line(park)) as other:
                await (await other.place(UNITS, "sell", price="60.00", quantity="1")).cancel()
            order = await placing
            assert (order.status, order.is_open, dict(factory.open_orders)) == ("ended", False, {})


async def test_an_exchange_that_knows_less_than_the_client_is_believed(caplog: pytest.LogCaptureFixture) -> None:
    """Restored from an older backup, or another one behind the same name."""
    async with running_park() as older, running_park() as newer:
        line = Line(newer)
        async with factory_on(line) as factory:
            for _ in range(3):
                await (await factory.place(POWER, "buy", price="0.4000", quantity="0.1")).cancel()
            stale = await factory.place(POWER, "buy", price="0.4000", quantity="0.1")
            line._park = older
            await line.cut()
            await until(lambda: factory.connected)
            assert (stale.status, dict(factory.open_orders)) == ("ended", {})
            fresh = await factory.place(POWER, "buy", price="0.4000", quantity="0.1")
            async with solar_of(older) as solar:
                await solar.place(POWER, "sell", price="0.4000", quantity="0.1")
            await until(lambda: fresh.status == "filled")
            assert len(fresh.fills) == 1


@pytest.mark.parametrize("step_s", [-3600.0, -31.0, 31.0, 3600.0])
async def test_a_clock_that_steps_does_not_lock_out(step_s: float, caplog: pytest.LogCaptureFixture) -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            assert abs(factory.clock_offset_ns) < 10**9
            assert factory._link._credentials is not None
            factory._link._credentials = replace(factory._link._credentials, wall_ns=lambda: time.time_ns() + int(step_s * 1e9))
            with caplog.at_level(logging.WARNING, "parkex.sdk"):
                await line.cut()
                await until(lambda: factory.connected)
            assert factory.clock_offset_ns == pytest.approx(-step_s * 1e9, abs=1e9)
            assert "clock of this machine" in caplog.text


async def test_a_logon_that_is_cut_at_its_last_answer_is_not_taken_for_good() -> None:
    async with running_park() as park:

        async def cut_at_the_last_answer(on_frames: Any, on_lost: Any) -> Any:
            def deliver(frames: list[bytes]) -> None:
                on_frames(frames)
                if any(b'"orders"' in frame for frame in frames):
                    on_lost(None)

            return await park.connector(deliver, on_lost)

        with pytest.raises(ConnectionLost, match="during the logon"):
            async with connect(cut_at_the_last_answer, key_id="factory", private_key=private_key("factory")):
                pass


async def test_a_logon_that_is_refused_for_a_while_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart that does not take commands yet refuses the opening of the session by a 5010; a bad key is another matter."""
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            submit, refusals = park.node.submit, 3

            def not_now(*args: Any) -> Any:
                nonlocal refusals
                refusals -= 1
                if refusals > 0:
                    raise RuntimeError("not accepting")
                return submit(*args)

            monkeypatch.setattr(park.node, "submit", not_now)
            await line.cut()
            await until(lambda: factory.connected)
            assert refusals <= 0


async def test_who_waits_for_data_hears_that_none_will_come() -> None:
    async with running_park(turns=2) as park:
        line = Line(park)
        async with factory_on(line, resume_for_s=0.02) as factory:
            turns = factory.turns()
            waiting = asyncio.create_task(anext(turns))
            line.drop = lambda frame: b"book.snapshot" in frame
            book = asyncio.create_task(factory.subscribe_book(POWER))
            await asyncio.sleep(0.02)
            assert not waiting.done()
            assert not book.done()
            line.refusals = 10**9
            await line.cut()
            for task in (waiting, book):
                with pytest.raises(ConnectionLost):
                    await task


async def test_a_channel_that_is_gone_does_not_keep_the_others_away() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            await factory.subscribe_ticker()
            factory._feeds._channels["book:GP-GONE"] = None
            await line.cut()
            await until(lambda: factory.connected)
            assert list(factory._feeds._channels) == ["ticker"]
            async with solar_of(park) as solar:
                await solar.place(POWER, "sell", price="0.4100", quantity="0.2")
            await until(lambda: factory.ticker[POWER].ask == "0.4100")


async def test_a_book_whose_last_delta_is_lost_is_found_by_the_heartbeats() -> None:
    async with running_park(Limits(heartbeat_interval_s=0.01, flush_interval_s=0.002)) as park:
        line = Line(park)
        async with factory_on(line) as factory, solar_of(park) as solar:
            book = await factory.subscribe_book(POWER)
            line.drop = lambda frame: b"book.delta" in frame
            await solar.place(POWER, "sell", price="0.4100", quantity="0.2")
            await until(lambda: book.ready and len(book.asks) == 1)


async def test_a_revision_that_another_changed_is_learnt() -> None:
    async with running_park() as park, factory_on(Line(park)) as first, factory_on(Line(park)) as second:
        order = await first.place(POWER, "buy", price="0.4000", quantity="0.5")
        await until(lambda: order.order_id in second.open_orders)
        await second.open_orders[order.order_id].amend(quantity="0.4")
        await until(lambda: order.remaining == "0.4")
        await first.refresh_orders()
        await order.amend(quantity="0.3")
        assert (order.remaining, order.revision) == ("0.3", 3)


async def test_a_wrong_host_is_refused_by_the_client_itself() -> None:
    async with running_park() as park:
        line = Line(park)

        async def elsewhere(on_frames: Any, on_lost: Any) -> Any:
            transport = await line(on_frames, on_lost)
            transport.host = "elsewhere:1"
            return transport

        with pytest.raises(LogonRefused, match="answers to"):
            async with connect(elsewhere, key_id="factory", private_key=private_key("factory")):
                pass


def test_the_synchronous_client_has_every_method_of_the_other() -> None:
    asynchronous = {name for name in dir(ParkClient) if not name.startswith("_")} - {"open", "close"}
    assert asynchronous - {name for name in dir(SyncClient) if not name.startswith("_")} == set()
