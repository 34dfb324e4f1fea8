"""Usual orders of one socket read, all together: one compiled call to their records, one submission, one compiled call to their answers.

    frames -> scanner.scan_frames -> buckets of key and account -> Node.submit_batch -> order_answers.write_answers -> session

What is not usual, and every frame of a batch that a limit would cut short, goes the ordinary way (connection.py), which knows how to refuse.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.gateway.answers import Decimals, failure_code, order_answer
from exchange.gateway.order_answers import ANSWER_BYTES_MAX, write_answers
from exchange.gateway.scanner import N_PARAMS, TICKET, scan_frames
from exchange.gateway.symbols import Symbols, as_kernel_records
from exchange.gateway.throttle import COSTS, take_both
from exchange.journal.record import COMMAND, CommandKind
from exchange.order_path.records import OUTCOME
from exchange.order_path.state import COMMAND_WORDS
from exchange.protocol import messages as m
from exchange.protocol.codec import encode_result

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection

_ANSWERS_AT_FIRST: Final = 256
_CANCEL: Final = int(CommandKind.CANCEL)
assert COSTS[m.Place] == COSTS[m.Amend]


def is_usual_candidate(frame: bytes) -> bool:
    """Whether it is worth to look at a frame with the scanner."""
    return b'"order.' in frame


class FrameBatch:
    """The frames of one read as the scanner wants them."""

    __slots__ = ("commands", "data", "ends", "frames", "tickets")

    def __init__(self, frames: list[bytes]) -> None:
        count = len(frames)
        self.frames = frames
        self.data = np.frombuffer(b"\0".join(frames) + b"\0", np.uint8)
        self.ends = np.cumsum(np.fromiter(map(len, frames), np.int64, count) + 1) - 1
        self.commands: NDArray[np.void] = np.zeros(count, COMMAND)
        self.tickets: NDArray[np.void] = np.zeros(count, TICKET)


class UsualOrders:
    """One a gateway: the symbols it knows, and memory to work in."""

    def __init__(self) -> None:
        self.symbols = Symbols()
        self._fields = np.zeros(2 * N_PARAMS, np.int64)
        self._out = np.empty(_ANSWERS_AT_FIRST * ANSWER_BYTES_MAX, np.uint8)
        self._ends = np.empty(_ANSWERS_AT_FIRST, np.int64)

    def compile(self) -> None:
        """Compile, or load, what the first order would wait for."""
        batch = FrameBatch([b"{}"])
        scan_frames(
            batch.data, batch.ends, 0, self.symbols.table, 0, 0, 0, self._fields, as_kernel_records(batch.commands.view(COMMAND_WORDS)),
            as_kernel_records(batch.tickets),
        )  # fmt: skip
        self.encode(np.zeros(1, OUTCOME), batch.tickets)

    def take(self, connection: "Connection", batch: FrameBatch, first: int) -> int:
        """Act on usual frames from number `first` on; returns the number of the first frame that is left."""
        identity = connection.identity
        assert identity is not None
        last = scan_frames(
            batch.data, batch.ends, first, self.symbols.table, identity.account, identity.session, identity.order_flags, self._fields,
            as_kernel_records(batch.commands.view(COMMAND_WORDS)), as_kernel_records(batch.tickets),
        )  # fmt: skip
        count = last - first
        if not count:
            return first
        tickets = batch.tickets[first:last]
        if not connection.has_room(count) or not self._pay(connection, tickets):
            for frame in batch.frames[first:last]:
                connection.read_frame(frame)
            return last
        _Submission(self, connection, tickets).submit(batch.commands[first:last])
        return last

    def encode(self, outcomes: NDArray[np.void], tickets: NDArray[np.void]) -> list[bytes]:
        """Answers to accepted commands, one a frame; an empty one for each command that is left to the codec."""
        count = len(outcomes)
        if count > len(self._ends):
            self._ends = np.empty(2 * count, np.int64)
            self._out = np.empty(2 * count * ANSWER_BYTES_MAX, np.uint8)
        write_answers(as_kernel_records(outcomes), as_kernel_records(tickets), self._out, self._ends)
        ends: list[int] = self._ends[:count].tolist()
        data = self._out[: ends[-1]].tobytes()
        start = 0
        frames = []
        for end in ends:
            frames.append(data[start:end])
            start = end
        return frames

    def _pay(self, connection: "Connection", tickets: NDArray[np.void]) -> bool:
        """Take the tokens of all commands from both buckets, or none."""
        identity = connection.identity
        assert identity is not None
        n_cancels = int(np.count_nonzero(tickets["kind"] == _CANCEL))
        cost = COSTS[m.Place] * (len(tickets) - n_cancels) + COSTS[m.Cancel] * n_cancels
        return take_both(identity.key_bucket, identity.account_bucket, cost, connection.hub.monotonic_s()) is None


class _Submission:
    """Commands of one connection on their way through the node. It is told of them in order, perhaps in several parts."""

    __slots__ = ("_connection", "_n_answered", "_tickets", "_usual")

    def __init__(self, usual: UsualOrders, connection: "Connection", tickets: NDArray[np.void]) -> None:
        self._usual = usual
        self._connection = connection
        self._tickets = tickets
        self._n_answered = 0

    def submit(self, commands: NDArray[np.void]) -> None:
        connection = self._connection
        connection.session.claim(len(commands))
        connection.hub.in_flight += len(commands)
        try:
            connection.hub.node.submit_batch(commands, self._done, self._failed)
        except Exception as error:  # noqa: BLE001 - whatever the node raises, each request gets its answer
            self._failed(error)

    def _done(self, outcomes: NDArray[np.void], _: dict[int, dict[str, Any]]) -> None:
        connection, first = self._connection, self._n_answered
        self._n_answered += len(outcomes)
        connection.hub.in_flight -= len(outcomes)
        tickets = self._tickets[first : self._n_answered]
        frames = self._usual.encode(outcomes, tickets)
        if all(frames):
            connection.session.answer_encoded(frames)
        else:
            for index, frame in enumerate(frames):
                if frame:
                    connection.session.answer_encoded([frame])
                else:
                    _answer_by_codec(connection, outcomes[index], tickets[index])
        connection.send_answers()

    def _failed(self, error: Exception) -> None:
        """Nothing is known of what has not been answered yet."""
        connection, waiting = self._connection, self._tickets["id"][self._n_answered :].tolist()
        self._n_answered = len(self._tickets)
        connection.hub.in_flight -= len(waiting)
        code = failure_code(error)
        for request_id in waiting:
            connection.session.refuse_id(request_id, code)
        connection.send_answers()


def _answer_by_codec(connection: "Connection", outcome: np.void, ticket: np.void) -> None:
    request_id, quantity_lots, multiplier_micro, price_decimals, quantity_decimals, _ = ticket.item()
    spec = Decimals(price_decimals, quantity_decimals, multiplier_micro) if multiplier_micro else None
    answer = order_answer(outcome, spec, quantity_lots)
    if isinstance(answer, m.OrderResult):
        connection.session.answer_encoded([encode_result(request_id, answer)])
    else:
        connection.session.refuse_id(request_id, *answer)
