"""A disk that fails as told: short writes, errors, a process killed at any byte, a power failure that keeps any mixture of unflushed sectors."""

import os
import random
from collections.abc import Callable
from pathlib import Path

from exchange.journal.files import FileOps

SECTOR = 512


class Killed(BaseException):
    """The process ends here."""


class SimulatedDisk(FileOps):
    """Real files without real flushes, and a model of what would be on the medium.

    `budget` is how much still succeeds before the process is killed: one for each byte written and one for each other operation; None for no limit.
    `fail(operation, path)` returns an error to raise, or None. `short` makes each write stop after that many bytes.
    """

    def __init__(self, budget: int | None = None, fail: Callable[[str, Path], OSError | None] | None = None, short: int | None = None) -> None:
        self.budget = budget
        self.spent = 0
        self.short = short
        self._fail = fail
        self._paths: dict[int, Path] = {}
        self._durable: dict[Path, bytes] = {}  # what the medium holds of each file that has a durable name
        self._flushed: dict[Path, bytes] = {}  # flushed contents of files whose name is not durable yet

    def _spend(self, operation: str, path: Path, cost: int = 1) -> int:
        """What of `cost` may still happen. Raises Killed when nothing may, or the error that was asked for."""
        if self._fail is not None and (error := self._fail(operation, path)) is not None:
            raise error
        if self.budget is not None and self.spent + cost > self.budget:
            left = self.budget - self.spent
            self.spent = self.budget
            if left <= 0 or operation != "pwrite":
                raise Killed
            return left
        self.spent += cost
        return cost

    def open(self, path: Path, flags: int) -> int:
        self._spend("open", path)
        fd = super().open(path, flags)
        self._paths[fd] = path
        return fd

    def close(self, fd: int) -> None:
        self._paths.pop(fd, None)
        super().close(fd)

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        wanted = len(data) if self.short is None else min(self.short, len(data))
        n_bytes = self._spend("pwrite", self._paths[fd], wanted)
        os.pwrite(fd, memoryview(data)[:n_bytes], offset)
        if n_bytes < wanted:
            raise Killed
        return n_bytes

    def fdatasync(self, fd: int) -> None:
        path = self._paths[fd]
        self._spend("flush", path)
        image = path.read_bytes()
        (self._durable if path in self._durable and path.suffix != ".new" else self._flushed)[path] = image

    def fsync(self, fd: int) -> None:
        self.fdatasync(fd)

    def replace(self, source: Path, target: Path) -> None:
        self._spend("replace", target)
        super().replace(source, target)
        if source in self._flushed:
            self._flushed[target] = self._flushed.pop(source)

    def fsync_directory(self, path: Path) -> None:
        self._spend("flush directory", path)
        for name in [name for name in self._flushed if name.parent == path and name.suffix != ".new"]:
            self._durable[name] = self._flushed.pop(name)

    def break_down(self, operation: str, error: OSError) -> None:
        """Every such operation fails from now on."""
        self._fail = lambda asked, _: error if asked == operation else None

    def heal(self) -> None:
        """Nothing fails any more."""
        self._fail = None

    def close_all(self) -> None:
        """The process has ended: the system closes its files, and with them its locks."""
        for fd in list(self._paths):
            self.close(fd)

    def adopt(self, directory: Path) -> None:
        """Take what is in `directory` as durable."""
        self._durable = {path: path.read_bytes() for path in directory.iterdir() if path.suffix != ".new"}
        self._flushed = {}

    def lose_power(self, directory: Path, rng: random.Random) -> None:
        """Leave of each file any mixture of sectors of what was flushed and what was not, and of each new name the old or the new."""
        for path in list(directory.iterdir()):
            survived = self._survivor(path, rng)
            if survived is None:
                path.unlink()
            else:
                path.write_bytes(survived)
        for path, image in self._durable.items():
            if not path.exists():
                path.write_bytes(image)
        self.adopt(directory)

    def _survivor(self, path: Path, rng: random.Random) -> bytes | None:
        """What the medium holds under this name, or None for nothing."""
        old, new = self._durable.get(path), self._flushed.get(path)
        if new is not None and rng.random() < 0.5:
            return _mixture(new, path.read_bytes(), rng)  # the name has reached the medium
        if new is not None or old is None:
            return old
        return _mixture(old, path.read_bytes(), rng)


def _mixture(durable: bytes, current: bytes, rng: random.Random) -> bytes:
    size = len(durable) if rng.random() < 0.5 else len(current)
    old = durable.ljust(size, b"\0")[:size]
    new = current.ljust(size, b"\0")[:size]
    share = rng.choice((0.0, 0.5, 1.0))
    return b"".join((new if rng.random() < share else old)[at : at + SECTOR] for at in range(0, size, SECTOR))
