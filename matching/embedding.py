"""The matching core behind a C interface, for C, C++ or Rust inside a Python process. docs/embedding.md shows its use.

`c_api` gives the address of a `parkex_api`, a record of function pointers; matching/include/parkex_core.h declares it, and a test compares
the two. `process` and `depth` are compiled and hold no lock of the interpreter. What makes, grows or ends a core is Python called back from
C: `process` calls `grow` when a pool is too small, and goes on with the larger state behind the same handle, so its caller never notices.

A handle is for one thread at a time. Its memory, like every pointer here, is the process's own: nothing is checked that C would not check.
"""

import ctypes
import functools
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

from matching import batch, queries
from matching.compile import compile_for_c
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, LEVEL_VIEW, Need, Side
from matching.state import BookState, Sizes, empty_state, make_records

ABI_VERSION: Final = 1
SIZE_MAX: Final = 2**31 - 1  # what a slot number can hold


class Status(IntEnum):
    """What became of a call."""

    DONE = 0
    EVENTS_FULL = 1  # read the events and call again with the entries that are left
    OUT_OF_MEMORY = 2  # entries before `entries_done` are applied, the next has changed nothing
    INVALID_ARGUMENT = 3  # nothing was done


# What `process` reports. `events_needed` (with EVENTS_FULL): room that the next entry asks for before it runs, an upper bound.
PROGRESS: Final = np.dtype([("entries_done", "i8"), ("n_events", "i8"), ("events_needed", "i8")], align=True)
# First sizes of a core made by C, as in `Sizes`; 0 takes the default. `books` of them are open.
SIZES: Final = np.dtype([(name, "i8") for name in ("books", "orders", "pages", "nodes", "id_pages", "owners", "chunks")], align=True)
# What a handle points at: the address of the state's block, the callback that grows it, and that callback's answer.
HANDLE: Final = np.dtype([("state", "u8"), ("grow", "u8"), ("has_grown", "i8")], align=True)
API: Final = np.dtype(
    [
        ("abi_version", "i8"),
        ("create", "u8"),
        ("destroy", "u8"),
        ("open_book", "u8"),
        ("close_book", "u8"),
        ("live_orders", "u8"),
        ("process", "u8"),
        ("depth", "u8"),
    ],
    align=True,
)
_STATE_TYPE: Final = numba.typeof(empty_state(callers_ids=False))


def include_directory() -> Path:
    """Where parkex_core.h lies, for a compiler's -I."""
    return Path(__file__).parent / "include"


# Compiled


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
def _compiled() -> tuple[Any, Any]:
    """`process` and `depth` as C calls them."""
    pointer, word = types.voidptr, types.int64
    return (
        compile_for_c(_process, word(pointer, pointer, word, pointer, word, pointer)),
        compile_for_c(_depth, word(pointer, types.int32, types.int32, pointer, word)),
    )


# Called back from C. No exception may leave: C would not see it.


class EmbeddedCore(MatchingCore):
    """A core that C can drive by `handle`, the address of its `parkex_core`, valid while this object lives. Python may use it in turn."""

    def __init__(self, sizes: Sizes | None = None, events_capacity: int = 4096, *, callers_ids: bool = False) -> None:
        self._handle = make_records(HANDLE, 1)
        self._handle["grow"] = _address_of(_grow)
        self.handle = int(self._handle.ctypes.data)
        super().__init__(sizes, events_capacity, callers_ids=callers_ids)
        _cores[self.handle] = self

    @property
    def state(self) -> BookState:
        """The arrays; replaced when something grows."""
        return self._state

    @state.setter
    def state(self, state: BookState) -> None:
        self._state = state
        self._handle["state"] = state._address  # noqa: SLF001 - what a compiled function is handed as well


_cores: WeakValueDictionary[int, EmbeddedCore] = WeakValueDictionary()
_made_by_c: dict[int, EmbeddedCore] = {}


def _address_of(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _called_from_c(returns: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    return ctypes.CFUNCTYPE(returns, *arguments)


@_called_from_c(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
def _grow(handle: int, need: int, at_least: int) -> None:
    core = _cores.get(handle)
    if core is None:
        return
    try:
        core.grow(need, at_least)
    except (MemoryError, ValueError):  # numpy's words for too much
        return
    core._handle["has_grown"] = 1  # noqa: SLF001


@_called_from_c(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
def _create(sizes_at: int | None, callers_ids: int) -> int | None:
    try:
        sizes = _sizes_at(sizes_at)
        core = EmbeddedCore(sizes, callers_ids=bool(callers_ids))
    except (MemoryError, ValueError):
        return None
    for _ in range(sizes.books):
        core.open_book()
    _made_by_c[core.handle] = core
    return core.handle


def _sizes_at(address: int | None) -> Sizes:
    """The sizes that C gives. ValueError for one that no pool can have."""
    if not address:
        return Sizes(books=1)
    given = np.frombuffer((ctypes.c_char * SIZES.itemsize).from_address(address), SIZES)[0]
    asked = {name: int(given[name]) for name in SIZES.names or ()}
    if not all(0 <= size <= SIZE_MAX for size in asked.values()):
        raise ValueError("a size out of range")
    return Sizes()._replace(**{name: size for name, size in asked.items() if size or name == "books"})


@_called_from_c(ctypes.c_int64, ctypes.c_void_p)
def _destroy(handle: int | None) -> int:
    return Status.DONE if _made_by_c.pop(handle or 0, None) is not None else Status.INVALID_ARGUMENT


@_called_from_c(ctypes.c_int64, ctypes.c_void_p)
def _open_book(handle: int | None) -> int:
    core = _cores.get(handle or 0)
    try:
        return -1 if core is None else core.open_book()
    except (MemoryError, ValueError):
        return -1


@_called_from_c(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int32)
def _close_book(handle: int | None, book: int) -> int:
    core = _cores.get(handle or 0)
    if core is None:
        return Status.INVALID_ARGUMENT
    try:
        core.close_book(book)
    except ValueError:
        return Status.INVALID_ARGUMENT
    return Status.DONE


@_called_from_c(ctypes.c_int64, ctypes.c_void_p)
def _live_orders(handle: int | None) -> int:
    core = _cores.get(handle or 0)
    return -1 if core is None else core.live_orders


@functools.cache
def _table() -> np.ndarray:
    table = make_records(API, 1)
    process, depth = _compiled()
    table["abi_version"] = ABI_VERSION
    table["process"] = process.address
    table["depth"] = depth.address
    for name, function in (
        ("create", _create),
        ("destroy", _destroy),
        ("open_book", _open_book),
        ("close_book", _close_book),
        ("live_orders", _live_orders),
    ):
        table[name] = _address_of(function)
    return table


def c_api() -> int:
    """Address of the `parkex_api` of this process, valid until it ends. Compiles on first use, some seconds once a machine."""
    return int(_table().ctypes.data)
