"""File operations of which the n-th fails or is the last of the process."""

import errno
from pathlib import Path

from bench.chaos.disk import Killed
from exchange.journal.files import FileOps


class NthFails(FileOps):
    """Counts opens, writes, flushes and renames. `error` None kills the process instead."""

    def __init__(self, n: int, error: int | None) -> None:
        self._left = n
        self._error = error

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed if self._error is None else OSError(self._error, errno.errorcode[self._error])

    def open(self, path: Path, flags: int) -> int:
        self._count()
        return super().open(path, flags)

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        self._count()
        return super().pwrite(fd, data, offset)

    def fsync(self, fd: int) -> None:
        self._count()

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def fsync_directory(self, path: Path) -> None:
        self._count()

    @property
    def finished(self) -> bool:
        """Whether fewer operations than n were asked for."""
        return self._left >= 0
