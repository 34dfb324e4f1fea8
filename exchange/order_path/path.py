"""The order path after the journal, in order: deadlines, admit, reserve, match, post. `Exchange.apply` is the fold.

    command records -> run_commands (loop.py, compiled)
                         deadlines up to the stamp      deadlines.py, phase_control.py
                         5. admit                       admit.py, storage.py, idempotency.py
                         5. reserve                     ledger.postings.reserve
                         6. match                       matching.commands
                         7. post                        post.py, ledger.postings
                    -> outcomes, executions, postings, notices

The loop stops for what happens once and not ten thousand times a second, and plain Python goes on: documents, block trades, one-way auctions and the
settlement of a day are in `business/`, call auctions in auctions.py, the close of a trading day in daily_close.py. What a state is, and what it must
hold, is in state.py, canonical.py and check.py.

No clock, randomness, network or file is used here: state is a function of the genesis and the commands. Results do not depend on how commands are cut
into batches, nor on memory sizes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core import config
from numpy.typing import NDArray

from exchange.accounts.approvals import ApprovalMode, ApprovalRules, Approvals
from exchange.accounts.participants import Participant, RegisteredKey
from exchange.accounts.permissions import ROLE_SCOPES, Permission, Role
from exchange.errors import CheckFailedError, InputError
from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, CommandKind
from exchange.ledger.chart import House
from exchange.market.instruments import Instrument
from exchange.market.phases import CALL_PHASES
from exchange.order_path import canonical, room
from exchange.order_path.auctions import take_over_interruption
from exchange.order_path.business.dispatch import carry_out
from exchange.order_path.business.keys import close_session, open_session
from exchange.order_path.business.listing import enter_account, enter_house
from exchange.order_path.daily_close import count_listed_trades
from exchange.order_path.dry_run import Trial, dry_run
from exchange.order_path.level import Level
from exchange.order_path.loop import Stop, begin_command, has_room, run_apart, run_commands, write_outcome
from exchange.order_path.phase_control import fire_deadline
from exchange.order_path.queries import Queries
from exchange.order_path.records import EXECUTION, OUTCOME, POSTING, copied, joined
from exchange.order_path.settings import decode_settings
from exchange.order_path.state import COMMAND_WORDS, COUNTER_AT, PathState, Sizes, new_state, output_arrays
from exchange.order_path.tables import Notice, Rooms
from exchange.protocol.documents import Checkpoint, decode_document
from exchange.protocol.reject_codes import RejectCode
from matching.core import MatchingCore

OPERATOR_NAME = "operator"
_ASSET = 3  # word of a posting
_N_EXECUTIONS, _N_POSTINGS = COUNTER_AT["n_executions"], COUNTER_AT["n_postings"]


@dataclass(slots=True)
class BatchResult:
    """What a batch of commands did. `outcomes` has one row a command; `results` holds what business commands answer, by index in the batch.

    `documents` is what the records' offsets point into.
    """

    first_sequence: int
    records: NDArray[np.void]
    documents: bytes
    outcomes: NDArray[np.void]
    executions: NDArray[np.void]
    postings: NDArray[np.void]
    notices: list[Notice]
    results: dict[int, dict[str, Any]]

    @property
    def last_sequence(self) -> int:
        return self.first_sequence + len(self.records) - 1


@dataclass(slots=True)
class _Output:
    """What has been drained of the batch at work, if it is kept."""

    is_kept: bool = True
    executions: list[NDArray[np.void]] = field(default_factory=list)
    postings: list[NDArray[np.void]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    results: dict[int, dict[str, Any]] = field(default_factory=dict)


class Exchange(Queries):
    """The state of one exchange. `sizes` and the sizes of the core never decide an outcome."""

    def __init__(self, genesis: Genesis, sizes: Sizes | None = None, core: MatchingCore | None = None) -> None:
        self.genesis = genesis
        self.settings = decode_settings(genesis.document)
        self.core = core or MatchingCore()
        self.rooms = Rooms(level=self.settings.level)
        self.state: PathState = new_state(self.core.state, self.core.order_capacity, sizes or Sizes())
        self._output = _Output()
        counters = self.state.counters[0]
        counters.retention_ns = self.settings.retention_ns
        counters.hash_key = int.from_bytes(genesis.hash_key[:8], "little")
        room.chain_free_keys(self.state, 0, self.state.keys.shape[0])
        self.state = enter_house(self.state, [int(account) for account in House])
        self._admit_operator()
        rules = ApprovalRules(ApprovalMode(self.settings.approval))
        self.rooms.approvals = Approvals(rules, rules)

    def _admit_operator(self) -> None:
        """The operator of the genesis: the only participant that nobody admitted."""
        participants = self.rooms.participants
        operator = Participant(participants.next_id, OPERATOR_NAME, Role.OPERATOR, Permission.NONE, 0, 0)
        participants.add(operator)
        self.state = enter_account(self.state, operator)
        persons = self.settings.persons_of(len(self.genesis.operator_keys))
        for index, (public_key, person) in enumerate(zip(self.genesis.operator_keys, persons, strict=True)):
            key_id = OPERATOR_NAME if index == 0 else f"{OPERATOR_NAME}-{index + 1}"
            participants.ring.add(RegisteredKey(key_id, operator.id, public_key, ROLE_SCOPES[Role.OPERATOR], person))

    @property
    def level(self) -> int:
        """Level of behaviour (exchange.order_path.level)."""
        return self.rooms.level

    def apply(self, records: NDArray[np.void], documents: bytes, first_sequence: int) -> BatchResult:
        """Fold a batch of journaled commands (COMMAND records with their stamps) into the state.

        Raises InputError when `first_sequence` is not the next one: the fold has no gaps.
        """
        self._output = _Output()
        self._run(run_commands, records, documents, first_sequence)
        self.drain_output()
        output = self._output
        return BatchResult(
            first_sequence,
            records,
            documents,
            copied(self.state.outcome_words[: len(records)], OUTCOME),
            joined(output.executions, EXECUTION),
            joined(output.postings, POSTING),
            output.notices,
            output.results,
        )

    def dry_run(self, records: NDArray[np.void], now_ns: int) -> list[Trial]:
        """What an order, an amend or a basket (COMMAND records without a place in the journal) would come to as the next command. Changes nothing."""
        return dry_run(self, records, now_ns)

    def replay(self, records: NDArray[np.void], documents: bytes, first_sequence: int) -> None:
        """`apply` for a caller who wants the state alone, and whose exchange no other thread looks at: what the commands did is not kept."""
        self._output = _Output(is_kept=False)
        self._run(run_apart, records, documents, first_sequence)
        self.drain_output()

    def _run(self, run: Callable[..., tuple[int, int, int, int]], records: NDArray[np.void], documents: bytes, first_sequence: int) -> None:
        if first_sequence != self.last_sequence + 1:
            raise InputError(f"expected command {self.last_sequence + 1}, got {first_sequence}")
        commands = np.ascontiguousarray(records, dtype=COMMAND).view(COMMAND_WORDS)
        if config.DISABLE_JIT:
            commands = commands.view(np.recarray)
        if len(self.state.outcome_words) < len(records):
            self.state = self.state._replace(**output_arrays("outcomes", max(len(records), 2 * len(self.state.outcome_words))))
        index = 0
        while True:
            index, stop, need, at_least = run(self.state, commands, index, first_sequence)
            if stop == Stop.DONE:
                return
            if self.level >= Level.VALUE_CHAIN:
                self.drain_output()  # what is asked of the registry from here on, it knows
            if stop == Stop.DOCUMENT:
                self._apply_document(records[index], documents, first_sequence + index, index)
                index += 1
            elif stop == Stop.INTERRUPTED:
                take_over_interruption(self)
            elif stop == Stop.DEADLINE_DUE:
                fire_deadline(self, first_sequence + index)
            else:
                self._make_room(Stop(stop), need, at_least)

    def notify(self, kind: str, data: dict[str, Any]) -> None:
        """Note something that happened outside the order books."""
        counters = self.state.counters[0]
        self._output.notices.append(Notice(int(counters.sequence), int(counters.stamp_ns), kind, data))

    def notify_phase(self, instrument: Instrument) -> None:
        """Note the phase that an instrument has now, with its end where it is a call phase."""
        end_ns = int(self.state.instruments[instrument.slot].phase_end_ns) if instrument.phase in CALL_PHASES else 0
        data = {"symbol": instrument.symbol, "phase": instrument.phase.name.lower()}
        self.notify("phase", data | {"end_ns": end_ns} if end_ns else data)

    def make_book_room(self, need: int, at_least: int) -> None:
        """Room for an entry of a book (matching.records.Need)."""
        self._make_room(Stop.BOOKS, need, at_least)

    def make_output_room(self, executions: int) -> None:
        """Room for what withdrawing `executions` orders writes, or for that many single postings."""
        if not has_room(self.state, executions):
            self._make_room(Stop.EXECUTIONS, 0, executions)

    def make_deadline_room(self) -> None:
        """Room for one more deadline."""
        if self.state.deadlines.shape[0] - int(self.state.counters[0].n_deadlines) < 1:
            self._make_room(Stop.DEADLINES, 0, 1)

    def sync_books(self) -> None:
        """Take over the arrays of the books after they were replaced."""
        if self.state.books is not self.core.state:
            self.state = self.state._replace(books=self.core.state)
        if self.state.terms.shape[0] < self.core.order_capacity:
            self.state = room.with_terms(self.state)

    def _make_room(self, stop: Stop, need: int, at_least: int) -> None:
        if stop is Stop.BOOKS:
            if need == room.NEED_EVENTS:
                self.state = room.with_events(self.state, max(at_least, 2 * self.state.events.shape[0]))
            else:
                self.core.grow(need, at_least)
                self.sync_books()
        elif stop is Stop.TERMS:
            self.sync_books()
        elif stop is Stop.KEYS:
            self.state = room.with_keys(self.state)
        elif stop is Stop.DEADLINES:
            self.state = room.with_deadlines(self.state, at_least)
        else:
            self.drain_output()
            if not has_room(self.state, at_least):
                self.state = room.with_output(self.state, max(at_least, 2 * self.state.executions.shape[0]))

    def drain_output(self) -> None:
        """Move executions and postings out of the arrays of the loop; the registry takes over what units did."""
        words = self.state.counter_words
        n_executions, n_postings = int(words[_N_EXECUTIONS]), int(words[_N_POSTINGS])
        references = self.rooms.instruments.references
        if n_executions and (self._output.is_kept or references):
            rows = copied(self.state.execution_words[:n_executions], EXECUTION)
            if references:
                count_listed_trades(self.rooms.instruments, rows)
            if self._output.is_kept:
                self._output.executions.append(rows)
        if n_postings and self.level >= Level.VALUE_CHAIN:
            rows = self.state.posting_words[:n_postings]
            of_units = rows[:, _ASSET] != 0
            if of_units.any():
                self.rooms.registry.fold(copied(rows[of_units], POSTING))
        if n_postings and self._output.is_kept:
            self._output.postings.append(copied(self.state.posting_words[:n_postings], POSTING))
        words[_N_EXECUTIONS] = words[_N_POSTINGS] = 0

    def _apply_document(self, record: np.void, documents: bytes, sequence: int, index: int) -> None:
        """A business command, refused whole or carried out whole; or a session of a named key."""
        start, length = int(record["document_offset"]), int(record["document_length"])
        document = documents[start : start + length]
        if record["kind"] == CommandKind.CHECKPOINT:
            self._compare_checkpoint(document)
        begin_command(self.state, sequence, int(record["stamp_ns"]))
        code = RejectCode.ACCEPTED
        answer: dict[str, Any] = {}
        if record["kind"] == CommandKind.DOCUMENT:
            code, answer = carry_out(self, int(record["account"]), int(record["order_id"]), document)
        elif record["kind"] == CommandKind.SESSION_OPENED:
            code = open_session(self, int(record["account"]), int(record["session"]), int(record["order_id"]))
        elif record["kind"] == CommandKind.SESSION_CLOSED:
            close_session(self, int(record["account"]), int(record["session"]))
        self._output.results[index] = answer
        write_outcome(self.state, index, int(code), 0, 0, 0)

    def checkpoint(self) -> Checkpoint:
        """Both hashes as of the last command."""
        self.drain_output()  # the listed trades of the day are counted there
        return Checkpoint(sequence=self.last_sequence, state_hash=canonical.state_hash(self), event_hash=self.event_hash)

    def _compare_checkpoint(self, document: bytes) -> None:
        """A replay that came to another state than the run it repeats is located here. Raises CheckFailedError."""
        recorded = decode_document(document)
        if recorded != self.checkpoint():
            raise CheckFailedError(f"state differs from the checkpoint as of command {self.last_sequence}")
