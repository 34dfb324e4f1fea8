"""The C interface as a host in C sees it: functions behind addresses, records in memory of its own."""

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np

from matching.embedding import API, PROGRESS, SIZES, Status, c_api
from matching.records import ENTRY, EVENT, LEVEL_VIEW
from matching.state import make_records

POINTER, WORD, NUMBER = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
PROTOTYPES = {
    "create": (POINTER, POINTER, WORD),
    "destroy": (WORD, POINTER),
    "open_book": (WORD, POINTER),
    "close_book": (WORD, POINTER, NUMBER),
    "live_orders": (WORD, POINTER),
    "process": (WORD, POINTER, POINTER, WORD, POINTER, WORD, POINTER),
    "depth": (WORD, POINTER, NUMBER, NUMBER, POINTER, WORD),
}
EDGE = 0x5A  # fills memory that nothing may write to


def api_table() -> np.void:
    """The parkex_api of this process."""
    return np.frombuffer((ctypes.c_char * API.itemsize).from_address(c_api()), API)[0]


def call(name: str, *arguments: Any) -> Any:
    """Call a function of the interface through its address."""
    return ctypes.CFUNCTYPE(*PROTOTYPES[name])(int(api_table()[name]))(*arguments)


def create(callers_ids: bool = False, **sizes: int) -> int | None:
    """A core made as C does; without sizes, with NULL for them."""
    record = make_records(SIZES, 1)
    for name, size in sizes.items():
        record[name] = size
    return call("create", record.ctypes.data if sizes else None, callers_ids)


def guarded(dtype: np.dtype, n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` records, and the bytes behind them, which stay EDGE."""
    block = np.full(n * dtype.itemsize + 64, EDGE, np.uint8)
    return block[: n * dtype.itemsize].view(dtype), block[n * dtype.itemsize :]


def process_once(handle: int, entries: np.ndarray, capacity: int, n_entries: int | None = None) -> tuple[int, int, np.ndarray, int]:
    """(status, entries done, events, events needed) of one call."""
    assert entries.dtype == ENTRY
    events, behind = guarded(EVENT, max(capacity, 0))
    progress, behind_progress = guarded(PROGRESS, 1)
    n = len(entries) if n_entries is None else n_entries
    status = call("process", handle, entries.ctypes.data, n, events.ctypes.data, capacity, progress.ctypes.data)
    assert (behind == EDGE).all()
    assert (behind_progress == EDGE).all()
    done, n_events, needed = progress[0].tolist()
    return status, done, events[:n_events], needed


def process_all(handle: int, entries: np.ndarray, capacity: int) -> Iterator[np.ndarray]:
    """Events of all entries, by the loop that the header asks for: drained when full, a larger buffer only where nothing fits."""
    while True:
        status, done, events, needed = process_once(handle, entries, capacity)
        yield events
        if status == Status.DONE:
            assert done == len(entries)
            return
        assert status == Status.EVENTS_FULL
        assert needed > capacity - len(events)
        if done == 0:
            assert len(events) == 0
            capacity = needed
        entries = entries[done:]


def depth(handle: int, book: int, side: int, capacity: int) -> np.ndarray | int:
    """Levels, or the negative answer."""
    levels, behind = guarded(LEVEL_VIEW, max(capacity, 0))
    n = call("depth", handle, book, side, levels.ctypes.data, capacity)
    assert (behind == EDGE).all()
    return levels[:n] if n >= 0 else n
