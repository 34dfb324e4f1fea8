"""Snapshots: there whole or not at all; a bad one is refused with its reason and the next one used."""

import errno
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.chaos.disk import Killed, SimulatedDisk
from exchange.errors import CorruptionError, JournalError, JournalShorterError
from exchange.journal.format import FORMAT_VERSION
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import Snapshot, load_latest, read_snapshot, snapshot_path, write_snapshot
from tests.exchange.journal.builders import QuietFiles, build
from tests.exchange.journal.test_faults import failing

CHAIN = "ab" * 32
STATE = bytes(range(32))


def write(directory: Path, sequence: int, payload: bytes = b"payload", layout: str = "", **options: object) -> Path:
    return write_snapshot(directory, sequence, CHAIN, STATE, payload, layout=layout, files=QuietFiles(), **options)


def test_round_trip(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "new", 7, CHAIN, STATE, b"\0" * 100_000, layout="v1")
    assert load_latest(tmp_path / "new", layout="v1").snapshot == Snapshot(7, CHAIN, STATE, "v1", b"\0" * 100_000)


def test_nothing_there(tmp_path: Path) -> None:
    assert load_latest(tmp_path / "none") == load_latest(tmp_path)
    assert load_latest(tmp_path).snapshot is None


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for sequence in (5, 1_000, 30, 2):
        write(tmp_path, sequence, keep=2)
    assert [int(path.name[-20:]) for path in sorted(tmp_path.iterdir())] == [30, 1_000]
    loaded = load_latest(tmp_path)
    assert loaded.snapshot
    assert loaded.snapshot.sequence == 1_000


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x20
    path.write_bytes(data)


def _other_version(path: Path) -> None:
    data = bytearray(path.read_bytes())
    end = 16 + int.from_bytes(data[12:16], "little")
    data[8:12] = (FORMAT_VERSION + 1).to_bytes(4, "little")
    data[end : end + 4] = zlib.crc32(data[:end]).to_bytes(4, "little")
    path.write_bytes(data)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped description": (lambda p: _flip(p, 30), "checksum"),
    "flipped payload": (lambda p: _flip(p, p.stat().st_size - 2), "payload does not match"),
    "cut": (lambda p: p.write_bytes(p.read_bytes()[:-1]), "payload does not match"),
    "longer": (lambda p: p.write_bytes(p.read_bytes() + b"\0"), "payload does not match"),
    "empty": (lambda p: p.write_bytes(b""), "only 0 bytes"),
    "unknown version": (_other_version, "format version 2 is unknown"),
    "other layout": (lambda p: write(p.parent, 20, layout="other"), "layout is 'other'"),
    "renamed": (lambda p: p.replace(p.with_name(p.name[:-2] + "21")), "it was renamed"),
    "unreadable": (lambda p: (p.unlink(), p.mkdir()), "cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_snapshot_is_refused_and_the_one_before_used(tmp_path: Path, name: str) -> None:
    spoil, reason = REFUSED[name]
    write(tmp_path, 10)
    spoil(write(tmp_path, 20))
    loaded = load_latest(tmp_path)
    assert loaded.snapshot
    assert loaded.snapshot.sequence == 10
    assert len(loaded.refused) == 1
    assert reason in loaded.refused[0]


def test_a_flip_of_any_byte_is_found(tmp_path: Path) -> None:
    path = write(tmp_path, 3)
    for offset in range(path.stat().st_size):
        _flip(path, offset)
        with pytest.raises(CorruptionError):
            read_snapshot(path)
        _flip(path, offset)
    assert read_snapshot(path).payload == b"payload"


def test_a_death_at_any_point_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    for budget in range(0, 400, 9):
        directory = tmp_path / str(budget)
        disk = SimulatedDisk()
        write_snapshot(directory, 1, CHAIN, STATE, b"old", files=disk)
        disk.budget = disk.spent + budget
        finished = True
        try:
            write_snapshot(directory, 2, CHAIN, STATE, b"new" * 20, files=disk)
        except Killed:
            finished = False
        disk.lose_power(directory, random.Random(budget))
        loaded = load_latest(directory)
        assert loaded.refused == ()
        assert loaded.snapshot
        assert loaded.snapshot.payload in ((b"new" * 20,) if finished else (b"old", b"new" * 20))


def test_a_full_disk_leaves_the_old_one_and_no_remains(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with pytest.raises(JournalError, match="injected"):
        write_snapshot(tmp_path, 2, CHAIN, STATE, b"new", files=SimulatedDisk(fail=failing("pwrite", "snapshot", errno.ENOSPC, 1)))
    assert [path.name for path in tmp_path.iterdir()] == [snapshot_path(tmp_path, 1).name]


def test_a_snapshot_is_a_watermark_of_its_journal(tmp_path: Path) -> None:
    build(tmp_path, [2, 3])
    chain_hash = JournalReader.open(tmp_path).chain_hash_at(2)
    assert chain_hash
    JournalReader.open(tmp_path, [Snapshot(2, chain_hash, STATE, "", b"").watermark()])
    with pytest.raises(CorruptionError, match="snapshot at 2"):
        JournalReader.open(tmp_path, [Snapshot(2, CHAIN, STATE, "", b"").watermark()])
    with pytest.raises(JournalShorterError, match="snapshot at 6"):
        JournalReader.open(tmp_path, [Snapshot(6, CHAIN, STATE, "", b"").watermark()])
