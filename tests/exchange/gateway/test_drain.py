"""A gateway that shuts down: what was taken is answered, nothing new is taken, every session is told why it ends."""

import asyncio

import pytest

from exchange.gateway.limits import Limits
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, request, running_park
from tests.exchange.gateway.test_logon import ORDER


async def test_what_was_taken_is_answered_and_what_comes_later_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_park() as park:
        client, idle = park.raw(), park.raw()
        await client.log_on("factory", cancel_on_disconnect=True)
        unanswered_at_the_end = []
        end = client.connection.end

        def ended(code: RejectCode) -> None:
            unanswered_at_the_end.append(client.connection.session.unanswered)
            end(code)

        monkeypatch.setattr(client.connection, "end", ended)
        client.send(*(request("order.place", ORDER | {"client_order_id": f"c{number}"}, number) for number in range(20)))
        draining = asyncio.create_task(park.hub.drain(5.0))
        await asyncio.sleep(0)
        client.send(request("order.place", ORDER | {"client_order_id": "late"}, "late"), request("system.status", {}, "status"))
        answers = {number: await client.answer(number) for number in [*range(20), "late", "status"]}
        assert all(answers[number]["result"]["status"] == "resting" for number in range(20))
        assert answers["late"]["error"]["code"] == RejectCode.NOT_ACCEPTING
        assert answers["status"]["result"]["accepting"] is False
        for _ in range(500):
            if idle.connection.end_code is not None:
                break
            await asyncio.sleep(0.01)
        assert client.connection.end_code == idle.connection.end_code == RejectCode.SHUTTING_DOWN
        assert unanswered_at_the_end == [0]
        assert not draining.done(), "it waits for the transports"
        client.connection.disconnected()
        idle.connection.disconnected()
        await draining
        await park.hub.close()
        # The end of the session is in the journal, and its orders are cancelled.
        assert park.node.exchange.depth(POWER, 0, 10).size == 0


async def test_a_client_that_stays_holds_nothing_up_for_ever() -> None:
    async with running_park(Limits()) as park:
        park.raw()
        await park.hub.drain(0.02)
        assert len(park.hub.connections) == 1


async def test_the_market_clock_stands_still_before_commands_are_refused(caplog) -> None:
    async with running_park(turns=5, speed=1e6, autostart=True) as park:
        await park.hub.drain(1.0)
        assert not park.hub.conductor.running
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
