"""The alarm: deadlines of a quiet market fire, each once, and nothing is sent while none is due."""

import asyncio
from pathlib import Path

import pytest

from exchange.alarm import Alarm
from exchange.clock import SystemClock, TurnClock
from exchange.errors import ParkexError
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import CommandKind
from exchange.market.phases import Phase
from exchange.node import Node, new_command
from exchange.order_path.path import Exchange
from exchange.protocol.documents import ListInstruments, encode_document
from exchange.service import ServiceOptions, start_exchange
from exchange.units import NS_PER_MINUTE
from tests.exchange.order_path.park import GENESIS, OPEN_NS, OPERATOR, power_spec


async def listed(node: Node) -> None:
    """One contract that opens with a call auction of a quarter-hour."""
    command = new_command(CommandKind.DOCUMENT)
    command["account"] = OPERATOR
    spec = power_spec(40, opening_auction_ns=15 * NS_PER_MINUTE, auction_price_rule="k")
    await node.submit(command, encode_document(ListInstruments(instruments=[spec])))


def phase(node: Node) -> Phase:
    return Phase(node.exchange.instrument_by_id(1).phase)


async def phase_becomes(node: Node, expected: Phase) -> None:
    async with asyncio.timeout(20):
        while phase(node) is not expected:  # noqa: ASYNC110 - what is waited for is state, not an event
            await asyncio.sleep(0)


async def until_quiet(node: Node) -> None:
    """As many rounds of the loop as a tick could need; what has not happened by then was not sent."""
    for _ in range(200):
        await asyncio.sleep(0)
    await node.submit(new_command(CommandKind.TICK))


async def test_a_quiet_market_holds_its_auction_and_closes_its_gate() -> None:
    clock = TurnClock(OPEN_NS)
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), clock)
    await node.start()
    await listed(node)
    alarm = Alarm(node, look_every_s=0)
    steps = ((OPEN_NS, Phase.OPENING_AUCTION), (OPEN_NS + 15 * NS_PER_MINUTE, Phase.CONTINUOUS), (power_spec(40).close_ns, Phase.GATE_CLOSED))
    for time_ns, expected in steps:
        clock.advance_to(time_ns)
        await phase_becomes(node, expected)
        assert node.exchange.now_ns == time_ns
    await alarm.stop()
    await node.stop()


async def test_nothing_is_sent_while_no_deadline_is_due() -> None:
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    await listed(node)
    alarm = Alarm(node, look_every_s=0)
    await phase_becomes(node, Phase.OPENING_AUCTION)
    before = node.exchange.last_sequence
    await until_quiet(node)
    assert node.exchange.last_sequence == before + 1  # the tick of until_quiet
    await alarm.stop()
    await node.stop()


class SteppedClock(TurnClock):
    """Refuses to tell the time until it is confirmed, as the system's clock does after a step."""

    refuses = False
    asked = 0

    def now_ns(self) -> int:
        self.asked += 1
        if self.refuses:
            raise ParkexError("the wall clock was stepped")
        return super().now_ns()


async def test_an_alarm_outlives_a_stepped_clock(caplog: pytest.LogCaptureFixture) -> None:
    clock = SteppedClock(OPEN_NS)
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), clock)
    await node.start()
    await listed(node)
    alarm = Alarm(node, look_every_s=0)
    await phase_becomes(node, Phase.OPENING_AUCTION)
    clock.refuses = True
    clock.advance_to(OPEN_NS + 15 * NS_PER_MINUTE)
    asked = clock.asked
    async with asyncio.timeout(20):
        while clock.asked < asked + 3:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert "the wall clock was stepped" in caplog.text
    clock.refuses = False
    await phase_becomes(node, Phase.CONTINUOUS)
    await alarm.stop()
    await node.stop()


async def test_an_exchange_on_wall_time_has_one_and_a_stepped_one_has_none(tmp_path: Path) -> None:
    for number, (clock, expected) in enumerate(((SystemClock(), True), (TurnClock(OPEN_NS), False))):
        service = await start_exchange(ServiceOptions(journal_directory=tmp_path / str(number), clock=clock, genesis=GENESIS))
        assert (service.alarm is not None) is expected
        await service.stop()
