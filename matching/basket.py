"""Linked baskets: fill-or-kill legs in different books, all or none (docs/matching.md, "Linked basket")."""

from typing import Final

import numpy as np

from matching.compile import kernel
from matching.counting import count_tradable
from matching.events import write_entry_event, write_rejection
from matching.long_way import place_any
from matching.records import EntryFlag, EntryKind, EventKind, Reason, SelfTrade, TimeInForce
from matching.refusals import early_refusal, new_order_refusal, phase_refuses
from matching.state import NIL

LEGS_MAX: Final = 100


@kernel(internal=True)
def count_legs(entries, first):
    """Legs of the whole basket that begins at `first`; 0 if none does."""
    legs = np.int64(entries[first].legs)
    if entries[first].kind != EntryKind.BASKET or legs < 1 or legs > LEGS_MAX or first + legs > entries.shape[0]:
        return np.int64(0)
    for i in range(first + 1, first + legs):
        if entries[i].kind != EntryKind.BASKET or entries[i].legs != 0:
            return np.int64(0)
    return legs


@kernel(internal=True)
def leg_refusal(state, entries, first, leg):
    """Why a leg of a whole basket is refused, after the legs before it; NONE if it is not."""
    entry = entries[leg]
    reason = early_refusal(state, entry)
    if reason != Reason.NONE:
        return reason
    last_order_id = state.core[0].last_order_id if leg == first else np.int64(entries[leg - 1].order_id)
    reason = new_order_refusal(state, entry, last_order_id)
    repeats_id = False
    repeats_book = False
    for before in range(first, leg):
        repeats_id = repeats_id or entries[before].order_id == entry.order_id
        repeats_book = repeats_book or entries[before].book == entry.book
    if repeats_id:
        return np.int64(Reason.ORDER_ID_OUT_OF_SEQUENCE)
    if reason != Reason.NONE:
        return reason
    if repeats_book or entry["flags"] != EntryFlag.NONE or entry.time_in_force != TimeInForce.FOK:
        return np.int64(Reason.INVALID_BASKET)
    return np.int64(Reason.PHASE_FORBIDS) if phase_refuses(state, entry) else np.int64(Reason.NONE)


@kernel(internal=True)
def leg_can_trade(state, entry):
    """Whether a leg would trade whole now. The count ends at any own order, whatever the leg's own prevention."""
    return count_tradable(state, entry, np.int64(SelfTrade.CANCEL_NEWEST)) >= entry.quantity_lots


@kernel(internal=True)
def place_basket(state, events, n_events, entries, first, legs):
    """A whole basket of `legs` entries from `first` on: refused, failed or traded. There is room. Returns the new count of events."""
    for leg in range(first, first + legs):
        reason = leg_refusal(state, entries, first, leg)
        if reason != Reason.NONE:
            for other in range(first, first + legs):
                own = reason if other == leg else np.int64(Reason.INVALID_BASKET)
                n_events = write_rejection(events, n_events, entries[other], own)
            return n_events
    fails = False
    for leg in range(first, first + legs):
        fails = fails or not leg_can_trade(state, entries[leg])
    state.core[0].last_order_id = entries[first + legs - 1].order_id
    for leg in range(first, first + legs):
        entry = entries[leg]
        if fails:
            lots = np.int64(entry.quantity_lots)
            n_events = write_entry_event(
                events, n_events, EventKind.CANCELLED, entry, np.int64(NIL), lots, np.int64(0), np.int64(Reason.BASKET_UNFILLABLE)
            )
        else:
            n_events, _, _, _ = place_any(state, events, n_events, entry)
    return n_events
