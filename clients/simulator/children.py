"""Child processes of a demo: started, listened to, noticed when they die, ended with the parent. They speak JSON lines on standard output."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from exchange.errors import ParkexError

_LINE_LIMIT: Final = 64 * 1024 * 1024
_GRACE_S: Final = 10.0

Event = dict[str, Any]


class ChildEndedError(ParkexError):
    """A child process ended when it should not have."""


class Child:
    """One child. `on_event` gets every line; the last lines of its standard error are kept for the message when it dies."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, on_event: Callable[[Event], None]) -> None:
        self.name = name
        self._process = process
        self._on_event = on_event
        self._last_words: deque[str] = deque(maxlen=12)
        self._readers = [asyncio.create_task(reader, name=f"{name}: output") for reader in (self._read_events(), self._read_errors())]

    @classmethod
    async def start(cls, name: str, arguments: Sequence[str], on_event: Callable[[Event], None]) -> "Child":
        """Run `python ARGUMENTS` in a process group of its own, so that Ctrl-C reaches the parent first."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        return cls(name, process, on_event)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> None:
        """A line on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def wait(self) -> int:
        """Exit code, after its last line was read."""
        code = await self._process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)
        return code

    def last_lines(self) -> list[str]:
        """The last lines of its standard error."""
        return list(self._last_words)

    def last_words(self) -> str:
        """The last line of its standard error that is not blank."""
        return next((line for line in reversed(self._last_words) if line.strip()), "no message")

    async def stop(self) -> int:
        """Close its standard input, then terminate, then kill; returns the exit code."""
        if self._process.returncode is None and self._process.stdin is not None:
            self._process.stdin.close()
        for send in (None, signal.SIGTERM, signal.SIGKILL):
            if send is not None and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(send)
            try:
                async with asyncio.timeout(_GRACE_S):
                    return await self.wait()
            except TimeoutError:
                continue
        return await self.wait()

    async def _read_events(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            try:
                event = json.loads(line)
            except ValueError:
                self._last_words.append(line.decode(errors="replace").rstrip())
                continue
            self._on_event(event)

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            self._last_words.append(line.decode(errors="replace").rstrip())
