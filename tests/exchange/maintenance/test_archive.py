"""Archiving: what is moved is covered by a verified snapshot; archive and rest are one chain, whatever interrupts the move."""

import asyncio
import errno
import shutil
from pathlib import Path

import pytest

from bench.chaos.disk import Killed, SimulatedDisk
from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.interface import Watermark
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import SNAPSHOTS_FOLDER, snapshot_files
from exchange.journal.verify import verify
from exchange.maintenance.archive import archive_segments
from exchange.maintenance.backup import make_backup, restore_backup
from exchange.maintenance.verify import verify_path
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine
from exchange.replay import replay_directory, state_hash_hex
from exchange.service import start_exchange
from tests.exchange.journal.test_injection import operations
from tests.exchange.maintenance.exchanges import options, run, segments
from tests.exchange.maintenance.faulty import NthFails
from tests.exchange.test_service import trade


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("played")
    run(directory, 3)
    return directory


@pytest.fixture
def data(played: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(played, tmp_path / "data"))


def told(path: Path, archive: Path | None = None) -> str:
    lines: list[str] = []
    verify_path(path, lines.append, archive)
    return "\n".join(lines)


def put_back(archive: Path, journal: Path) -> None:
    for name in segments(archive):
        shutil.copy(archive / name, journal / name)


def test_the_node_starts_from_snapshot_and_rest_and_the_whole_chain_replays(data: Path, tmp_path: Path) -> None:
    archive, journal = tmp_path / "archive", data / "journal"
    names, (whole, head) = segments(journal), replay_directory(data / "journal")
    report = archive_segments(data, archive)
    assert list(report.moved) == names[:-1] == segments(archive)
    assert segments(journal) == names[-1:]
    assert report.snapshot_sequence == whole.last_sequence
    assert report.first_sequence == JournalReader.open(journal).first_sequence > 1
    replayed, same_head = replay_directory(journal, archive)
    assert (state_hash_hex(replayed), same_head) == (state_hash_hex(whole), head)
    assert "replay      from the genesis" in told(data, archive)
    assert f"replay      from the snapshot at {report.snapshot_sequence}" in told(data)
    state_hash = run(data, first=3)
    again, _ = replay_directory(journal, archive)
    assert state_hash_hex(again) == state_hash
    with pytest.raises(CorruptionError, match=r"segments before .* are missing; if they were archived, name the archive or put them back"):
        replay_directory(journal)


def test_it_is_archived_again_and_again_into_the_same_folder_or_another(data: Path, tmp_path: Path) -> None:
    journal = data / "journal"
    n_before = len(segments(journal))
    archive_segments(data, tmp_path / "archive")
    assert archive_segments(data, tmp_path / "archive").moved == ()
    run(data, 1, first=3)
    second = archive_segments(data, tmp_path / "archive")
    assert second.moved[0] == f"segment-{n_before:08d}"
    assert "from the genesis" in told(data, tmp_path / "archive")
    run(data, 1, first=4)
    third = archive_segments(data, tmp_path / "another")
    assert third.moved[0] == f"segment-{n_before + len(second.moved):08d}"
    for name in segments(tmp_path / "archive"):
        shutil.copy(tmp_path / "archive" / name, tmp_path / "another" / name)
    assert "from the genesis" in told(data, tmp_path / "another")


def test_it_works_beside_a_live_node(tmp_path: Path) -> None:
    data, archive = tmp_path / "data", tmp_path / "archive"

    async def play() -> list[str]:
        service = await start_exchange(options(data, read_model=False))
        moved: list[str] = []
        for number in range(4):
            archiving = asyncio.create_task(asyncio.to_thread(archive_segments, data, archive))
            for more in range(3):
                await trade(service, 3 * number + more)
            moved += (await archiving).moved
        await service.stop()
        assert service.node.failure is None
        return moved

    moved = asyncio.run(play())
    assert len(moved) > 1
    assert moved == sorted(moved) == segments(archive)
    assert "from the genesis" in told(data, archive)
    run(data, first=12, read_model=False)


def test_it_never_moves_what_the_read_model_has_not_seen(data: Path, tmp_path: Path) -> None:
    behind = sorted(sequence for sequence, _ in snapshot_files(data / "journal" / SNAPSHOTS_FOLDER))[1]
    chain_hash = JournalReader.open(data / "journal").chain_hash_at(behind)
    engine = open_engine(f"sqlite:///{data / 'readmodel.sqlite'}")
    with engine.begin() as connection:
        connection.execute(tables.meta.update().values(last_sequence=behind, chain_hash=chain_hash))
        for table in reversed(tables.metadata.sorted_tables):
            if "sequence" in table.c:
                connection.execute(table.delete().where(table.c.sequence > behind))
        connection.execute(tables.orders.delete().where(tables.orders.c.placed_sequence > behind))
    engine.dispose()
    report = archive_segments(data, tmp_path / "archive")
    assert report.snapshot_sequence == behind
    assert 1 < report.first_sequence <= behind + 1
    run(data, first=3)


def test_an_interrupted_move_loses_nothing_and_is_finished_by_the_next(played: Path, tmp_path: Path) -> None:
    names, head = segments(played / "journal"), JournalReader.open(played / "journal").chain_hash
    n, finished = 0, False
    while not finished:
        data, archive = tmp_path / f"data{n}", tmp_path / f"archive{n}"
        shutil.copytree(played / "journal", data / "journal")
        files = NthFails(n, None)
        try:
            archive_segments(data, archive, files=files)
        except Killed:
            known = archive if archive.is_dir() else None
            assert verify(data / "journal", archive=known).head.chain_hash == head
            assert verify(data / "journal", archive=known).first_sequence == 1
            left = segments(data / "journal")[:-1]
            assert list(archive_segments(data, archive).moved) == left
        finished = files.finished
        assert segments(archive) == names[:-1]
        assert verify(data / "journal", archive=archive).first_sequence == 1
        n += 6
    assert n > 12


def test_power_lost_at_every_operation_of_a_move_leaves_the_chain_whole(played: Path, tmp_path: Path) -> None:
    """At its worst for the chain: what was removed is gone, and of the archive only what was flushed is there."""
    data = Path(shutil.copytree(played / "journal", tmp_path / "data"))
    archive_segments(data, tmp_path / "first")  # leaves the snapshot, so that the lives below are only the move
    put_back(tmp_path / "first", data)
    names, head = segments(data), JournalReader.open(data).chain_hash

    def move(number: int, disk: SimulatedDisk) -> None:
        shutil.copytree(data, tmp_path / f"data{number}")
        archive_segments(tmp_path / f"data{number}", tmp_path / f"archive{number}", files=disk)

    budgets = operations(lambda disk: move(0, disk))
    assert len(budgets) > 5 * len(names[:-1])
    for number, budget in enumerate(budgets[:25], 1):  # the folder and the first four segments
        disk = SimulatedDisk(budget)
        with pytest.raises(Killed):
            move(number, disk)
        archive = tmp_path / f"archive{number}"
        disk.drop_unflushed(archive)
        found = verify(tmp_path / f"data{number}", archive=archive)
        assert (found.first_sequence, found.head.chain_hash) == (1, head)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_under_an_archive_loses_nothing(data: Path, tmp_path: Path, error: int) -> None:
    head = JournalReader.open(data / "journal").chain_hash
    for n in (0, 3, 5, 5):
        with pytest.raises(InputError, match=r"stopped .*; nothing is lost: make room and archive again"):
            archive_segments(data, tmp_path / "archive", files=NthFails(n, error))
        archive = tmp_path / "archive" if (tmp_path / "archive").is_dir() else None
        assert verify(data / "journal", archive=archive).head.chain_hash == head


def test_what_was_seen_just_before_the_first_segment_here_counts_too(data: Path, tmp_path: Path) -> None:
    first = archive_segments(data, tmp_path / "archive").first_sequence
    chain_hash = JournalReader.open(data / "journal").chain_hash_at(first - 1)
    assert chain_hash == JournalReader.open(data / "journal", archive=tmp_path / "archive").chain_hash_at(first - 1)
    JournalReader.open(data / "journal", [Watermark("a statement", first - 1, chain_hash)])
    with pytest.raises(CorruptionError, match="does not hold what a statement has seen"):
        JournalReader.open(data / "journal", [Watermark("a statement", first - 1, "ab" * 32)])


def test_wrong_folders_are_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    shutil.copytree(data / "journal", tmp_path / "other")
    genesis = bytearray((tmp_path / "other" / "genesis").read_bytes())
    genesis[30] ^= 1
    (tmp_path / "other" / "genesis").write_bytes(genesis)
    for target, words in (
        (tmp_path / "file", "is no folder"),
        (tmp_path / "full", "is not empty and no archive"),
        (tmp_path / "other", "is the archive of another journal"),
        (data / "journal", "is inside the journal"),
        (data / "journal" / "archive", "is inside the journal"),
    ):
        with pytest.raises(InputError, match=words):
            archive_segments(data, target)


def test_a_snapshot_of_another_state_stops_it(data: Path, tmp_path: Path) -> None:
    from tests.exchange.maintenance.test_verify import _state_of_before

    _state_of_before(data)
    with pytest.raises(CheckFailedError, match="another state"):
        archive_segments(data, tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def damage(data: Path, n_snapshots: int) -> None:
    for _, path in snapshot_files(data / "journal" / SNAPSHOTS_FOLDER)[:n_snapshots]:
        path.write_bytes(path.read_bytes()[:-1])


def test_without_a_usable_snapshot_the_start_says_how_to_go_on_and_then_does(data: Path, tmp_path: Path) -> None:
    archive_segments(data, tmp_path / "archive")
    damage(data, 3)
    with pytest.raises(InputError, match="move the archived segments back"):
        run(data, first=3)
    put_back(tmp_path / "archive", data / "journal")
    run(data, first=3)


def test_a_read_model_that_was_dropped_needs_the_archive_back(data: Path, tmp_path: Path) -> None:
    archive_segments(data, tmp_path / "archive")
    (data / "readmodel.sqlite").unlink()
    with pytest.raises(InputError, match=r"the read model is at command 0 and the journal here begins with .*: move the archived segments back"):
        run(data, first=3)
    put_back(tmp_path / "archive", data / "journal")
    run(data, first=3)
    assert "read model" in told(data)


def test_backups_of_an_archived_journal(data: Path, tmp_path: Path) -> None:
    """With the archive the whole history; without it what a start needs; without a snapshot neither."""
    archive_segments(data, tmp_path / "archive")
    rest = make_backup(data, tmp_path / "rest")
    assert rest.first_sequence > 1
    restore_backup(tmp_path / "rest", tmp_path / "restored")
    run(tmp_path / "restored", first=3, read_model=False)
    whole = make_backup(data, tmp_path / "whole", tmp_path / "archive")
    assert (whole.first_sequence, whole.chain_hash) == (1, rest.chain_hash)
    restore_backup(tmp_path / "whole", tmp_path / "restored whole")
    run(tmp_path / "restored whole", first=3)
    damage(data, 3)
    with pytest.raises(InputError, match="name the archive with --archive"):
        make_backup(data, tmp_path / "useless")
    shutil.rmtree(data / "journal" / SNAPSHOTS_FOLDER)
    with pytest.raises(InputError, match="name the archive with --archive"):
        told(data)
