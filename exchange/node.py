"""Assembly of one exchange: journal, state and clock behind one queue of commands.

    submit -> gather -> stamp and sequence -> journal (its own thread) -> Exchange.apply -> answers, then listeners

While one group is being made durable the next one gathers. Nothing is answered before it is durable. The order of commands is the order of `submit`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clock import Clock
from exchange.errors import ClockSteppedError, JournalFailedError, ParkexError
from exchange.journal.interface import Journal
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandKind
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import joined
from exchange.protocol.documents import encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_into
from exchange.stages import Stage, Stages

GROUP_LIMIT: Final = 1024
QUEUE_LIMIT: Final = 16_384
DOCUMENTS_LIMIT_BYTES: Final = 16 * 1024 * 1024


class NotAcceptingError(ParkexError):
    """A command was refused before the journal: nothing was recorded. `code` is QUEUE_FULL, NOT_ACCEPTING or JOURNAL_FAILED."""

    def __init__(self, code: RejectCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """Outcome (an OUTCOME record) of one durable, applied command, and what a business command answers."""

    outcome: np.void
    result: dict[str, Any] | None


@dataclass(slots=True)
class _Pending:
    record: NDArray[np.void]
    document: bytes
    answer: asyncio.Future[Answer]
    legs: int = 1  # commands from here on that one group must hold together


Listener = Callable[[BatchResult], None]


class ToldTime:
    """Market time for whoever asks: while the wall clock is in doubt, that of the last command."""

    def __init__(self, clock: Clock, exchange: Exchange) -> None:
        self._clock = clock
        self._exchange = exchange

    def now_ns(self) -> int:
        try:
            return self._clock.now_ns()
        except ClockSteppedError:
            return self._exchange.now_ns


class Node:
    """One writer of one journal. Use inside a running loop: `await start()`, `submit(...)`, `await stop()`."""

    def __init__(self, journal: Journal, exchange: Exchange, clock: Clock) -> None:
        self.journal = journal
        self.exchange = exchange
        self._clock = clock
        self.clock = ToldTime(clock, exchange)
        self.listeners: list[Listener] = []
        self.failure: BaseException | None = None
        self.stages = Stages()
        self._pending: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._task: asyncio.Task[None] | None = None
        self._accepting = False
        self._draining = False
        self._stamp_ns = 0
        self._waiting_since_ns = 0  # when the oldest command in the queue came

    @property
    def epoch(self) -> int:
        return self.journal.epoch

    @property
    def accepting(self) -> bool:
        """Whether commands are taken."""
        return self._accepting and not self._draining

    @property
    def queued(self) -> int:
        """Commands that wait for a group."""
        return len(self._pending)

    async def start(self, recovery_ns: int | None = None) -> None:
        """Replay what the exchange has not seen, then journal the start of this epoch: it ends every session of the epoch before.

        `recovery_ns` is the length of the cancel-only phase that follows, instead of that of the genesis. Listeners see the replayed batches too.
        """
        replay_into(self.exchange, self.journal, self._tell)
        self._stamp_ns = self.exchange.now_ns
        self._accepting = True
        self._task = asyncio.create_task(self._run(), name="order-path")
        await self.submit(_node_started(self.epoch, self.exchange.settings.recovery_ns if recovery_ns is None else recovery_ns))

    def drain(self) -> None:
        """From here on take nothing but the ends of sessions; what was taken is finished. `stop` follows."""
        self._draining = True

    async def stop(self) -> None:
        """Refuse new commands, finish those that were taken, journal a checkpoint of both hashes, close the journal."""
        self._accepting = False
        self._wake.set()
        try:
            if self._task is not None:
                await self._task
                # Stamped as the last command was, so that no deadline fires between the state it records and the state it is compared with.
                await self._commit([self._checkpoint()], self._stamp_ns)
        finally:
            self._writer.shutdown(wait=True)
            self.journal.close()

    def _checkpoint(self) -> _Pending:
        document = encode_document(self.exchange.checkpoint())
        return _Pending(new_command(CommandKind.CHECKPOINT), document, asyncio.get_running_loop().create_future())

    def submit(self, record: NDArray[np.void], document: bytes = b"") -> asyncio.Future[Answer]:
        """Queue one COMMAND record, shape (1,); sequence, stamp and document place are the node's to fill. Raises NotAcceptingError."""
        self._check_accepting(1, is_end=self._draining and int(record["kind"][0]) == CommandKind.SESSION_CLOSED)
        pending = _Pending(record, document, asyncio.get_running_loop().create_future())
        if not self._pending:
            self._waiting_since_ns = time.perf_counter_ns()
        self._pending.append(pending)
        self._wake.set()
        return pending.answer

    def submit_many(self, records: NDArray[np.void]) -> Sequence[asyncio.Future[Answer]]:
        """Queue COMMAND records, contiguous and in order; all or none. Raises NotAcceptingError."""
        self._check_accepting(len(records))
        loop = asyncio.get_running_loop()
        legs = records["group"].tolist()
        pending = [_Pending(records[i : i + 1], b"", loop.create_future(), legs[i]) for i in range(len(records))]
        if not self._pending:
            self._waiting_since_ns = time.perf_counter_ns()
        self._pending.extend(pending)
        self._wake.set()
        return [entry.answer for entry in pending]

    def _check_accepting(self, count: int, *, is_end: bool = False) -> None:
        if self.failure is not None:
            raise NotAcceptingError(RejectCode.JOURNAL_FAILED)
        if not self._accepting or (self._draining and not is_end):
            raise NotAcceptingError(RejectCode.NOT_ACCEPTING)
        if len(self._pending) + count > QUEUE_LIMIT:
            raise NotAcceptingError(RejectCode.QUEUE_FULL)

    async def _run(self) -> None:
        while self._accepting or self._pending:
            self._wake.clear()
            if not self._pending:
                await self._wake.wait()
                continue
            group = self._gather()
            try:
                await self._commit(group)
            except ClockSteppedError:
                _refuse(group, NotAcceptingError(RejectCode.NOT_ACCEPTING))
            except BaseException as error:
                self._fail(group, error)
                raise

    def _gather(self) -> list[_Pending]:
        """What the next group holds. A basket, which `submit_many` took as a whole and without documents, is never cut."""
        group: list[_Pending] = []
        documents_bytes = 0
        while self._pending and len(group) < GROUP_LIMIT:
            if group and len(group) + self._pending[0].legs > GROUP_LIMIT:
                break
            documents_bytes += len(self._pending[0].document)
            if group and documents_bytes > DOCUMENTS_LIMIT_BYTES:
                break
            group.append(self._pending.popleft())
        gathered_ns = time.perf_counter_ns()
        self.stages.observe(Stage.QUEUE, gathered_ns - self._waiting_since_ns)
        self._waiting_since_ns = gathered_ns
        return group

    async def _commit(self, group: list[_Pending], stamp_ns: int | None = None) -> None:
        """One group: sequence, stamp (`stamp_ns`, or the clock), journal, apply, answer, publish.

        Raises ClockSteppedError before anything is recorded.
        """
        records = joined([entry.record for entry in group], COMMAND)
        self._stamp_ns = max(self._stamp_ns, self._clock.now_ns()) if stamp_ns is None else stamp_ns
        records["stamp_ns"] = self._stamp_ns
        documents = _place_documents(records, group)
        loop = asyncio.get_running_loop()
        begun_ns = time.perf_counter_ns()
        committed = await loop.run_in_executor(self._writer, self.journal.append, records, documents)
        durable_ns = time.perf_counter_ns()
        batch = self.exchange.apply(records, documents, committed.first_sequence)
        applied_ns = time.perf_counter_ns()
        for index, entry in enumerate(group):
            if not entry.answer.done():
                entry.answer.set_result(Answer(batch.outcomes[index], batch.results.get(index)))
        self._tell(batch)
        self.stages.observe(Stage.JOURNAL, durable_ns - begun_ns)
        self.stages.observe(Stage.APPLY, applied_ns - durable_ns)
        self.stages.observe(Stage.PUBLISH, time.perf_counter_ns() - applied_ns)

    def _tell(self, batch: BatchResult) -> None:
        for listener in self.listeners:
            listener(batch)

    def _fail(self, group: list[_Pending], error: BaseException) -> None:
        """A failed append or an inconsistent state is final: whoever waits is told that nothing is known to be recorded."""
        self.failure = error
        self._accepting = False
        refusal = NotAcceptingError(RejectCode.JOURNAL_FAILED if isinstance(error, JournalFailedError) else RejectCode.NOT_ACCEPTING)
        _refuse([*group, *self._pending], refusal)
        self._pending.clear()


def _refuse(entries: list[_Pending], refusal: NotAcceptingError) -> None:
    for entry in entries:
        if not entry.answer.done():
            entry.answer.set_exception(refusal)


def _place_documents(records: NDArray[np.void], group: list[_Pending]) -> bytes:
    """Documents of a group back to back; each record gets the place of its own."""
    parts: list[bytes] = []
    offset = 0
    for index, entry in enumerate(group):
        if entry.document:
            records["document_offset"][index] = offset
            records["document_length"][index] = len(entry.document)
            parts.append(entry.document)
            offset += len(entry.document)
    return b"".join(parts)


def new_command(kind: CommandKind) -> NDArray[np.void]:
    """A COMMAND record, shape (1,), of the exchange itself."""
    record = np.zeros(1, COMMAND)
    record["kind"], record["version"] = kind, RECORD_VERSION
    return record


def _node_started(epoch: int, recovery_ns: int) -> NDArray[np.void]:
    record = new_command(CommandKind.NODE_STARTED)
    record["quantity_lots"], record["expiry_ns"] = epoch, recovery_ns
    return record
