"""Records and enums shared by the kernels, their callers and the oracle. docs/matching.md has the rules they carry.

Quantities are unsigned 32-bit lots and prices signed 32-bit ticks in every record; arithmetic is done in int64.
"""

from enum import IntEnum
from typing import Final

import numpy as np


class Side(IntEnum):
    BUY = 0
    SELL = 1


class TimeInForce(IntEnum):
    """How long an order lives. All but IOC and FOK may rest; the end of GTD, SESSION and GATE comes from outside as `EXPIRE`."""

    GTC = 0
    GTD = 1
    SESSION = 2
    IOC = 3
    FOK = 4
    GATE = 5  # good till gate closure


class SelfTrade(IntEnum):
    """What happens where an order meets a resting order of the same owner; the entering order's choice counts."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2
    DECREMENT = 3  # the smaller quantity leaves both
    ALLOW = 4  # trades with itself: for measurements only, no gateway offers it


class EntryFlag(IntEnum):
    """Bits of `flags`; an IntEnum because kernels do not know IntFlag. A field of ENTRY counts only if its bit is set."""

    NONE = 0
    POST_ONLY = 1  # refused where it would trade
    REPRICE = 2  # with POST_ONLY: enters one tick behind the other side instead
    ICEBERG = 4  # `display_lots` are shown, the rest is in reserve
    MINIMUM = 8  # `min_lots`: trades only where at least so many lots trade at once, then as an ordinary order
    ALL_OR_NONE = 16  # a minimum of all its lots
    STOP = 32  # enters when a trade reaches `stop_ticks`


class BookPhase(IntEnum):
    CONTINUOUS = 0
    AUCTION = 1  # orders gather, nothing trades until UNCROSS
    HALTED = 2  # only cancels, expiries and amends to fewer lots


class EntryKind(IntEnum):
    """What an entry asks for."""

    PLACE = 1
    CANCEL = 2
    AMEND = 3  # price_ticks and quantity_lots (the new remaining quantity) both given
    EXPIRE = 4
    BASKET = 5  # one leg of a linked basket; `legs` of the first is the number of its legs, that of the others 0
    MASS_CANCEL = 6  # orders of `owner`, filtered (see MassCancel)
    SET_PHASE = 7  # `quantity_lots` is a BookPhase
    UNCROSS = 8  # one auction; `price_ticks` is the reference price (see UncrossFlag)
    SET_BAND = 9  # trades outside [price_ticks, stop_ticks] interrupt trading; price_ticks > stop_ticks: no band


class MassCancel(IntEnum):
    """Bits of `flags` of a MASS_CANCEL entry: which fields filter."""

    BY_BOOK = 1
    BY_SIDE = 2
    BY_LABEL = 4


class UncrossFlag(IntEnum):
    """Bits of `flags` of an UNCROSS entry."""

    K_PRICE = 1  # the price lies at k = quantity_lots / K_ONE of the interval at which demand and supply agree


class EventKind(IntEnum):
    """Past tense: what happened to `order_id`. FILLED speaks of the taker (`order_id`) and the maker (`counter_id`) at once.

    `remaining_lots` and `counter_remaining_lots` count an iceberg's reserve.
    """

    RESTED = 1  # entered the ladder at `price_ticks`; `quantity_lots` are shown
    FILLED = 2
    CANCELLED = 3  # left the book; `quantity_lots` is what was withdrawn
    REDUCED = 4  # lost `quantity_lots`, keeps its priority (amend down, self-trade decrement)
    REPRICED = 5  # amended with loss of priority: `quantity_lots` left the old price (`price_ticks`); it is entered again after this
    REJECTED = 6  # nothing changed; `reason` says why
    WAITING = 7  # rests beside the ladder for its condition or its stop price (`price_ticks` is its limit)
    REFILLED = 8  # an iceberg shows a new peak of `quantity_lots` at the end of its queue
    TRIGGERED = 9  # a stop price was reached; the order enters now
    PHASE_CHANGED = 10  # of a book; `quantity_lots` is the BookPhase
    UNCROSSED = 11  # of a book: an auction of `quantity_lots` at `price_ticks`, before its fills; 0 lots: nothing crossed


class Reason(IntEnum):
    """Why an order left the book or an entry was refused. An entry is checked in the order of the numbers from UNKNOWN_KIND on."""

    NONE = 0
    REQUESTED = 1
    IMMEDIATE_REMAINDER = 2
    POST_ONLY_WOULD_CROSS = 3
    FILL_OR_KILL_UNFILLABLE = 4
    SELF_TRADE = 5
    EXPIRED = 6
    AMENDED = 7
    AUCTION = 8  # of a fill: in an auction, at its one price
    VOLATILITY = 9  # of a phase change: a trade outside the band was about to happen
    BASKET_UNFILLABLE = 10
    MINIMUM_UNFILLABLE = 11  # immediate order whose minimum quantity is not there
    UNKNOWN_KIND = 32
    UNKNOWN_BOOK = 33  # no such book, or it is closed
    UNKNOWN_ORDER = 34
    UNKNOWN_SIDE = 35
    UNKNOWN_TIME_IN_FORCE = 36
    UNKNOWN_SELF_TRADE = 37
    UNKNOWN_FLAGS = 38
    QUANTITY_OUT_OF_RANGE = 39
    OWNER_OUT_OF_RANGE = 40
    DISPLAY_OUT_OF_RANGE = 41
    MINIMUM_OUT_OF_RANGE = 42
    ORDER_ID_OUT_OF_SEQUENCE = 43  # dense: not above all ids before, or far above; the caller's: of an order that lives
    FLAGS_CONTRADICT = 44
    INVALID_BASKET = 45
    PHASE_FORBIDS = 46
    BOOK_IS_CROSSED = 47


# One order to enter, or one change of an order. The exchange fills a scratch record of this dtype; standalone users pass arrays of it to
# `run_batch`. `label` is the owner's own, for mass cancels.
ENTRY: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("quantity_lots", "u4"),
        ("price_ticks", "i4"),
        ("book", "i4"),
        ("owner", "i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u2"),
        ("legs", "u2"),
        ("label", "u4"),
        ("display_lots", "u4"),
        ("min_lots", "u4"),
        ("stop_ticks", "i4"),
    ],
    align=True,
)
assert ENTRY.itemsize == 48, ENTRY.itemsize

# `slot` and `counter_slot` are the pool slots of the two orders, valid until the next command: for callers that keep a twin array.
# Never published, never hashed. The fields of the counterparty lie together, so that an event without one clears them in two stores.
# An entering order has slot -1 until it rests; that slot may be one that a maker left in the same command.
EVENT: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("quantity_lots", "u4"),
        ("remaining_lots", "u4"),
        ("price_ticks", "i4"),
        ("book", "i4"),
        ("owner", "i4"),
        ("slot", "i4"),
        ("counter_id", "i8"),
        ("counter_remaining_lots", "u4"),
        ("counter_owner", "i4"),
        ("counter_slot", "i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("reason", "u1"),
        ("unused", "u1"),
    ],
    align=True,
)
assert EVENT.itemsize == 56, EVENT.itemsize


class Need(IntEnum):
    """What a command may need and is not there. Nothing was changed; make room and re-enter at that command."""

    NOTHING = 0
    EVENTS = 1
    ORDERS = 2
    PAGES = 3
    DIRECTORIES = 4
    ID_PAGES = 5
    ID_SPAN = 6  # `at_least` is the order id to cover
    OWNERS = 7  # `at_least` is the number of owners
    OWNER_CHUNKS = 8
    QUEUE = 9  # stops triggered by one command
    ID_TABLE = 10  # caller's ids


# An order of a book as seen from outside. `slot` is never hashed. `remaining_lots` counts the reserve; `shown_lots` is 0 beside the ladder.
# `flags`: ICEBERG, MINIMUM, ALL_OR_NONE, STOP as they still hold. `price_ticks` of a stop is its limit. Of an ordinary order in the ladder
# `time_in_force` and `self_trade` are not kept: 0.
ORDER_VIEW: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("remaining_lots", "u4"),
        ("shown_lots", "u4"),
        ("display_lots", "u4"),
        ("min_lots", "u4"),
        ("label", "u4"),
        ("owner", "i4"),
        ("price_ticks", "i4"),
        ("stop_ticks", "i4"),
        ("slot", "i4"),
        ("flags", "u2"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("unused", "u1"),
        ("unused2", "u2"),
    ],
    align=True,
)

# One price of one side of the ladder as seen from outside: what is shown.
LEVEL_VIEW: Final = np.dtype([("quantity_lots", "i8"), ("orders", "i8"), ("price_ticks", "i4"), ("unused4", "u4")], align=True)

# Limits of what the core takes, so that no entry can make it ask for memory without end. Dense ids may leave gaps up to the step.
OWNER_MAX: Final = 2**20 - 1
ORDER_ID_STEP_MAX: Final = 2**20
PEAKS_MAX: Final = 1000  # of an iceberg: each is an event, and room for all of them is asked for at once
K_ONE: Final = 1_000_000  # k of an auction is counted in millionths
# With at most 2**31 orders in the pool no sum of quantities wraps an int64.
QUANTITY_LOTS_MAX: Final = 2**32 - 1
