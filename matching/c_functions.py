"""What C calls of the core, compiled: `process` and `depth`, with the records that they and their caller share."""

import functools
from enum import IntEnum
from typing import Any, Final

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

from matching import batch, queries
from matching.compile import compile_for_c
from matching.records import ENTRY, EVENT, LEVEL_VIEW, Need, Side
from matching.state import empty_state


class Status(IntEnum):
    """What became of a call."""

    DONE = 0
    EVENTS_FULL = 1  # read the events and call again with the entries that are left
    OUT_OF_MEMORY = 2  # entries before `entries_done` are applied, the next has changed nothing
    INVALID_ARGUMENT = 3  # nothing was done


# What `process` reports. `events_needed` (with EVENTS_FULL): room that the next entry asks for before it runs, an upper bound.
PROGRESS: Final = np.dtype([("entries_done", "i8"), ("n_events", "i8"), ("events_needed", "i8")], align=True)
# What a handle points at: the address of the state's block, the callback that grows it, and that callback's answer.
HANDLE: Final = np.dtype([("state", "u8"), ("grow", "u8"), ("has_grown", "i8")], align=True)
_STATE_TYPE: Final = numba.typeof(empty_state(callers_ids=False))


@intrinsic
def _state_at(typing_context, address):  # noqa: ARG001 - the signature is numba's
    """The state whose block is at an address."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return _STATE_TYPE(types.uint64), generate


@intrinsic
def _records_at(typing_context, pointer, n, dtype):  # noqa: ARG001 - the signature is numba's
    """`n` records of a dtype from a pointer on, as an array; numba's own `carray` counts references, which kernels do not."""
    array_type = types.Array(dtype.dtype, 1, "C")

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        array = arrayobj.make_array(array_type)(context, builder)
        item = ir.Constant(ir.IntType(64), dtype.dtype.size)
        data = builder.bitcast(arguments[0], array._get_ptr_by_name("data").type.pointee)  # noqa: SLF001 - numba's own way to a field's type
        arrayobj.populate_array(array, data=data, shape=[arguments[1]], strides=[item], itemsize=item, meminfo=None)
        return array._getvalue()  # noqa: SLF001

    return array_type(types.voidptr, types.int64, dtype), generate


@intrinsic
def _call_grow(typing_context, grow, handle, need, at_least):  # noqa: ARG001 - the signature is numba's
    """Call the function at the address `grow` with the others as arguments."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        word = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word])
        builder.call(builder.inttoptr(arguments[0], function.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.uint64, types.voidptr, types.int64, types.int64), generate


def _process(handle_at, entries_at, n_entries, events_at, capacity, progress_at):
    """Apply entries until the end, or until there is no room for events or no memory. Modifies state, events and progress."""
    progress = _records_at(progress_at, 1, PROGRESS)[0]
    progress.entries_done = 0
    progress.n_events = 0
    progress.events_needed = 0
    if n_entries < 0 or capacity < 0:
        return np.int64(Status.INVALID_ARGUMENT)
    handle = _records_at(handle_at, 1, HANDLE)[0]
    entries = _records_at(entries_at, n_entries, ENTRY)
    events = _records_at(events_at, capacity, EVENT)
    status = np.int64(Status.DONE)
    index = np.int64(0)
    n_events = np.int64(0)
    while True:
        index, n_events, need, at_least = batch.run_batch(_state_at(handle.state), entries, index, events, n_events)
        if need == Need.NOTHING:
            break
        if need == Need.EVENTS:
            progress.events_needed = at_least
            status = np.int64(Status.EVENTS_FULL)
            break
        handle.has_grown = 0
        _call_grow(handle.grow, handle_at, need, at_least)
        if handle.has_grown == 0:
            status = np.int64(Status.OUT_OF_MEMORY)
            break
    progress.entries_done = index
    progress.n_events = n_events
    return status


def _depth(handle_at, book, side, levels_at, capacity):
    """Write the best levels of one side, as shown. Returns how many, -1 for a book that is not open or a side that is none."""
    state = _state_at(_records_at(handle_at, 1, HANDLE)[0].state)
    if book < 0 or book >= state.books.shape[0] or side < Side.BUY or side > Side.SELL or capacity < 0:
        return np.int64(-1)
    if state.books[book].is_open == 0:
        return np.int64(-1)
    return queries.dump_levels(state, np.int64(book), np.int64(side), _records_at(levels_at, capacity, LEVEL_VIEW))


@functools.cache
def compiled_functions() -> tuple[Any, Any]:
    """`process` and `depth` as C calls them."""
    pointer, word = types.voidptr, types.int64
    return (
        compile_for_c(_process, word(pointer, pointer, word, pointer, word, pointer)),
        compile_for_c(_depth, word(pointer, types.int32, types.int32, pointer, word)),
    )
