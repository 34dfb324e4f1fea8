"""Snapshots: the state as of a sequence, so that recovery need not replay from the beginning. The journal alone is the truth; a bad snapshot is
passed over.

File: magic, format version, length of the description, description (MessagePack map), CRC32, payload. The payload's SHA-256 stands in the
description.
"""

import contextlib
import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from exchange.errors import CorruptionError, InputError, JournalError
from exchange.journal.files import FileOps, new_name, read_bytes, write_durably
from exchange.journal.format import FORMAT_VERSION, check_block, seal_block
from exchange.journal.interface import Watermark

SNAPSHOT_MAGIC: Final = b"\x89PKXSNP\n"
SNAPSHOTS_KEPT: Final = 3
_PREFIX: Final = struct.Struct("<8sII")
_CRC_BYTES: Final = 4
_NAME: Final = re.compile(r"snapshot-(\d{20})")


class _Description(msgspec.Struct, frozen=True, kw_only=True):
    sequence: int
    chain_hash: str
    state_hash: bytes
    layout: str
    payload_bytes: int
    payload_sha256: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State after command `sequence`; `chain_hash` (hex) is that of the group which ends there, `layout` names the dtypes of the payload."""

    sequence: int
    chain_hash: str
    state_hash: bytes
    layout: str
    payload: bytes

    def watermark(self) -> Watermark:
        """What the journal must hold for this snapshot to belong to it."""
        return Watermark(f"the snapshot at {self.sequence}", self.sequence, self.chain_hash)


@dataclass(frozen=True, slots=True)
class LoadedSnapshot:
    """The newest usable snapshot, if any, and why newer ones were refused."""

    snapshot: Snapshot | None
    refused: tuple[str, ...]


def snapshot_path(directory: Path, sequence: int) -> Path:
    return directory / f"snapshot-{sequence:020d}"


def write_snapshot(
    directory: Path,
    sequence: int,
    chain_hash: str,
    state_hash: bytes,
    payload: bytes,
    *,
    layout: str = "",
    keep: int = SNAPSHOTS_KEPT,
    files: FileOps | None = None,
) -> Path:
    """Write a snapshot that is there whole or not at all, then remove all but the `keep` newest.

    `layout` names the dtypes of the payload; `load_latest` refuses snapshots of another layout. Raises JournalError when the system refuses; the
    snapshots before are then still there.
    """
    description = msgspec.msgpack.encode(
        _Description(
            sequence=sequence,
            chain_hash=chain_hash,
            state_hash=state_hash,
            layout=layout,
            payload_bytes=len(payload),
            payload_sha256=hashlib.sha256(payload).digest(),
        )
    )
    head = seal_block(_PREFIX.pack(SNAPSHOT_MAGIC, FORMAT_VERSION, len(description)) + description)
    path = snapshot_path(directory, sequence)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_durably(files or FileOps(), path, [head, payload])
        for _, old in _snapshot_files(directory)[keep:]:
            old.unlink()
    except OSError as error:
        with contextlib.suppress(OSError):
            new_name(path).unlink(missing_ok=True)
        raise JournalError(f"{path} cannot be written: {error}") from error
    return path


def read_snapshot(path: Path, layout: str = "") -> Snapshot:
    """Read and check one snapshot. Raises CorruptionError, or InputError for an unknown format version or another layout."""
    data = read_bytes(path)
    head_bytes = _PREFIX.size + _CRC_BYTES
    if len(data) >= head_bytes:
        head_bytes += _PREFIX.unpack_from(data)[2]
    check_block(data[:head_bytes], SNAPSHOT_MAGIC, path.name)
    try:
        description = msgspec.msgpack.decode(data[_PREFIX.size : head_bytes - _CRC_BYTES], type=_Description)
    except msgspec.MsgspecError as error:
        raise CorruptionError(f"{path.name}: {error}") from None
    payload = data[head_bytes:]
    if (len(payload), hashlib.sha256(payload).digest()) != (description.payload_bytes, description.payload_sha256):
        raise CorruptionError(f"{path.name}: the payload does not match its checksum")
    if description.layout != layout:
        raise InputError(f"{path.name}: its layout is {description.layout!r}, this program reads {layout!r}")
    return Snapshot(description.sequence, description.chain_hash, description.state_hash, description.layout, payload)


def load_latest(directory: Path, *, layout: str = "") -> LoadedSnapshot:
    """The newest snapshot that is whole and readable.

    What is refused is named with its reason: then an older one is used, or replay from the start.
    """
    refused: list[str] = []
    for sequence, path in _snapshot_files(directory):
        try:
            snapshot = read_snapshot(path, layout)
        except (CorruptionError, InputError, JournalError) as error:
            refused.append(str(error))
            continue
        if snapshot.sequence == sequence:
            return LoadedSnapshot(snapshot, tuple(refused))
        refused.append(f"{path.name}: it holds sequence {snapshot.sequence}: it was renamed")
    return LoadedSnapshot(None, tuple(refused))


def _snapshot_files(directory: Path) -> list[tuple[int, Path]]:
    """(sequence, path), newest first."""
    if not directory.is_dir():
        return []
    matches = ((_NAME.fullmatch(path.name), path) for path in directory.iterdir())
    return sorted(((int(match[1]), path) for match, path in matches if match), reverse=True)
