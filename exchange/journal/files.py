"""The file operations that durability rests on, behind one small object, so that tests can make each of them fail or stop half-way."""

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from exchange.errors import JournalError

FILE_MODE: Final = 0o640
ZERO_CHUNK: Final = bytes(1 << 20)


class FileOps:
    """The operations of the operating system, one method each. All raise OSError; `pwrite` may write less than it was given."""

    def open(self, path: Path, flags: int) -> int:
        return os.open(path, flags | os.O_CLOEXEC, FILE_MODE)

    def close(self, fd: int) -> None:
        os.close(fd)

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        return os.pwrite(fd, data, offset)

    def fdatasync(self, fd: int) -> None:
        """Contents, and what is needed to read them back, are on the medium on return."""
        if hasattr(os, "fdatasync"):
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def fsync(self, fd: int) -> None:
        os.fsync(fd)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def fsync_directory(self, path: Path) -> None:
        """Names created, replaced or removed in `path` are on the medium on return."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def read_bytes(path: Path, n_bytes: int = -1) -> bytes:
    """The first `n_bytes` of a file, or all. Raises FileNotFoundError or NotADirectoryError, and JournalError when the system cannot read it."""
    try:
        with path.open("rb") as file:
            return file.read(n_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise JournalError(f"{path} cannot be read: {error.strerror}") from error


def write_all(files: FileOps, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
    """Write all of `data` at `offset`, continuing after short writes."""
    written = files.pwrite(fd, data, offset)
    if written == len(data):
        return
    view = memoryview(data)
    while written < len(view):
        step = files.pwrite(fd, view[written:], offset + written)
        if step == 0:
            raise OSError(errno.EIO, "a write made no progress")
        written += step


def zeros(n_bytes: int) -> Iterator[bytes]:
    """`n_bytes` zero bytes in chunks of at most one MiB."""
    whole, rest = divmod(n_bytes, len(ZERO_CHUNK))
    for _ in range(whole):
        yield ZERO_CHUNK
    if rest:
        yield bytes(rest)


def write_from(files: FileOps, fd: int, chunks: Iterable[bytes], offset: int) -> None:
    """Write `chunks` one behind the other from `offset` on."""
    for chunk in chunks:
        write_all(files, fd, chunk, offset)
        offset += len(chunk)


def new_name(path: Path) -> Path:
    """Where a file is built before it takes its name. Such leftovers of a crash are overwritten by the next attempt."""
    return path.with_name(path.name + ".new")


def write_durably(files: FileOps, path: Path, chunks: Iterable[bytes]) -> None:
    """Create or replace `path` whole: after a crash it holds the old contents or the new ones, never a part."""
    temporary = new_name(path)
    fd = files.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_from(files, fd, chunks, 0)
        files.fsync(fd)
    finally:
        files.close(fd)
    files.replace(temporary, path)
    files.fsync_directory(path.parent)
