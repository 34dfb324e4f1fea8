"""The posting record: every movement of money or units."""

from enum import IntEnum
from typing import Final

import numpy as np


class PostingReason(IntEnum):
    """Why money or units moved. Part of the read model; a number is never reused."""

    DEPOSIT = 1
    TRADE = 2
    MAKER_FEE = 3
    TAKER_FEE = 4
    UNITS_TRADED = 5
    UNITS_ISSUED = 6
    ENERGY_DELIVERED = 7
    DEFICIT = 8
    SURPLUS = 9
    PARK_FEE = 10
    GRID_IMPORT = 11
    GRID_EXPORT = 12
    LOSSES = 13
    NETTING_FUND = 14
    NETTING_REFUND = 15
    VOLTAGE_ADDER = 16
    GUARANTEE_FUND = 17
    ENVIRONMENT = 18
    ROUNDING = 19
    UNITS_TRANSFERRED = 20
    UNITS_LOCKED = 21
    UNITS_RELEASED = 22
    UNITS_FROZEN = 23
    UNITS_RETIRED = 24
    UNITS_SURRENDERED = 25
    UNITS_EXPIRED = 26
    UNITS_WITHDRAWN = 27
    UNITS_CONVERTED = 28
    PENALTY = 29
    CORRECTION = 31


# `amount` leaves `debit` and reaches `credit`: accounts are balances that the clearing house owes, so a debit lowers and a credit raises.
# `asset` 0 is money in micro-CNY, otherwise an instrument id and the amount is lots.
POSTING: Final = np.dtype(
    [
        ("sequence", "<i8"),
        ("index", "<i4"),
        ("reason", "<u2"),
        ("unused", "<u2"),
        ("debit", "<u4"),
        ("credit", "<u4"),
        ("asset", "<u8"),
        ("amount", "<i8"),
    ]
)
