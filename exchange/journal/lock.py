"""One writer: a lock on a file of its own, held for life."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from exchange.errors import InputError, JournalLockedError
from exchange.journal.files import FileOps
from exchange.journal.walk import GENESIS_NAME, segment_files

LOCK_NAME: Final = "lock"
LOCK_ATTEMPTS: Final = 4
LOCK_PAUSE_S: Final = 0.02


def take_lock(files: FileOps, directory: Path, create: bool) -> int:
    """Hold the lock file. Its contents name the holder for people.

    Raises InputError when there is no journal and none is to be made, JournalLockedError when another process writes it.
    """
    if create:
        directory.mkdir(parents=True, exist_ok=True)
    elif not (directory / GENESIS_NAME).exists() and not (directory.is_dir() and segment_files(directory)):
        raise InputError(f"there is no journal in {directory}")
    path = directory / LOCK_NAME
    fd = files.open(path, os.O_RDWR | os.O_CREAT)
    try:
        _lock(fd)
    except OSError:
        holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        files.close(fd)
        raise JournalLockedError(f"another process writes this journal (process {holder}, {path})") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _lock(fd: int) -> None:
    """Raises OSError when another holds it. A backup that only asks whether it is held does so for less than the time between two attempts."""
    for _ in range(LOCK_ATTEMPTS - 1):
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
    return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_being_written(directory: Path) -> bool:
    """Whether a process holds the lock of a journal. A writer that starts at this very moment tries for longer than asking takes."""
    try:
        fd = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
