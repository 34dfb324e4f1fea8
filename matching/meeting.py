"""What happens between an entering order and one that it meets: a trade, or self-trade prevention; peaks of icebergs; what waited and now rests."""

import numpy as np

from matching.compile import kernel
from matching.events import write_entry_event, write_fill, write_order_event
from matching.ladder import level_price
from matching.orders import free_order, has_cold, link_order, order_lots, order_side_index, owner_of, reduce_order, unlink_order
from matching.records import BookPhase, EntryFlag, EventKind, Reason, SelfTrade
from matching.state import LADDER_BITS, LADDERS, Ladder

MINIMUM_FLAGS = int(EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE)
ICEBERG = int(EntryFlag.ICEBERG)


@kernel(inline=True)
def note_trade(state, book, price_ticks):
    """The last trade of a book."""
    record = state.books[np.uint64(book)]
    record.last_ticks = price_ticks
    record.has_traded = 1


@kernel(internal=True)
def refresh_unusual(books, sides, book):
    """Say in the ladders whether entries of a book must take the long way. Modifies `sides` in place."""
    record = books[book]
    unusual = record.is_open == 0 or record.phase != BookPhase.CONTINUOUS or record.has_band != 0 or record.waiting != 0 or record.stops != 0
    for ladder in range(2):
        sides[LADDERS * book + ladder].unusual = 1 if unusual else 0


@kernel(inline=True)
def refills_of(reserve_lots, display_lots):
    """Peaks that a reserve can still show."""
    return (reserve_lots + display_lots - 1) // display_lots if reserve_lots > 0 else np.int64(0)


@kernel(inline=True)
def set_reserve(state, slot, reserve_lots):
    """Change the reserve of an order with a cold half. Modifies the state in place."""
    cold = state.cold[slot]
    display = np.int64(cold.display_lots)
    state.core[0].refills += refills_of(reserve_lots, display) - refills_of(np.int64(cold.reserve_lots), display)
    cold.reserve_lots = reserve_lots


@kernel(internal=True)
def leave_ladder(state, slot):
    """Take any order out of the ladder it hangs in, and count it out of what waits. Modifies the state in place."""
    side_index = order_side_index(state, slot)
    ladder = side_index & (LADDERS - 1)
    unlink_order(state, slot)
    if ladder >= Ladder.WAITING_BUYS:
        book = side_index >> LADDER_BITS
        if ladder >= Ladder.SELL_STOPS:
            state.books[book].stops -= 1
        else:
            state.books[book].waiting -= 1
        refresh_unusual(state.books, state.sides, book)


@kernel(internal=True)
def end_any(state, slot):
    """Take any order out and forget it. Modifies the state in place."""
    if has_cold(state, slot):
        set_reserve(state, slot, np.int64(0))
    leave_ladder(state, slot)
    free_order(state, slot)


@kernel(internal=True)
def withdraw_all(state, events, n_events, slot, reason):
    """End any order with its reserve: one CANCELLED. Returns the new count of events."""
    n_events = write_order_event(state, events, n_events, EventKind.CANCELLED, slot, order_lots(state, slot), np.int64(0), reason)
    end_any(state, slot)
    return n_events


@kernel(internal=True)
def take_shown(state, events, n_events, slot, lots):
    """Take lots that an event has told of from what an order shows, or all it has beside the ladder; a used-up peak is shown again.

    Returns the new count of events. Modifies the state in place.
    """
    if lots < state.orders[slot].remaining_lots:
        reduce_order(state, slot, lots)
        return n_events
    reserve = np.int64(state.cold[slot].reserve_lots) if has_cold(state, slot) else np.int64(0)
    if reserve == 0:
        end_any(state, slot)
        return n_events
    side_index = order_side_index(state, slot)
    price_ticks = level_price(state, np.int64(state.orders[slot].level))
    peak = min(reserve, np.int64(state.cold[slot].display_lots))
    unlink_order(state, slot)
    set_reserve(state, slot, reserve - peak)
    link_order(state, side_index, slot, price_ticks, peak)
    return write_order_event(state, events, n_events, EventKind.REFILLED, slot, peak, reserve, np.int64(Reason.NONE))


@kernel(internal=True)
def release_from_minimum(state, slot):
    """An order that has traded its minimum leaves its place beside the ladder; it enters next. Modifies the state in place."""
    leave_ladder(state, slot)
    cold = state.cold[slot]
    cold["flags"] &= ~MINIMUM_FLAGS & 0xFFFF
    cold.min_lots = 0
    state.core[0].released = slot


@kernel(internal=True)
def prevent_self_trade(state, events, n_events, entry, taker_slot, maker_slot, remaining_lots):
    """The entry meets an order of its own owner. Returns (events, lots of the entry left, reason if the entry ends here)."""
    policy = entry.self_trade
    if policy == SelfTrade.CANCEL_NEWEST:
        return n_events, remaining_lots, np.int64(Reason.SELF_TRADE)
    if policy != SelfTrade.DECREMENT:
        n_events = withdraw_all(state, events, n_events, maker_slot, np.int64(Reason.SELF_TRADE))
        reason = np.int64(Reason.SELF_TRADE) if policy == SelfTrade.CANCEL_BOTH else np.int64(Reason.NONE)
        return n_events, remaining_lots, reason
    lots = min(np.int64(state.orders[maker_slot].remaining_lots), remaining_lots)
    total = order_lots(state, maker_slot)
    if lots == total:
        n_events = withdraw_all(state, events, n_events, maker_slot, np.int64(Reason.SELF_TRADE))
    else:
        n_events = write_order_event(state, events, n_events, EventKind.REDUCED, maker_slot, lots, total - lots, np.int64(Reason.SELF_TRADE))
        n_events = take_shown(state, events, n_events, maker_slot, lots)
        if has_cold(state, maker_slot) and state.cold[maker_slot]["flags"] & MINIMUM_FLAGS != 0:
            state.cold[maker_slot].min_lots = min(np.int64(state.cold[maker_slot].min_lots), total - lots)
    left = remaining_lots - lots
    if left == 0:  # the end of the entry is the caller's to report: it withdraws these last lots
        return n_events, lots, np.int64(Reason.SELF_TRADE)
    n_events = write_entry_event(events, n_events, EventKind.REDUCED, entry, taker_slot, lots, left, np.int64(Reason.SELF_TRADE))
    return n_events, left, np.int64(Reason.NONE)


@kernel(internal=True)
def meet(state, events, n_events, entry, taker_slot, maker_slot, price_ticks, remaining_lots):
    """An entry with `remaining_lots` meets any order at its price. Returns (events, lots of the entry left, reason if the entry ends here)."""
    if entry.self_trade != SelfTrade.ALLOW and owner_of(state, maker_slot) == entry.owner:
        return prevent_self_trade(state, events, n_events, entry, taker_slot, maker_slot, remaining_lots)
    quantity = min(remaining_lots, np.int64(state.orders[maker_slot].remaining_lots))
    left = remaining_lots - quantity
    n_events = write_fill(state, events, n_events, entry, taker_slot, left, maker_slot, quantity, price_ticks)
    note_trade(state, entry.book, price_ticks)
    waits = (order_side_index(state, maker_slot) & (LADDERS - 1)) >= Ladder.WAITING_BUYS
    stays = quantity < state.orders[maker_slot].remaining_lots
    n_events = take_shown(state, events, n_events, maker_slot, quantity)
    if waits and stays:
        release_from_minimum(state, maker_slot)
    return n_events, left, np.int64(Reason.NONE)
