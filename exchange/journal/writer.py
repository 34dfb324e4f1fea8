"""Appends to a journal in a thread of its own: the loop goes on while a group is written and flushed.

One append at a time, in the order of the calls. What it comes to is handed to the loop: the receipt, or what was raised.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from numpy.typing import NDArray

from exchange.journal.interface import CommittedGroup, Journal

Appended = Callable[[CommittedGroup | BaseException], None]


class Writer(Protocol):
    """What a node needs of it."""

    def append(self, records: NDArray[Any], documents: bytes, appended: Appended) -> None: ...

    def close(self) -> None: ...


class JournalWriter:
    """The thread begins with the first append. `close` ends it behind what was asked for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._tasks: SimpleQueue[tuple[NDArray[Any], bytes, Appended] | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def append(self, records: NDArray[Any], documents: bytes, appended: Appended) -> None:
        """Commit one group; `appended` is called in the running loop, the same for all calls."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        self._tasks.put((records, documents, appended))

    def close(self) -> None:
        """Wait for the appends that were asked for."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        assert self._loop is not None
        while (task := self._tasks.get()) is not None:
            records, documents, appended = task
            result: CommittedGroup | BaseException
            try:
                result = self._journal.append(records, documents)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the loop has to know
                result = error
            try:
                self._loop.call_soon_threadsafe(appended, result)
            except RuntimeError:  # the loop is closed: nobody is there to be told
                return
