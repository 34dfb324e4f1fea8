"""The read model compared in a second process beside the replay in this one: fetching millions of rows costs as much as folding their commands.

    see(batch) -> pickled -> a few batches wait -> standard input -> StoredRows.see in `python -m exchange.maintenance.stored_rows_process`

What the other process finds is raised here, by the next call or at the latest by `conclude`. It ends with its standard input, so it never outlives
this one.
"""

import gc
import pickle
import select
import signal
import subprocess
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Self

from exchange.errors import ParkexError
from exchange.maintenance.stored_rows import StoredRows
from exchange.order_path.path import BatchResult
from exchange.readmodel.rows import FindSettlement, settlements_of

# Batches that may wait: the two processes are never equally far, and a batch of thousands of orders takes some megabytes.
_WAITING_MAX: Final = 32


class StoredRowsProcess:
    """See stored_rows.RowsBeside. A fresh interpreter: a fork would copy threads and locks in whatever state they are."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sender = ThreadPoolExecutor(1, "stored-rows")
        self._sending: deque[Future[None]] = deque()
        self._last_sequence: int | None = None
        self._find_settlement: FindSettlement | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - this module
        self._send(self._url)  # not as an argument, which every user of the machine can read: it may hold a password
        return self

    def __exit__(self, *exception: object) -> None:
        with suppress(BrokenPipeError), self._process:  # batches that nobody reads any more are let go
            self._process.kill()
            self._sender.shutdown(cancel_futures=True)

    @property
    def last_sequence(self) -> int:
        if self._last_sequence is None:
            self._last_sequence = self._receive()
        return self._last_sequence

    def begin(self, find_settlement: FindSettlement) -> None:
        self._find_settlement = find_settlement

    def see(self, batch: BatchResult) -> None:
        assert self._find_settlement is not None
        assert self._process.stdout is not None
        if self._process.poll() is not None or select.select([self._process.stdout], [], [], 0)[0]:
            self._receive()
        self._send((batch, settlements_of(batch, self._find_settlement)))

    def conclude(self) -> int:
        self._send(None)
        return self._receive()

    def _send(self, message: Any) -> None:
        """Pickle here and write in a thread, which waits when the pipe is full. That nobody reads any more is told by what was sent before."""
        self._sending.append(self._sender.submit(self._write, pickle.dumps(message, pickle.HIGHEST_PROTOCOL)))
        while len(self._sending) > _WAITING_MAX:
            self._sending.popleft().exception()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def _receive(self) -> int:
        """What the other process tells. Raises what it raised, and ParkexError when it ended without a word."""
        assert self._process.stdout is not None
        try:
            found = pickle.load(self._process.stdout)  # noqa: S301 - of the process that was started here
        except EOFError:
            raise ParkexError(f"the process that compares the read model ended with exit code {self._process.wait()}") from None
        if isinstance(found, Exception):
            raise found
        return int(found)


def main() -> None:
    """The other process: tells the last sequence, and then how many rows there are or what was raised."""
    gc.disable()  # rows form no cycles
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this
    try:
        _compare()
    except EOFError:
        return  # the parent is gone
    except Exception as error:  # noqa: BLE001 - it is raised there
        _tell(error)


def _compare() -> None:
    settlements: dict[tuple[str, int], Any] = {}
    with StoredRows(_told()) as stored:
        stored.begin(lambda day, run: settlements.get((day, run)))
        _tell(stored.last_sequence)
        while message := _told():
            batch, settlements = message
            stored.see(batch)
        _tell(stored.conclude())


def _told() -> Any:
    return pickle.load(sys.stdin.buffer)  # noqa: S301 - of the parent


def _tell(found: int | Exception) -> None:
    pickle.dump(found, sys.stdout.buffer)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
