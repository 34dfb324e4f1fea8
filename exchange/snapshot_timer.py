"""Snapshots while the exchange runs, so that a crash costs little replay. Off by default: copying the state holds the order path up.

A snapshot is taken right after a batch, where the journal's head is the hash behind it; the copy is made in the loop, the writing in a thread. It is
written once the read model has what it covers: a start would not use it before.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from exchange.errors import JournalError
from exchange.logs import log_event
from exchange.node import Node
from exchange.order_path.path import BatchResult
from exchange.recovery import prepare_snapshot

logger = logging.getLogger("parkex.snapshots")

_LOOK_EVERY_S: Final = 0.05


class SnapshotTimer:
    """At most one snapshot every `interval_s`, and none where no command came. `is_behind` tells whether the read model lacks a command."""

    def __init__(
        self,
        node: Node,
        directory: Path,
        interval_s: float,
        is_behind: Callable[[int], bool] | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._directory = directory
        self._interval_s = interval_s
        self._is_behind = is_behind or (lambda _: False)
        self._monotonic_s = monotonic_s
        self._next_s = monotonic_s() + interval_s
        self._writing: asyncio.Task[None] | None = None
        node.listeners.append(self.on_batch)

    def on_batch(self, batch: BatchResult) -> None:
        """Take a snapshot if it is time and none is being written."""
        if self._monotonic_s() < self._next_s or self._writing is not None or not self._node.accepting:
            return
        began_ns = time.perf_counter_ns()
        write = prepare_snapshot(self._node.exchange, self._node.journal.chain_hash, self._directory)
        self._next_s = self._monotonic_s() + self._interval_s
        pause_ms = (time.perf_counter_ns() - began_ns) // 1_000_000
        self._writing = asyncio.create_task(self._write(write, batch.last_sequence, pause_ms), name="snapshot")

    async def stop(self) -> None:
        """Finish the one that is being written. Before the node stops, which leaves a snapshot of its own."""
        self._node.listeners.remove(self.on_batch)
        if self._writing is not None:
            await self._writing

    async def _write(self, write: Callable[[], Path], sequence: int, pause_ms: int) -> None:
        try:
            while self._is_behind(sequence) and self._node.accepting:  # noqa: ASYNC110 - the projector lives in a thread and tells nobody
                await asyncio.sleep(_LOOK_EVERY_S)
            await asyncio.to_thread(write)
            log_event(logger, logging.INFO, "snapshot written", sequence=sequence, pause_ms=pause_ms)
        except JournalError as error:
            log_event(logger, logging.ERROR, "snapshot failed", sequence=sequence, reason=str(error))
        finally:
            self._writing = None
