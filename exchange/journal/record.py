"""The command record: fixed size, little-endian, part of the journal format from the first commit.

A record of 192 bytes carries an order command whole. A business command carries (document_offset, document_length) into the
documents of its group: canonical MessagePack with schema name and version. Unused fields are zero. `reserved` stays zero.
"""

from enum import IntEnum
from typing import Final

import numpy as np

RECORD_VERSION: Final = 1


class CommandKind(IntEnum):
    """What a command asks for. Numbers are part of the format and never reused."""

    TICK = 1
    NODE_STARTED = 2  # quantity_lots carries the epoch
    SESSION_OPENED = 3
    SESSION_CLOSED = 4  # runs cancel-on-disconnect
    CHECKPOINT = 5  # document: both hashes as of an earlier sequence
    PLACE = 16
    AMEND = 17
    CANCEL = 18
    MASS_CANCEL = 19
    BASKET = 20  # one leg of a linked basket; `group` of the first, the header, says how many legs, that of the others is 0
    DOCUMENT = 32  # a business command; the document names its schema


class OrderType(IntEnum):
    """Limit, or market: a limit at the edge of the price band, immediate or cancel."""

    LIMIT = 0
    MARKET = 1


class CommandFlag(IntEnum):
    """Bits of `flags`; an IntEnum because kernels do not know IntFlag."""

    NONE = 0
    POST_ONLY = 1
    CANCEL_ON_DISCONNECT = 2
    ALL_INSTRUMENTS = 4  # mass cancel: ignore `instrument`
    ALL_SIDES = 8  # mass cancel: ignore `side`
    ALL_LABELS = 16  # mass cancel: ignore `label`
    AMEND_PRICE = 32
    AMEND_QUANTITY = 64
    REPRICE = 128  # with POST_ONLY: rests one tick behind the other side instead of being refused
    ICEBERG = 256  # `display_lots` counts
    MINIMUM = 512  # `min_lots` counts
    ALL_OR_NONE = 1024
    REDUCE_ONLY = 16384  # only ever brings the net position nearer to zero
    STOP = 2048  # `stop_ticks` counts; with MARKET a stop order, with LIMIT a stop-limit order


COMMAND: Final = np.dtype(
    [
        ("kind", "u1"),
        ("version", "u1"),
        ("flags", "<u2"),
        ("shard", "<u2"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("account", "<u4"),
        ("session", "<u4"),
        ("instrument", "<u8"),
        ("stamp_ns", "<i8"),
        ("order_id", "<i8"),  # target of amend and cancel; of sessions and documents the key that speaks (accounts.keys.fingerprint), 0: not named
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("display_lots", "<i8"),  # iceberg: what is shown
        ("min_lots", "<i8"),  # minimum quantity
        ("stop_ticks", "<i8"),
        ("deadline_ns", "<i8"),  # the command is void after this; 0: none
        ("expiry_ns", "<i8"),  # good-till-date
        ("revision", "<u4"),  # amend: the revision expected
        ("label", "<u4"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("group", "<u2"),  # of the header of a basket: its records, contiguous
        ("document_offset", "<u4"),
        ("document_length", "<u4"),
        ("client_order_id", "S36"),
        ("reserved", "V40"),
    ]
)
assert COMMAND.itemsize == 192, COMMAND.itemsize
