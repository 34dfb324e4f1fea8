"""The security log: logons, refused logons, lockouts and sessions that were ended, one JSON line each, linked by SHA-256, in files that rotate.

They are no commands, so they are not in the journal: a flood of guesses must not fill it. Here it cannot either: lines beyond a rate are counted and
not written, files beyond a number are removed, the oldest first. The chain goes on from file to file, so what is left can be verified.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from exchange.errors import CheckFailedError
from exchange.gateway.limits import Rate
from exchange.gateway.throttle import TokenBucket

logger = logging.getLogger("parkex.security")

FOLDER: Final = "security"  # beside the segments of the journal
ROOT: Final = "0" * 64
LINES: Final = Rate(per_s=100.0, burst=1_000.0)
FILE_BYTES: Final = 8 * 1024 * 1024
FILES: Final = 8
_NAME: Final = "security-{:08d}.jsonl"

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class SecurityLog:
    """Writes without waiting for the disk: a line that a crash of the machine takes along is lost, one that a crash of the process does is not."""

    def __init__(self, directory: Path, *, file_bytes: int = FILE_BYTES, files: int = FILES, now_s: float = 0.0) -> None:
        """Go on behind the last whole line of the last file. Raises OSError when the directory cannot be written."""
        self._directory, self._file_bytes, self._files = directory, file_bytes, files
        self._bucket = TokenBucket("security log", LINES, now_s)
        self._suppressed = 0
        self._number, self._previous = 0, ROOT
        directory.mkdir(parents=True, exist_ok=True)
        paths = log_files(directory)
        for path in reversed(paths):
            lines = whole_lines(path)
            if lines:
                last = msgspec.json.decode(lines[-1])
                self._number, self._previous = last["number"], last["chain"]
                break
        self._index = _index_of(paths[-1]) if paths else 0
        self._open(self._index)

    def _open(self, index: int) -> None:
        path = self._directory / _NAME.format(index)
        self._index = index
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = path.stat().st_size
        if self._size and not path.read_bytes().endswith(b"\n"):  # a line that was cut off by a crash is closed, and stays to be seen
            self._size += os.write(self._file, b"\n")

    def write(self, event: str, now_ns: int, now_s: float, **facts: Any) -> None:
        """Append one line: what happened, at which wall time, to whom. A full disk stops nothing: the line after it says how many are missing."""
        if not self._bucket.take(1.0, now_s):
            self._suppressed += 1
            return
        if self._suppressed:
            facts["suppressed"], self._suppressed = self._suppressed, 0
        line = {"at_ns": now_ns, "chain": "", "event": event, "number": self._number + 1, "previous": self._previous, **facts}
        line["chain"] = hashlib.sha256(_encode(line)).hexdigest()
        data = _encode(line) + b"\n"
        try:
            if self._size + len(data) > self._file_bytes:
                self._rotate()
            self._size += os.write(self._file, data)
        except OSError:
            logger.exception("the security log cannot be written")
            self._suppressed += 1
            return
        self._number, self._previous = self._number + 1, line["chain"]

    def _rotate(self) -> None:
        os.close(self._file)
        self._open(self._index + 1)
        for path in log_files(self._directory)[: -self._files]:
            path.unlink()

    def close(self) -> None:
        """Flush to the disk and close."""
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)


def log_files(directory: Path) -> list[Path]:
    """Files of a log, oldest first."""
    return sorted(directory.glob("security-*.jsonl"), key=_index_of)


def _index_of(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def whole_lines(path: Path) -> list[bytes]:
    """Lines of a file that are JSON objects; one that a crash cut off is none."""
    found = []
    for line in path.read_bytes().split(b"\n"):
        with contextlib.suppress(msgspec.DecodeError):
            if line and isinstance(msgspec.json.decode(line), dict):
                found.append(line)
    return found


def read_log(directory: Path) -> Iterator[dict[str, Any]]:
    """Lines of a log, oldest first, verified. Raises CheckFailedError where the chain is broken; the oldest line may follow what was removed."""
    previous: str | None = None
    for path in log_files(directory):
        for data in whole_lines(path):
            line = msgspec.json.decode(data)
            expected = hashlib.sha256(_encode(line | {"chain": ""})).hexdigest()
            if line.get("chain") != expected or (previous is not None and line.get("previous") != previous):
                raise CheckFailedError(f"security log is broken at line {line.get('number')} in {path.name}")
            previous = expected
            yield line
