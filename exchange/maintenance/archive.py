"""Archiving: moving the oldest segments of a journal away, once a verified snapshot stands for them.

What is moved is what a start does not need any more: whole segments before the newest snapshot that the replay has confirmed and that the read model
has reached. The archive and the rest are one chain; `verify` and `replay` read both when the archive is named. It works beside a live writer, which
only ever touches the last segment.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from exchange.errors import CheckFailedError, CorruptionError, InputError
from exchange.journal.files import FileOps, new_name, read_bytes, write_durably
from exchange.journal.format import genesis_hash
from exchange.journal.lock import is_being_written
from exchange.journal.segments import JournalReader
from exchange.journal.snapshots import SNAPSHOTS_FOLDER
from exchange.journal.walk import GENESIS_NAME, Segment, load_layout
from exchange.maintenance.audit import audit
from exchange.maintenance.places import journal_in, read_model_beside
from exchange.readmodel.projector import stored_watermark
from exchange.recovery import exchange_at, latest_snapshot, take_snapshot


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """`moved`: names of segments, oldest first; `first_sequence` is where the journal begins now."""

    moved: tuple[str, ...]
    n_bytes: int
    snapshot_sequence: int
    first_sequence: int


def archive_segments(source: Path, archive: Path, read_model_url: str | None = None, files: FileOps | None = None) -> ArchiveReport:
    """Replay the journal in `source` (an exchange's folder, or the journal itself), leave a snapshot of where it ends, move what lies before it.

    Without a URL the read model is the file beside the journal, if there is one. Raises InputError when `archive` is that of another journal or
    cannot be written, CorruptionError when the journal is damaged, CheckFailedError when a snapshot is not the state that the journal gives.
    """
    journal = journal_in(source)
    files = files or FileOps()
    _check_archive(journal, archive)
    reader = JournalReader.open(journal, archive=archive if archive.is_dir() else None)
    sequence = _leave_snapshot(reader, journal, _reached(reader, journal, read_model_url or read_model_beside(journal)))
    segments = load_layout(journal).segments
    covered = [segment for segment, following in pairwise(segments) if following.header.first_sequence - 1 <= sequence]
    try:
        archive.mkdir(parents=True, exist_ok=True)
        if not (archive / GENESIS_NAME).exists():
            write_durably(files, archive / GENESIS_NAME, [read_bytes(journal / GENESIS_NAME)])
        n_bytes = sum(_move(files, segment, archive) for segment in covered)
    except OSError as error:
        raise InputError(f"archiving to {archive} stopped ({error.strerror}); nothing is lost: make room and archive again") from error
    return ArchiveReport(tuple(segment.path.name for segment in covered), n_bytes, sequence, segments[len(covered)].header.first_sequence)


def _check_archive(journal: Path, archive: Path) -> None:
    """Raises InputError when segments of this journal do not belong into `archive`."""
    if archive.exists() and not archive.is_dir():
        raise InputError(f"{archive} is no folder")
    if archive.resolve() == journal.resolve() or journal.resolve() in archive.resolve().parents:
        raise InputError(f"{archive} is inside the journal; name a folder elsewhere")
    if not archive.is_dir():
        return
    if not (archive / GENESIS_NAME).exists():
        if all(path == new_name(archive / GENESIS_NAME) for path in archive.iterdir()):
            return
        raise InputError(f"{archive} is not empty and no archive; name another folder")
    if genesis_hash(read_bytes(archive / GENESIS_NAME)) != genesis_hash(read_bytes(journal / GENESIS_NAME)):
        raise InputError(f"{archive} is the archive of another journal")


def _reached(reader: JournalReader, journal: Path, read_model_url: str | None) -> int:
    """The last command whose group is durable and that the read model has."""
    head = load_layout(journal).head
    durable = min(head.sequence, reader.head.sequence) if is_being_written(journal) else reader.head.sequence
    if read_model_url is None:
        return durable
    return min(durable, stored_watermark(read_model_url, reader.genesis_hash).sequence)


def _leave_snapshot(reader: JournalReader, journal: Path, until_sequence: int) -> int:
    """Replay to the end of the last whole group up to there, and make sure of a snapshot of that state; its sequence."""
    snapshots = journal / SNAPSHOTS_FOLDER
    if until_sequence < reader.first_sequence - 1:
        raise InputError(f"the read model is at {until_sequence} and the journal begins with {reader.first_sequence}: fill it before archiving more")
    end = reader.group_end_up_to(until_sequence)
    audited = audit(reader, snapshots, end)
    if end and end not in audited.snapshots:
        take_snapshot(audited.exchange, reader.chain_hash_at(end) or "", snapshots)
    snapshot = latest_snapshot(snapshots, end)
    if snapshot is None:
        return 0
    if snapshot.sequence != end or snapshot.state_hash.hex() != audited.state_hash:
        raise CheckFailedError(f"the snapshot at {end} cannot be read back as it was written; nothing was moved")
    exchange_at(reader, snapshot)
    return end


def _move(files: FileOps, segment: Segment, archive: Path) -> int:
    """Copy a segment, make the copy durable, read it back, and only then remove it. Returns its size."""
    target = archive / segment.path.name
    data = read_bytes(segment.path)
    if not (target.exists() and read_bytes(target) == data):
        if target.exists():
            raise InputError(f"{target} is there and is another file")
        write_durably(files, target, [data])
        if read_bytes(target) != data:
            raise CorruptionError(f"{target} does not read back as it was written; {segment.path.name} was not moved")
    segment.path.unlink()
    files.fsync_directory(segment.path.parent)
    return len(data)

