"""Verifying: a table of breaches, each found and located; what holds is told."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from exchange.errors import CheckFailedError, InputError
from exchange.journal.interface import Genesis
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.journal.snapshots import SNAPSHOTS_FOLDER, read_snapshot, snapshot_path, write_snapshot
from exchange.maintenance import verify
from exchange.maintenance.backup import make_backup
from exchange.maintenance.verify import verify_path
from exchange.protocol.documents import Checkpoint, decode_document, encode_document
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine
from exchange.recovery import LAYOUT
from exchange.service import start_exchange
from tests.exchange.journal.builders import QuietFiles
from tests.exchange.maintenance.exchanges import SEGMENT_BYTES, options, run, segments
from tests.exchange.test_service import trade


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(an exchange's folder after three runs, its state hash)."""
    directory = tmp_path_factory.mktemp("played")
    return directory, run(directory, 3)


@pytest.fixture
def data(played: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(played[0], tmp_path / "data"))


def verified(path: Path, **options: object) -> str:
    lines: list[str] = []
    verify_path(path, lines.append, **options)  # type: ignore[arg-type]
    return "\n".join(lines)


def files_of(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_what_holds_is_told_and_nothing_is_changed(data: Path, played: tuple[Path, str]) -> None:
    before = files_of(data / "journal")
    told = verified(data)
    assert files_of(data / "journal") == before
    last = JournalReader.open(data / "journal").head.sequence
    assert re.search(rf"chain +\d+ segments, \d+ groups, sequences 1 to {last}: every byte holds, head [0-9a-f]{{64}}", told)
    assert told.count("snapshot    at ") == 3
    assert f"replay      from the genesis to {last}: 3 checkpoints and all invariants hold, state hash {played[1]}" in told
    assert f"read model  at {last} of {last}, in the chain" in told
    assert "read model" not in verified(make_journal_only(data))
    make_backup(data, data / "backup")
    assert re.search(r"backup +\d+ files, [\d,]+ bytes: every digest holds", verified(data / "backup"))


def make_journal_only(data: Path) -> Path:
    shutil.copytree(data / "journal", data / "elsewhere" / "journal")
    return data / "elsewhere" / "journal"


def test_a_torn_tail_is_told(data: Path) -> None:
    abandoned = SegmentJournal.open(data / "journal", segment_bytes=SEGMENT_BYTES, files=QuietFiles())
    abandoned._failure = "killed"
    abandoned.close()
    path = data / "journal" / segments(data / "journal")[-1]
    whole = path.read_bytes()
    end = -(-len(whole.rstrip(b"\0")) // 64) * 64
    path.write_bytes(whole[:end] + b"half a group" + whole[end + 12 :])
    assert f"torn tail   {path.name}, byte {end}" in verified(data)


@pytest.mark.parametrize(("rounds", "worth_a_process"), [(12, 10**9), (2, 0)], ids=["one process", "two"])
async def test_it_may_run_beside_the_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int, worth_a_process: int) -> None:
    monkeypatch.setattr(verify, "WORTH_A_PROCESS", worth_a_process)
    service = await start_exchange(options(tmp_path))
    lines: list[str] = []
    for number in range(rounds):
        verifying = asyncio.create_task(asyncio.to_thread(verify_path, tmp_path, lines.append))
        for more in range(3):
            await trade(service, 3 * number + more)
        await verifying
    await service.stop()
    assert service.node.failure is None
    assert sum(line.startswith("read model") for line in lines) == rounds


# Breaches


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 8
    path.write_bytes(data)


def _snapshots(data: Path) -> Path:
    return data / "journal" / SNAPSHOTS_FOLDER


def _newest(data: Path) -> Path:
    return max(_snapshots(data).iterdir())


def _state_of_before(data: Path) -> None:
    """The newest snapshot gets the contents of the one before: whole, and restoring to its hash, but of another place."""
    before, newest = (read_snapshot(path, LAYOUT) for path in sorted(_snapshots(data).iterdir())[-2:])
    write_snapshot(_snapshots(data), newest.sequence, newest.chain_hash, before.state_hash, before.payload, layout=LAYOUT)


def _of_another_chain(data: Path) -> None:
    newest = read_snapshot(_newest(data), LAYOUT)
    write_snapshot(_snapshots(data), newest.sequence, "ab" * 32, newest.state_hash, newest.payload, layout=LAYOUT)


def _ahead(data: Path) -> None:
    newest = read_snapshot(_newest(data), LAYOUT)
    write_snapshot(_snapshots(data), newest.sequence + 5, newest.chain_hash, newest.state_hash, newest.payload, layout=LAYOUT)


def _update_meta(data: Path, **values: object) -> None:
    engine = open_engine(f"sqlite:///{data / 'readmodel.sqlite'}")
    with engine.begin() as connection:
        connection.execute(tables.meta.update().values(**values))
    engine.dispose()


def _rewrite(data: Path, change: Callable[[np.ndarray, bytes], bytes]) -> None:
    """A journal with one thing changed and the whole chain right again, as only somebody with intent could leave it."""
    reader = JournalReader.open(data / "journal")
    groups, genesis = list(reader.groups()), reader.genesis
    shutil.rmtree(data / "journal")
    (data / "readmodel.sqlite").unlink()
    journal = SegmentJournal.open(data / "journal", genesis, segment_bytes=SEGMENT_BYTES, files=QuietFiles())
    for group in groups:
        journal.append(group.records, change(group.records, group.documents))
    journal.close()


def _dearer_order(records: np.ndarray, documents: bytes) -> bytes:
    records["price_ticks"][records["kind"] == int(CommandKind.PLACE)] += 1
    return documents


def _other_checkpoint(records: np.ndarray, documents: bytes) -> bytes:
    if records["kind"][0] != int(CommandKind.CHECKPOINT):
        return documents
    checkpoint = decode_document(documents)
    assert isinstance(checkpoint, Checkpoint)
    changed = encode_document(msgspec.structs.replace(checkpoint, state_hash=bytes(32)))
    records["document_length"][0] = len(changed)
    return changed


BREACHES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of a group": (lambda d: _flip(d / "journal" / "segment-00000002", 700), r"segment-00000002, byte \d+ \(group \d+, sequences?"),
    "the head file": (lambda d: _flip(d / "journal" / "head", 40), "head, byte 0"),
    "a missing segment": (lambda d: (d / "journal" / "segment-00000002").unlink(), "a segment is missing between"),
    "a byte of a snapshot": (lambda d: _flip(_newest(d), 200), r"snapshot-\d+: "),
    "a snapshot of another chain": (_of_another_chain, r"does not hold what the snapshot at \d+ has seen"),
    "a snapshot of another state": (_state_of_before, r"the snapshot at \d+ is of another state than the journal gives there"),
    "a snapshot ahead of the journal": (_ahead, r"ends at sequence \d+, but snapshot-\d+ has seen"),
    "a snapshot that was renamed": (lambda d: _newest(d).rename(snapshot_path(_snapshots(d), 1)), "it was renamed"),
    "a read model ahead of the journal": (lambda d: _update_meta(d, last_sequence=10**6), "the read model has seen sequence 1000000"),
    "a read model of another chain": (lambda d: _update_meta(d, chain_hash="cd" * 32), "does not hold what the read model has seen"),
    "a read model of another journal": (lambda d: _update_meta(d, genesis_hash="cd" * 32), "the read model belongs to another journal"),
    "an order that was changed with its chain": (lambda d: _rewrite(d, _dearer_order), r"as of command \d+"),
    "a checkpoint that was changed with its chain": (lambda d: _rewrite(d, _other_checkpoint), r"as of command \d+"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found_and_located(data: Path, name: str) -> None:
    spoil, words = BREACHES[name]
    spoil(data)
    with pytest.raises(CheckFailedError, match=words):
        verified(data)


def test_a_breach_of_a_backup_names_its_file(data: Path) -> None:
    make_backup(data, data / "backup")
    _flip(data / "backup" / "journal" / "segment-00000001", 500)
    with pytest.raises(CheckFailedError, match="journal/segment-00000001: its contents"):
        verified(data / "backup")


def test_a_journal_of_before_the_first_command_holds(tmp_path: Path) -> None:
    genesis = Genesis(park_id="park", hash_key=bytes(16), engine_version="1")
    SegmentJournal.open(tmp_path / "journal", genesis, segment_bytes=SEGMENT_BYTES).close()
    assert "sequences 1 to 0" in verified(tmp_path)


NOTHING = [
    (lambda d: d / "journal" / SNAPSHOTS_FOLDER, {}, "there is no journal"),
    (lambda d: d / "nowhere", {}, "there is no journal"),
    (lambda d: d, {"read_model_url": "sqlite:////nowhere/model.db"}, "there is no read model"),
    (lambda d: d, {"read_model_url": "nonsense"}, "URL is none"),
]


@pytest.mark.parametrize(("path", "options", "words"), NOTHING, ids=[row[2] for row in NOTHING])
def test_nothing_to_verify_is_bad_input(played: tuple[Path, str], path: Callable[[Path], Path], options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        verified(path(played[0]), **options)


def test_an_empty_database_is_no_read_model(data: Path, database_url: str) -> None:
    with pytest.raises(InputError, match=r"cannot be used|there is no read model"):
        verified(data, read_model_url=database_url)
