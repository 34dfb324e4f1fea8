"""Room for the compiled loop: output arrays are drained, everything else grows. Sizes decide memory, never an outcome."""

from typing import Any

import numpy as np

from exchange.order_path.deadlines import drop_dead_deadlines
from exchange.order_path.idempotency import BUCKETS_PER_KEY, move_buckets
from exchange.order_path.loop import POSTINGS_PER_EVENT
from exchange.order_path.state import PathState, output_arrays
from matching.records import EVENT, Need

NEED_EVENTS = int(Need.EVENTS)


def longer(array: Any, length: int, fill: int = 0) -> Any:
    """A copy of a one-dimensional array with at least `length` elements, doubling."""
    size = max(length, 2 * array.shape[0])
    grown = np.zeros(size, array.dtype)
    if fill:
        grown[:] = fill
    grown[: array.shape[0]] = array
    return grown.view(np.recarray) if array.dtype.names else grown


def with_output(state: PathState, executions: int) -> PathState:
    """Fresh output arrays with room for `executions` executions and what they post; what was there has been drained."""
    return state._replace(**output_arrays("executions", executions), **output_arrays("postings", POSTINGS_PER_EVENT * executions))


def with_events(state: PathState, events: int) -> PathState:
    """Room for `events` events of the books in one command."""
    return state._replace(events=np.zeros(events, EVENT).view(np.recarray))


def with_deadlines(state: PathState, at_least: int) -> PathState:
    """Room for `at_least` more deadlines; dead ones go first, and the array grows only where they were less than half of it."""
    drop_dead_deadlines(state)
    needed = int(state.counters[0].n_deadlines) + at_least
    size = state.deadlines.shape[0]
    return state if 2 * needed <= size else state._replace(deadlines=longer(state.deadlines, size + at_least))


def with_keys(state: PathState) -> PathState:
    """Twice as many idempotency keys; the hash table and the ring are laid out anew."""
    old = state.keys.shape[0]
    keys = longer(state.keys, 2 * old)
    counters = state.counters[0]
    head, tail = int(counters.fifo_head), int(counters.fifo_tail)
    fifo = np.zeros(2 * old, np.int32)
    fifo[: tail - head] = state.fifo[np.arange(head, tail) % old]
    counters.fifo_head, counters.fifo_tail = 0, tail - head
    grown = state._replace(keys=keys, buckets=np.zeros(2 * BUCKETS_PER_KEY * old, np.uint64), fifo=fifo)
    chain_free_keys(grown, old, 2 * old)
    move_buckets(state.buckets, grown.buckets)
    return grown


def chain_free_keys(state: PathState, first: int, end: int) -> None:
    """Put the key slots [first, end) on the free list, lowest first."""
    counters = state.counters[0]
    if first < end:
        state.keys.sequence[first : end - 1] = np.arange(first + 1, end)
        state.keys.sequence[end - 1] = counters.key_free
        counters.key_free = first


def with_accounts(state: PathState, count: int) -> PathState:
    """Room for account ids below `count`."""
    old = state.accounts.shape[0]
    if count <= old:
        return state
    accounts = longer(state.accounts, count)
    accounts.storage[old:] = -1
    positions = np.zeros((state.positions.shape[0], accounts.shape[0]), state.positions.dtype)
    positions[:, :old] = state.positions
    return state._replace(accounts=accounts, positions=positions.view(np.recarray))


def with_instruments(state: PathState, slots: int, next_id: int) -> PathState:
    """Room for `slots` open instruments and for instrument ids up to `next_id`."""
    if next_id >= state.slot_of_instrument.shape[0]:
        state = state._replace(slot_of_instrument=longer(state.slot_of_instrument, next_id + 1, fill=-1))
    if slots <= state.instruments.shape[0]:
        return state
    instruments = longer(state.instruments, slots)
    positions = np.zeros((instruments.shape[0], state.positions.shape[1]), state.positions.dtype)
    positions[: state.positions.shape[0]] = state.positions
    return state._replace(instruments=instruments, positions=positions.view(np.recarray), schedule=longer(state.schedule, instruments.shape[0]))


def with_terms(state: PathState) -> PathState:
    """The twin of the order pool as long as the pool."""
    size = state.books.orders.shape[0]
    terms = np.zeros(size, state.terms.dtype).view(np.recarray)
    terms[: state.terms.shape[0]] = state.terms
    return state._replace(terms=terms, order_slots=np.zeros(size, np.int32))
