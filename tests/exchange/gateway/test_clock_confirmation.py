"""An operator confirms a stepped wall clock over the socket: logged on meanwhile, with the right time, in the audit log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_SECOND
from tests.exchange.gateway.parks import FACTORY, RawClient, RunningPark, running_park
from tests.exchange.gateway.test_administration import operators
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.test_clock_doubt import Machine


@asynccontextmanager
async def doubted(step_s: int = 60) -> AsyncIterator[tuple[RunningPark, Machine, RawClient]]:
    """A park whose wall clock was stepped, and its operator, who logged on after that."""
    machine = Machine()
    async with running_park() as park:
        clock = machine.clock()
        park.node._clock = park.node.clock._clock = clock  # the park's own stands for the time before
        machine.wall_ns += step_s * NS_PER_SECOND
        park.hub.wall_ns = lambda: machine.wall_ns
        operator = RawClient(park.hub)
        assert "result" in await operator.log_on("operator")
        yield park, machine, operator


async def confirm(client: RawClient, wall_ns: int, reason: str = "NTP was off", method: str = "operator.submit") -> dict[str, Any]:
    return await client.ask(method, {"schema": "confirm_clock", "document": {"wall_ns": wall_ns, "reason": reason}})


async def status(client: RawClient) -> tuple[bool, bool]:
    found = (await client.ask("system.status"))["result"]
    return found["accepting"], found["clock_in_doubt"]


async def test_the_operator_confirms_and_trading_goes_on() -> None:
    async with doubted() as (park, machine, operator):
        member = RawClient(park.hub)
        assert (await member.log_on("factory"))["result"]["account"] == FACTORY
        assert (await member.ask("order.place", ORDER))["error"]["code"] == RejectCode.NOT_ACCEPTING
        assert await status(operator) == (False, True)
        assert "result" in await confirm(operator, machine.wall_ns)
        assert await status(operator) == (True, False)
        assert "result" in await member.ask("order.place", ORDER)
        entry = park.node.exchange.rooms.audit.tail[-1]
        assert (entry.action, entry.content, entry.code) == ("confirm_clock", {"wall_ns": machine.wall_ns, "reason": "NTP was off"}, 0)


WRONG_NS = [(5 * NS_PER_SECOND, False), (-5 * NS_PER_SECOND, False), (5 * NS_PER_SECOND + 1, True), (-60 * NS_PER_SECOND, True)]


@pytest.mark.parametrize(("off_ns", "is_refused"), WRONG_NS)
async def test_a_time_that_the_clock_does_not_show_is_not_confirmed(off_ns: int, is_refused: bool) -> None:
    """The operator knows the time from elsewhere; a clock that is wrong does not pass for right."""
    async with doubted() as (park, machine, operator):
        answer = await confirm(operator, machine.wall_ns + off_ns)
        if is_refused:
            assert answer["error"]["data"] == {"code": RejectCode.CLOCK_DIFFERS, "wall_ns": machine.wall_ns}
            assert not park.node.exchange.rooms.audit.count
        assert park.node.accepting is not is_refused


async def test_a_member_confirms_nothing() -> None:
    async with doubted() as (park, machine, _):
        member = RawClient(park.hub)
        await member.log_on("factory")
        assert (await confirm(member, machine.wall_ns, method="document.submit"))["error"]["code"] == RejectCode.NOT_ACCEPTING
        assert not park.node.accepting


async def test_it_cannot_be_proposed() -> None:
    """What has to be seen at the moment that it is said does not wait for another person."""
    async with running_park() as park:
        ann, _ = await operators(park)
        document = {"wall_ns": 1, "reason": "x"}
        answer = await ann.ask("operator.propose", {"schema": "confirm_clock", "document": document, "reason": "x"})
        assert answer["error"]["data"]["rule"] == "cannot_be_proposed"
