"""Usual orders of all connections, together: one compiled call to their records, one submission, one compiled call to their answers.

    frames -> scanner.scan_frames -> buckets of key and account -> Node.submit_batch -> order_answers.write_answers -> outboxes

What the loop has read before it turns to the node is one batch. What is not usual, and what a limit would refuse, is given back to its connection,
which knows how to refuse; the frames of one connection are acted on in their order.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.answers import Decimals, failure_code, order_answer
from exchange.gateway.throttle import COSTS, take_both
from exchange.gateway.usual.answers import ANSWER_BYTES_MAX, write_answers
from exchange.gateway.usual.requests import N_FOUND, N_PARAMS
from exchange.gateway.usual.scanner import SENDER, TICKET, scan_frames
from exchange.gateway.usual.symbols import Symbols, as_kernel_records
from exchange.journal.record import COMMAND
from exchange.order_path.records import OUTCOME, joined
from exchange.order_path.state import COMMAND_WORDS
from exchange.protocol import messages as m
from exchange.protocol.codec import encode_result
from exchange.stages import Stage

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection
    from exchange.gateway.ports import NodePort

_ANSWERS_AT_FIRST: Final = 256
_ORDER_COST: Final = COSTS[m.Place]
_CANCEL_COST: Final = COSTS[m.Cancel]
assert COSTS[m.Amend] == _ORDER_COST


def is_usual_candidate(frame: bytes) -> bool:
    """Whether it is worth to look at a frame with the scanner."""
    return b'"order.' in frame


class UsualOrders:
    """One a gateway."""

    def __init__(self, node: "NodePort") -> None:
        self.symbols = Symbols()
        self._node = node
        self.began_ns = 0  # when the first frame of this batch came whose way here is not timed elsewhere
        self._waiting: dict[Connection, list[bytes]] = {}
        self._fields, self._found = np.zeros(2 * N_PARAMS, np.int64), np.zeros(N_FOUND, np.int64)
        self._out = np.empty(_ANSWERS_AT_FIRST * ANSWER_BYTES_MAX, np.uint8)
        self._ends = np.empty(_ANSWERS_AT_FIRST, np.int64)

    def compile(self) -> None:
        """Compile, or load, what the first order would wait for."""
        _, tickets = self._scan([b"{}"], np.zeros(1, SENDER))
        self.write(np.zeros(1, OUTCOME), tickets)

    def put(self, connection: "Connection", frames: list[bytes]) -> None:
        """Act on the frames of a connection that may trade, with those of others, as soon as the loop has read what is there."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        waiting = self._waiting.get(connection)
        self._waiting[connection] = frames if waiting is None else waiting + frames

    def flush(self) -> None:
        """Act on all that waits, now."""
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            began_ns, self.began_ns = self.began_ns, 0
            self._act_on([(connection, frames) for connection, frames in waiting.items() if connection.is_up])
            if began_ns:
                self._node.stages.observe(Stage.DECODE, time.perf_counter_ns() - began_ns)

    def write(self, outcomes: NDArray[np.void], tickets: NDArray[np.void]) -> tuple[bytes, list[int], int]:
        """Answers to accepted commands, framed: (their bytes, where each ends, how many have no length since they are left to the codec)."""
        count = len(outcomes)
        if count > len(self._ends):
            self._ends = np.empty(2 * count, np.int64)
            self._out = np.empty(2 * count * ANSWER_BYTES_MAX, np.uint8)
        n_left = write_answers(as_kernel_records(outcomes), as_kernel_records(tickets), self._out, self._ends)
        ends: list[int] = self._ends[:count].tolist()
        return self._out[: ends[-1]].tobytes(), ends, n_left

    def _act_on(self, sent: "list[tuple[Connection, list[bytes]]]") -> None:
        if not sent:
            return
        frames = [frame for _, own in sent for frame in own]
        # A row of integers is made much faster than a record.
        senders = np.array([_sender(connection, len(own)) for connection, own in sent], np.int64).view(SENDER).reshape(-1)
        commands, tickets = self._scan(frames, senders)
        taken: list[tuple[Connection, int, int]] = []
        rest: list[tuple[Connection, list[bytes], int]] = []
        first = 0
        now_s = sent[0][0].hub.monotonic_s()
        for (connection, own), n_usual, n_cancels in zip(sent, senders["n_usual"].tolist(), senders["n_cancels"].tolist(), strict=True):
            if n_usual and _pays(connection, n_usual, n_cancels, now_s):
                connection.hub.in_flight += n_usual
                taken.append((connection, first, first + n_usual))
                if n_usual < len(own):
                    rest.append((connection, own[n_usual:], 1))
            elif own:
                rest.append((connection, own, max(n_usual, 1)))
            first += len(own)
        if taken:
            _Submission(self, taken, commands, tickets).submit(self._node)
        for connection, own, n_ordinary in rest:
            connection.read_on(own, n_ordinary)

    def _scan(self, frames: list[bytes], senders: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """COMMAND and TICKET a frame, of those that `senders` now says are usual."""
        count = len(frames)
        data = np.frombuffer(b"\0".join(frames) + b"\0", np.uint8)
        ends = np.cumsum(np.fromiter(map(len, frames), np.int64, count) + 1) - 1
        commands, tickets = np.zeros(count, COMMAND), np.zeros(count, TICKET)
        words = as_kernel_records(commands.view(COMMAND_WORDS))
        scan_frames(data, ends, as_kernel_records(senders), self.symbols.table, self._fields, self._found, words, as_kernel_records(tickets))
        return commands, tickets


def _sender(connection: "Connection", n_frames: int) -> tuple[int, ...]:
    """A row of SENDER. Without a right to trade nothing is usual."""
    identity = connection.identity
    if identity is None or not connection.may_trade:
        return (0, 0, 0, 0, n_frames, 0, 0)
    return (identity.account, identity.session, identity.order_flags, connection.session.frame_limit_bytes, n_frames, 0, 0)


def _pays(connection: "Connection", n_commands: int, n_cancels: int, now_s: float) -> bool:
    """Take the tokens of all commands from both buckets and find room for them, or leave everything as it is."""
    identity = connection.identity
    if identity is None or not connection.has_room(n_commands):
        return False
    cost = _ORDER_COST * (n_commands - n_cancels) + _CANCEL_COST * n_cancels
    return take_both(identity.key_bucket, identity.account_bucket, cost, now_s) is None


class _Submission:
    """Commands on their way through the node, which tells of them in order, perhaps in several parts."""

    __slots__ = ("_commands", "_n_answered", "_taken", "_tickets", "_usual")

    def __init__(
        self, usual: UsualOrders, taken: "list[tuple[Connection, int, int]]", commands: NDArray[np.void], tickets: NDArray[np.void]
    ) -> None:
        """`taken` says whose the rows from one number to another are."""
        if sum(end - first for _, first, end in taken) < len(commands):
            commands = joined([commands[first:end] for _, first, end in taken], COMMAND)
            tickets = joined([tickets[first:end] for _, first, end in taken], TICKET)
            at = 0
            for index, (connection, first, end) in enumerate(taken):
                taken[index] = (connection, at, at + end - first)
                at += end - first
        self._usual = usual
        self._taken = taken
        self._commands = commands
        self._tickets = tickets
        self._n_answered = 0

    def submit(self, node: "NodePort") -> None:
        try:
            node.submit_batch(self._commands, self._done, self._failed)
        except Exception as error:  # noqa: BLE001 - whatever the node raises, each request gets its answer
            self._failed(error)

    def _done(self, outcomes: NDArray[np.void], _: dict[int, dict[str, Any]]) -> None:
        first = self._n_answered
        self._n_answered += len(outcomes)
        tickets = self._tickets[first : self._n_answered]
        framed, ends, n_left = self._usual.write(outcomes, tickets)
        starts = [0, *ends]
        for connection, from_row, to_row in self._rows(first, self._n_answered):
            connection.hub.in_flight -= to_row - from_row
            if n_left:
                _deliver_one_by_one(connection, framed, starts, outcomes, tickets, from_row, to_row)
            else:
                connection.deliver(framed[starts[from_row] : starts[to_row]], to_row - from_row)

    def _failed(self, error: Exception) -> None:
        """Nothing is known of what has not been answered yet."""
        first, self._n_answered = self._n_answered, len(self._tickets)
        request_ids = self._tickets["id"][first:].tolist()
        code = failure_code(error)
        for connection, from_row, to_row in self._rows(first, self._n_answered):
            connection.hub.in_flight -= to_row - from_row
            for request_id in request_ids[from_row:to_row]:
                connection.session.refuse_id(request_id, code)
            connection.send_answers()

    def _rows(self, first: int, end: int) -> "list[tuple[Connection, int, int]]":
        """Whose the rows from `first` to `end` are, counted from `first`."""
        return [(c, max(start, first) - first, min(stop, end) - first) for c, start, stop in self._taken if start < end and stop > first]


def _deliver_one_by_one(
    connection: "Connection", framed: bytes, starts: list[int], outcomes: NDArray[np.void], tickets: NDArray[np.void], first: int, end: int
) -> None:
    """Answers of one connection in their order, some of them by the codec."""
    for row in range(first, end):
        answer = framed[starts[row] : starts[row + 1]]
        if answer:
            connection.deliver(answer, 1)
            continue
        request_id, quantity_lots, multiplier_micro, price_decimals, quantity_decimals, _ = tickets[row].item()
        spec = Decimals(price_decimals, quantity_decimals, multiplier_micro) if multiplier_micro else None
        result = order_answer(outcomes[row], spec, quantity_lots)
        if isinstance(result, m.OrderResult):
            connection.session.answer_encoded([encode_result(request_id, result)])
        else:
            connection.session.refuse_id(request_id, *result)
    connection.send_answers()
