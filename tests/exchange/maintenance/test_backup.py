"""Backups: whole or refused, of a live journal too; restored they are the same exchange."""

import asyncio
import errno
import shutil
import threading
from pathlib import Path

import pytest

from bench.chaos.disk import Killed
from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.files import FileOps
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.journal.snapshots import SNAPSHOTS_FOLDER
from exchange.journal.verify import verify
from exchange.journal.walk import load_layout
from exchange.maintenance.backup import check_backup, make_backup, restore_backup
from exchange.maintenance.manifest import INCOMPLETE_NAME, MANIFEST_NAME
from exchange.replay import replay_directory, state_hash_hex
from exchange.service import start_exchange
from tests.exchange.journal.builders import GENESIS, QuietFiles, abandon, build, commands, fill
from tests.exchange.maintenance.exchanges import options, run, segments
from tests.exchange.maintenance.faulty import NthFails


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(an exchange's folder after three runs, its state hash)."""
    directory = tmp_path_factory.mktemp("played")
    return directory, run(directory, 3)


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_a_restored_backup_is_the_same_exchange_and_goes_on(played: tuple[Path, str], tmp_path: Path) -> None:
    directory, state_hash = played
    before = files_of(directory)
    manifest = make_backup(directory, tmp_path / "backup")
    assert files_of(directory) == before
    reader = JournalReader.open(directory / "journal")
    assert (manifest.last_sequence, manifest.chain_hash, manifest.first_sequence) == (reader.head.sequence, reader.chain_hash, 1)
    assert manifest.snapshot_sequence == reader.head.sequence
    assert restore_backup(tmp_path / "backup", tmp_path / "restored") == manifest
    exchange, head = replay_directory(tmp_path / "restored" / "journal")
    assert (state_hash_hex(exchange), head) == (state_hash, reader.chain_hash)
    run(tmp_path / "restored", first=3)
    assert verify(tmp_path / "restored" / "journal", manifest.chain_hash).known_head_sequence == manifest.last_sequence


@pytest.mark.parametrize("counts", [[], [1], [2, 3, 1, 2, 4]], ids=str)
@pytest.mark.parametrize("closed", [True, False])
def test_a_journal_of_any_length_is_taken_to_its_last_whole_group(tmp_path: Path, counts: list[int], closed: bool) -> None:
    build(tmp_path / "journal", counts, segment_bytes=1_420, close=closed)
    if not closed and counts:
        path = load_layout(tmp_path / "journal").segments[-1].path
        end = len(path.read_bytes().rstrip(b"\0"))
        with path.open("r+b") as file:
            file.seek(-(-end // 64) * 64)
            file.write(b"\x89PKXGRP\n half a group")
    manifest = make_backup(tmp_path, tmp_path / "backup")
    assert manifest.last_sequence == sum(counts)
    restore_backup(tmp_path / "backup", tmp_path / "again")
    journal = SegmentJournal.open(tmp_path / "again" / "journal", segment_bytes=1_420, files=QuietFiles())
    assert journal.torn_tail is None
    fill(journal, [1, 2])
    journal.close()
    assert verify(tmp_path / "again" / "journal").head.sequence == sum(counts) + 3


async def test_backups_beside_a_live_node_are_prefixes_of_its_chain(tmp_path: Path) -> None:
    service = await start_exchange(options(tmp_path))
    manifests = []

    async def back_up() -> None:
        for number in range(6):
            manifests.append(await asyncio.to_thread(make_backup, tmp_path, tmp_path / f"backup{number}"))
            await asyncio.sleep(0)

    from tests.exchange.test_service import trade

    backing_up = asyncio.create_task(back_up())
    number = 0
    while not backing_up.done():
        await trade(service, number)
        number += 1
    await backing_up
    assert service.node.failure is None
    for manifest in manifests:
        assert service.node.journal.chain_hash_at(manifest.last_sequence) == manifest.chain_hash
    await service.stop()
    assert len({manifest.last_sequence for manifest in manifests}) > 2
    for backup in range(6):
        restore_backup(tmp_path / f"backup{backup}", tmp_path / f"restored{backup}")


class HeldFlush(FileOps):
    """A flush of a segment that does not return before it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()
        self.release.set()

    def fdatasync(self, fd: int) -> None:
        self.begun.set()
        assert self.release.wait(30)


def test_a_group_that_is_not_durable_yet_is_not_taken(tmp_path: Path) -> None:
    files = HeldFlush()
    journal = SegmentJournal.open(tmp_path / "journal", GENESIS, segment_bytes=8_192, files=files)
    fill(journal, [2])
    files.begun.clear()
    files.release.clear()
    appending = threading.Thread(target=journal.append, args=(commands(3, 3),))
    appending.start()
    try:
        assert files.begun.wait(30)
        assert JournalReader.open(tmp_path / "journal").head.sequence == 5
        assert make_backup(tmp_path, tmp_path / "first").last_sequence == 2
    finally:
        files.release.set()
        appending.join()
    assert make_backup(tmp_path, tmp_path / "second").last_sequence == 5
    journal.close()


def test_a_backup_neither_waits_for_the_lock_nor_keeps_a_writer_from_it(tmp_path: Path) -> None:
    build(tmp_path / "journal", [1, 2])
    stop = threading.Event()

    def back_up() -> None:
        number = 0
        while not stop.is_set():
            make_backup(tmp_path, tmp_path / f"backup{number}", files=QuietFiles())
            number += 1

    thread = threading.Thread(target=back_up)
    thread.start()
    try:
        for _ in range(40):
            abandon(SegmentJournal.open(tmp_path / "journal", files=QuietFiles()))
    finally:
        stop.set()
        thread.join()


def test_an_interrupted_backup_is_seen_and_refused(tmp_path: Path) -> None:
    build(tmp_path / "journal", [2, 3, 1], segment_bytes=1_420)
    n, finished = 0, False
    while not finished:
        target = tmp_path / f"backup{n}"
        files = NthFails(n, None)
        try:
            make_backup(tmp_path, target, files=files)
        except Killed:
            if (target / MANIFEST_NAME).exists() and not (target / INCOMPLETE_NAME).exists():
                check_backup(target)  # only the flush of the folder was missing
                n += 1
                continue
            with pytest.raises(InputError, match=r"never finished|is missing"):
                restore_backup(target, tmp_path / "restored")
            assert not (tmp_path / "restored").exists()
        finished = files.finished
        n += 1
    assert n > 20
    check_backup(target)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_under_a_backup_is_told_with_what_to_do(tmp_path: Path, error: int) -> None:
    build(tmp_path / "journal", [2, 3, 1], segment_bytes=1_420)
    for n in range(0, 30, 3):
        with pytest.raises(InputError, match=r"unfinished.*remove it and make it again"):
            make_backup(tmp_path, tmp_path / f"backup{n}", files=NthFails(n, error))


def test_a_restore_that_was_interrupted_is_no_exchange(tmp_path: Path) -> None:
    build(tmp_path / "journal", [2, 3, 1], segment_bytes=1_420)
    make_backup(tmp_path, tmp_path / "backup")
    n, finished = 0, False
    while not finished:
        target = tmp_path / f"restored{n}"
        files = NthFails(n, None)
        try:
            restore_backup(tmp_path / "backup", target, files=files)
        except Killed:
            if (target / "journal" / "genesis").exists():
                assert verify(target / "journal").head.sequence == 6  # only the flush of the folder was missing
            else:
                with pytest.raises((CorruptionError, InputError), match=r"genesis is missing|no journal"):
                    SegmentJournal.open(target / "journal")
            with pytest.raises(InputError, match="not empty"):
                restore_backup(tmp_path / "backup", target)
        finished = files.finished
        n += 1
    assert n > 20
    assert verify(target / "journal").head.sequence == 6


def test_a_flip_of_any_byte_of_a_backup_is_found(played: tuple[Path, str], tmp_path: Path) -> None:
    make_backup(played[0], tmp_path / "backup")
    n_flips = 0
    for path in sorted((tmp_path / "backup").rglob("*")):
        if not path.is_file():
            continue
        whole = path.read_bytes()
        for offset in range(0, len(whole), 3 if path.name in {MANIFEST_NAME, "genesis"} else 307):
            flipped = bytearray(whole)
            flipped[offset] ^= 1 << offset % 8
            path.write_bytes(flipped)
            with pytest.raises(CorruptionError):
                check_backup(tmp_path / "backup")
            n_flips += 1
        path.write_bytes(whole)
    assert n_flips > 300
    check_backup(tmp_path / "backup")


REFUSED = {
    "a file is missing": (lambda b: (b / "journal" / "head").unlink(), CorruptionError, "journal/head is missing"),
    "a file is cut": (lambda b: _cut(b / "journal" / "genesis"), CorruptionError, r"journal/genesis: \d+ bytes instead of \d+"),
    "the manifest is missing": (lambda b: (b / MANIFEST_NAME).unlink(), InputError, "manifest.json is missing"),
    "the manifest is no JSON": (lambda b: (b / MANIFEST_NAME).write_text("{"), CorruptionError, "manifest.json"),
    "the mark of a running one": (lambda b: (b / INCOMPLETE_NAME).touch(), InputError, "never finished"),
    "no backup at all": (shutil.rmtree, InputError, "no backup"),
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("name", REFUSED)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_made(played: tuple[Path, str], tmp_path: Path, name: str) -> None:
    spoil, error, words = REFUSED[name]
    make_backup(played[0], tmp_path / "backup")
    spoil(tmp_path / "backup")
    with pytest.raises(error, match=words):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_nothing_is_written_over(played: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "file").touch()
    make_backup(played[0], tmp_path / "backup")
    for target in (tmp_path / "full", tmp_path / "file"):
        with pytest.raises(InputError, match="not empty"):
            make_backup(played[0], target)
        with pytest.raises(InputError, match="not empty"):
            restore_backup(tmp_path / "backup", target)
    (tmp_path / "empty").mkdir()
    restore_backup(tmp_path / "backup", tmp_path / "empty")
    with pytest.raises(InputError, match="no journal"):
        make_backup(tmp_path / "full", tmp_path / "other")


class Lying(FileOps):
    """Writes one byte of a segment wrongly and says nothing."""

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        changed = bytearray(data)
        if changed[:8] == b"\x89PKXSEG\n" and len(changed) > 400:
            changed[400] ^= 1
        return super().pwrite(fd, changed, offset)


def test_a_medium_that_writes_something_else_is_found_at_once(played: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(CorruptionError, match="segment-00000001"):
        make_backup(played[0], tmp_path / "backup", files=Lying())
    make_backup(played[0], tmp_path / "good")
    with pytest.raises(CheckFailedError, match="segment-00000001"):
        restore_backup(tmp_path / "good", tmp_path / "restored", files=Lying())


def test_a_damaged_journal_is_not_backed_up(played: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(played[0], tmp_path / "data")
    path = tmp_path / "data" / "journal" / segments(tmp_path / "data" / "journal")[1]
    data = bytearray(path.read_bytes())
    data[600] ^= 4
    path.write_bytes(data)
    with pytest.raises(CorruptionError, match="segment-00000002, byte"):
        make_backup(tmp_path / "data", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_damaged_snapshot_is_left_out_for_the_one_before(played: tuple[Path, str], tmp_path: Path) -> None:
    shutil.copytree(played[0], tmp_path / "data")
    newest = max((tmp_path / "data" / "journal" / SNAPSHOTS_FOLDER).iterdir())
    _cut(newest)
    manifest = make_backup(tmp_path / "data", tmp_path / "backup")
    assert 0 < manifest.snapshot_sequence < manifest.last_sequence
