"""Why an entry is refused: the reasons in the order of their numbers, each once. Reads only."""

from typing import Final

import numpy as np

from matching.compile import kernel
from matching.entering import ALL_OR_NONE, POST_ONLY, REPRICE
from matching.ids import find_slot
from matching.meeting import ICEBERG, MINIMUM_FLAGS
from matching.orders import has_cold, order_lots, order_price, order_side_index
from matching.ordinary import is_immediate
from matching.records import (
    K_ONE,
    ORDER_ID_STEP_MAX,
    OWNER_MAX,
    PEAKS_MAX,
    BookPhase,
    EntryFlag,
    EntryKind,
    MassCancel,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
    UncrossFlag,
)
from matching.scratch import MINIMUM, STOP
from matching.state import LADDER_BITS, LADDERS, Ladder

ENTRY_FLAGS: Final = int(sum(EntryFlag))
AMEND_FLAGS: Final = POST_ONLY | REPRICE
MASS_CANCEL_FLAGS: Final = int(sum(MassCancel))
BY_BOOK: Final = int(MassCancel.BY_BOOK)
BY_SIDE: Final = int(MassCancel.BY_SIDE)
K_PRICE: Final = int(UncrossFlag.K_PRICE)


@kernel(inline=True)
def is_open(state, book):
    """Whether there is an open book of that number."""
    return book >= 0 and book < state.books.shape[0] and state.books[book].is_open != 0


@kernel(inline=True)
def is_new(kind):
    """Whether an entry of that kind is a new order."""
    return kind == EntryKind.PLACE or kind == EntryKind.BASKET


@kernel(inline=True)
def is_display(quantity_lots, display_lots):
    """Whether an iceberg of that quantity may show so much at a time."""
    return display_lots >= 1 and display_lots <= quantity_lots and PEAKS_MAX * np.int64(display_lots) >= quantity_lots


@kernel(internal=True)
def field_refusal(entry):
    """The reasons that show in the entry alone, from the side to the minimum."""
    kind = entry.kind
    flags = np.int64(entry["flags"])
    new = is_new(kind)
    amend = kind == EntryKind.AMEND
    mass_cancel = kind == EntryKind.MASS_CANCEL
    uncross = kind == EntryKind.UNCROSS
    known = ENTRY_FLAGS if new else (AMEND_FLAGS if amend else (K_PRICE if uncross else MASS_CANCEL_FLAGS))
    if (new or (mass_cancel and flags & BY_SIDE != 0)) and entry.side > Side.SELL:
        return np.int64(Reason.UNKNOWN_SIDE)
    if new and entry.time_in_force > TimeInForce.GATE:
        return np.int64(Reason.UNKNOWN_TIME_IN_FORCE)
    if (new or amend) and entry.self_trade > SelfTrade.ALLOW:
        return np.int64(Reason.UNKNOWN_SELF_TRADE)
    if (new or amend or mass_cancel or uncross) and flags & ~known != 0:
        return np.int64(Reason.UNKNOWN_FLAGS)
    if (new or amend) and entry.quantity_lots < 1:
        return np.int64(Reason.QUANTITY_OUT_OF_RANGE)
    if kind == EntryKind.SET_PHASE and entry.quantity_lots > BookPhase.HALTED:
        return np.int64(Reason.QUANTITY_OUT_OF_RANGE)
    if uncross and flags & K_PRICE != 0 and entry.quantity_lots > K_ONE:
        return np.int64(Reason.QUANTITY_OUT_OF_RANGE)
    if (new or mass_cancel) and (entry.owner < 0 or entry.owner > OWNER_MAX):
        return np.int64(Reason.OWNER_OUT_OF_RANGE)
    if new and flags & ICEBERG != 0 and not is_display(entry.quantity_lots, entry.display_lots):
        return np.int64(Reason.DISPLAY_OUT_OF_RANGE)
    if new and flags & MINIMUM != 0 and (entry.min_lots < 1 or entry.min_lots > entry.quantity_lots):
        return np.int64(Reason.MINIMUM_OUT_OF_RANGE)
    return np.int64(Reason.NONE)


@kernel(inline=True)
def is_out_of_sequence(state, order_id, last_order_id):
    """Whether a new order may not have that id, after the dense id `last_order_id`."""
    if state.core[0].hash_shift != 0:
        return find_slot(state, order_id) >= 0
    return order_id <= last_order_id or order_id > last_order_id + ORDER_ID_STEP_MAX


@kernel(internal=True)
def contradicts(entry):
    """Whether the flags and the time in force of a new order say opposite things."""
    flags = np.int64(entry["flags"])
    immediate = is_immediate(entry.time_in_force)
    if flags & REPRICE != 0 and flags & POST_ONLY == 0:
        return True
    if flags & ICEBERG != 0 and (immediate or flags & MINIMUM_FLAGS != 0):
        return True
    if flags & MINIMUM_FLAGS == MINIMUM_FLAGS or (flags & MINIMUM_FLAGS != 0 and entry.time_in_force == TimeInForce.FOK):
        return True
    return flags & POST_ONLY != 0 and (immediate or flags & (MINIMUM | ALL_OR_NONE | STOP) != 0)


@kernel(internal=True)
def amend_refusal(state, entry):
    """From the display on, for an AMEND of an order that is there."""
    flags = np.int64(entry["flags"])
    slot = find_slot(state, np.int64(entry.order_id))
    if has_cold(state, slot) and entry.quantity_lots > PEAKS_MAX * np.int64(state.cold[slot].display_lots) and state.cold[slot].display_lots > 0:
        return np.int64(Reason.DISPLAY_OUT_OF_RANGE)
    side_index = order_side_index(state, slot)
    beside = side_index & (LADDERS - 1) >= Ladder.WAITING_BUYS
    if (flags & REPRICE != 0 and flags & POST_ONLY == 0) or (flags & POST_ONLY != 0 and beside):
        return np.int64(Reason.FLAGS_CONTRADICT)
    phase = state.books[side_index >> LADDER_BITS].phase
    if phase == BookPhase.AUCTION and flags & POST_ONLY != 0:
        return np.int64(Reason.PHASE_FORBIDS)
    if phase == BookPhase.HALTED and (entry.price_ticks != order_price(state, slot) or entry.quantity_lots > order_lots(state, slot)):
        return np.int64(Reason.PHASE_FORBIDS)
    return np.int64(Reason.NONE)


@kernel(internal=True)
def new_order_refusal(state, entry, last_order_id):
    """From the id on, for a new order."""
    if is_out_of_sequence(state, np.int64(entry.order_id), last_order_id):
        return np.int64(Reason.ORDER_ID_OUT_OF_SEQUENCE)
    return np.int64(Reason.FLAGS_CONTRADICT) if contradicts(entry) else np.int64(Reason.NONE)


@kernel(inline=True)
def phase_refuses(state, entry):
    """Whether the phase of its book keeps a new order out."""
    phase = state.books[entry.book].phase
    if phase == BookPhase.CONTINUOUS:
        return False
    return (
        phase == BookPhase.HALTED or entry.kind == EntryKind.BASKET or is_immediate(entry.time_in_force) or entry["flags"] & POST_ONLY != 0
    )


@kernel(internal=True)
def is_crossed(state, book):
    """Whether the best bid of the ladder is at the best ask or above."""
    bids = state.sides[LADDERS * book]
    asks = state.sides[LADDERS * book + 1]
    return bids.best_level >= 0 and asks.best_level >= 0 and bids.best_ticks >= asks.best_ticks


@kernel(internal=True)
def early_refusal(state, entry):
    """The reasons from the kind to the minimum."""
    kind = entry.kind
    if kind < EntryKind.PLACE or kind > EntryKind.SET_BAND:
        return np.int64(Reason.UNKNOWN_KIND)
    names_book = is_new(kind) or kind >= EntryKind.SET_PHASE or (kind == EntryKind.MASS_CANCEL and entry["flags"] & BY_BOOK != 0)
    if names_book and not is_open(state, np.int64(entry.book)):
        return np.int64(Reason.UNKNOWN_BOOK)
    names_order = kind == EntryKind.CANCEL or kind == EntryKind.EXPIRE or kind == EntryKind.AMEND
    if names_order and find_slot(state, np.int64(entry.order_id)) < 0:
        return np.int64(Reason.UNKNOWN_ORDER)
    return field_refusal(entry)


@kernel(internal=True)
def refusal_of(state, entry):
    """Why an entry of any kind but a leg of a whole basket is refused, NONE if it is not."""
    reason = early_refusal(state, entry)
    if reason != Reason.NONE:
        return reason
    kind = entry.kind
    book = np.int64(entry.book)
    if is_new(kind):
        reason = new_order_refusal(state, entry, state.core[0].last_order_id)
        if reason == Reason.NONE and kind == EntryKind.BASKET:
            reason = np.int64(Reason.INVALID_BASKET)
        if reason == Reason.NONE and phase_refuses(state, entry):
            reason = np.int64(Reason.PHASE_FORBIDS)
        return reason
    if kind == EntryKind.AMEND:
        return amend_refusal(state, entry)
    if kind == EntryKind.UNCROSS:
        return np.int64(Reason.NONE) if state.books[book].phase == BookPhase.AUCTION else np.int64(Reason.PHASE_FORBIDS)
    if kind == EntryKind.SET_PHASE:
        if state.books[book].phase == entry.quantity_lots:
            return np.int64(Reason.PHASE_FORBIDS)
        if entry.quantity_lots == BookPhase.CONTINUOUS and is_crossed(state, book):
            return np.int64(Reason.BOOK_IS_CROSSED)
    return np.int64(Reason.NONE)
