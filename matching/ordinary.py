"""The short way: an order without conditions in a continuous book without any, which is nearly every order.

Functions here are inlined into the loop over a batch: passing the state to one that is not costs some hundred words on the stack, more
than the matching itself. What an ordinary entry meets that is not ordinary (its own owner, an iceberg) is left to meeting.py.
"""

import numpy as np

from matching.compile import kernel
from matching.events import write_entry_event, write_fill
from matching.ladder import crosses
from matching.meeting import meet, note_trade
from matching.orders import add_order, end_order, free_order, link_order, reduce_order
from matching.records import EntryFlag, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.state import HAS_COLD, LADDER_BITS, NIL


@kernel(inline=True)
def entry_side_index(entry):
    """Ladder where an entry rests; its opposite is that with the last bit turned."""
    return (np.int64(np.uint32(entry.book)) << LADDER_BITS) + np.int64(entry.side)


@kernel(inline=True)
def is_immediate(time_in_force):
    """Whether an order never rests."""
    return time_in_force == TimeInForce.IOC or time_in_force == TimeInForce.FOK


@kernel(inline=True)
def is_ordinary(state, entry):
    """Whether a PLACE entry may take the short way: its fields are in range, it has no conditions, and neither has its open book.

    Says nothing of the order id.
    """
    if np.int64(np.uint32(entry.book)) >= state.books.shape[0] or entry.side > Side.SELL or entry.owner < 0 or entry.quantity_lots == 0:
        return False
    if entry["flags"] != EntryFlag.NONE or entry.label != 0 or entry.self_trade > SelfTrade.ALLOW:
        return False
    if entry.time_in_force > TimeInForce.GATE or entry.time_in_force == TimeInForce.FOK:
        return False
    return state.sides[entry_side_index(entry) ^ 1].unusual == 0


@kernel(inline=True)
def match_ordinary(state, events, n_events, entry, taker_slot):
    """Trade an entry against the other side while prices cross. Returns (events, lots left, reason if it ends here)."""
    remaining = np.int64(entry.quantity_lots)
    reason = np.int64(Reason.NONE)
    other = state.sides[entry_side_index(entry) ^ 1]
    while remaining > 0 and other.best_level >= 0 and crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks)):
        maker_slot = np.int64(state.levels[np.uint64(other.best_level)].head)
        maker = state.orders[np.uint64(maker_slot)]
        price_ticks = np.int64(other.best_ticks)
        if maker.owner == entry.owner or maker.owner >= HAS_COLD:
            n_events, remaining, reason = meet(state, events, n_events, entry, taker_slot, maker_slot, price_ticks, remaining)
            if reason != Reason.NONE:
                break
            continue
        quantity = min(remaining, np.int64(maker.remaining_lots))
        remaining -= quantity
        n_events = write_fill(state, events, n_events, entry, taker_slot, remaining, maker_slot, quantity, price_ticks)
        note_trade(state, entry.book, price_ticks)
        if quantity == maker.remaining_lots:
            end_order(state, maker_slot)
        else:
            reduce_order(state, maker_slot, quantity)
    return n_events, remaining, reason


@kernel(inline=True)
def enter_ordinary(state, events, n_events, entry, slot):
    """Match an ordinary entry and rest what is left: in a slot of its own (NIL) or in the one it keeps through an amend.

    Returns (n_events, reason of the last event, lots that rest, slot or -1).
    """
    n_events, remaining, reason = match_ordinary(state, events, n_events, entry, slot)
    if remaining > 0 and reason == Reason.NONE:
        if not is_immediate(entry.time_in_force):
            side_index = entry_side_index(entry)
            if slot < 0:
                slot = add_order(state, side_index, np.int64(entry.order_id), entry.owner, entry.price_ticks, remaining)
            else:
                link_order(state, side_index, slot, entry.price_ticks, remaining)
            n_events = write_entry_event(events, n_events, EventKind.RESTED, entry, slot, remaining, remaining, reason)
            return n_events, reason, remaining, slot
        reason = np.int64(Reason.IMMEDIATE_REMAINDER)
    if reason != Reason.NONE:
        n_events = write_entry_event(events, n_events, EventKind.CANCELLED, entry, slot, remaining, np.int64(0), reason)
    if slot >= 0:
        free_order(state, slot)
    return n_events, reason, np.int64(0), np.int64(NIL)
