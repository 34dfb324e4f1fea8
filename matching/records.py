"""Records and enums shared by the kernels, their callers and the oracle. All arrays hold these dtypes; all integers are int64 in arithmetic."""

from enum import IntEnum, IntFlag
from typing import Final

import numpy as np


class Side(IntEnum):
    BUY = 0
    SELL = 1


class TimeInForce(IntEnum):
    """How long an order lives. GTD and SESSION rest like GTC here: their end comes from outside as `expire`."""

    GTC = 0
    GTD = 1
    SESSION = 2
    IOC = 3
    FOK = 4


class SelfTrade(IntEnum):
    """What happens where an order meets a resting order of the same owner."""

    CANCEL_NEWEST = 0
    CANCEL_OLDEST = 1
    CANCEL_BOTH = 2
    DECREMENT = 3  # the smaller quantity leaves both


class EntryFlag(IntFlag):
    NONE = 0
    POST_ONLY = 1


class EventKind(IntEnum):
    """Past tense: what happened to `order_id`. FILL speaks of the taker (`order_id`) and the maker (`counter_id`) at once."""

    RESTED = 1  # entered the ladder with `remaining_lots`
    FILLED = 2
    CANCELLED = 3  # left the book; `quantity_lots` is what was withdrawn
    REDUCED = 4  # lost `quantity_lots`, keeps its priority (amend down, self-trade decrement)
    REPRICED = 5  # amended with loss of priority: `quantity_lots` left the old price (`price_ticks`); it is entered again after this


class Reason(IntEnum):
    """Why an order left the book or was not accepted."""

    NONE = 0
    REQUESTED = 1
    IMMEDIATE_REMAINDER = 2
    POST_ONLY_WOULD_CROSS = 3
    FILL_OR_KILL_UNFILLABLE = 4
    SELF_TRADE = 5
    EXPIRED = 6
    AMENDED = 7


# One order to enter, or one change of an order. The exchange fills a scratch record of this dtype; standalone users pass arrays of it to `run_batch`.
ENTRY: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("quantity_lots", "i8"),
        ("display_lots", "i8"),
        ("min_lots", "i8"),
        ("price_ticks", "i4"),
        ("stop_ticks", "i4"),
        ("book", "i4"),
        ("owner", "i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u4"),
    ],
    align=True,
)


class EntryKind(IntEnum):
    """For `run_batch`."""

    PLACE = 1
    CANCEL = 2
    AMEND = 3  # price_ticks and quantity_lots (the new remaining quantity) both given
    EXPIRE = 4


# `slot` and `counter_slot` are the pool slots of the two orders, valid until the next command: for callers that keep a twin array.
# Never published, never hashed. An entering order has slot -1 until it rests; that slot may be one that a maker left in the same command.
EVENT: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("counter_id", "i8"),
        ("quantity_lots", "i8"),
        ("remaining_lots", "i8"),
        ("counter_remaining_lots", "i8"),
        ("price_ticks", "i4"),
        ("book", "i4"),
        ("owner", "i4"),
        ("counter_owner", "i4"),
        ("slot", "i4"),
        ("counter_slot", "i4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("reason", "u1"),
        ("unused", "u1"),
        ("unused4", "u4"),
    ],
    align=True,
)


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


# A resting order as seen from outside. `slot` is never hashed.
ORDER_VIEW: Final = np.dtype(
    [
        ("order_id", "i8"),
        ("remaining_lots", "i8"),
        ("owner", "i4"),
        ("price_ticks", "i4"),
        ("slot", "i4"),
        ("side", "u1"),
        ("unused", "u1"),
        ("unused2", "u2"),
    ],
    align=True,
)

# One price of one side as seen from outside.
LEVEL_VIEW: Final = np.dtype([("quantity_lots", "i8"), ("orders", "i8"), ("price_ticks", "i4"), ("unused4", "u4")], align=True)

# With at most 2**31 orders in the pool no sum of quantities wraps an int64.
QUANTITY_LOTS_MAX: Final = 2**32 - 1
