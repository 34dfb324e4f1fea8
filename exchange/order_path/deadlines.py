"""Deadlines, compiled: a binary heap by (at_ns, id) in PathState. Entries of orders that are gone are skipped when they come up."""

from typing import Any

import numpy as np

from exchange.order_path.state import DeadlineKind
from matching.compile import kernel
from matching.ids import find_slot


@kernel(internal=True)
def _before(deadlines: Any, a: int, b: int) -> bool:
    if deadlines[a].at_ns != deadlines[b].at_ns:
        return deadlines[a].at_ns < deadlines[b].at_ns
    return deadlines[a].id < deadlines[b].id


@kernel(internal=True)
def _swap(deadlines: Any, a: int, b: int) -> None:
    first = deadlines[a]
    second = deadlines[b]
    at_ns, ident, ref, kind = first.at_ns, first.id, first.ref, first.kind
    first.at_ns, first.id, first.ref, first.kind = second.at_ns, second.id, second.ref, second.kind
    second.at_ns, second.id, second.ref, second.kind = at_ns, ident, ref, kind


@kernel
def push_deadline(state: Any, at_ns: int, ident: int, kind: int, ref: int) -> None:
    """Insert with a given id (a restored snapshot); the caller has made room."""
    counters = state.counters[0]
    index = counters.n_deadlines
    counters.n_deadlines += 1
    deadline = state.deadlines[index]
    deadline.at_ns = at_ns
    deadline.id = ident
    deadline.kind = kind
    deadline.ref = ref
    while index > 0 and _before(state.deadlines, index, (index - 1) // 2):
        _swap(state.deadlines, index, (index - 1) // 2)
        index = (index - 1) // 2


@kernel
def add_deadline(state: Any, at_ns: int, kind: int, ref: int) -> None:
    """Insert a new deadline; its id is the next one."""
    counters = state.counters[0]
    push_deadline(state, at_ns, counters.next_deadline_id, kind, ref)
    counters.next_deadline_id += 1


@kernel
def pop_deadline(state: Any) -> None:
    """Remove the earliest deadline."""
    counters = state.counters[0]
    counters.n_deadlines -= 1
    count = counters.n_deadlines
    if count == 0:
        return
    _swap(state.deadlines, np.int64(0), count)
    index = 0
    while True:
        child = 2 * index + 1
        if child >= count:
            return
        if child + 1 < count and _before(state.deadlines, child + 1, child):
            child += 1
        if not _before(state.deadlines, child, index):
            return
        _swap(state.deadlines, child, index)
        index = child


@kernel
def drop_dead_deadlines(state: Any) -> None:
    """Take out the ends of orders that are gone: they would do nothing, but an order with a far end leaves one behind when it is cancelled."""
    counters = state.counters[0]
    count = counters.n_deadlines
    counters.n_deadlines = 0
    for i in range(count):
        deadline = state.deadlines[i]
        # What is pushed stands at or before the place that was read.
        if deadline.kind != DeadlineKind.ORDER_EXPIRY or find_slot(state.books, deadline.ref) >= 0:
            push_deadline(state, deadline.at_ns, deadline.id, deadline.kind, deadline.ref)


@kernel(internal=True)
def is_due(state: Any, now_ns: int) -> bool:
    """Whether the earliest deadline is at or before `now_ns`."""
    return state.counters[0].n_deadlines > 0 and state.deadlines[0].at_ns <= now_ns


@kernel(internal=True)
def is_order_expiry(state: Any) -> bool:
    """Whether the earliest deadline ends an order: the only kind the compiled loop fires itself."""
    return state.deadlines[0].kind == DeadlineKind.ORDER_EXPIRY
