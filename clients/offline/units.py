"""What must lie whole in a batch: a basket with all of its legs, or any other entry by itself."""

from typing import Final

import numpy as np

from clients.offline.texts import Integers
from matching.records import EntryKind

LEGS_MAX: Final = 100


def unit_starts(kinds: Integers, legs: Integers) -> Integers:
    """Index of the first entry of the unit that each entry belongs to. Shape (entries,)."""
    starts = np.arange(len(kinds), dtype=np.int64)
    head = owed = after = 0
    for row in np.flatnonzero(kinds == EntryKind.BASKET).tolist():
        if row != after:
            owed = 0
        if legs[row]:
            # One that announces more is refused by itself, and so are its legs.
            head, owed = row, int(legs[row]) - 1 if legs[row] <= LEGS_MAX else 0
        elif owed:
            starts[row] = head
            owed -= 1
        after = row + 1
    return starts


def whole_units(kinds: Integers, legs: Integers) -> int:
    """How many of the entries come before a basket that the entries end within: all of them if they end with a whole one."""
    n = len(kinds)
    for row in range(n - 1, max(n - 1 - LEGS_MAX, -1), -1):
        if kinds[row] != EntryKind.BASKET:
            return n
        if legs[row]:
            return row if LEGS_MAX >= legs[row] > n - row else n
    return n
