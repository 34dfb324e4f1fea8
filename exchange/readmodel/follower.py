"""The projector in a thread of its own: the loop that answers orders hands batches over and never waits for SQL.

What waits is taken together: under load a transaction holds many batches, and its cost is shared.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from exchange.journal.interface import Group
from exchange.order_path.path import BatchResult, Exchange
from exchange.readmodel.projector import Projector, Told

TOGETHER_MAX: Final = 256  # batches in one transaction
PAUSE_S: Final = 0.05  # between transactions, so that a busy market gives the projector few large batches and not many small ones


class Follower:
    """`on_batch` is a listener of the node, also for the batches of its replay. `failure` says why following stopped; the exchange goes on."""

    def __init__(self, projector: Projector, chain_hash: Callable[[], str] = str, pause_s: float = PAUSE_S) -> None:
        """`chain_hash` gives the hash of the journal behind the batch that is handed over, or nothing when it is not known."""
        self.projector = projector
        self.failure: Exception | None = None
        self._chain_hash = chain_hash
        self._pause_s = pause_s
        self._waiting: deque[Told] = deque()
        self._changed = threading.Condition()
        self._closing = False
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
                self.projector.apply_all(together)
            except Exception as error:  # noqa: BLE001 - whatever it is, the exchange goes on and the owner of the follower is told
                with self._changed:
                    self.failure = error
                    self._waiting.clear()
                return
            with self._changed:
                for _ in together:
                    self._waiting.popleft()
            if not self._closing:
                time.sleep(self._pause_s)


def catch_up(projector: Projector, exchange: Exchange, groups: Iterator[Group]) -> int:
    """Fold `groups` into a fresh exchange and write what the read model has not got. Returns the number of commands that were new.

    `exchange` must be the one whose settlements the projector reads, and the groups must follow its last sequence.
    """
    n_new = 0
    for group in groups:
        batch = exchange.apply(group.records, group.documents, group.first_sequence)
        n_new += projector.apply_all([(batch, group.chain_hash)])
    return n_new
