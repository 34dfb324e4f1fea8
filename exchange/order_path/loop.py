"""Steps 5 to 7 as one compiled loop over a batch of command records. `apply_command` is the way of an order in one screen.

The loop stops where it needs something only Python can give: room, a business document, or a deadline that moves a trading phase. Nothing of the
command at which it stops has happened, so Python serves it and enters again at the same command.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from exchange.journal.record import CommandKind
from exchange.order_path.admit import CONDITIONS, admit_account, admit_amended_lots, admit_terms, instrument_slot, limit_ticks, open_order_slot
from exchange.order_path.baskets import admit_basket, basket_digest, basket_room, count_legs, enter_leg, is_new_basket
from exchange.order_path.deadlines import is_due, is_order_expiry, pop_deadline
from exchange.order_path.entries import amended_lots, entry_of_amend, entry_of_place
from exchange.order_path.idempotency import content_digest, find_key, insert_key, keys_free, prefetch_key, retire_keys
from exchange.order_path.mixing import mix_pair
from exchange.order_path.orders import amend, cancel, end_sessions, expire_order, mass_cancel, place
from exchange.order_path.records import OutcomeFlag
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel
from matching.ids import find_slot
from matching.prefetch import guess_slot, prefetch_id, prefetch_item
from matching.records import Need, SelfTrade, Side
from matching.room import order_needs, plain_needs

# Postings of one fill at most: value in and out, two fees, units.
POSTINGS_PER_EVENT = 6
# Commands before its turn at which a command is asked for (192 bytes are more than the processor foresees), then the bucket of its key and the index
# entry of its order, then the order.
AHEAD_COMMAND = 24
AHEAD_KEY = 8
AHEAD_ORDER = 4
# Typed, so that a call with a constant is not compiled apart from one with a variable.
NOTHING = np.int64(0)
ONE = np.int64(1)


class Stop(IntEnum):
    """Why the loop handed over."""

    DONE = 0
    BOOKS = 1  # the books need room: (Need, at_least)
    EXECUTIONS = 2  # drain or grow: at_least executions free
    KEYS = 3
    DEADLINES = 4
    DEADLINE_DUE = 5  # the earliest deadline is one that Python fires
    DOCUMENT = 6  # a business command, or a session that names its key
    TERMS = 7  # the twin of the order pool is shorter than the pool
    INTERRUPTED = 8  # the last command has interrupted an instrument: Python takes that over


@kernel
def has_room(state: Any, executions: int) -> bool:
    """Whether `executions` more executions, and what they post, fit into the output arrays."""
    counters = state.counters[0]
    return state.executions.shape[0] - counters.n_executions >= executions and (
        state.postings.shape[0] - counters.n_postings >= POSTINGS_PER_EVENT * executions
    )


@kernel(inline=True)
def _withdrawals(state: Any, command: Any) -> int:
    """Orders that a command may withdraw or cut at most, beside what the books do."""
    if command.kind == CommandKind.PLACE or command.kind == CommandKind.AMEND or command.kind == CommandKind.BASKET:
        if command.account < state.accounts.shape[0] and state.accounts[command.account].may_reduce:
            return np.int64(state.accounts[command.account].open_orders)
        return np.int64(0)
    if command.kind == CommandKind.MASS_CANCEL or command.kind == CommandKind.SESSION_CLOSED:
        return np.int64(state.accounts[command.account].open_orders) if command.account < state.accounts.shape[0] else 0
    if command.kind == CommandKind.NODE_STARTED:
        total = 0
        for account in range(state.accounts.shape[0]):
            total += state.accounts[account].open_orders
        return total
    return 0


@kernel(merged=True)
def _order_room(state: Any, command: Any) -> tuple[int, int]:
    """(Need, at_least) of the books for a PLACE or an AMEND, or (NOTHING, bound of its events).

    Nothing is needed for what will be refused: no made-up quantity may claim memory.
    """
    events_free = np.int64(state.events.shape[0])
    if command.kind == CommandKind.PLACE:
        slot = instrument_slot(state, np.int64(command.instrument))
        if slot >= 0 and command.account < state.accounts.shape[0] and admit_terms(state.instruments[slot], command) == RejectCode.ACCEPTED:
            entry_of_place(state, command, slot)
            return order_needs(state.books, events_free, state.entry[0])
    elif command.kind == CommandKind.AMEND:
        order_slot = find_slot(state.books, command.order_id)
        if open_order_slot(state, command, order_slot):
            entry_of_amend(state, command, order_slot)
            if admit_amended_lots(state, order_slot, amended_lots(state, command, order_slot)) == RejectCode.ACCEPTED:
                return order_needs(state.books, events_free, state.entry[0])
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(inline=True)
def _plain_room(state: Any, command: Any) -> tuple[int, int]:
    """`_order_room` of a new order that has no conditions, from what is at hand; (Need.EVENTS, -1) where that is not enough to tell."""
    slot = instrument_slot(state, np.int64(command.instrument))
    if slot < 0 or command.account >= state.accounts.shape[0]:
        return np.int64(Need.NOTHING), np.int64(0)
    instrument = state.instruments[slot]
    plain = np.int64(command["flags"]) & CONDITIONS == 0 and command.self_trade != SelfTrade.CANCEL_OLDEST and command.side <= Side.SELL
    if not plain or command.quantity_lots <= 0 or command.quantity_lots > instrument.max_order_lots:
        return np.int64(Need.EVENTS), np.int64(-1)
    return plain_needs(
        state.books, np.int64(state.events.shape[0]), state.counters[0].next_order_id, np.int64(instrument.book), np.int64(command.side),
        limit_ticks(instrument, command), command.quantity_lots, np.int64(command.account),
    )  # fmt: skip


@kernel(inline=True)
def _room_for(state: Any, command: Any) -> tuple[int, int, int]:
    """(Stop, Need, at_least) of a command before anything of it happens; Stop.DONE when there is room."""
    if keys_free(state) < 1:
        return np.int64(Stop.KEYS), np.int64(0), np.int64(1)
    # An order's own expiry, and the end of the interruption that it may cause.
    if state.deadlines.shape[0] - state.counters[0].n_deadlines < 2:
        return np.int64(Stop.DEADLINES), np.int64(0), np.int64(1)
    if state.terms.shape[0] < state.books.orders.shape[0]:
        return np.int64(Stop.TERMS), np.int64(0), np.int64(0)
    need = np.int64(Need.NOTHING)
    at_least = np.int64(0)
    if command.kind == CommandKind.PLACE:
        need, at_least = _plain_room(state, command)
        if at_least < 0:
            need, at_least = _order_room(state, command)
    elif command.kind == CommandKind.AMEND:
        need, at_least = _order_room(state, command)
    if need != Need.NOTHING:
        return np.int64(Stop.BOOKS), need, at_least
    executions = max(at_least, ONE)
    if command.kind != CommandKind.CANCEL:
        executions += _withdrawals(state, command)
    if not has_room(state, executions):
        return np.int64(Stop.EXECUTIONS), np.int64(0), executions
    return np.int64(Stop.DONE), np.int64(0), np.int64(0)


@kernel(merged=True)
def _room_for_basket(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int, int]:
    """As `_room_for`, for all legs of a basket before anything of any of them happens."""
    if keys_free(state) < legs:
        return np.int64(Stop.KEYS), 0, legs
    # What a leg sets off in its book may interrupt it.
    if state.deadlines.shape[0] - state.counters[0].n_deadlines < legs:
        return np.int64(Stop.DEADLINES), 0, legs
    if state.terms.shape[0] < state.books.orders.shape[0]:
        return np.int64(Stop.TERMS), 0, 0
    need, at_least = basket_room(state, commands, first, legs)
    if need != Need.NOTHING:
        return np.int64(Stop.BOOKS), need, at_least
    executions = np.int64(state.events.shape[0]) + _withdrawals(state, commands[first])
    return np.int64(Stop.DONE if has_room(state, executions) else Stop.EXECUTIONS), 0, executions


@kernel
def begin_command(state: Any, sequence: int, stamp_ns: int) -> None:
    """Sequence and stamp of what happens next; time never runs backwards. Idempotent, since the loop may enter a command again."""
    counters = state.counters[0]
    counters.sequence = sequence
    counters.stamp_ns = max(counters.stamp_ns, stamp_ns)
    if counters.event_sequence != sequence:
        counters.event_sequence = sequence
        counters.event_index = 0
        counters.posting_index = 0
    counters.filled_lots = 0
    counters.notional_micro = 0
    counters.cancelled_orders = 0
    counters.open_lots = 0
    counters.waits = 0


@kernel(merged=True)
def _fire_order_expiries(state: Any, sequence: int, until_ns: int) -> int:
    """Fire every deadline up to `until_ns`; stops at one that is not the loop's to fire."""
    while is_due(state, until_ns):
        if not is_order_expiry(state):
            return np.int64(Stop.DEADLINE_DUE)
        if not has_room(state, ONE):
            return np.int64(Stop.EXECUTIONS)
        begin_command(state, sequence, state.deadlines[0].at_ns)
        expire_order(state, state.deadlines[0].ref)
        pop_deadline(state)
    return np.int64(Stop.DONE)


@kernel
def write_outcome(state: Any, index: int, code: int, order_id: int, remaining_lots: int, revision: int) -> None:
    """The answer to the command at work, and its part in the running hash of events."""
    counters = state.counters[0]
    outcome = state.outcomes[index]
    outcome.sequence = counters.sequence
    outcome.stamp_ns = counters.stamp_ns
    outcome.order_id = order_id
    outcome.filled_lots = counters.filled_lots
    outcome.remaining_lots = remaining_lots
    outcome.notional_micro = counters.notional_micro
    outcome.cancelled_orders = counters.cancelled_orders
    outcome.revision = revision
    outcome.code = code
    outcome["flags"] = 0
    if remaining_lots > 0 and code == RejectCode.ACCEPTED:
        outcome["flags"] = OutcomeFlag.RESTING | OutcomeFlag.WAITING if counters.waits else OutcomeFlag.RESTING
    h = mix_pair(np.uint64(counters.event_hash), np.uint64(counters.sequence), np.uint64(code))
    h = mix_pair(h, np.uint64(order_id), np.uint64(outcome.filled_lots))
    counters.event_hash = mix_pair(h, np.uint64(remaining_lots), np.uint64(outcome.notional_micro))


@kernel(inline=True)
def record_key_outcome(state: Any, key: int, index: int) -> None:
    """Keep the answer with the idempotency key, for a resend."""
    outcome = state.outcomes[index]
    record = state.keys[key]
    record.order_id = outcome.order_id
    record.filled_lots = outcome.filled_lots
    record.remaining_lots = outcome.remaining_lots
    record.notional_micro = outcome.notional_micro
    record.cancelled_orders = outcome.cancelled_orders
    record.revision = outcome.revision
    record.code = outcome.code
    record["flags"] = outcome["flags"]


@kernel(internal=True)
def answer_resend(state: Any, key: int, digest: int, index: int) -> None:
    """The recorded outcome marked as a duplicate, or the code for a key that was used with other content."""
    record = state.keys[key]
    if record.digest != digest:
        write_outcome(state, index, np.int64(RejectCode.CLIENT_ORDER_ID_REUSED), NOTHING, NOTHING, NOTHING)
        return
    write_outcome(state, index, np.int64(record.code), record.order_id, record.remaining_lots, np.int64(record.revision))
    outcome = state.outcomes[index]
    outcome.filled_lots = record.filled_lots
    outcome.notional_micro = record.notional_micro
    outcome.cancelled_orders = record.cancelled_orders
    outcome["flags"] = np.int64(record["flags"]) | OutcomeFlag.DUPLICATE


@kernel(inline=True)
def _is_order_command(kind: int) -> bool:
    return kind >= CommandKind.PLACE and kind <= CommandKind.MASS_CANCEL


@kernel(merged=True)
def _apply_order_command(state: Any, command: Any, index: int) -> None:
    if command.cid0 == 0:
        write_outcome(state, index, np.int64(RejectCode.INVALID_CLIENT_ORDER_ID), NOTHING, NOTHING, NOTHING)
        return
    # 5. admit: the idempotency key first, so that a resend is answered whatever the market does now
    digest = content_digest(state, command)
    key, bucket, key_hash = find_key(state, np.int64(command.account), command)
    if key >= 0:
        answer_resend(state, key, digest, index)
        return
    code = admit_account(state, command)
    if code == RejectCode.ACCOUNT_SUSPENDED:
        write_outcome(state, index, code, NOTHING, NOTHING, NOTHING)
        return
    key = insert_key(state, np.int64(command.account), command, digest, bucket, key_hash)
    order_id = np.int64(0)
    remaining_lots = np.int64(0)
    revision = np.int64(1)
    if code == RejectCode.ACCEPTED:
        # 5. admit and reserve, 6. match, 7. post: orders.py, in this order for each kind
        if command.kind == CommandKind.PLACE:
            code, order_id, remaining_lots = place(state, command, key)
        elif command.kind == CommandKind.CANCEL:
            code, order_id, remaining_lots = cancel(state, command)
        elif command.kind == CommandKind.AMEND:
            code, order_id, remaining_lots, revision = amend(state, command)
        else:
            mass_cancel(state, command)
    write_outcome(state, index, code, order_id, remaining_lots, revision)
    record_key_outcome(state, key, index)


@kernel(merged=True)
def _apply_basket(state: Any, commands: Any, first: int, legs: int, sequence: int) -> None:
    """A whole basket at the moment of its header; there is room. Every leg is a command with its own sequence, key and outcome."""
    retire_keys(state)
    stamp_ns = state.counters[0].stamp_ns
    if commands[first].account >= state.accounts.shape[0] or not state.accounts[commands[first].account].exists:
        for leg in range(legs):
            begin_command(state, sequence + leg, stamp_ns)
            write_outcome(state, first + leg, np.int64(RejectCode.ACCOUNT_SUSPENDED), NOTHING, NOTHING, NOTHING)
        return
    digest = basket_digest(state, commands, first, legs)
    refused, refusal = NOTHING - 1, np.int64(RejectCode.BASKET_REFUSED)
    if is_new_basket(state, commands, first, legs):
        refused, refusal = admit_basket(state, commands, first, legs)
    for leg in range(legs):
        command = commands[first + leg]
        begin_command(state, sequence + leg, stamp_ns)
        own = refusal if leg == refused or refusal == RejectCode.ACCEPTED else np.int64(RejectCode.BASKET_REFUSED)
        _apply_leg(state, command, leg, first + leg, mix_pair(digest, np.uint64(leg), np.uint64(legs)), own)


@kernel(merged=True)
def _apply_leg(state: Any, command: Any, leg: int, index: int, digest: int, code: int) -> None:
    """One leg of a basket that has been admitted (`code` ACCEPTED) or refused; an id that has been used answers for itself."""
    if command.cid0 == 0:
        write_outcome(state, index, np.int64(RejectCode.INVALID_CLIENT_ORDER_ID), NOTHING, NOTHING, NOTHING)
        return
    key, bucket, key_hash = find_key(state, np.int64(command.account), command)
    if key >= 0:
        answer_resend(state, key, digest, index)
        return
    key = insert_key(state, np.int64(command.account), command, digest, bucket, key_hash)
    order_id = enter_leg(state, command, leg, key) if code == RejectCode.ACCEPTED else NOTHING
    write_outcome(state, index, code, order_id, NOTHING, ONE)
    record_key_outcome(state, key, index)


@kernel(merged=True)
def apply_command(state: Any, command: Any, index: int) -> None:
    """One command of the loop; there is room, and no deadline is due."""
    retire_keys(state)
    if _is_order_command(command.kind):
        _apply_order_command(state, command, index)
        return
    if command.kind == CommandKind.BASKET:
        # A record that is no leg of a whole basket; its id is not used up, since what it belongs to is not known.
        write_outcome(state, index, np.int64(RejectCode.INVALID_BASKET), NOTHING, NOTHING, NOTHING)
        return
    if command.kind == CommandKind.SESSION_CLOSED and command.account < state.accounts.shape[0]:
        end_sessions(state, np.int64(command.account), np.int64(command.session))
    elif command.kind == CommandKind.NODE_STARTED:
        for account in range(state.accounts.shape[0]):
            if state.accounts[account].open_orders > 0:
                end_sessions(state, np.int64(account), NOTHING)
        state.counters[0].epoch = command.quantity_lots
        state.counters[0].cancel_only_until_ns = state.counters[0].stamp_ns + command.expiry_ns
    write_outcome(state, index, np.int64(RejectCode.ACCEPTED), NOTHING, NOTHING, NOTHING)


@kernel(inline=True)
def names_key(command: Any) -> bool:
    """Whether a session command says whose key it is: the life of keys is Python's."""
    return command.order_id != 0 and (command.kind == CommandKind.SESSION_OPENED or command.kind == CommandKind.SESSION_CLOSED)


@kernel(inline=True)
def _look_ahead(state: Any, commands: Any, index: int) -> None:
    """Ask for later commands and for what they will read: the bucket of a key, the place of an order id, then the order and its terms."""
    prefetch_item(commands, index + AHEAD_COMMAND)
    later = commands[index + AHEAD_KEY]
    prefetch_key(state, later)
    prefetch_id(state.books, later.order_id)
    order_slot = guess_slot(state.books, commands[index + AHEAD_ORDER].order_id)
    prefetch_item(state.books.orders, order_slot)
    prefetch_item(state.terms, order_slot)


@kernel
def run_commands(state: Any, commands: Any, start: int, first_sequence: int) -> tuple[int, int, int, int]:
    """Apply `commands[start:]` (COMMAND_WORDS records) until the end or a stop.

    Returns (index of the next command, Stop, Need, at_least). Modifies the state in place; outcomes are at the index of their command.
    Baskets lie whole in `commands`.
    """
    index = start
    while index < commands.shape[0]:
        command = commands[index]
        if index + AHEAD_KEY < commands.shape[0]:
            _look_ahead(state, commands, index)
        # A checkpoint says what the state was as of the command before it: what is due since then waits for the next one.
        if command.kind != CommandKind.CHECKPOINT:
            stop = _fire_order_expiries(state, first_sequence + index, max(command.stamp_ns, state.counters[0].stamp_ns))
            if stop != Stop.DONE:
                return index, stop, 0, 1
        legs = count_legs(commands, index) if command.kind == CommandKind.BASKET else NOTHING
        stop, need, at_least = _room_for_basket(state, commands, index, legs) if legs > 0 else _room_for(state, command)
        if stop != Stop.DONE:
            return index, stop, need, at_least
        if command.kind == CommandKind.DOCUMENT or command.kind == CommandKind.CHECKPOINT or names_key(command):
            return index, Stop.DOCUMENT, 0, 0
        begin_command(state, first_sequence + index, command.stamp_ns)
        if legs > 0:
            _apply_basket(state, commands, index, legs, first_sequence + index)
            index += legs
        else:
            apply_command(state, command, index)
            index += 1
        if state.counters[0].interrupted != 0:
            return index, Stop.INTERRUPTED, 0, 0
    return commands.shape[0], Stop.DONE, 0, 0


@kernel(nogil=True)
def run_apart(state: Any, commands: Any, start: int, first_sequence: int) -> tuple[int, int, int, int]:
    """`run_commands` on a state that nobody else looks at: other threads run meanwhile."""
    return run_commands(state, commands, start, first_sequence)
