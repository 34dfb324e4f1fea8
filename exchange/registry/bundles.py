"""The record of a bundle: one range of serial numbers with its facts, its owner and its state; and the arrays around the table of them.

The table only grows. What a bundle is (the first 80 bytes of its row) never changes; who has it, its state and its place in the owner's queue
change in place; a bundle of which a part moves becomes SPLIT and two new rows take its place, which hold its serial numbers without gap or overlap.
Each row's SHA-256 is over its parent's (of the issuance where it is a root) and what it is, so no row can be altered without those below it.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Signed numbers throughout: compiled code that mixes them with unsigned ones computes in floats.
BUNDLE: Final = np.dtype(
    [
        # What it is.
        ("issuance", "<i4"),
        ("origin", "<i4"),  # instrument it was issued for, 0: none
        ("source", "<i4"),  # device or project, 0: none
        ("vintage", "<i4"),  # YYYYMM of generation, 0: none
        ("parent", "<i4"),  # row, -1: a root
        ("scheme", "<i4"),
        ("holder", "<i4"),  # account that it was issued to
        ("use", "<i4"),  # GreenUse of the energy behind it, 0: none
        ("period_start_ns", "<i8"),
        ("period_end_ns", "<i8"),
        ("expiry_ns", "<i8"),  # 0: never
        ("serial_from", "<i8"),
        ("serial_to", "<i8"),
        ("sequence", "<i8"),  # command that made the row
        # What became of it.
        ("account", "<i4"),
        ("asset", "<i4"),  # instrument under which it is held, 0: not a listed one
        ("state", "<i2"),
        ("transfers", "<i2"),
        ("day", "<i4"),  # of its last transfer, see REGISTRY_COUNTERS.day
        ("place", "<i8"),  # the lower, the earlier it is delivered
        ("digest", "u1", (32,)),
    ]
)
FACTS_BYTES: Final = 80
DIGEST_BYTES: Final = 32
assert BUNDLE.itemsize == 136

# Roots of an issuance are the rows from `first_row` on, without a gap and in the order of their serial numbers, which begin at 1.
ISSUANCE: Final = np.dtype([("first_row", "<i8"), ("rows", "<i8"), ("sequence", "<i8"), ("evidence", "u1", (32,))])

# Rows of one digest of the state hash: 512 KiB, hashed in about half a millisecond.
BLOCK_SHIFT: Final = 12
BLOCK_ROWS: Final = 1 << BLOCK_SHIFT


class Queue(IntEnum):
    """Queues of an account in one instrument. UNSELLABLE: held, but bought today or at the end of its transfers."""

    SELLABLE = 0
    UNSELLABLE = 1
    LOCKED = 2
    FROZEN = 3


NO_ROW: Final = -1
QUEUE: Final = np.dtype([("first", "<i4"), ("last", "<i4"), ("lots", "<i8")])
EMPTY_QUEUE: Final = np.array((NO_ROW, NO_ROW, 0), QUEUE)

REGISTRY_COUNTERS: Final = np.dtype(
    [
        ("n_rows", "<i8"),
        ("next_place", "<i8"),
        ("first_place", "<i8"),  # of what was put before all others
        ("day", "<i8"),  # local midnights since the registry began
        ("n_stated", "<i8"),  # rows stated for the next posting
    ]
)


class Tables(NamedTuple):
    """What the compiled fold reads and writes; A assets, in `slot_of` by instrument id."""

    rows: Any  # BUNDLE[]
    before: Any  # int32[]: the row before in its queue; of a split row see queues.note_split
    after: Any  # int32[]: the row behind; of a split row its first part, the second stands behind that
    queues: Any  # QUEUE[A, account, Queue]
    totals: Any  # int64[A, UnitState]
    slot_of: Any  # int32[] by instrument id, -1: unknown
    resale: Any  # int64[A]
    dirty: Any  # uint8[block]
    stated: Any  # int32[]
    counters: Any  # REGISTRY_COUNTERS[1]
    allowed: Any  # bool[from, to]


def records(n: int, dtype: np.dtype[Any]) -> Any:
    """Zeros that compiled and plain code read alike."""
    return np.zeros(n, dtype).view(np.recarray)


def empty_queues(assets: int, accounts: int) -> Any:
    """QUEUE[assets, accounts, 4] without a row."""
    return np.full((assets, accounts, len(Queue)), EMPTY_QUEUE, QUEUE).view(np.recarray)


def longer(array: Any, size: int, fill: int = 0) -> Any:
    """A copy with room for `size` entries, filled up with `fill`."""
    grown = np.full(size, fill, array.dtype) if fill else np.zeros(size, array.dtype)
    grown[: len(array)] = array
    return grown.view(np.recarray) if isinstance(array, np.recarray) else grown


def facts_of(rows: NDArray[Any]) -> bytes:
    """The immutable part of each row, one after the other."""
    return np.ascontiguousarray(np.asarray(rows).view(np.uint8).reshape(len(rows), BUNDLE.itemsize)[:, :FACTS_BYTES]).tobytes()
