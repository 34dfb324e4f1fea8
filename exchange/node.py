"""Assembly of one exchange: journal, state and clock behind one queue of commands.

    submit -> gather -> stamp and sequence -> journal (its own thread) -> Exchange.apply -> listeners, then answers

While one group is being made durable the next one gathers, and while that is made durable the first is applied and answered. Nothing is answered
before it is durable. The order of commands is the order of `submit`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.clock import Clock
from exchange.errors import ClockSteppedError, JournalFailedError, ParkexError
from exchange.journal.interface import CommittedGroup, Journal
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandKind
from exchange.journal.writer import JournalWriter, Writer
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import joined
from exchange.protocol.documents import encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_into
from exchange.stages import Stage, Stages

logger = logging.getLogger("parkex.node")

GROUP_LIMIT: Final = 1024
QUEUE_LIMIT: Final = 16_384
DOCUMENTS_LIMIT_BYTES: Final = 16 * 1024 * 1024
# Taken while the wall clock is in doubt, stamped as the last command was: time stands still, and who may confirm the clock can log on.
WITHOUT_CLOCK: Final = frozenset({int(CommandKind.SESSION_OPENED), int(CommandKind.SESSION_CLOSED)})


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


# What a submission came to: outcomes (OUTCOME, one row a command) and what business commands answer by index, or why nothing is known to be recorded.
Done = Callable[[NDArray[np.void], dict[int, dict[str, Any]]], None]
Failed = Callable[["NotAcceptingError"], None]
Listener = Callable[[BatchResult], None]


@dataclass(slots=True)
class _Submission:
    """Commands that one group holds together."""

    records: NDArray[np.void]
    document: bytes
    done: Done
    failed: Failed
    needs_clock: bool = True


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

    @property
    def in_doubt(self) -> bool:
        """Whether the wall clock was stepped and nobody has set it right or confirmed it."""
        try:
            self._clock.now_ns()
        except ClockSteppedError:
            return True
        return False


class Node:
    """One writer of one journal. Use inside a running loop: `await start()`, `submit(...)`, `await stop()`."""

    def __init__(self, journal: Journal, exchange: Exchange, clock: Clock, writer: Writer | None = None) -> None:
        """`writer` appends to the journal: in a thread of its own unless one is given."""
        self.journal = journal
        self.exchange = exchange
        self._clock = clock
        self.clock = ToldTime(clock, exchange)
        self.listeners: list[Listener] = []
        self.failure: BaseException | None = None
        self._failed = asyncio.Event()
        self.stages = Stages()
        self._pending: deque[_Submission] = deque()
        self._n_pending = 0  # commands
        self._flushing: list[_Submission] = []
        self._is_scheduled = False
        self._writer = writer or JournalWriter(journal)
        self._idle: asyncio.Future[None] | None = None  # somebody waits for the queue to be empty
        self._accepting = False
        self._is_stopped = False
        self._draining = False
        self._stamp_ns = 0
        self._told_of_doubt = False
        self._waiting_since_ns = 0  # when the oldest command in the queue came

    @property
    def epoch(self) -> int:
        return self.journal.epoch

    @property
    def accepting(self) -> bool:
        """Whether commands are taken."""
        return self._accepting and not self._draining and not self.clock.in_doubt

    @property
    def queued(self) -> int:
        """Commands that wait for a group."""
        return self._n_pending

    async def start(self, recovery_ns: int | None = None) -> None:
        """Replay what the exchange has not seen, then journal the start of this epoch: it ends every session of the epoch before.

        `recovery_ns` is the length of the cancel-only phase that follows, instead of that of the genesis. Listeners see the replayed batches too.
        Raises what the node has failed with.
        """
        replay_into(self.exchange, self.journal, self._tell)
        self._stamp_ns = self.exchange.now_ns
        self._clock.resume_from(self._stamp_ns)
        self._accepting = True
        started = _node_started(self.epoch, self.exchange.settings.recovery_ns if recovery_ns is None else recovery_ns)
        try:
            await self._enqueue(started, b"", needs_clock=False)
        except NotAcceptingError:
            assert self.failure is not None  # nothing else refuses a start
            raise self.failure  # noqa: B904 - it has a cause of its own

    async def until_failed(self) -> BaseException:
        """Wait for `failure`, as long as there is none."""
        await self._failed.wait()
        assert self.failure is not None
        return self.failure

    def drain(self) -> None:
        """From here on take nothing but the ends of sessions; what was taken is finished. `stop` follows."""
        self._draining = True

    async def stop(self) -> None:
        """Refuse new commands, finish those that were taken, journal a checkpoint of both hashes, close the journal.

        Raises what the node has failed with. A second call does nothing.
        """
        if self._is_stopped:
            return
        self._is_stopped = True
        was_started, self._accepting = self._accepting or self.failure is not None, False
        try:
            await self._until_idle()
            if was_started:
                # Stamped as the last command was, so that no deadline fires between the state it records and the state it is compared with.
                answer = self._enqueue(new_command(CommandKind.CHECKPOINT), encode_document(self.exchange.checkpoint()))
                self._start_group(self._stamp_ns)
                await answer
        finally:
            self._writer.close()
            self.journal.close()

    async def _until_idle(self) -> None:
        """Until everything that was taken has been answered. Raises what the node has failed with."""
        if self.failure is None and (self._pending or self._flushing):
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        if self.failure is not None:
            raise self.failure

    def submit(self, record: NDArray[np.void], document: bytes = b"") -> asyncio.Future[Answer]:
        """Queue one COMMAND record, shape (1,); sequence, stamp and document place are the node's to fill. Raises NotAcceptingError."""
        kind = int(record["kind"][0])
        self._check_accepting(1, is_end=self._draining and kind == CommandKind.SESSION_CLOSED)
        return self._enqueue(record, document, needs_clock=kind not in WITHOUT_CLOCK)

    def confirm_clock(self, record: NDArray[np.void], document: bytes) -> asyncio.Future[Answer]:
        """Queue the document that confirms the wall clock; taken also while that is in doubt. If it is carried out, the clock as it is at this
        moment is believed from then on. Raises NotAcceptingError.
        """
        self._check_accepting(1)
        return self._enqueue(record, document, needs_clock=False, accepted=self._clock.confirmation())

    def submit_many(self, records: NDArray[np.void]) -> Sequence[asyncio.Future[Answer]]:
        """Queue COMMAND records, contiguous and in order; all or none. Raises NotAcceptingError."""
        loop = asyncio.get_running_loop()
        answers = [loop.create_future() for _ in range(len(records))]

        def done(first: int, outcomes: NDArray[np.void], results: dict[int, dict[str, Any]]) -> None:
            for index in range(len(outcomes)):
                _resolve(answers[first + index], Answer(outcomes[index], results.get(index)))

        def failed(first: int, count: int, refusal: NotAcceptingError) -> None:
            for answer in answers[first : first + count]:
                _refuse(answer, refusal)

        self._check_accepting(len(records))
        for first, end in _whole_baskets(records):
            self._put(_Submission(records[first:end], b"", partial(done, first), partial(failed, first, end - first)))
        return answers

    def submit_batch(self, records: NDArray[np.void], done: Done, failed: Failed) -> None:
        """Queue COMMAND records without documents and without baskets, contiguous and in order, all or none: one call of `done` or `failed` for at
        most GROUP_LIMIT of them, in order. Both are called in the loop and may not raise. Raises NotAcceptingError.
        """
        self._check_accepting(len(records))
        for first in range(0, len(records), GROUP_LIMIT):
            self._put(_Submission(records[first : first + GROUP_LIMIT], b"", done, failed))

    def _check_accepting(self, count: int, *, is_end: bool = False) -> None:
        if self.failure is not None:
            raise NotAcceptingError(RejectCode.JOURNAL_FAILED)
        if not self._accepting or (self._draining and not is_end):
            raise NotAcceptingError(RejectCode.NOT_ACCEPTING)
        if self._n_pending + count > QUEUE_LIMIT:
            raise NotAcceptingError(RejectCode.QUEUE_FULL)

    def _enqueue(
        self, record: NDArray[np.void], document: bytes, *, needs_clock: bool = True, accepted: Callable[[], None] | None = None
    ) -> asyncio.Future[Answer]:
        """`accepted` is called when the command is carried out."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(outcomes: NDArray[np.void], results: dict[int, dict[str, Any]]) -> None:
            if accepted is not None and not outcomes["code"][0]:
                accepted()
            _resolve(answer, Answer(outcomes[0], results.get(0)))

        self._put(_Submission(record, document, done, partial(_refuse, answer), needs_clock))
        return answer

    def _put(self, submission: _Submission) -> None:
        if not self._pending:
            self._waiting_since_ns = time.perf_counter_ns()
        self._pending.append(submission)
        self._n_pending += len(submission.records)
        if not self._is_scheduled and not self._flushing:
            # What else the loop has read by now joins this group.
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._start_group)

    def _start_group(self, stamp_ns: int | None = None) -> None:
        """Hand the next group to the journal, stamped `stamp_ns` or by the clock, unless one is on its way or none waits."""
        self._is_scheduled = False
        if self._flushing or not self._pending:
            return
        try:
            self._stamp_ns = max(self._stamp_ns, self._clock.now_ns()) if stamp_ns is None else stamp_ns
        except ClockSteppedError as error:
            if not self._told_of_doubt:
                logger.warning("no command is taken: %s", error)
            self._told_of_doubt = True
            self._refuse_pending(NotAcceptingError(RejectCode.NOT_ACCEPTING), all_of_them=False)
            if not self._pending:
                return
        else:
            if self._told_of_doubt:
                logger.warning("commands are taken again: the wall clock was confirmed or set right")
            self._told_of_doubt = False
        group = self._gather()
        records = joined([submission.records for submission in group], COMMAND)
        records["stamp_ns"] = self._stamp_ns
        documents = _place_documents(records, group)
        self._flushing = group
        self._writer.append(records, documents, partial(self._appended, group, records, documents, time.perf_counter_ns()))

    def _gather(self) -> list[_Submission]:
        """What the next group holds. A submission, and with it a basket, is never cut."""
        group: list[_Submission] = []
        n_commands = documents_bytes = 0
        while self._pending:
            following = self._pending[0]
            n_commands += len(following.records)
            documents_bytes += len(following.document)
            if group and (n_commands > GROUP_LIMIT or documents_bytes > DOCUMENTS_LIMIT_BYTES):
                break
            self._n_pending -= len(following.records)
            group.append(self._pending.popleft())
        gathered_ns = time.perf_counter_ns()
        self.stages.observe(Stage.QUEUE, gathered_ns - self._waiting_since_ns)
        self._waiting_since_ns = gathered_ns
        return group

    def _appended(
        self, group: list[_Submission], records: NDArray[np.void], documents: bytes, begun_ns: int, receipt: CommittedGroup | BaseException
    ) -> None:
        """The journal has a group, or has failed. The next one is flushed while this one is applied."""
        if self.failure is not None:
            return
        self._flushing = []
        durable_ns = time.perf_counter_ns()
        try:
            if isinstance(receipt, BaseException):
                raise receipt
            self._start_group()
            batch = self.exchange.apply(records, documents, receipt.first_sequence)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is final and everybody is told
            self._fail(group, error)
            return
        applied_ns = time.perf_counter_ns()
        failure = self._publish(group, batch)
        self.stages.observe(Stage.JOURNAL, durable_ns - begun_ns)
        self.stages.observe(Stage.APPLY, applied_ns - durable_ns)
        self.stages.observe(Stage.PUBLISH, time.perf_counter_ns() - applied_ns)
        if failure is not None:
            self._fail([], failure)
        elif self._idle is not None and not self._pending and not self._flushing:
            _resolve(self._idle, None)

    def _publish(self, group: list[_Submission], batch: BatchResult) -> BaseException | None:
        """Listeners, then answers: who gets both hears of the event first. What has been applied is answered even if a listener has failed."""
        failure: BaseException | None = None
        try:
            self._tell(batch)
        except BaseException as error:  # noqa: BLE001 - returned
            failure = error
        first = 0
        for submission in group:
            end = first + len(submission.records)
            results = {index - first: result for index, result in batch.results.items() if first <= index < end} if batch.results else {}
            try:
                submission.done(batch.outcomes[first:end], results)
            except Exception:
                logger.exception("an answer was not delivered")
            first = end
        return failure

    def _tell(self, batch: BatchResult) -> None:
        for listener in self.listeners:
            listener(batch)

    def _fail(self, group: list[_Submission], error: BaseException) -> None:
        """A failed append or an inconsistent state is final: whoever waits is told that nothing is known to be recorded."""
        logger.error("the node has stopped", exc_info=error)
        self.failure = error
        self._failed.set()
        self._accepting = False
        logger.critical("no command is taken any more: %s", error)
        refusal = NotAcceptingError(RejectCode.JOURNAL_FAILED if isinstance(error, JournalFailedError) else RejectCode.NOT_ACCEPTING)
        self._pending.extendleft(reversed([*group, *self._flushing]))
        self._flushing = []
        self._refuse_pending(refusal)

    def _refuse_pending(self, refusal: "NotAcceptingError", *, all_of_them: bool = True) -> None:
        """Tell all who wait, or those whose commands need the clock, that nothing is known to be recorded."""
        waiting, self._pending = self._pending, deque()
        for submission in waiting:
            if not all_of_them and not submission.needs_clock:
                self._pending.append(submission)
                continue
            try:
                submission.failed(refusal)
            except Exception:
                logger.exception("a refusal was not delivered")
        self._n_pending = sum(len(submission.records) for submission in self._pending)
        if self._idle is not None and not self._pending:
            _resolve(self._idle, None)


def _resolve(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _refuse(answer: asyncio.Future[Any], refusal: NotAcceptingError) -> None:
    if not answer.done():
        answer.set_exception(refusal)


def _whole_baskets(records: NDArray[np.void]) -> list[tuple[int, int]]:
    """Records cut into runs of at most GROUP_LIMIT, never inside a basket."""
    runs: list[tuple[int, int]] = []
    first = end = 0
    legs = records["group"].tolist()
    while end < len(records):
        following = end + max(1, legs[end])
        if following - first > GROUP_LIMIT:
            runs.append((first, end))
            first = end
        end = following
    runs.append((first, end))
    return runs


def _place_documents(records: NDArray[np.void], group: list[_Submission]) -> bytes:
    """Documents of a group back to back; each record gets the place of its own."""
    parts: list[bytes] = []
    offset = 0
    index = 0
    for entry in group:
        if entry.document:
            records["document_offset"][index] = offset
            records["document_length"][index] = len(entry.document)
            parts.append(entry.document)
            offset += len(entry.document)
        index += len(entry.records)
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
