"""Price-time priority matching: what happens to one order, and the loop over a batch of them.

Every function here takes (state, events, n_events, ...), modifies the state in place, writes EVENT records from `events[n_events]` on and
returns the new count first. None checks for room: ask `needs` (or the `count_*` functions) before. Preconditions that the caller has to
keep: the book is open, `quantity_lots` is 1 to QUANTITY_LOTS_MAX, owners are not negative, ids of new orders ascend.

Every lot of an entry leaves through exactly one event (fill, cancel, reduce) or rests.

The functions on the way of every order are inlined into their callers: passing the state to a function that is not costs some 90 words on
the stack, more than the matching itself (measured: 140 against 58 ns a message).
"""

import numpy as np

from matching.compile import kernel
from matching.ladder import crosses, level_price, next_level
from matching.orders import (
    add_order,
    compact_log,
    end_order,
    find_slot,
    first_order,
    free_order,
    link_order,
    order_after,
    order_at,
    order_side_index,
    owner_orders,
    reduce_order,
    sort_last_in_log,
    unlink_order,
)
from matching.records import EntryFlag, EntryKind, EventKind, Need, Reason, SelfTrade, TimeInForce
from matching.state import CHUNK, ID_PAGE_BITS, NIL, NODES_MAX_PER_ORDER, Pool

__all__ = [
    "amend_order",
    "cancel_book",
    "cancel_order",
    "cancel_owner",
    "count_book_orders",
    "count_owner_entries",
    "find_slot",
    "first_order",
    "needs",
    "order_after",
    "order_at",
    "owner_orders",
    "place_order",
    "restore_order",
    "run_batch",
]

POST_ONLY = int(EntryFlag.POST_ONLY)
EVENTS_WITHOUT_END = 2**62


@kernel(inline=True)
def entry_side_index(entry):
    """2 * book + side: where an entry rests; its opposite is that with the last bit turned."""
    return 2 * np.int64(np.uint32(entry.book)) + np.int64(entry.side)


@kernel(inline=True)
def write_order_event(state, events, n_events, kind, slot, quantity_lots, remaining_lots, reason):
    """What happened to a resting order, written before it is unlinked. Returns the new count of events."""
    order = state.orders[slot]
    side_index = order_side_index(state, slot)
    event = events[np.uint64(n_events)]
    event.order_id = order.order_id
    event.counter_id = 0
    event.quantity_lots = quantity_lots
    event.remaining_lots = remaining_lots
    event.counter_remaining_lots = 0
    event.price_ticks = level_price(state, np.int64(order.level))
    event.book = side_index >> 1
    event.owner = order.owner
    event.counter_owner = 0
    event.slot = slot
    event.counter_slot = NIL
    event.kind = kind
    event.side = side_index & 1
    event.reason = reason
    return n_events + 1


@kernel(inline=True)
def write_entry_event(events, n_events, kind, entry, slot, quantity_lots, remaining_lots, reason):
    """What happened to the entering order itself. Returns the new count of events."""
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
def write_fill(events, n_events, entry, taker_slot, taker_remaining_lots, maker, maker_slot, quantity_lots, price_ticks):
    """A fill at the maker's price; both remaining quantities are those after it. Returns the new count of events."""
    event = events[np.uint64(n_events)]
    event.order_id = entry.order_id
    event.counter_id = maker.order_id
    event.quantity_lots = quantity_lots
    event.remaining_lots = taker_remaining_lots
    event.counter_remaining_lots = np.int64(maker.remaining_lots) - quantity_lots
    event.price_ticks = price_ticks
    event.book = entry.book
    event.owner = entry.owner
    event.counter_owner = maker.owner
    event.slot = taker_slot
    event.counter_slot = maker_slot
    event.kind = EventKind.FILLED
    event.side = entry.side
    event.reason = Reason.NONE
    return n_events + 1


@kernel(internal=True)
def withdraw(state, events, n_events, slot, quantity_lots, reason):
    """Take lots from a resting order: the whole order ends, or it is reduced in its place. Returns the new count of events."""
    left = np.int64(state.orders[slot].remaining_lots) - quantity_lots
    if left == 0:
        n_events = write_order_event(state, events, n_events, EventKind.CANCELLED, slot, quantity_lots, left, reason)
        end_order(state, slot)
    else:
        n_events = write_order_event(state, events, n_events, EventKind.REDUCED, slot, quantity_lots, left, reason)
        reduce_order(state, slot, quantity_lots)
    return n_events


@kernel(internal=True)
def prevent_self_trade(state, events, n_events, entry, taker_slot, maker_slot, remaining_lots):
    """The entry meets an order of its own owner. Returns (events, lots of the entry left, reason if the entry ends here)."""
    policy = entry.self_trade
    maker_lots = np.int64(state.orders[maker_slot].remaining_lots)
    if policy == SelfTrade.CANCEL_NEWEST:
        return n_events, remaining_lots, np.int64(Reason.SELF_TRADE)
    if policy != SelfTrade.DECREMENT:
        n_events = withdraw(state, events, n_events, maker_slot, maker_lots, np.int64(Reason.SELF_TRADE))
        reason = np.int64(Reason.SELF_TRADE) if policy == SelfTrade.CANCEL_BOTH else np.int64(Reason.NONE)
        return n_events, remaining_lots, reason
    lots = min(maker_lots, remaining_lots)
    n_events = withdraw(state, events, n_events, maker_slot, lots, np.int64(Reason.SELF_TRADE))
    left = remaining_lots - lots
    if left == 0:  # the end of the entry is the caller's to report: it withdraws these last lots
        return n_events, lots, np.int64(Reason.SELF_TRADE)
    n_events = write_entry_event(events, n_events, EventKind.REDUCED, entry, taker_slot, lots, left, np.int64(Reason.SELF_TRADE))
    return n_events, left, np.int64(Reason.NONE)


@kernel(inline=True)
def match_entry(state, events, n_events, entry, taker_slot):
    """Trade an entry against the other side while prices cross. Returns (events, lots left, reason if it ends here)."""
    remaining = np.int64(entry.quantity_lots)
    reason = np.int64(Reason.NONE)
    other = state.sides[entry_side_index(entry) ^ 1]
    while remaining > 0 and other.best_level >= 0 and crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks)):
        maker_slot = np.int64(state.levels[other.best_level].head)
        maker = state.orders[maker_slot]
        if maker.owner == entry.owner:
            n_events, remaining, reason = prevent_self_trade(state, events, n_events, entry, taker_slot, maker_slot, remaining)
            if reason != Reason.NONE:
                break
            continue
        quantity = min(remaining, np.int64(maker.remaining_lots))
        remaining -= quantity
        n_events = write_fill(events, n_events, entry, taker_slot, remaining, maker, maker_slot, quantity, np.int64(other.best_ticks))
        if quantity == maker.remaining_lots:
            end_order(state, maker_slot)
        else:
            reduce_order(state, maker_slot, quantity)
    return n_events, remaining, reason


@kernel(internal=True)
def scan_matches(state, entry):
    """What `match_entry` would do, reading only. Returns (lots that would trade, events it would write)."""
    remaining = np.int64(entry.quantity_lots)
    traded = np.int64(0)
    n_events = np.int64(0)
    other = (np.int64(entry.side)) ^ 1
    level = np.int64(state.sides[2 * np.int64(entry.book) + other].best_level)
    while level >= 0 and remaining > 0 and crosses(entry.side, entry.price_ticks, level_price(state, level)):
        slot = np.int64(state.levels[level].head)
        while slot >= 0 and remaining > 0:
            maker = state.orders[slot]
            lots = min(remaining, np.int64(maker.remaining_lots))
            n_events += 1
            if maker.owner != entry.owner:
                traded += lots
                remaining -= lots
            elif entry.self_trade == SelfTrade.DECREMENT:
                remaining -= lots
                n_events += 1
            elif entry.self_trade != SelfTrade.CANCEL_OLDEST:
                return traded, n_events
            slot = np.int64(maker.next)
        level = next_level(state, other, level)
    return traded, n_events


@kernel(inline=True)
def refusal(state, entry):
    """Why an entry may not even begin: post-only that would trade, fill-or-kill that cannot trade whole. Reads only."""
    reason = np.int64(Reason.NONE)
    if entry["flags"] & POST_ONLY:  # by name: a record has an attribute `flags` of its own when the JIT is off
        other = state.sides[entry_side_index(entry) ^ 1]
        if other.best_level >= 0 and crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks)):
            reason = np.int64(Reason.POST_ONLY_WOULD_CROSS)
    if reason == Reason.NONE and entry.time_in_force == TimeInForce.FOK:
        traded, _ = scan_matches(state, entry)
        if traded < entry.quantity_lots:
            reason = np.int64(Reason.FILL_OR_KILL_UNFILLABLE)
    return reason


@kernel(inline=True)
def enter_order(state, events, n_events, entry, slot):
    """Match an entry and rest what is left: in a slot of its own (NIL) or in the one it keeps through an amend."""
    remaining = np.int64(entry.quantity_lots)
    reason = refusal(state, entry)
    if reason == Reason.NONE:
        n_events, remaining, reason = match_entry(state, events, n_events, entry, slot)
        if remaining > 0 and reason == Reason.NONE:
            if entry.time_in_force < TimeInForce.IOC:
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


@kernel(inline=True)
def place_order(state, events, n_events, entry):
    """Match a new order, then rest or cancel what is left of it.

    `entry`: an ENTRY record. Events in order: FILLED, CANCELLED and REDUCED (self-trade prevention) as they happen, then RESTED, or
    CANCELLED with the reason. A refused post-only or fill-or-kill order writes one CANCELLED and changes nothing.
    Returns (n_events, reason of the last event, lots that rest, slot or -1).
    """
    return enter_order(state, events, n_events, entry, np.int64(NIL))


@kernel(inline=True)
def amend_order(state, events, n_events, entry):
    """Give a resting order a new price and a new remaining quantity.

    Same price and no more lots: REDUCED, it keeps its priority. Else REPRICED (old price, old remaining), then as a new order under the
    same id, with the conditions of the entry; it keeps its slot while it lives. An unknown id changes nothing.
    Owner, book and side of the entry are the order's own. Returns as `place_order`.
    """
    slot = find_slot(state, np.int64(entry.order_id))
    if slot < 0:
        return n_events, np.int64(Reason.NONE), np.int64(0), np.int64(NIL)
    order = state.orders[slot]
    old_lots = np.int64(order.remaining_lots)
    new_lots = np.int64(entry.quantity_lots)
    amended = np.int64(Reason.AMENDED)
    if entry.price_ticks == level_price(state, np.int64(order.level)) and new_lots <= old_lots:
        n_events = write_order_event(state, events, n_events, EventKind.REDUCED, slot, old_lots - new_lots, new_lots, amended)
        reduce_order(state, slot, old_lots - new_lots)
        return n_events, np.int64(Reason.NONE), new_lots, slot
    n_events = write_order_event(state, events, n_events, EventKind.REPRICED, slot, old_lots, np.int64(0), amended)
    unlink_order(state, slot)
    return enter_order(state, events, n_events, entry, slot)


@kernel(inline=True)
def cancel_order(state, events, n_events, order_id, reason):
    """End a resting order: one CANCELLED event. An unknown id changes nothing. Returns the new count of events."""
    slot = find_slot(state, order_id)
    if slot >= 0:
        n_events = write_order_event(
            state, events, n_events, EventKind.CANCELLED, slot, np.int64(state.orders[slot].remaining_lots), np.int64(0), reason
        )
        end_order(state, slot)
    return n_events


@kernel
def cancel_owner(state, events, n_events, book, owner, reason):
    """End all orders of an owner in one book, or (book < 0) in all, in ascending id order. Costs the owner's orders.

    Room for `count_owner_entries` events is enough. Returns the new count of events.
    """
    if owner >= state.owners.shape[0]:
        return n_events
    record = state.owners[owner]
    chunk = np.int64(record.oldest)
    for i in range(np.int64(record.entries)):
        order_id = state.chunk_ids[chunk * CHUNK + i % CHUNK]
        slot = find_slot(state, order_id)
        if slot >= 0 and (book < 0 or order_side_index(state, slot) >> 1 == book):
            n_events = cancel_order(state, events, n_events, order_id, reason)
        if i % CHUNK == CHUNK - 1:
            chunk = np.int64(state.chunks[chunk].next)
    compact_log(state, record)
    return n_events


@kernel
def cancel_book(state, events, n_events, book, reason):
    """End all orders of a book: bids from the best by priority, then asks. Room for `count_book_orders` events is enough."""
    for side in range(2):
        slot = first_order(state, book, side)
        while slot >= 0:
            n_events = cancel_order(state, events, n_events, np.int64(state.orders[slot].order_id), reason)
            slot = first_order(state, book, side)
    return n_events


@kernel
def count_book_orders(state, book):
    """Resting orders of a book."""
    return np.int64(state.sides[2 * book].orders) + np.int64(state.sides[2 * book + 1].orders)


@kernel
def count_owner_entries(state, owner):
    """Upper bound of an owner's resting orders: at most eight times as many as there were at the last compaction, or 64."""
    return np.int64(state.owners[owner].entries) if owner < state.owners.shape[0] else np.int64(0)


@kernel(inline=True)
def events_needed(state, events_free, entry):
    """Upper bound of the events of a PLACE or AMEND entry; exact, by a scan, only where the cheap bound does not fit. Reads only."""
    other = state.sides[entry_side_index(entry) ^ 1]
    if other.best_level < 0 or not crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks)):
        return np.int64(2)  # REPRICED and the last event
    bound = 2 * np.int64(other.orders) + 2  # a self-trade decrement writes two
    if bound > events_free:
        _, n_matches = scan_matches(state, entry)
        bound = n_matches + 2
    return bound


@kernel(inline=True)
def needs(state, events_free, entry):
    """Whether there is room for all that an entry may do. Reads only.

    `entry`: an ENTRY record with its `kind`; `events_free`: EVENT records left. Returns (Need, at_least): (NOTHING, 0) when it may run;
    else make room for `at_least` of what is named (see `MatchingCore.grow`) and ask again.
    """
    if entry.kind == EntryKind.CANCEL or entry.kind == EntryKind.EXPIRE:
        return (np.int64(Need.EVENTS), np.int64(1)) if events_free < 1 else (np.int64(Need.NOTHING), np.int64(0))
    n_events = events_needed(state, events_free, entry)
    if n_events > events_free:
        return np.int64(Need.EVENTS), n_events
    if state.pools[Pool.ORDERS].free < 1:
        return np.int64(Need.ORDERS), np.int64(1)
    if state.pools[Pool.PAGES].free < 1:
        return np.int64(Need.PAGES), np.int64(1)
    if state.pools[Pool.NODES].free < NODES_MAX_PER_ORDER:
        return np.int64(Need.DIRECTORIES), np.int64(NODES_MAX_PER_ORDER)
    if state.pools[Pool.CHUNKS].free < 1:
        return np.int64(Need.OWNER_CHUNKS), np.int64(1)
    if entry.owner >= state.owners.shape[0]:
        return np.int64(Need.OWNERS), np.int64(entry.owner) + 1
    index = (np.int64(entry.order_id) >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    if index < 0 or index >= state.id_directory.shape[0]:
        return np.int64(Need.ID_SPAN), np.int64(entry.order_id)
    if state.pools[Pool.ID_PAGES].free < 1 and state.id_directory[index] < 0:
        return np.int64(Need.ID_PAGES), np.int64(1)
    return np.int64(Need.NOTHING), np.int64(0)


@kernel
def restore_order(state, entry):
    """Put an order at the tail of its level without matching; ids come in any sequence. Returns (slot, Need, at_least): without room
    nothing was changed.
    """
    need, at_least = needs(state, EVENTS_WITHOUT_END, entry)
    if need != Need.NOTHING:
        return np.int64(NIL), need, at_least
    side_index = entry_side_index(entry)
    slot = add_order(state, side_index, np.int64(entry.order_id), entry.owner, entry.price_ticks, np.int64(entry.quantity_lots))
    sort_last_in_log(state, entry.owner)
    return slot, need, at_least


@kernel(inline=True)
def apply_entry(state, events, n_events, entry):
    """One entry by its kind; there is room. Returns the new count of events."""
    if entry.kind == EntryKind.PLACE:
        n_events, _, _, _ = place_order(state, events, n_events, entry)
    elif entry.kind == EntryKind.AMEND:
        n_events, _, _, _ = amend_order(state, events, n_events, entry)
    else:
        reason = np.int64(Reason.EXPIRED) if entry.kind == EntryKind.EXPIRE else np.int64(Reason.REQUESTED)
        n_events = cancel_order(state, events, n_events, np.int64(entry.order_id), reason)
    return n_events


@kernel
def run_batch(state, entries, start, events, n_events):
    """Apply `entries[start:]` (ENTRY) until the end or until one has no room.

    Returns (index of the next entry, n_events, Need, at_least); the entry at that index has changed nothing yet.
    """
    capacity = events.shape[0]
    for i in range(start, entries.shape[0]):
        entry = entries[i]
        need, at_least = needs(state, capacity - n_events, entry)
        if need != Need.NOTHING:
            return i, n_events, need, at_least
        n_events = apply_entry(state, events, n_events, entry)
    return entries.shape[0], n_events, np.int64(Need.NOTHING), np.int64(0)
