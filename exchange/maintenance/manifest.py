"""The manifest of a backup: what is in it, and by which digests that is known. It is written last, so a backup without it is unfinished."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from exchange.errors import CorruptionError, InputError
from exchange.journal.files import FileOps, read_bytes, write_durably

MANIFEST_NAME: Final = "manifest.json"
INCOMPLETE_NAME: Final = "INCOMPLETE"
MANIFEST_VERSION: Final = 1


class BackupFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file by its name inside the backup, with its SHA-256 (hex)."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds: the chain from `first_sequence` to `last_sequence`, whose hashes are hex, and a snapshot if there was one (0: none).

    `sha256` is that of the manifest with this field empty.
    """

    version: int
    park_id: str
    genesis_hash: str
    epoch: int
    first_sequence: int
    last_sequence: int
    last_group: int
    chain_hash: str
    snapshot_sequence: int
    files: tuple[BackupFile, ...]
    sha256: str = ""

    @property
    def total_bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def _seal(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(manifest, sha256=""))).hexdigest()


def write_manifest(files: FileOps, backup: Path, manifest: Manifest) -> None:
    sealed = msgspec.structs.replace(manifest, sha256=_seal(manifest))
    write_durably(files, backup / MANIFEST_NAME, [msgspec.json.format(msgspec.json.encode(sealed), indent=2), b"\n"])


def is_backup(path: Path) -> bool:
    """Whether a folder is a backup, an unfinished one too."""
    return (path / MANIFEST_NAME).exists() or (path / INCOMPLETE_NAME).exists()


def read_manifest(backup: Path) -> Manifest:
    """Raises InputError when there is no finished backup or it is of an unknown version, CorruptionError when the manifest is damaged."""
    if (backup / INCOMPLETE_NAME).exists():
        raise InputError(f"the backup in {backup} was never finished: remove it and make it again")
    try:
        data = read_bytes(backup / MANIFEST_NAME)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"there is no backup in {backup}: {MANIFEST_NAME} is missing") from None
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CorruptionError(f"{MANIFEST_NAME}: {error}") from None
    if manifest.sha256 != _seal(manifest):
        raise CorruptionError(f"{MANIFEST_NAME}: the checksum does not match")
    if manifest.version != MANIFEST_VERSION:
        raise InputError(f"{MANIFEST_NAME}: version {manifest.version} is unknown; this program reads version {MANIFEST_VERSION}")
    return manifest


def described(name: str, data: bytes) -> BackupFile:
    """The entry of a file with these contents."""
    return BackupFile(name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises CorruptionError naming the first file that is missing, cut, or not what it was."""
    for file in manifest.files:
        try:
            data = read_bytes(folder / file.name)
        except (FileNotFoundError, NotADirectoryError):
            raise CorruptionError(f"{file.name} is missing") from None
        if len(data) != file.bytes:
            raise CorruptionError(f"{file.name}: {len(data)} bytes instead of {file.bytes}")
        if described(file.name, data) != file:
            raise CorruptionError(f"{file.name}: its contents are not those that were backed up")
