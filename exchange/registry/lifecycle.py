"""The lifecycle of a unit as one table (docs/rules.md, "Units and serial numbers"); what is not in it cannot happen, and terminal states are final.

RESERVED is what open sell orders hold. It is a count of the order path (`open_sell_lots`), no state of a row: which serial numbers an order will
deliver is decided when it trades, so until then they stay ISSUED.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from exchange.ledger.records import PostingReason


class UnitState(IntEnum):
    """States of a range of serial numbers. ISSUED is active: held, and free unless an open order counts on it."""

    DRAFT = 0
    VERIFIED = 1
    ISSUED = 2
    RESERVED = 3
    LOCKED = 4  # pledged, sold under repurchase
    FROZEN = 5  # by order, or on the way to another scheme
    RETIRED = 6
    SURRENDERED = 7
    EXPIRED = 8
    WITHDRAWN = 9
    SPLIT = 10  # its parts have taken its place


# (from, to) for every change there is. ISSUED to ISSUED is a transfer.
TRANSITIONS: Final[frozenset[tuple[UnitState, UnitState]]] = frozenset({
    (UnitState.DRAFT, UnitState.VERIFIED),
    (UnitState.DRAFT, UnitState.WITHDRAWN),
    (UnitState.VERIFIED, UnitState.ISSUED),
    (UnitState.VERIFIED, UnitState.WITHDRAWN),
    *((UnitState.ISSUED, state) for state in UnitState if state > UnitState.VERIFIED),
    (UnitState.RESERVED, UnitState.ISSUED),
    *((UnitState.LOCKED, state) for state in (UnitState.ISSUED, UnitState.EXPIRED, UnitState.WITHDRAWN, UnitState.SPLIT)),
    *((UnitState.FROZEN, state) for state in (UnitState.ISSUED, UnitState.EXPIRED, UnitState.WITHDRAWN, UnitState.SPLIT)),
})  # fmt: skip
TERMINAL: Final = frozenset({UnitState.RETIRED, UnitState.SURRENDERED, UnitState.EXPIRED, UnitState.WITHDRAWN, UnitState.SPLIT})

# The same table as bool[from, to], for compiled code.
ALLOWED: Final = np.zeros((len(UnitState), len(UnitState)), np.bool_)
for _before, _after in TRANSITIONS:
    ALLOWED[_before, _after] = True

# What a posting of each reason makes of the units it moves.
STATE_AFTER: Final[dict[PostingReason, UnitState]] = {
    PostingReason.UNITS_ISSUED: UnitState.ISSUED,
    PostingReason.UNITS_TRADED: UnitState.ISSUED,
    PostingReason.UNITS_TRANSFERRED: UnitState.ISSUED,
    PostingReason.UNITS_RELEASED: UnitState.ISSUED,
    PostingReason.UNITS_LOCKED: UnitState.LOCKED,
    PostingReason.UNITS_FROZEN: UnitState.FROZEN,
    PostingReason.UNITS_RETIRED: UnitState.RETIRED,
    PostingReason.UNITS_SURRENDERED: UnitState.SURRENDERED,
    PostingReason.UNITS_EXPIRED: UnitState.EXPIRED,
    PostingReason.UNITS_WITHDRAWN: UnitState.WITHDRAWN,
    PostingReason.UNITS_CONVERTED: UnitState.ISSUED,
}


def may_become(before: UnitState, after: UnitState) -> bool:
    """Whether the table allows the change."""
    return (before, after) in TRANSITIONS
