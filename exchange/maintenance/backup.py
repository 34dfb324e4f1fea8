"""Backups of a journal, also of one that is being written, and their way back.

    TARGET/manifest.json          sequences, chain hash, and every file with its size and SHA-256
    TARGET/journal/...            genesis, segments, head and the newest snapshot: a journal like any other

A backup reads and never writes where the exchange writes, and takes no lock that it waits for. It holds the chain up to the last group that was
durable when it began; of the last segment only the part up to there.
"""

from pathlib import Path
from typing import Final

from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.files import FileOps, read_bytes, write_durably
from exchange.journal.head import HEAD_NAME, HeadState, encode_slot
from exchange.journal.interface import Watermark
from exchange.journal.lock import is_being_written
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import SNAPSHOTS_FOLDER, snapshot_path
from exchange.journal.verify import verify
from exchange.journal.walk import GENESIS_NAME, ChainWalk, Layout, Position, load_layout
from exchange.maintenance.manifest import (
    INCOMPLETE_NAME,
    MANIFEST_VERSION,
    BackupFile,
    Manifest,
    check_files,
    described,
    read_manifest,
    write_manifest,
)
from exchange.maintenance.places import JOURNAL_FOLDER, check_new, journal_in
from exchange.recovery import latest_snapshot

_INCOMPLETE_TEXT: Final = b"This backup is not finished. When no backup is running, remove this folder and make it again.\n"


def make_backup(source: Path, target: Path, archive: Path | None = None, files: FileOps | None = None) -> Manifest:
    """Back up the journal in `source` (an exchange's folder, or the journal itself), with what was archived when the archive is named.

    Raises InputError when `target` is not empty or cannot be written, or there is no journal or nothing to start it from; CorruptionError when the
    journal is damaged.
    """
    journal = journal_in(source)
    check_new(target)
    layout = load_layout(journal, archive)
    end = _walk_to_the_end(layout)
    files = files or FileOps()
    try:
        (target / JOURNAL_FOLDER / SNAPSHOTS_FOLDER).mkdir(parents=True)
        write_durably(files, target / INCOMPLETE_NAME, [_INCOMPLETE_TEXT])
        manifest = _copy(layout, end, _Copier(files, target))
        write_manifest(files, target, manifest)
        (target / INCOMPLETE_NAME).unlink()
        files.fsync_directory(target)
    except OSError as error:
        raise InputError(f"the backup in {target} is unfinished ({error.strerror}): make room, remove it and make it again") from error
    return check_backup(target)


def _walk_to_the_end(layout: Layout) -> Position:
    """Check every byte up to where the backup ends: behind the last whole group, which beside a live writer is the last one that it knows durable."""
    until = layout.head.sequence if is_being_written(layout.directory) else None
    walk = ChainWalk(layout, from_sequence=layout.segments[0].header.first_sequence, until_sequence=until)
    for _ in walk:
        pass
    return walk.position


class _Copier:
    """Writes the files of a backup, each whole and flushed, and keeps their entries."""

    def __init__(self, files: FileOps, target: Path) -> None:
        self._files = files
        self._target = target
        self.written: list[BackupFile] = []

    def write(self, name: str, data: bytes) -> None:
        """A file of the journal."""
        entry = described(f"{JOURNAL_FOLDER}/{name}", data)
        write_durably(self._files, self._target / entry.name, [data])
        self.written.append(entry)


def _copy(layout: Layout, end: Position, copier: _Copier) -> Manifest:
    """Everything but the manifest."""
    for segment in layout.segments:
        if segment.header.segment_index < end.segment_index:
            copier.write(segment.path.name, read_bytes(segment.path))
        elif segment.header.segment_index == end.segment_index:
            copier.write(segment.path.name, read_bytes(segment.path, end.offset))
    snapshot = _copy_snapshot(layout, end, copier)
    state = HeadState(
        clean=1,
        generation=layout.head.generation + 1,
        epoch=layout.head.epoch,
        sequence=end.sequence,
        group_index=end.group_index,
        segment_index=end.segment_index,
        end_offset=end.offset,
        chain_hash=end.chain_hash,
        genesis_hash=layout.genesis_hash,
    )
    copier.write(HEAD_NAME, encode_slot(state) * 2)
    copier.write(GENESIS_NAME, read_bytes(layout.directory / GENESIS_NAME))
    return Manifest(
        version=MANIFEST_VERSION,
        park_id=layout.genesis.park_id,
        genesis_hash=layout.genesis_hash.hex(),
        epoch=layout.head.epoch,
        first_sequence=layout.segments[0].header.first_sequence,
        last_sequence=end.sequence,
        last_group=end.group_index,
        chain_hash=end.chain_hash.hex(),
        snapshot_sequence=snapshot,
        files=tuple(copier.written),
    )


def _copy_snapshot(layout: Layout, end: Position, copier: _Copier) -> int:
    """The newest usable snapshot that the copied chain reaches; its sequence, or 0. Raises InputError when the copy could not start without one."""
    first = layout.segments[0].header.first_sequence
    directory = layout.directory / SNAPSHOTS_FOLDER
    snapshot = latest_snapshot(directory, end.sequence)
    if snapshot is None or snapshot.sequence < first - 1:
        if first > 1:
            raise InputError(f"the journal begins at sequence {first} and no usable snapshot reaches there: name the archive with --archive")
        return 0
    path = snapshot_path(directory, snapshot.sequence)
    copier.write(f"{SNAPSHOTS_FOLDER}/{path.name}", read_bytes(path))
    return snapshot.sequence


def check_backup(backup: Path) -> Manifest:
    """Check every byte of a backup: the digests, the chain, and that both say what the manifest says.

    Raises InputError when there is no finished backup, CorruptionError for the first breach.
    """
    manifest = read_manifest(backup)
    check_files(backup, manifest)
    report = verify(backup / JOURNAL_FOLDER)
    found = (report.park_id, report.first_sequence, report.head.sequence, report.head.group_index, report.head.chain_hash, report.head.epoch)
    told = (manifest.park_id, manifest.first_sequence, manifest.last_sequence, manifest.last_group, manifest.chain_hash, manifest.epoch)
    if found != told:
        raise CorruptionError(f"the journal of the backup holds {found}, the manifest says {told}")
    return manifest


def restore_backup(backup: Path, target: Path, files: FileOps | None = None) -> Manifest:
    """Make a new exchange's folder of a backup, which is checked before, as the copy is after.

    The genesis file comes last: a restore that was interrupted is no journal and is refused. Raises InputError when `target` is not empty or cannot
    be written, or there is no finished backup; CorruptionError when the backup is damaged; CheckFailedError when the copy is not the same.
    """
    check_new(target)
    manifest = check_backup(backup)
    files = files or FileOps()
    try:
        (target / JOURNAL_FOLDER / SNAPSHOTS_FOLDER).mkdir(parents=True)
        for file in manifest.files:
            write_durably(files, target / file.name, [read_bytes(backup / file.name)])
        files.fsync_directory(target)
    except OSError as error:
        raise InputError(f"{target} is unfinished ({error.strerror}): make room, remove it and restore again") from error
    try:
        check_files(target, manifest)
        JournalReader.open(target / JOURNAL_FOLDER, [Watermark("the manifest", manifest.last_sequence, manifest.chain_hash)])
    except CorruptionError as error:
        raise CheckFailedError(f"what was restored is not what was backed up: {error}") from error
    return manifest
