"""Faults below the journal, each at every place: refused, cut or survived as docs/architecture-journal.md says, and told with how to go on.

The table of errors of the system and the random power failures are in test_faults, located damage in test_damage.
"""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.chaos.disk import Killed, SimulatedDisk
from exchange.clock import TurnClock
from exchange.errors import CorruptionError, JournalFailedError, JournalShorterError
from exchange.journal.advice import KEPT
from exchange.journal.files import FileOps
from exchange.journal.record import CommandKind
from exchange.journal.segments import PREPARED_BYTES_MIN, JournalReader, SegmentJournal
from exchange.journal.snapshots import load_latest, write_snapshot
from exchange.journal.verify import verify
from exchange.journal.walk import load_layout
from exchange.node import Node, new_command
from exchange.order_path.path import Exchange
from tests.exchange.journal.builders import GENESIS, QuietFiles, build, commands, contents, fill
from tests.exchange.journal.test_damage import group_places
from tests.exchange.journal.test_faults import Client, failing
from tests.exchange.order_path.park import GENESIS as PARK_GENESIS
from tests.exchange.order_path.park import OPEN_NS

# Torn writes


@contextmanager
def torn(path: Path, start: int, size: int, rest: bytes) -> Iterator[None]:
    """The file with only the first `size` bytes behind `start`, then `rest` over and over."""
    whole = path.read_bytes()
    behind = (rest * (len(whole) // len(rest) + 1))[: len(whole) - start - size]
    path.write_bytes(whole[: start + size] + behind)
    try:
        yield
    finally:
        path.write_bytes(whole)


class TornJournal:
    """Three groups; the head file as it was behind each of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.heads: list[bytes] = []
        journal = SegmentJournal.open(directory, GENESIS, segment_bytes=4_096, files=QuietFiles())
        for count in (2, 1, 2):
            fill(journal, [count])
            self.heads.append((directory / "head").read_bytes())
        journal._failure = "killed"
        journal.close()
        self.places = group_places(directory)
        self.groups = contents(JournalReader.open(directory))

    def known(self, n_groups: int) -> None:
        """As if nobody had been told of more."""
        (self.directory / "head").write_bytes(self.heads[n_groups - 1])


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> TornJournal:
    return TornJournal(tmp_path_factory.mktemp("torn"))


@pytest.mark.parametrize("rest", [b"\0", b"\xa5"], ids=["zeros behind", "leftovers behind"])
@pytest.mark.parametrize("index", [1, 2], ids=["last but one", "last"])
def test_a_torn_write_at_every_byte_of_the_last_two_groups_is_cut(three: TornJournal, index: int, rest: bytes) -> None:
    """Nobody was told of it: what stands before it stays, and all of it."""
    path, start, length, *_ = three.places[index]
    three.known(index)
    for size in range(length):
        with torn(path, start, size, rest):
            reader = JournalReader.open(three.directory)
            assert contents(reader) == three.groups[:index], size
            if rest != b"\0":
                assert reader.torn_tail is not None
                assert reader.torn_tail.offset == start


@pytest.mark.parametrize("index", [1, 2], ids=["last but one", "last"])
def test_a_torn_write_at_every_byte_of_a_group_that_was_acknowledged_is_refused(three: TornJournal, index: int) -> None:
    """A medium that lost what it said it had: never started without it."""
    path, start, length, *_ = three.places[index]
    three.known(index + 1)
    for size in range(length):
        with torn(path, start, size, b"\0"), pytest.raises(CorruptionError) as caught:
            JournalReader.open(three.directory)
        located = f"{path.name}, byte {start} (group {index + 1}, sequence" in str(caught.value)
        assert located or (size == 0 and isinstance(caught.value, JournalShorterError)), size


def test_a_torn_write_before_a_whole_group_is_refused_at_every_byte(three: TornJournal) -> None:
    """The last group is whole, so the one before it was once: the chain says so even when the head file has seen neither."""
    path, start, length, *_ = three.places[1]
    three.known(1)
    whole = path.read_bytes()
    n_refused = 0
    for size in range(length):
        changed = whole[: start + size] + bytes(length - size) + whole[start + length :]
        if changed == whole:
            continue
        path.write_bytes(changed)
        with pytest.raises(CorruptionError, match=f"byte {start} "):
            JournalReader.open(three.directory)
        n_refused += 1
    path.write_bytes(whole)
    assert n_refused > length - 40


def test_the_writer_goes_on_behind_a_torn_write(three: TornJournal, tmp_path: Path) -> None:
    path, start, length, *_ = three.places[2]
    for size in range(1, length, 37):
        directory = tmp_path / str(size)
        directory.mkdir()
        three.known(2)
        with torn(path, start, size, b"\xa5"):
            for name in ("genesis", "head", path.name):
                (directory / name).write_bytes((three.directory / name).read_bytes())
        journal = SegmentJournal.open(directory, segment_bytes=4_096, files=QuietFiles())
        assert journal.torn_tail is not None
        fill(journal, [1, 3])
        journal.close()
        assert contents(JournalReader.open(directory))[:2] == three.groups[:2]
        assert verify(directory).head.sequence == 3 + 4


# Bit flips


def test_a_flip_of_every_second_bit_of_a_small_journal(tmp_path: Path) -> None:
    """Of what was committed: refused. Of the zeros behind it: cut in the last segment, which is all that a crash leaves, and refused before."""
    build(tmp_path, [1, 1, 1], segment_bytes=640)
    whole = contents(JournalReader.open(tmp_path))
    last = load_layout(tmp_path).segments[-1].path
    ends = {path: offset + length for path, offset, length, _, _ in group_places(tmp_path)}
    n_refused, n_cut = 0, 0
    for path in sorted(path for path in tmp_path.iterdir() if path.name != "lock"):
        data = path.read_bytes()
        fd = os.open(path, os.O_RDWR)
        for offset, bit in ((at, bit) for at in range(len(data)) for bit in range(at % 2, 8, 2)):
            os.pwrite(fd, bytes([data[offset] ^ 1 << bit]), offset)
            try:
                found = contents(JournalReader.open(tmp_path)) if offset % 64 == 63 else JournalReader.open(tmp_path)
            except CorruptionError:
                n_refused += 1
            else:
                assert path == last, (path, offset, bit)
                assert offset >= ends[path], (path, offset, bit)
                assert not isinstance(found, list) or found == whole
                n_cut += 1
            os.pwrite(fd, data[offset : offset + 1], offset)
        os.close(fd)
    assert contents(JournalReader.open(tmp_path)) == whole
    assert n_refused > 10_000
    assert n_cut == 4 * (last.stat().st_size - ends[last]) > 0


# Errors of the system

ADVICE = [
    (errno.ENOSPC, "the disk is full: make room"),
    (errno.EDQUOT, "the quota is used up"),
    (errno.EIO, "the medium failed: start again"),
    (errno.EROFS, "read-only"),
    (errno.EMFILE, "ulimit -n"),
    (errno.EACCES, "belongs to somebody else"),
    (errno.EBADF, "mend it and start again"),
]


@pytest.mark.parametrize(("error", "words"), ADVICE, ids=[errno.errorcode[row[0]] for row in ADVICE])
@pytest.mark.parametrize("operation", ["pwrite", "flush"])
def test_an_error_tells_how_to_go_on_and_going_on_works(tmp_path: Path, operation: str, error: int, words: str) -> None:
    client = Client(tmp_path)
    client.live(SimulatedDisk(), [1, 2], close=True)
    disk = SimulatedDisk()
    journal = SegmentJournal.open(tmp_path, segment_bytes=1_200, files=disk)
    disk._fail = failing(operation, "segment", error, 0)
    records = commands(1, journal.next_sequence)
    client.sent[journal.next_sequence] = [records.tobytes()]
    for _ in range(2):  # once by the append that meets it, then by every other
        with pytest.raises(JournalFailedError, match=words) as caught:
            journal.append(records)
        assert KEPT in str(caught.value)
        assert errno.errorcode[error] in str(caught.value)
    journal.close()
    with pytest.raises(JournalFailedError, match=words):
        SegmentJournal.open(tmp_path, files=SimulatedDisk(fail=failing(operation, "", error, 0)))
    client.check().close()


PREPARATION = [("open", 0), ("pwrite", 0), ("flush", 0)]


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize(("operation", "after"), PREPARATION)
def test_a_segment_that_cannot_be_prepared_is_made_when_it_is_needed(tmp_path: Path, operation: str, after: int, error: int) -> None:
    """The error is met again where it counts: an append goes on if the disk has room then, and stops for good if not."""
    disk = SimulatedDisk(fail=failing(operation, "segment.spare", error, after))
    journal = SegmentJournal.open(tmp_path, GENESIS, segment_bytes=PREPARED_BYTES_MIN, files=disk)
    document = bytes(300_000)
    for _ in range(4):  # the fourth does not fit into the first segment
        journal.append(commands(1, journal.next_sequence), document)
    assert len(load_layout(tmp_path).segments) == 2
    disk._fail = failing("pwrite", "segment", error, 0)
    with pytest.raises(JournalFailedError, match=errno.errorcode[error]):  # noqa: PT012 - which append meets the fault is not known
        for _ in range(4):
            journal.append(commands(1, journal.next_sequence), document)
    journal.close()
    again = SegmentJournal.open(tmp_path, segment_bytes=PREPARED_BYTES_MIN, files=QuietFiles())
    assert again.next_sequence == 5
    again.append(commands(1, 5))
    again.close()
    assert verify(tmp_path).head.sequence == 5


# Slow flush


class SlowFlush(FileOps):
    """The flush of a segment returns when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.let.set()

    def fdatasync(self, fd: int) -> None:
        self.begun.set()
        assert self.let.wait(30)

    def hold(self) -> None:
        self.begun.clear()
        self.let.clear()


async def test_a_slow_flush_delays_answers_and_gathers_one_group(tmp_path: Path) -> None:
    """Nothing is answered before it is durable; what comes meanwhile waits together; nothing is lost and nothing fails."""
    files = SlowFlush()
    node = Node(SegmentJournal.open(tmp_path, PARK_GENESIS, files=files), Exchange(PARK_GENESIS), TurnClock(OPEN_NS))
    await node.start()
    n_groups = node.journal.head.group_index
    files.hold()
    answers = [node.submit(new_command(CommandKind.TICK))]
    assert await asyncio.to_thread(files.begun.wait, 30)
    answers += [node.submit(new_command(CommandKind.TICK)) for _ in range(50)]
    await asyncio.sleep(0)
    assert not any(answer.done() for answer in answers)
    assert node.journal.head.group_index == n_groups
    files.let.set()
    sequences = [int((await answer).outcome["sequence"]) for answer in answers]
    assert sequences == list(range(sequences[0], sequences[0] + 51))
    assert node.journal.head.group_index == n_groups + 2
    await node.stop()


# Power loss


class Recording(SimulatedDisk):
    """Remembers where each operation begins, in units of the budget."""

    def __init__(self, budget: int | None = None) -> None:
        super().__init__(budget)
        self.begins: list[int] = []

    def _spend(self, operation: str, path: Path, cost: int = 1) -> int:
        self.begins.append(self.spent)
        return super()._spend(operation, path, cost)


def operations(life: Callable[[SimulatedDisk], object]) -> list[int]:
    disk = Recording()
    life(disk)
    return disk.begins


def test_power_is_lost_at_every_operation_and_only_what_was_flushed_is_left(tmp_path: Path) -> None:
    """From the making of a journal over three segments, a close and a second life. Every acknowledged group is there."""

    def live(client: Client, disk: SimulatedDisk) -> None:
        client.live(disk, [1, 2, 1, 3], close=True)
        client.live(disk, [2, 1], close=False)

    budgets = operations(lambda disk: live(Client(tmp_path / "whole"), disk))
    n_acknowledged = set()
    for budget in budgets:
        client = Client(tmp_path / str(budget))
        disk = SimulatedDisk(budget)
        with pytest.raises(Killed):
            live(client, disk)
        if client.directory.is_dir():
            disk.drop_unflushed(client.directory)
        client.check().close()
        n_acknowledged.add(len(client.acknowledged))
    assert n_acknowledged == set(range(7)) - {6}


def test_power_is_lost_at_every_operation_of_a_snapshot(tmp_path: Path) -> None:
    """A name that is not flushed to the directory may be gone, and then the old snapshot is still there."""

    def write(directory: Path, disk: SimulatedDisk) -> None:
        for sequence in (1, 2):
            write_snapshot(directory, sequence, "ab" * 32, bytes(32), bytes([sequence]) * 300, files=disk)

    for budget in operations(lambda disk: write(tmp_path / "whole", disk)):
        directory = tmp_path / str(budget)
        disk = SimulatedDisk(budget)
        with pytest.raises(Killed):
            write(directory, disk)
        before = load_latest(directory).snapshot
        disk.drop_unflushed(directory)
        left = load_latest(directory)
        assert left.refused == ()
        assert left.snapshot is None or left.snapshot.payload == bytes([left.snapshot.sequence]) * 300
        assert before is None or before.sequence < 2 or left.snapshot is not None
