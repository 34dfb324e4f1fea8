"""Errors of the system and deaths of the process at every byte: nothing that was acknowledged is lost, and a failure is final."""

import errno
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bench.chaos.disk import Killed, SimulatedDisk
from exchange.errors import JournalFailedError
from exchange.journal.interface import CommittedGroup
from exchange.journal.segments import JournalReader, SegmentJournal
from tests.exchange.journal.builders import GENESIS, QuietFiles, abandon, build, commands, contents, fill


class Client:
    """Runs a life of the journal and remembers what it was told."""

    def __init__(self, directory: Path, segment_bytes: int = 1_200) -> None:
        self.directory = directory
        self.segment_bytes = segment_bytes
        self.acknowledged: list[CommittedGroup] = []
        self.sent: dict[int, list[bytes]] = {}  # first sequence: all that was ever sent there
        self.epochs: list[int] = []

    def live(self, disk: SimulatedDisk, counts: list[int], close: bool) -> None:
        journal = SegmentJournal.open(self.directory, GENESIS, segment_bytes=self.segment_bytes, files=disk)
        try:
            self.epochs.append(journal.epoch)
            for count in counts:
                records = commands(count, journal.next_sequence)
                self.sent.setdefault(journal.next_sequence, []).append(records.tobytes())
                self.acknowledged.append(journal.append(records, b"x" * count))
        except (Killed, JournalFailedError):
            abandon(journal)
            raise
        journal.close() if close else abandon(journal)

    def check(self) -> SegmentJournal:
        """Open again: all acknowledged groups are there, at most the one in flight besides; epochs grow."""
        journal = SegmentJournal.open(self.directory, GENESIS, segment_bytes=self.segment_bytes, files=QuietFiles())
        groups = list(journal.groups())
        hashes = [group.chain_hash for group in groups]
        known = [group.chain_hash for group in self.acknowledged]
        assert hashes[: len(known)] == known
        assert len(hashes) <= len(known) + 1
        for group in groups:
            assert group.records.tobytes() in self.sent[group.first_sequence]
        assert all(journal.epoch > epoch for epoch in self.epochs)
        return journal


def total_cost(directory: Path) -> int:
    disk = SimulatedDisk()
    client = Client(directory)
    client.live(disk, [1, 2, 1, 3], close=True)
    client.live(disk, [2, 1], close=True)
    return disk.spent


def test_a_process_killed_anywhere_in_its_life_loses_nothing(tmp_path: Path) -> None:
    """From the making of the journal over rolling, closing and opening again."""
    budget_max = total_cost(tmp_path / "whole")
    n_killed = 0
    for budget in range(0, budget_max, 29):
        client = Client(tmp_path / str(budget))
        disk = SimulatedDisk(budget)
        try:
            client.live(disk, [1, 2, 1, 3], close=True)
            client.live(disk, [2, 1], close=True)
        except Killed:
            n_killed += 1
        client.check().close()
    assert n_killed == len(range(0, budget_max, 29)) > 200


def test_a_process_killed_within_an_append_loses_nothing(tmp_path: Path) -> None:
    start = tmp_path / "start"
    build(start, [1], segment_bytes=8_192)
    n_torn = 0
    for budget in (*range(0, 900, 3), *range(300, 340), 1_100):
        client = Client(start, 8_192)
        for path in start.iterdir():
            path.unlink()
        client.live(SimulatedDisk(), [1], close=True)
        disk = SimulatedDisk()
        journal = SegmentJournal.open(start, files=disk)
        disk.budget = disk.spent + budget
        records = commands(1, 2)
        client.sent[2] = [records.tobytes()]
        try:
            client.acknowledged.append(journal.append(records))
        except Killed:
            with pytest.raises(JournalFailedError, match="interrupted"):
                journal.append(commands(1))
        abandon(journal)
        again = client.check()
        n_torn += again.torn_tail is not None
        abandon(again)
        if budget > 320 + 1 + 512:
            assert len(client.acknowledged) == 2
    assert n_torn > 100


@pytest.mark.parametrize("short", [1, 7, 100])
def test_short_writes_are_continued(tmp_path: Path, short: int) -> None:
    client = Client(tmp_path)
    client.live(SimulatedDisk(short=short), [1, 2, 1, 3], close=True)
    client.check().close()


def failing(operation: str, name: str, error: int, after: int) -> Callable[[str, Path], OSError | None]:
    """Fail an operation on a file from the `after`-th time on."""
    count = 0

    def fail(happening: str, path: Path) -> OSError | None:
        nonlocal count
        if happening != operation or not path.name.startswith(name):
            return None
        count += 1
        return OSError(error, "injected") if count > after else None

    return fail


FAULTS = [
    # operation, file, error, how often it succeeds before
    ("pwrite", "segment-00000001", errno.EIO, 0),
    ("flush", "segment-00000001", errno.EIO, 0),
    ("pwrite", "head", errno.EIO, 0),
    ("pwrite", "head", errno.EIO, 3),
    ("pwrite", "segment-00000002", errno.ENOSPC, 0),
    ("pwrite", "segment-00000002", errno.ENOSPC, 1),
    ("flush", "segment-00000002", errno.EIO, 0),
    ("flush", "segment-00000002", errno.EIO, 1),
    ("flush", "head", errno.EIO, 0),
    ("flush", "head", errno.EIO, 1),
    ("replace", "segment-00000002", errno.EIO, 0),
    ("open", "segment-00000002", errno.EMFILE, 0),
    ("open", "segment-00000002", errno.EMFILE, 1),
    ("flush directory", "", errno.EIO, 0),
    ("flush directory", "", errno.EIO, 1),
]


@pytest.mark.parametrize(("operation", "name", "error", "after"), FAULTS)
def test_an_error_of_the_system_is_final(tmp_path: Path, operation: str, name: str, error: int, after: int) -> None:
    client = Client(tmp_path)
    client.live(SimulatedDisk(), [1], close=True)
    disk = SimulatedDisk()
    journal = SegmentJournal.open(tmp_path, segment_bytes=1_200, files=disk)
    disk._fail = failing(operation, name, error, after)
    with pytest.raises(JournalFailedError, match="injected"):  # noqa: PT012 - which append meets the fault is not known
        for _ in range(20):
            records = commands(1, journal.next_sequence)
            client.sent.setdefault(journal.next_sequence, []).append(records.tobytes())
            client.acknowledged.append(journal.append(records))
    disk._fail = None
    for call in (lambda: journal.append(commands(1)), journal.groups, lambda: journal.chain_hash_at(1)):
        with pytest.raises(JournalFailedError, match="injected"):
            call()
    journal.close()
    client.check().close()


@pytest.mark.parametrize("operation", ["open", "pwrite", "flush", "replace", "flush directory"])
def test_an_opening_that_fails_leaves_the_journal_as_it_was(tmp_path: Path, operation: str) -> None:
    client = Client(tmp_path)
    client.live(SimulatedDisk(), [1, 2], close=False)
    for after in range(3):
        disk = SimulatedDisk(fail=failing(operation, "", errno.EIO, after))
        with suppress(JournalFailedError):
            abandon(SegmentJournal.open(tmp_path, segment_bytes=1_200, files=disk))
    client.check().close()


def test_a_close_that_fails_gives_the_lock_back(tmp_path: Path) -> None:
    disk = SimulatedDisk()
    journal = SegmentJournal.open(tmp_path, GENESIS, files=disk)
    fill(journal, [2])
    disk._fail = failing("replace", "head", errno.EIO, 0)
    with pytest.raises(JournalFailedError, match="close"):
        journal.close()
    journal.close()
    again = SegmentJournal.open(tmp_path)
    assert again.next_sequence == 3
    again.close()


def test_a_group_whose_flush_failed_is_written_again_before_it_is_believed(tmp_path: Path) -> None:
    """After a failed flush the system may show pages that the medium does not hold, and a second flush of the same pages succeeds without writing."""
    disk = SimulatedDisk()
    client = Client(tmp_path)
    client.live(disk, [1], close=True)
    journal = SegmentJournal.open(tmp_path, files=disk)
    disk._fail = failing("flush", "segment", errno.EIO, 0)
    with pytest.raises(JournalFailedError):
        journal.append(commands(1, 2))
    journal.close()
    written: list[tuple[str, int, int]] = []

    class Watching(SimulatedDisk):
        def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
            written.append((self._paths[fd].name, offset, len(data)))
            return super().pwrite(fd, data, offset)

    again = SegmentJournal.open(tmp_path, files=Watching())
    assert again.next_sequence == 3
    assert written[0] == ("segment-00000001", 256 + 320, 320)
    again.close()


def run_power_failures(directory: Path, seed: int) -> None:
    """Several lives on one medium; each ends at a random point and then loses power."""
    rng = random.Random(seed)
    client = Client(directory, rng.choice((700, 1_200, 3_000)))
    disk = SimulatedDisk()
    for _ in range(rng.randint(1, 5)):
        disk.budget = disk.spent + rng.randint(0, 9_000)
        try:
            client.live(disk, [rng.randint(1, 4) for _ in range(rng.randint(0, 6))], close=rng.random() < 0.3)
        except Killed:
            pass
        except JournalFailedError as error:
            raise AssertionError(f"seed {seed}") from error
        disk.budget = None
        if rng.random() < 0.7:
            disk.lose_power(directory, rng)
        try:
            abandon(client.check())
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        _accept_what_is_there(client, disk)


def _accept_what_is_there(client: Client, disk: SimulatedDisk) -> None:
    """The group in flight, once seen at an opening, must stay: that opening made it durable."""
    client.acknowledged = [
        CommittedGroup(group.first_sequence, len(group.records), group.chain_hash) for group in JournalReader.open(client.directory).groups()
    ]
    disk.adopt(client.directory)


def test_power_failures(tmp_path: Path) -> None:
    for seed in range(150):
        run_power_failures(tmp_path / str(seed), seed)


@pytest.mark.soak
def test_power_failures_at_length(tmp_path: Path) -> None:
    for seed in range(1_000, 31_000):
        run_power_failures(tmp_path / str(seed), seed)


@pytest.mark.parametrize("seed", range(8))
def test_what_an_opening_has_seen_survives_a_power_failure(tmp_path: Path, seed: int) -> None:
    """A group that was written but not flushed when the process died is durable after the next opening."""
    disk = SimulatedDisk()
    journal = SegmentJournal.open(tmp_path, GENESIS, segment_bytes=4_096, files=disk)
    journal.append(commands(1))
    disk.budget = disk.spent + 320  # the write of the next group, not its flush
    with pytest.raises(Killed):
        journal.append(commands(1, 2))
    abandon(journal)
    disk.budget = None
    abandon(SegmentJournal.open(tmp_path, files=disk))
    seen = contents(JournalReader.open(tmp_path))
    assert len(seen) == 2
    disk.lose_power(tmp_path, random.Random(seed))
    assert contents(JournalReader.open(tmp_path)) == seen
