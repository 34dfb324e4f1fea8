"""Compiled: the fold of postings into the table of bundles. Functions modify `Tables` in place; callers have made room for two rows a posting.

Units are delivered first in, first out by their arrival in the account, unless rows were stated for the posting. What is sold comes from what may be
sold; what is set aside or ends comes first from what may not.
"""

from typing import Any

import numpy as np

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.registry.bundles import NO_ROW, Queue
from exchange.registry.lifecycle import UnitState
from exchange.registry.queues import change, lots_of, split
from matching.compile import kernel

LOCKED_HOUSE = int(House.LOCKED)
CONVERTED_HOUSE = int(House.CONVERTED)
# Answers of the fold beside the number of postings folded.
SHORT = -1  # a queue holds less than the posting moves
FORBIDDEN = -2  # the lifecycle does not allow it


@kernel(internal=True)
def _state_after(reason: int) -> int:
    if reason == PostingReason.UNITS_LOCKED:
        return np.int64(UnitState.LOCKED)
    if reason == PostingReason.UNITS_FROZEN:
        return np.int64(UnitState.FROZEN)
    if reason == PostingReason.UNITS_RETIRED:
        return np.int64(UnitState.RETIRED)
    if reason == PostingReason.UNITS_SURRENDERED:
        return np.int64(UnitState.SURRENDERED)
    if reason == PostingReason.UNITS_EXPIRED:
        return np.int64(UnitState.EXPIRED)
    if reason == PostingReason.UNITS_WITHDRAWN:
        return np.int64(UnitState.WITHDRAWN)
    return np.int64(UnitState.ISSUED)


@kernel(internal=True)
def _apply(t: Any, row: int, asset: int, reason: int, credit: int) -> bool:
    """What one posting does to one whole bundle. What is set aside or ends stays in the name of who had it."""
    state = _state_after(reason)
    held = state == UnitState.ISSUED
    owner = np.int64(t.rows[row].account)
    new_owner = credit if held else owner
    is_transfer = held and new_owner != owner and reason != PostingReason.UNITS_ISSUED
    return change(t, row, state, new_owner, asset, is_transfer)


@kernel(internal=True)
def _take_first(t: Any, asset: int, account: int, kind: int, lots: int, reason: int, credit: int, sequence: int) -> int:
    """Move up to `lots` from the head of a queue, splitting the last bundle. Returns what is left to move, or FORBIDDEN."""
    slot = t.slot_of[asset]
    while lots > 0:
        row = np.int64(t.queues[slot, account, kind].first)
        if row == NO_ROW:
            break
        if lots_of(t, row) > lots:
            row = split(t, row, lots, sequence)
        lots -= lots_of(t, row)
        if not _apply(t, row, asset, reason, credit):
            return np.int64(FORBIDDEN)
    return lots


@kernel(internal=True)
def _take_stated(t: Any, asset: int, lots: int, reason: int, credit: int) -> int:
    for i in range(t.counters[0].n_stated):
        row = np.int64(t.stated[i])
        lots -= lots_of(t, row)
        if not _apply(t, row, asset, reason, credit):
            return np.int64(FORBIDDEN)
    t.counters[0].n_stated = 0
    return lots


@kernel(internal=True)
def _fold_posting(t: Any, posting: Any) -> int:
    """Returns the lots that the posting could not move, 0 as it should be, or FORBIDDEN."""
    asset, lots, reason = np.int64(posting.asset), np.int64(posting.amount), np.int64(posting.reason)
    debit, credit, sequence = np.int64(posting.debit), np.int64(posting.credit), np.int64(posting.sequence)
    if reason == PostingReason.UNITS_CONVERTED and credit == CONVERTED_HOUSE:
        return np.int64(0)  # the second of the pair says what they are converted into
    if t.counters[0].n_stated > 0:
        return _take_stated(t, asset, lots, reason, credit)
    if reason == PostingReason.UNITS_TRADED or reason == PostingReason.UNITS_TRANSFERRED:
        return _take_first(t, asset, debit, np.int64(Queue.SELLABLE), lots, reason, credit, sequence)
    if reason == PostingReason.UNITS_RELEASED:
        kind = np.int64(Queue.LOCKED) if debit == LOCKED_HOUSE else np.int64(Queue.FROZEN)
        return _take_first(t, asset, credit, kind, lots, reason, credit, sequence)
    lots = _take_first(t, asset, debit, np.int64(Queue.UNSELLABLE), lots, reason, credit, sequence)
    return _take_first(t, asset, debit, np.int64(Queue.SELLABLE), lots, reason, credit, sequence) if lots > 0 else lots


@kernel
def fold_postings(t: Any, postings: Any) -> int:
    """Fold POSTING records of units, in order. Returns how many, or SHORT or FORBIDDEN at the first that contradicts the table."""
    for i in range(postings.shape[0]):
        left = _fold_posting(t, postings[i])
        if left > 0:
            return np.int64(SHORT)
        if left < 0:
            return np.int64(FORBIDDEN)
    return np.int64(postings.shape[0])
