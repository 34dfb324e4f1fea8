"""Surveillance in a thread of its own: the loop that answers orders hands batches over and waits for no rule."""

import logging
import queue
import threading

from exchange.order_path.path import BatchResult
from exchange.surveillance.desk import Surveillance

logger = logging.getLogger("parkex.surveillance")


class SurveillanceFollower:
    """`on_batch` is a listener of the node, also for the batches of its replay. `failure` says why it stopped; the exchange goes on."""

    def __init__(self, surveillance: Surveillance) -> None:
        self.surveillance = surveillance
        self.failure: Exception | None = None
        self._waiting: queue.SimpleQueue[BatchResult | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="surveillance", daemon=True)
        self._thread.start()

    def on_batch(self, batch: BatchResult) -> None:
        """Hand a batch over. Costs no more than putting it into a queue."""
        if self.failure is None:
            self._waiting.put(batch)

    @property
    def lag(self) -> int:
        """Batches that are not folded yet."""
        return self._waiting.qsize()

    def close(self) -> None:
        """Fold what was handed over and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._waiting.get()) is not None:
            if self.failure is not None:
                continue
            try:
                self.surveillance.on_batch(batch)
            except Exception as error:
                logger.exception("surveillance stopped at command %d; the market goes on without it", batch.last_sequence)
                self.failure = error
