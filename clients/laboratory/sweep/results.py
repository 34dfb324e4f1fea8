"""Results on disk: JSON lines, each durable before the next task counts as done, so that a crash loses nothing that was reported."""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from clients.laboratory.sweep.task import Result
from exchange.errors import InputError

RESULTS_NAME: Final = "results.jsonl"


class ResultFile:
    """results.jsonl of a folder, open to append. One writer at a time; a line that a crash left unfinished is cut.

    `by_key` has the newest result of each key, `cut_bytes` what was cut. Raises InputError when another sweep writes here or a line is damaged.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / RESULTS_NAME
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            self._lock()
            self.cut_bytes = self._cut_unfinished()
            self.by_key = {result.key: result for result in read_results(self.path)}
            _sync_directory(directory)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)

    def append(self, result: Result) -> None:
        """Durable when it returns."""
        line = msgspec.json.encode(result) + b"\n"
        written = 0
        while written < len(line):
            written += os.write(self._fd, line[written:])
        os.fsync(self._fd)
        self.by_key[result.key] = result

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{self.path}: another sweep is writing here") from None

    def _cut_unfinished(self) -> int:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._fd, whole)
            os.fsync(self._fd)
        return len(content) - whole


def read_results(path: Path) -> list[Result]:
    """All whole lines, oldest first; an unfinished last one is left out. Raises InputError with file and line for a damaged one."""
    decoder, results = msgspec.json.Decoder(Result), []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            results.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path}:{number}: not a result of a sweep ({error})") from None
    return results


def write_json(path: Path, content: object) -> None:
    """Write a file whole or not at all. Mappings in the sequence they have, floats in their shortest form."""
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def failures(results: Iterable[Result]) -> dict[str, int]:
    """How many runs failed for which reason, the most frequent first."""
    counts: dict[str, int] = {}
    for result in results:
        if not result.is_done:
            counts[result.reason] = counts.get(result.reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
