"""How the members' lines of a run become postings, and who pays what it cannot. Arrays of all accounts at once, one line after another.

Published order for what a failed delivery leaves short: the hold made for it, then the account's cash (with what the same run brings it),
then the guarantee fund. No participant's balance goes below zero; what the fund paid stays a claim on the account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.chart import House
from exchange.ledger.records import POSTING, PostingReason
from exchange.settlement.day_input import Int64Array

# POSTING records; sequence and index are the poster's to fill.
PostingRows = NDArray[Any]


class Claim(NamedTuple):
    """What the guarantee fund paid for an account, and for which line."""

    account: int
    amount_micro: int
    reason: PostingReason


@dataclass(frozen=True, slots=True, eq=False)
class MemberLine:
    """One line between members and a house account: received positive, [n]. `hold_micro` was set aside for it and is released by this run."""

    reason: PostingReason
    house: House
    amount_micro: Int64Array
    hold_micro: Int64Array | int = 0


def posting_rows(debit: Any, credit: Any, amount_micro: Any, reason: Any) -> PostingRows:
    """Rows in order, none for zero, the other way round for a negative amount. Arguments are scalars or arrays of one shape, read in C order."""
    columns = np.broadcast_arrays(debit, credit, amount_micro, reason)
    payer, payee, amounts, reasons = (column.ravel() for column in columns)
    moved = np.flatnonzero(amounts)
    forward = amounts[moved] > 0
    rows = np.zeros(len(moved), POSTING)
    rows["debit"] = np.where(forward, payer[moved], payee[moved])
    rows["credit"] = np.where(forward, payee[moved], payer[moved])
    rows["amount"] = np.abs(amounts[moved])
    rows["reason"] = reasons[moved]
    return rows


def credit_rows(accounts: Int64Array, line: MemberLine) -> PostingRows:
    """What the accounts receive by one line."""
    return posting_rows(int(line.house), accounts, np.maximum(line.amount_micro, 0), int(line.reason))


def charge_rows(accounts: Int64Array, available_micro: Int64Array, lines: Sequence[MemberLine]) -> tuple[PostingRows, tuple[Claim, ...]]:
    """What each account pays, in the order of the lines, and what the guarantee fund pays for it; accounts in order.

    `available_micro` is free cash before the run. All credits of the run have reached the accounts before the first charge.
    """
    cash = available_micro + sum(np.maximum(line.amount_micro, 0) for line in lines)
    shape = (len(accounts), len(lines), 2)  # a line's own posting, then that of the fund
    amounts = np.zeros(shape, np.int64)
    for place, line in enumerate(lines):
        due = np.maximum(-line.amount_micro, 0)
        paid = np.minimum(due, np.maximum(line.hold_micro + cash, 0))
        # The hold pays first; what is left of it is cash again for the lines behind.
        cash = cash + line.hold_micro - paid
        amounts[:, place, 0], amounts[:, place, 1] = paid, due - paid
    payers = np.stack([accounts, np.full_like(accounts, House.GUARANTEE_FUND)], axis=-1)[:, np.newaxis, :]
    houses = np.array([int(line.house) for line in lines])[:, np.newaxis]
    reasons = np.array([[int(line.reason), int(PostingReason.GUARANTEE_FUND)] for line in lines])
    rows = posting_rows(payers, houses, amounts, reasons)
    short = np.argwhere(amounts[:, :, 1] > 0).tolist()
    return rows, tuple(Claim(int(accounts[row]), int(amounts[row, place, 1]), lines[place].reason) for row, place in short)
