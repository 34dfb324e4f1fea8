"""Writing, reading back, opening again, rolling over, locking."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import CorruptionError, InputError, JournalFailedError, JournalLockedError, JournalShorterError
from exchange.journal.format import SEGMENT_HEADER_BYTES, encode_genesis, genesis_hash, group_length
from exchange.journal.interface import Genesis, Watermark
from exchange.journal.memory import MemoryJournal
from exchange.journal.preparer import SPARE_NAME
from exchange.journal.record import COMMAND
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.journal.watermarks import check_watermark
from tests.exchange.journal.builders import GENESIS, QuietFiles, abandon, build, commands, contents, fill


def test_a_new_journal_is_empty_and_starts_the_chain_at_its_genesis(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path / "deep" / "journal", GENESIS)
    assert (journal.epoch, journal.next_sequence, journal.head.group_index) == (1, 1, 0)
    assert journal.chain_hash == genesis_hash(encode_genesis(GENESIS)).hex() == journal.chain_hash_at(0)
    assert list(journal.groups()) == []
    journal.close()


class HeldFlush(QuietFiles):
    """A disk whose flush, once `hold` is clear, takes until it is set again."""

    def __init__(self) -> None:
        super().__init__()
        self.hold, self.reached = threading.Event(), threading.Event()
        self.hold.set()

    def fdatasync(self, fd: int) -> None:
        self.reached.set()
        assert self.hold.wait(30)


@pytest.mark.parametrize("read", [lambda journal: journal.chain_hash_at(1), lambda journal: next(iter(journal.groups())).chain_hash])
def test_reading_while_another_thread_appends_waits_and_is_no_failure(tmp_path: Path, read: Callable[[SegmentJournal], str]) -> None:
    disk = HeldFlush()
    journal = SegmentJournal.open(tmp_path, GENESIS, files=disk)
    first = journal.append(commands(1))
    disk.hold.clear()
    disk.reached.clear()
    with ThreadPoolExecutor(2) as threads:
        appending = threads.submit(journal.append, commands(1, 1))
        assert disk.reached.wait(30)
        reading = threads.submit(read, journal)
        wait([reading], timeout=0.1)  # without waiting for the append it would be over by now
        disk.hold.set()
        assert reading.result(30) == first.chain_hash
        assert appending.result(30).first_sequence == 2
    journal.close()


def test_what_is_appended_is_read_back_after_reopening(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS)
    records = commands(3)
    receipt = journal.append(records, b"abc")
    assert (receipt.first_sequence, receipt.count, receipt.chain_hash) == (1, 3, journal.chain_hash)
    assert journal.append(commands(2, 1)).first_sequence == 4
    live = contents(journal)
    journal.close()
    again = SegmentJournal.open(tmp_path)
    assert again.genesis == GENESIS
    assert contents(again) == live
    group = next(again.groups())
    assert group.records.dtype == COMMAND
    assert group.records.flags.writeable
    assert (group.records == records).all()
    assert group.documents == b"abc"
    again.close()


def test_each_opening_for_writing_takes_the_next_epoch(tmp_path: Path) -> None:
    epochs = []
    for close in (True, False, True):
        journal = build(tmp_path, [1], close=close)
        epochs.append(journal.epoch)
    assert epochs == [1, 2, 3]
    reader = JournalReader.open(tmp_path)
    assert reader.epoch == 3
    assert [group.epoch for group in reader.groups()] == [1, 2, 3]


def test_segments_roll_over_and_keep_their_size(tmp_path: Path) -> None:
    build(tmp_path, [1] * 20, segment_bytes=2_048)
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("segment-*"))]
    per_segment = (2_048 - SEGMENT_HEADER_BYTES) // group_length(1, 0)
    assert len(sizes) >= 20 // per_segment
    assert set(sizes) == {2_048}
    assert [g.first_sequence for g in JournalReader.open(tmp_path).groups()] == list(range(1, 21))


def test_a_group_larger_than_a_segment_gets_a_segment_of_its_own_size(tmp_path: Path) -> None:
    document = os.urandom(10_000)
    journal = SegmentJournal.open(tmp_path, GENESIS, segment_bytes=1_024)
    fill(journal, [1, 2])
    journal.append(commands(1), document)
    fill(journal, [1])
    journal.close()
    assert next(g.documents for g in JournalReader.open(tmp_path).groups(4)) == document
    assert max(path.stat().st_size for path in tmp_path.glob("segment-*")) == SEGMENT_HEADER_BYTES + group_length(1, 10_000)


def test_reading_from_a_sequence_inside_a_group_leaves_out_what_lies_before(tmp_path: Path) -> None:
    journal = build(tmp_path, [3, 4, 2, 5], close=False)
    reader = JournalReader.open(tmp_path)
    whole = np.concatenate([g.records for g in reader.groups()])
    for sequence in range(1, 15):
        groups = list(reader.groups(sequence))
        assert groups[0].first_sequence == sequence
        assert (np.concatenate([g.records for g in groups]) == whole[sequence - 1 :]).all()
    assert list(reader.groups(15)) == []
    assert [reader.chain_hash_at(s) is not None for s in range(16)] == [s in (0, 3, 7, 9, 14) for s in range(16)]
    assert reader.chain_hash_at(14) == journal.chain_hash


@pytest.mark.parametrize(
    "records",
    [np.zeros(0, COMMAND), np.zeros((1, 1), COMMAND), np.zeros(1, np.int64)],
    ids=["no records", "two dimensions", "another dtype"],
)
def test_append_refuses_what_is_no_group(tmp_path: Path, records: np.ndarray) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS)
    with pytest.raises(ValueError, match="a group"):
        journal.append(records)
    assert journal.append(commands(1)).first_sequence == 1
    journal.close()


def test_strided_records_are_written_in_order(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS)
    journal.append(commands(10)[::3])
    assert next(journal.groups()).records["price_ticks"].tolist() == [0, 3, 6, 9]
    journal.close()


def test_a_closed_journal_refuses_everything(tmp_path: Path) -> None:
    journal = build(tmp_path, [1])
    for call in (lambda: journal.append(commands(1)), journal.groups, lambda: journal.chain_hash_at(1)):
        with pytest.raises(JournalFailedError, match="closed"):
            call()
    journal.close()


def test_only_one_writer_and_readers_beside_it(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS)
    fill(journal, [2])
    with pytest.raises(JournalLockedError, match=f"process {os.getpid()}"):
        SegmentJournal.open(tmp_path)
    reader = JournalReader.open(tmp_path)
    fill(journal, [1])
    assert reader.next_sequence == 3
    assert sum(len(group.records) for group in reader.groups()) == 2
    reader.close()
    journal.close()
    SegmentJournal.open(tmp_path).close()


def test_another_process_is_kept_out(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS)
    code = (
        "import sys; from pathlib import Path; from exchange.errors import JournalLockedError; from exchange.journal.segments import SegmentJournal\n"
        "try:\n    SegmentJournal.open(Path(sys.argv[1]))\nexcept JournalLockedError:\n    sys.exit(42)\n"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False).returncode == 42
    journal.close()


def test_a_failed_opening_gives_the_lock_back(tmp_path: Path) -> None:
    build(tmp_path, [1])
    with pytest.raises(InputError, match="park"):
        SegmentJournal.open(tmp_path, Genesis(park_id="other", hash_key=b"", engine_version="1"))
    with pytest.raises(JournalShorterError):
        SegmentJournal.open(tmp_path, watermarks=[Watermark("the read model", 2)])
    SegmentJournal.open(tmp_path, GENESIS).close()


@pytest.mark.parametrize("make", [lambda d: None, lambda d: d.mkdir(), lambda d: d.write_text("x")], ids=["nothing", "empty", "a file"])
def test_no_journal_and_no_genesis_is_bad_input(tmp_path: Path, make) -> None:
    directory = tmp_path / "journal"
    make(directory)
    with pytest.raises(InputError, match="no journal"):
        SegmentJournal.open(directory)
    with pytest.raises(InputError, match="no journal"):
        JournalReader.open(directory)


WATERMARKS = [
    # sequence, hash of which sequence (None: unknown), error
    (0, None, None),
    (3, None, None),
    (4, None, None),
    (3, 3, None),
    (7, 7, None),
    (3, 7, CorruptionError),
    (7, 3, CorruptionError),
    (4, 3, CorruptionError),
    (8, None, JournalShorterError),
    (800, 7, JournalShorterError),
]


@pytest.mark.parametrize(("sequence", "hash_of", "error"), WATERMARKS)
def test_watermarks(tmp_path: Path, sequence: int, hash_of: int | None, error: type[Exception] | None) -> None:
    build(tmp_path, [3, 4])
    known = JournalReader.open(tmp_path).chain_hash_at(hash_of) if hash_of is not None else None
    mark = Watermark("snapshot", sequence, known)
    journal = SegmentJournal.open(tmp_path)
    with nullcontext() if error is None else pytest.raises(error, match="snapshot has seen"):
        check_watermark(journal, mark)
    journal.close()
    if error is None:
        JournalReader.open(tmp_path, [mark, Watermark("another", 3)])
        SegmentJournal.open(tmp_path, watermarks=[mark]).close()
        return
    with pytest.raises(error, match=f"snapshot has seen (at )?sequence {sequence}"):
        JournalReader.open(tmp_path, [mark, Watermark("another", 3)])


def test_archived_segments_are_missed_only_when_they_are_asked_for(tmp_path: Path) -> None:
    build(tmp_path, [1] * 20)
    whole = contents(JournalReader.open(tmp_path))
    (tmp_path / "segment-00000001").rename(tmp_path.parent / "segment-00000001")
    journal = SegmentJournal.open(tmp_path, files=QuietFiles())
    first = next(sequence for sequence in range(1, 21) if _readable(journal, sequence))
    assert first > 1
    assert contents(journal, first) == whole[first - 1 :]
    with pytest.raises(CorruptionError, match=r"sequence 1 is not here.*archived"):
        list(journal.groups())
    fill(journal, [3])
    journal.close()


def _readable(journal: SegmentJournal, sequence: int) -> bool:
    try:
        next(journal.groups(sequence))
    except CorruptionError:
        return False
    return True


counts = st.lists(st.integers(1, 9), max_size=12)


@given(counts, st.integers(300, 4_000))
def test_segment_files_and_memory_hold_the_same_chain(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], segment_bytes: int) -> None:
    directory = tmp_path_factory.mktemp("journal")
    memory = MemoryJournal(GENESIS)
    journal = SegmentJournal.open(directory, GENESIS, segment_bytes=segment_bytes, files=QuietFiles())
    for size in sizes:
        tag = memory.next_sequence
        records, documents = commands(size, tag), bytes(tag % 200)
        assert journal.append(records, documents) == memory.append(records, documents)
    assert contents(journal) == contents(memory)
    assert journal.head == memory.head
    for sequence in range(journal.next_sequence):
        assert journal.chain_hash_at(sequence) == memory.chain_hash_at(sequence)
    abandon(journal)
    assert contents(JournalReader.open(directory)) == contents(memory)


def test_an_abandoned_journal_keeps_its_receipts(tmp_path: Path) -> None:
    journal = SegmentJournal.open(tmp_path, GENESIS, segment_bytes=1_024)
    receipts = [journal.append(commands(n, n)) for n in (1, 2, 3)]
    abandon(journal)
    again = SegmentJournal.open(tmp_path)
    assert [g.chain_hash for g in again.groups()] == [r.chain_hash for r in receipts]
    assert again.torn_tail is None
    again.close()


@pytest.mark.parametrize("fails", [False, True])
def test_the_next_segment_is_made_ahead(tmp_path: Path, fails: bool) -> None:
    """With the spare or, when making it failed, without it: the same segments."""
    made: list[str] = []

    class Watching(QuietFiles):
        def open(self, path: Path, flags: int) -> int:
            made.append(path.name)
            if fails and path.name == SPARE_NAME:
                raise OSError(28, "injected")
            return super().open(path, flags)

    size = 1 << 20
    journal = SegmentJournal.open(tmp_path, GENESIS, segment_bytes=size, files=Watching())
    for tag in range(12):
        journal.append(commands(1, tag), bytes([tag + 1]) * 200_000)
    live = contents(journal)
    journal.close()
    assert SPARE_NAME in made
    assert ("segment-00000002.new" in made) == fails
    assert contents(JournalReader.open(tmp_path)) == live
    assert {path.stat().st_size for path in tmp_path.glob("segment-0*")} == {size}
