"""The projector in a thread of its own: the loop that answers orders hands batches over and never waits for SQL.

What waits is taken together: under load a transaction holds many batches, and its cost is shared. A database that is away for a while, as when
PostgreSQL restarts, is tried again; each event still lands exactly once.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError

from exchange.journal.interface import Group
from exchange.order_path.path import BatchResult, Exchange
from exchange.readmodel.projector import Projector, Told

logger = logging.getLogger("parkex.readmodel")

TOGETHER_MAX: Final = 256  # batches in one transaction
PAUSE_S: Final = 0.05  # between transactions, so that a busy market gives the projector few large batches and not many small ones
RETRY_S: Final = 1.0  # between attempts to reach a database that is away
WAITING_MAX: Final = 100_000  # batches that are kept for a database that is away: memory has an end
CLOSING_S: Final = 10.0  # how long the end of an exchange waits for a database that is away
RETRY_CLOSING_S: Final = 0.2


class Follower:
    """`on_batch` is a listener of the node, also for the batches of its replay. `failure` says why following stopped, `trouble` why it does not get
    on at present; the exchange goes on in both cases.
    """

    def __init__(
        self,
        projector: Projector,
        chain_hash: Callable[[], str] = str,
        pause_s: float = PAUSE_S,
        retry_s: float = RETRY_S,
        closing_s: float = CLOSING_S,
    ) -> None:
        """`chain_hash` gives the hash of the journal behind the batch that is handed over, or nothing when it is not known."""
        self.projector = projector
        self.failure: Exception | None = None
        self.trouble: Exception | None = None
        self._chain_hash = chain_hash
        self._pause_s = pause_s
        self._retry_s = retry_s
        self._waiting: deque[Told] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._closing_told = threading.Event()
        self._closing_s = closing_s
        self._closed_by_s = float("inf")
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)
        self._thread.start()

    def on_batch(self, batch: BatchResult) -> None:
        """Hand a batch over. Costs no more than putting it into a queue."""
        with self._changed:
            if self.failure is None and not self._closing:
                self._waiting.append((batch, self._chain_hash()))
                self._changed.notify()

    @property
    def lag(self) -> int:
        """Batches that are not written yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Write what was handed over and end the thread. The projector stays open. Raises what following failed with."""
        with self._changed:
            self._closing = True
            self._closed_by_s = time.monotonic() + self._closing_s
            self._closing_told.set()
            self._changed.notify()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                together = list(islice(self._waiting, TOGETHER_MAX))
            try:
                self._write(together)
            except Exception as error:  # noqa: BLE001 - whatever it is, the exchange goes on and the owner of the follower is told
                logger.critical("the read model is not written any more: %s", error)
                with self._changed:
                    self.failure = error
                    self._waiting.clear()
                return
            with self._changed:
                for _ in together:
                    self._waiting.popleft()
            if not self._closing:
                time.sleep(self._pause_s)

    def _write(self, together: Sequence[Told]) -> None:
        """Until it is written. Raises what trying again does not mend, and the last trouble when it lasts too long."""
        while True:
            try:
                if self.trouble is not None:
                    self.projector.resume(together)
                self.projector.apply_all(together)
            except (OperationalError, InterfaceError) as error:
                if self.trouble is None:
                    logger.warning("the read model cannot be reached, orders go on: %s", " ".join(str(error.orig).split()))
                self.trouble = error
                self._wait_for_the_database(error)
            else:
                if self.trouble is not None:
                    logger.warning("the read model is reached again; %d batches wait", self.lag)
                self.trouble = None
                return

    def _wait_for_the_database(self, error: Exception) -> None:
        if self.lag > WAITING_MAX or time.monotonic() > self._closed_by_s:
            raise error
        if not self._closing_told.wait(self._retry_s):
            return
        time.sleep(min(self._retry_s, RETRY_CLOSING_S))


def catch_up(projector: Projector, exchange: Exchange, groups: Iterator[Group]) -> int:
    """Fold `groups` into a fresh exchange and write what the read model has not got. Returns the number of commands that were new.

    `exchange` must be the one whose settlements the projector reads, and the groups must follow its last sequence.
    """
    n_new = 0
    for group in groups:
        batch = exchange.apply(group.records, group.documents, group.first_sequence)
        n_new += projector.apply_all([(batch, group.chain_hash)])
    return n_new
