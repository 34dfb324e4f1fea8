"""The matching core behind a C interface, for C, C++ or Rust inside a Python process. docs/embedding.md shows its use.

`c_api` gives the address of a `parkex_api`, a record of function pointers; matching/include/parkex_core.h declares it, and a test compares
the two. `process` and `depth` are compiled and hold no lock of the interpreter. What makes, grows or ends a core is Python called back from
C: `process` calls `grow` when a pool is too small, and goes on with the larger state behind the same handle, so its caller never notices.

A handle is for one thread at a time. Its memory, like every pointer here, is the process's own: nothing is checked that C would not check.
"""

import ctypes
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

import numpy as np

from matching.c_functions import HANDLE, PROGRESS, Status, compiled_functions
from matching.core import MatchingCore
from matching.state import BookState, Sizes, make_records

__all__ = ["ABI_VERSION", "API", "HANDLE", "PROGRESS", "SIZES", "SIZE_MAX", "EmbeddedCore", "Status", "c_api", "include_directory"]

ABI_VERSION: Final = 1
SIZE_MAX: Final = 2**31 - 1  # what a slot number can hold

# First sizes of a core made by C, as in `Sizes`; 0 takes the default. `books` of them are open.
SIZES: Final = np.dtype([(name, "i8") for name in ("books", "orders", "pages", "nodes", "id_pages", "owners", "chunks")], align=True)
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


def include_directory() -> Path:
    """Where parkex_core.h lies, for a compiler's -I."""
    return Path(__file__).parent / "include"


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


# Functions called back from C. No exception may leave them: C would not see it.

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
        for _ in range(sizes.books):
            core.open_book()
    except (MemoryError, ValueError):
        return None
    _made_by_c[core.handle] = core
    return core.handle


def _sizes_at(address: int | None) -> Sizes:
    """The sizes that C gives. ValueError for one that no pool can have."""
    if not address:
        return Sizes(books=1)
    given = np.frombuffer(ctypes.string_at(address, SIZES.itemsize), SIZES)[0]
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
    process, depth = compiled_functions()
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
