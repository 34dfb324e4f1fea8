"""A wall clock that is stepped: what the node takes meanwhile, who ends the doubt, and what a restart makes of it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from exchange.clock import SystemClock
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.node import Answer, Node, NotAcceptingError
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Admit, ConfirmClock, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_directory, state_hash_hex
from exchange.units import NS_PER_MINUTE, NS_PER_SECOND
from tests.exchange.order_path.park import GENESIS, OPEN_NS, OPERATOR

STEPS_S = [-3_600, -2, 2, 3_600]


class Machine:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.wall_ns = OPEN_NS
        self.monotonic_ns = 7

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall_ns, lambda: self.monotonic_ns)

    def wait(self, seconds: int) -> None:
        self.wall_ns += seconds * NS_PER_SECOND
        self.monotonic_ns += seconds * NS_PER_SECOND


def command(kind: CommandKind, account: int = OPERATOR) -> np.ndarray:
    record = np.zeros(1, COMMAND)
    record["kind"], record["version"], record["account"] = kind, 1, account
    return record


def confirmation(reason: str = "checked against the time server") -> bytes:
    return encode_document(ConfirmClock(wall_ns=1, reason=reason))


async def admit(node: Node, name: str) -> Answer:
    document = Admit(name=name, role="enterprise", permissions=[])
    return await node.submit(command(CommandKind.DOCUMENT), encode_document(document))


async def start(directory: Path, machine: Machine) -> Node:
    node = Node(SegmentJournal.open(directory / "journal", GENESIS, segment_bytes=1 << 20), Exchange(GENESIS), machine.clock())
    await node.start()
    return node


def stamp_of(answer: Answer) -> int:
    return int(answer.outcome["stamp_ns"])


def stamps(directory: Path) -> list[int]:
    """Of every command, as the journal has them."""
    reader = JournalReader.open(directory / "journal")
    found = [int(stamp) for group in reader.groups() for stamp in group.records["stamp_ns"]]
    reader.close()
    return found


async def refused(node: Node, name: str) -> RejectCode:
    with pytest.raises(NotAcceptingError) as refusal:
        await admit(node, name)
    return refusal.value.code


@pytest.mark.parametrize("step_s", STEPS_S)
async def test_commands_wait_for_the_confirmation_and_time_never_runs_back(step_s: int, tmp_path: Path) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wait(10)
    before_ns = stamp_of(await admit(node, "before"))
    machine.wall_ns += step_s * NS_PER_SECOND
    assert await refused(node, "meanwhile") is RejectCode.NOT_ACCEPTING
    assert not node.accepting
    confirmed = await node.confirm_clock(command(CommandKind.DOCUMENT), confirmation())
    assert (int(confirmed.outcome["code"]), stamp_of(confirmed)) == (0, before_ns)
    assert node.accepting
    assert stamp_of(await admit(node, "after")) == max(before_ns, machine.wall_ns)
    machine.wait(4_000)
    assert stamp_of(await admit(node, "later")) == machine.wall_ns
    await node.stop()
    assert state_hash_hex(replay_directory(tmp_path / "journal")[0]) == state_hash_hex(node.exchange)
    assert [p.name for p in node.exchange.participants()] == ["operator", "before", "after", "later"]
    assert stamps(tmp_path) == sorted(stamps(tmp_path))


async def test_sessions_come_and_go_while_time_stands_still(tmp_path: Path) -> None:
    """Who is to confirm the clock has to log on first; who goes has his orders withdrawn."""
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wall_ns += NS_PER_MINUTE
    together = [node.submit(command(kind)) for kind in (CommandKind.SESSION_OPENED, CommandKind.TICK, CommandKind.SESSION_CLOSED)]
    opened, tick, closed = await asyncio.gather(*together, return_exceptions=True)
    assert isinstance(opened, Answer)
    assert isinstance(closed, Answer)
    assert (stamp_of(opened), stamp_of(closed), int(opened.outcome["code"])) == (OPEN_NS, OPEN_NS, 0)
    assert isinstance(tick, NotAcceptingError)
    assert node.queued == 0
    await node.stop()


async def test_a_refused_confirmation_confirms_nothing(tmp_path: Path) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wall_ns += NS_PER_MINUTE
    stranger = await node.confirm_clock(command(CommandKind.DOCUMENT, account=99), confirmation())
    silent = await node.confirm_clock(command(CommandKind.DOCUMENT), confirmation(""))
    assert [int(answer.outcome["code"]) for answer in (stranger, silent)] == [RejectCode.NO_PERMISSION, RejectCode.BUSINESS_RULE]
    assert await refused(node, "E1") is RejectCode.NOT_ACCEPTING
    await node.stop()


async def test_a_step_on_the_way_is_not_confirmed(tmp_path: Path) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wall_ns += NS_PER_MINUTE
    on_its_way = node.confirm_clock(command(CommandKind.DOCUMENT), confirmation())
    machine.wall_ns += NS_PER_MINUTE
    assert int((await on_its_way).outcome["code"]) == 0
    assert not node.accepting
    await node.stop()


async def test_a_restart_with_a_clock_behind_the_journal_waits_for_the_operator(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wait(3_600)
    last_ns = stamp_of(await admit(node, "before"))
    await node.stop()
    machine.wall_ns -= 1_800 * NS_PER_SECOND
    node = await start(tmp_path, machine)
    assert node.exchange.now_ns == last_ns
    assert await refused(node, "meanwhile") is RejectCode.NOT_ACCEPTING
    assert "behind the last command" in caplog.text
    await node.confirm_clock(command(CommandKind.DOCUMENT), confirmation())
    assert stamp_of(await admit(node, "after")) == last_ns
    machine.wait(1_801)
    assert stamp_of(await admit(node, "later")) == last_ns + NS_PER_SECOND
    await node.stop()
    assert state_hash_hex(replay_directory(tmp_path / "journal")[0]) == state_hash_hex(node.exchange)


@pytest.mark.parametrize("behind_ns", [0, NS_PER_SECOND])
async def test_a_restart_with_a_clock_that_is_right_asks_nobody(behind_ns: int, tmp_path: Path) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wait(60)
    await admit(node, "before")
    await node.stop()
    machine.wall_ns -= behind_ns
    node = await start(tmp_path, machine)
    assert node.accepting
    assert int((await admit(node, "after")).outcome["code"]) == 0
    await node.stop()


async def test_the_clock_is_believed_again_when_it_is_set_right(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    machine = Machine()
    node = await start(tmp_path, machine)
    machine.wall_ns += NS_PER_MINUTE
    assert await refused(node, "E1") is RejectCode.NOT_ACCEPTING
    machine.wall_ns -= NS_PER_MINUTE
    assert int((await admit(node, "E1")).outcome["code"]) == 0
    assert "commands are taken again" in caplog.text
    await node.stop()
