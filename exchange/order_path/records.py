"""What comes out of the order path: one outcome a command, executions, postings. Fixed dtypes, logical content only."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.records import POSTING, PostingReason
from matching.records import Reason

__all__ = [
    "EXECUTION", "OUTCOME", "POSTING", "TRADE_KINDS", "TRADE_MODES", "ExecutionKind", "HouseReason", "OutcomeFlag", "PostingReason", "copied",
    "joined", "trade_mode",
]  # fmt: skip


class OutcomeFlag(IntEnum):
    """Bits of OUTCOME.flags."""

    DUPLICATE = 1
    RESTING = 2
    WAITING = 4  # with RESTING: beside the ladder


# The answer to one command. `code` is a RejectCode; quantities of a duplicate are those recorded the first time.
OUTCOME: Final = np.dtype(
    [
        ("sequence", "<i8"),
        ("stamp_ns", "<i8"),
        ("order_id", "<i8"),
        ("filled_lots", "<i8"),
        ("remaining_lots", "<i8"),
        ("notional_micro", "<i8"),
        ("cancelled_orders", "<i4"),
        ("revision", "<u4"),
        ("code", "<u2"),
        ("flags", "<u2"),
        ("unused", "<u4"),
    ]
)


class ExecutionKind(IntEnum):
    """Past tense. TRADE and those without orders speak of taker (`account`, `order_id`) and maker (`counter_account`, `counter_order_id`); in a
    call auction of buyer and seller.
    """

    RESTED = 1
    TRADE = 2
    CANCELLED = 3
    REDUCED = 4
    REPRICED = 5
    WAITING = 6  # beside the ladder, for its minimum or its stop price
    REFILLED = 7  # an iceberg shows its next peak
    TRIGGERED = 8  # a stop enters
    BLOCK_TRADE = 16  # without orders: `account` confirmed what `counter_account` proposed
    ALLOTTED = 17  # without orders: `account` bid in the one-way auction of `counter_account`


class HouseReason(IntEnum):
    """Reasons of executions beyond matching.records.Reason: what the books did because the exchange asked for it."""

    REDUCE_ONLY = 128  # the order would no longer only reduce a position
    CANCEL_AFTER = 129  # a dead man's switch was not renewed in time


# Trades in any mode; of those without orders both order ids are 0.
TRADE_MODES: Final = {int(ExecutionKind.TRADE): "listed", int(ExecutionKind.BLOCK_TRADE): "block", int(ExecutionKind.ALLOTTED): "one_way"}
TRADE_KINDS: Final = tuple(TRADE_MODES)


def trade_mode(kind: int, reason: int) -> str:
    """How a trade came about: listed, auction, block, one_way."""
    return "auction" if reason == Reason.AUCTION else TRADE_MODES[kind]


# One event of an order. (sequence, index) is its permanent event id. `seq` and `counter_seq` are the private sequences of the two accounts,
# `trade_number` counts the trades of the instrument.
EXECUTION: Final = np.dtype(
    [
        ("sequence", "<i8"),
        ("index", "<i4"),
        ("kind", "u1"),
        ("side", "u1"),  # of `order_id`
        ("reason", "u1"),  # matching.records.Reason or HouseReason
        ("unused", "u1"),
        ("stamp_ns", "<i8"),
        ("instrument", "<u8"),
        ("order_id", "<i8"),
        ("counter_order_id", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("remaining_lots", "<i8"),
        ("counter_remaining_lots", "<i8"),
        ("fee_micro", "<i8"),
        ("counter_fee_micro", "<i8"),
        ("seq", "<i8"),
        ("counter_seq", "<i8"),
        ("trade_number", "<i8"),
        ("account", "<u4"),
        ("counter_account", "<u4"),
        ("client_order_id", "S36"),
        ("counter_client_order_id", "S36"),
    ]
)


def joined(parts: Sequence[NDArray[np.void]], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Record arrays of one dtype behind each other: one part as it is, more as a new array.

    np.concatenate would compare all fields of each part: 100 us for a command.
    """
    if len(parts) == 1:
        return parts[0]
    return np.frombuffer(bytearray().join(part.tobytes() for part in parts), dtype)


def copied(words: NDArray[np.uint64], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """A copy of records given as words, u8[n, words of one]: numpy's own copy of records goes field by field."""
    return words.copy().reshape(-1).view(dtype)
