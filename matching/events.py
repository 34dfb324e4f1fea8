"""Writing EVENT records. Each function writes at `events[n_events]`, for which there is room, and returns the new count."""

import numpy as np

from matching.compile import kernel
from matching.orders import order_lots, order_price, order_side_index, owner_of, side_of_ladder
from matching.records import EventKind, Reason
from matching.state import HAS_COLD, LADDER_BITS, LADDERS, NIL, OWNER_MASK


@kernel(inline=True)
def write_order_event(state, events, n_events, kind, slot, quantity_lots, remaining_lots, reason):
    """What happened to an order in a book, written before it is unlinked."""
    order = state.orders[slot]
    side_index = order_side_index(state, slot)
    event = events[np.uint64(n_events)]
    event.order_id = order.order_id
    event.counter_id = 0
    event.quantity_lots = quantity_lots
    event.remaining_lots = remaining_lots
    event.counter_remaining_lots = 0
    event.price_ticks = order_price(state, slot)
    event.book = side_index >> LADDER_BITS
    event.owner = owner_of(state, slot)
    event.counter_owner = 0
    event.slot = slot
    event.counter_slot = NIL
    event.kind = kind
    event.side = side_of_ladder(side_index & (LADDERS - 1))
    event.reason = reason
    return n_events + 1


@kernel(inline=True)
def write_entry_event(events, n_events, kind, entry, slot, quantity_lots, remaining_lots, reason):
    """What happened to the entering order itself, at its limit."""
    event = events[np.uint64(n_events)]
    event.order_id = entry.order_id
    event.counter_id = 0
    event.quantity_lots = quantity_lots
    event.remaining_lots = remaining_lots
    event.counter_remaining_lots = 0
    event.price_ticks = entry.price_ticks
    event.book = entry.book
    event.owner = entry.owner
    event.counter_owner = 0
    event.slot = slot
    event.counter_slot = NIL
    event.kind = kind
    event.side = entry.side
    event.reason = reason
    return n_events + 1


@kernel(inline=True)
def write_rejection(events, n_events, entry, reason):
    """An entry that changes nothing: its own fields, whatever they are."""
    return write_entry_event(events, n_events, EventKind.REJECTED, entry, np.int64(NIL), np.int64(entry.quantity_lots), np.int64(0), reason)


@kernel(inline=True)
def write_fill(state, events, n_events, entry, taker_slot, taker_remaining_lots, maker_slot, quantity_lots, price_ticks):
    """A fill at the maker's price, written before the maker is changed; both remaining quantities are those after it."""
    maker = state.orders[maker_slot]
    event = events[np.uint64(n_events)]
    event.order_id = entry.order_id
    event.counter_id = maker.order_id
    event.quantity_lots = quantity_lots
    event.remaining_lots = taker_remaining_lots
    event.counter_remaining_lots = np.int64(maker.remaining_lots) - quantity_lots
    event.price_ticks = price_ticks
    event.book = entry.book
    event.owner = entry.owner
    event.counter_owner = np.int64(maker.owner) & OWNER_MASK
    event.slot = taker_slot
    event.counter_slot = maker_slot
    event.kind = EventKind.FILLED
    event.side = entry.side
    event.reason = Reason.NONE
    if np.int64(maker.owner) & HAS_COLD != 0:
        event.counter_remaining_lots = order_lots(state, maker_slot) - quantity_lots
    return n_events + 1


@kernel(inline=True)
def write_auction_fill(state, events, n_events, buy_slot, sell_slot, quantity_lots, price_ticks):
    """A fill of two resting orders at an auction's price, written before either is changed."""
    seller = state.orders[sell_slot]
    n_events = write_order_event(
        state, events, n_events, EventKind.FILLED, buy_slot, quantity_lots, order_lots(state, buy_slot) - quantity_lots, np.int64(Reason.AUCTION)
    )
    event = events[np.uint64(n_events - 1)]
    event.counter_id = seller.order_id
    event.counter_remaining_lots = order_lots(state, sell_slot) - quantity_lots
    event.counter_owner = owner_of(state, sell_slot)
    event.counter_slot = sell_slot
    event.price_ticks = price_ticks
    return n_events


@kernel(inline=True)
def write_book_event(events, n_events, kind, book, quantity_lots, price_ticks, reason):
    """What happened to a book as a whole."""
    event = events[np.uint64(n_events)]
    event.order_id = 0
    event.counter_id = 0
    event.quantity_lots = quantity_lots
    event.remaining_lots = 0
    event.counter_remaining_lots = 0
    event.price_ticks = price_ticks
    event.book = book
    event.owner = 0
    event.counter_owner = 0
    event.slot = NIL
    event.counter_slot = NIL
    event.kind = kind
    event.side = 0
    event.reason = reason
    return n_events + 1
