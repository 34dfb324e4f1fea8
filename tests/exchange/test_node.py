"""The node: what is answered is durable, applied and replayable."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchange.clock import TurnClock
from exchange.errors import CheckFailedError, ClockSteppedError, JournalFailedError
from exchange.journal.interface import CommittedGroup
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.node import Node, NotAcceptingError
from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.documents import Admit, ListInstruments, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_directory, state_hash_hex
from tests.exchange.order_path.park import GENESIS, OPEN_NS, OPERATOR, power_spec


def command(kind: CommandKind, account: int = 0) -> np.ndarray:
    record = np.zeros(1, COMMAND)
    record["kind"], record["version"], record["account"] = kind, 1, account
    return record


def admit(name: str) -> bytes:
    return encode_document(Admit(name=name, role="enterprise", permissions=["power_buy"], max_net_power_lots=10))


async def test_answers_are_replayed_to_the_same_state(tmp_path: Path) -> None:
    node = Node(SegmentJournal.open(tmp_path / "journal", GENESIS, segment_bytes=1 << 20), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    answers = await asyncio.gather(*(node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit(f"E{i:02d}")) for i in range(5)))
    assert [answer.result for answer in answers] == [{"account": 33 + i} for i in range(5)]
    assert (await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E00"))).outcome["code"] == RejectCode.BUSINESS_RULE
    await node.stop()
    replayed, _ = replay_directory(tmp_path / "journal")
    assert state_hash_hex(replayed) == state_hash_hex(node.exchange)


async def test_restart_continues_the_sequence_and_the_epoch(tmp_path: Path) -> None:
    for epoch in (1, 2):
        node = Node(SegmentJournal.open(tmp_path / "journal", GENESIS, segment_bytes=1 << 20), Exchange(GENESIS), TurnClock(OPEN_NS))
        await node.start()
        assert node.exchange.epoch == node.epoch == epoch
        await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit(f"E{epoch}"))
        await node.stop()
    assert node.exchange.last_sequence == 6  # each epoch: started, one document, checkpoint
    assert [p.name for p in node.exchange.participants()] == ["operator", "E1", "E2"]


async def test_a_draining_node_takes_the_ends_of_sessions_and_nothing_else() -> None:
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    taken = node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E1"))
    node.drain()
    assert not node.accepting
    for refused in (
        lambda: node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E2")),
        lambda: node.submit(command(CommandKind.TICK)),
        lambda: node.submit_many(command(CommandKind.CANCEL, OPERATOR)),
    ):
        with pytest.raises(NotAcceptingError) as refusal:
            refused()
        assert refusal.value.code is RejectCode.NOT_ACCEPTING
    ended = node.submit(command(CommandKind.SESSION_CLOSED, OPERATOR))
    assert (await taken).result == {"account": 33}
    assert (await ended).outcome["sequence"] == 3
    await node.stop()


@pytest.mark.parametrize(("recovery_ns", "expected"), [(None, RejectCode.INSUFFICIENT_CASH), (10**9, RejectCode.RECOVERY_CANCEL_ONLY)])
async def test_the_recovery_phase_may_be_set_at_a_start(recovery_ns: int | None, expected: RejectCode, tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path / "journal", GENESIS, segment_bytes=1 << 20)
    node = Node(journal, Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start(recovery_ns)
    await node.submit(command(CommandKind.DOCUMENT, OPERATOR), encode_document(ListInstruments(instruments=[power_spec(40)])))
    await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E1"))
    place = command(CommandKind.PLACE, 33)
    place["instrument"], place["price_ticks"], place["quantity_lots"], place["client_order_id"] = 1, 3_000, 5, b"c"
    assert (await node.submit(place)).outcome["code"] == expected
    await node.stop()
    assert state_hash_hex(replay_directory(tmp_path / "journal")[0]) == state_hash_hex(node.exchange)


class FailingJournal(MemoryJournal):
    """Fails from the second append on."""

    appends = 0

    def append(self, records: np.ndarray, documents: bytes = b"") -> CommittedGroup:
        self.appends += 1
        if self.appends > 1:
            raise JournalFailedError("disk full")
        return super().append(records, documents)


async def test_journal_failure_is_final_and_told() -> None:
    node = Node(FailingJournal(GENESIS), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    with pytest.raises(NotAcceptingError) as refusal:
        await node.submit(command(CommandKind.TICK))
    assert refusal.value.code is RejectCode.JOURNAL_FAILED
    with pytest.raises(NotAcceptingError):
        node.submit(command(CommandKind.TICK))
    with pytest.raises(JournalFailedError):
        await node.stop()


async def test_stop_answers_what_was_taken() -> None:
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    waiting = [node.submit(command(CommandKind.TICK)) for _ in range(10)]
    await node.stop()
    assert all(future.done() for future in waiting)
    with pytest.raises(NotAcceptingError) as refusal:
        node.submit(command(CommandKind.TICK))
    assert refusal.value.code is RejectCode.NOT_ACCEPTING


async def test_checkpoint_locates_a_divergence(tmp_path: Path) -> None:
    node = Node(SegmentJournal.open(tmp_path / "journal", GENESIS, segment_bytes=1 << 20), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E01"))
    await node.stop()
    reader = JournalReader.open(tmp_path / "journal")
    diverging = Exchange(GENESIS)
    *before, last = reader.groups()
    for group in before:
        diverging.apply(group.records, group.documents, group.first_sequence)
    diverging.state.accounts[OPERATOR].execution_seq += 1
    with pytest.raises(CheckFailedError, match="as of command 2"):
        diverging.apply(last.records, last.documents, last.first_sequence)
    reader.close()


class CountingJournal(MemoryJournal):
    """Remembers how the groups were cut."""

    def __init__(self) -> None:
        super().__init__(GENESIS)
        self.cuts: list[np.ndarray] = []

    def append(self, records: np.ndarray, documents: bytes = b"") -> CommittedGroup:
        self.cuts.append(records.copy())
        return super().append(records, documents)


async def test_no_group_cuts_a_basket() -> None:
    """Baskets of a hundred legs, with a command in front that shifts them past every limit of a group."""
    journal = CountingJournal()
    node = Node(journal, Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    for before in (1, 3, 7):
        answers = list(node.submit_many(np.concatenate([command(CommandKind.TICK)] * before)))
        for _ in range(23):
            records = np.concatenate([command(CommandKind.BASKET, OPERATOR)] * 100)
            records["group"][0] = 100
            records["client_order_id"] = [f"{len(answers)}-{leg}" for leg in range(100)]
            answers += node.submit_many(records)
        await asyncio.gather(*answers)
    await node.stop()
    assert len([cut for cut in journal.cuts if len(cut) > 900]) >= 6
    for cut in journal.cuts:
        legs = np.flatnonzero(cut["kind"] == CommandKind.BASKET)
        if len(legs):
            assert cut["group"][legs[0]] == 100
            assert len(legs) % 100 == 0


async def test_a_batch_has_one_callback_a_group_and_its_outcomes_in_order() -> None:
    journal = CountingJournal()
    node = Node(journal, Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    found: list[np.ndarray] = []
    node.submit_batch(np.concatenate([command(CommandKind.TICK)] * 2_500), lambda outcomes, _: found.append(outcomes.copy()), pytest.fail)
    await node.submit(command(CommandKind.TICK))
    assert [len(outcomes) for outcomes in found] == [1024, 1024, 452]
    assert np.concatenate(found)["sequence"].tolist() == list(range(2, 2_502))
    await node.stop()
    await node.stop()  # once is enough
    with pytest.raises(NotAcceptingError):
        node.submit_batch(command(CommandKind.TICK), lambda outcomes, _: None, pytest.fail)


class SlowJournal(MemoryJournal):
    """Says when it is at work, and waits for a word to go on."""

    def __init__(self) -> None:
        super().__init__(GENESIS)
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(1)

    def append(self, records: np.ndarray, documents: bytes = b"") -> CommittedGroup:
        self.begun.release()
        assert self.may_end.acquire(timeout=5)
        return super().append(records, documents)


async def test_a_group_is_applied_while_the_next_is_flushed() -> None:
    journal = SlowJournal()
    node = Node(journal, Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()
    first = node.submit(command(CommandKind.TICK))
    assert await asyncio.to_thread(journal.begun.acquire, timeout=5)  # node_started
    assert await asyncio.to_thread(journal.begun.acquire, timeout=5)
    second = node.submit(command(CommandKind.TICK))
    journal.may_end.release()
    await first
    assert await asyncio.to_thread(journal.begun.acquire, timeout=5)  # the second is on its way, and the first has been answered
    assert not second.done()
    journal.may_end.release()
    await second
    journal.may_end.release()
    await node.stop()


async def test_what_was_applied_is_answered_though_a_listener_fails(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), TurnClock(OPEN_NS))
    await node.start()

    def fail(batch: BatchResult) -> None:
        raise ValueError("a listener")

    def raise_too(outcomes: np.ndarray, results: dict[int, Any]) -> None:
        raise ValueError("a gateway")

    node.listeners.append(fail)
    node.submit_batch(command(CommandKind.TICK), raise_too, pytest.fail)
    answer = await node.submit(command(CommandKind.TICK))
    assert answer.outcome["sequence"] == 3
    with pytest.raises(NotAcceptingError):
        node.submit(command(CommandKind.TICK))
    assert "a gateway" in caplog.text
    with pytest.raises(ValueError, match="a listener"):
        await node.stop()


class SteppedClock(TurnClock):
    """Refuses to tell the time while it is in doubt."""

    in_doubt = False

    def now_ns(self) -> int:
        if self.in_doubt:
            raise ClockSteppedError("stepped")
        return super().now_ns()


async def test_a_stepped_clock_refuses_commands_until_it_is_confirmed() -> None:
    clock = SteppedClock(OPEN_NS)
    node = Node(MemoryJournal(GENESIS), Exchange(GENESIS), clock)
    await node.start()
    await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E01"))
    sequence = node.exchange.last_sequence
    clock.in_doubt = True
    for _ in range(2):
        with pytest.raises(NotAcceptingError) as refused:
            await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E02"))
        assert refused.value.code is RejectCode.NOT_ACCEPTING
    assert (node.failure, node.exchange.last_sequence, node.clock.now_ns()) == (None, sequence, OPEN_NS)
    assert not node.accepting
    clock.in_doubt = False
    assert node.accepting
    assert (await node.submit(command(CommandKind.DOCUMENT, OPERATOR), admit("E02"))).outcome["code"] == RejectCode.ACCEPTED
    await node.stop()
