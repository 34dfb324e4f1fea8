"""The loop over a batch of entries: refused, or given room and applied, one after the other.

An entry without conditions in a book without any takes the short way, all inlined; the rest is `apply_any`. Room in the pools is asked for
once for many entries: `credit` is how many more can run whatever they do.

What bounds this loop is the loads of a cancel, the index entry and then the order, and beyond the second cache those of what the order hangs
between. A batch tells what comes, so they are asked for before their turn, by hints that change no result. Measured in alternating pairs:
with 10,000 orders in one book asking for the order alone takes a twelfth off, and asking for its level and neighbours as well would add a
tenth; with 100,000 orders in 1,000 books asking for all of it halves the time, with 1,000,000 in one it takes a quarter off. With a thousand
orders all lie in the first cache and nothing is asked for.
"""

from typing import Final

import numpy as np

from matching.auction import NO_K, uncross
from matching.basket import count_legs, place_basket
from matching.commands import amend_ordinary, mass_cancel, withdraw_order
from matching.compile import kernel
from matching.events import write_rejection
from matching.ids import find_slot
from matching.long_way import amend_any, change_phase, place_any, set_band
from matching.orders import order_side_index
from matching.ordinary import enter_ordinary, is_ordinary
from matching.prefetch import prefetch_entry, prefetch_level, prefetch_neighbours, prefetch_order
from matching.records import OWNER_MAX, EntryFlag, EntryKind, Need, Reason, SelfTrade, TimeInForce
from matching.refusals import K_PRICE, is_out_of_sequence, refusal_of
from matching.room import EVENTS_PER_ENTERING, any_needs, id_needs, level_events, live_orders, ordinary_events
from matching.state import HAS_COLD, LADDER_BITS, NIL, NODES_MAX_PER_ORDER, Pool

# How many entries before its turn each thing is asked for where orders are many, and the order alone where they are some. Each step reads
# what the step before asked for.
AHEAD_INDEX: Final = 12
AHEAD_ORDER: Final = 8
AHEAD_SURROUNDINGS: Final = 4
AHEAD_ORDER_OF_SOME: Final = 4
SOME_ORDERS: Final = 1_024
MANY_ORDERS: Final = 32_768


@kernel(inline=True)
def credit_of(state):
    """How many entries on the short way there is room for in the pools, whatever they do."""
    pools = state.pools
    nodes = np.int64(pools[Pool.NODES].free) // NODES_MAX_PER_ORDER
    return min(np.int64(pools[Pool.ORDERS].free), np.int64(pools[Pool.PAGES].free), nodes, np.int64(pools[Pool.CHUNKS].free))


@kernel(internal=True)
def pool_shortage(state):
    """(Need, at_least) where `credit_of` is 0."""
    pools = state.pools
    if pools[Pool.ORDERS].free < 1:
        return np.int64(Need.ORDERS), np.int64(1)
    if pools[Pool.PAGES].free < 1:
        return np.int64(Need.PAGES), np.int64(1)
    if pools[Pool.NODES].free < NODES_MAX_PER_ORDER:
        return np.int64(Need.DIRECTORIES), np.int64(NODES_MAX_PER_ORDER)
    return np.int64(Need.OWNER_CHUNKS), np.int64(1)


@kernel(internal=True)
def apply_any(state, events, n_events, entries, index):
    """One entry, or the whole basket that begins there; there is room. Returns (n_events, index of the next entry)."""
    entry = entries[index]
    kind = entry.kind
    legs = count_legs(entries, index)
    if legs > 0:
        return place_basket(state, events, n_events, entries, index, legs), index + legs
    reason = refusal_of(state, entry)
    if reason != Reason.NONE:
        return write_rejection(events, n_events, entry, reason), index + 1
    book = np.int64(entry.book)
    if kind == EntryKind.PLACE:
        state.core[0].last_order_id = entry.order_id
        n_events, _, _, _ = place_any(state, events, n_events, entry)
    elif kind == EntryKind.AMEND:
        n_events, _, _, _ = amend_any(state, events, n_events, entry)
    elif kind == EntryKind.MASS_CANCEL:
        n_events = mass_cancel(
            state, events, n_events, np.int64(entry.owner), np.int64(entry["flags"]), book, np.int64(entry.side), np.int64(entry.label),
            np.int64(Reason.REQUESTED),
        )  # fmt: skip
    elif kind == EntryKind.SET_PHASE:
        n_events = change_phase(state, events, n_events, book, np.int64(entry.quantity_lots))
    elif kind == EntryKind.UNCROSS:
        k = np.int64(entry.quantity_lots) if entry["flags"] & K_PRICE != 0 else np.int64(NO_K)
        n_events = uncross(state, events, n_events, book, np.int64(entry.price_ticks), k)
    else:
        set_band(state, entry)
    return n_events, index + 1


@kernel(inline=True)
def is_ordinary_amend(state, entry, slot):
    """Whether an AMEND of the order in `slot` may take the short way."""
    if slot < 0 or entry["flags"] != EntryFlag.NONE or entry.self_trade > SelfTrade.ALLOW or entry.quantity_lots == 0:
        return False
    return state.orders[slot].owner < HAS_COLD and state.sides[order_side_index(state, slot)].unusual == 0


@kernel(inline=True)
def load_amend(state, entry, slot):
    """Fill the scratch entry with an amend of an ordinary order and return it: its book, side and owner are the order's. Modifies the state."""
    side_index = order_side_index(state, slot)
    own = state.scratch[0]
    own.order_id = entry.order_id
    own.quantity_lots = entry.quantity_lots
    own.price_ticks = entry.price_ticks
    own.book = side_index >> LADDER_BITS
    own.owner = state.orders[slot].owner
    own.kind = EntryKind.AMEND
    own.side = side_index & 1
    own.time_in_force = TimeInForce.GTC
    own.self_trade = entry.self_trade
    own["flags"] = 0
    own.label = 0
    return own


@kernel(inline=True)
def is_in_sequence(state, entry):
    """Whether a PLACE entry has an owner and an id that may be."""
    return entry.owner <= OWNER_MAX and not is_out_of_sequence(state, np.int64(entry.order_id), state.core[0].last_order_id)


@kernel(inline=True)
def enough_events(state, entry, events, n_events):
    """(Need, at_least) of the events of an ordinary entry."""
    bound = ordinary_events(state, entry)
    if bound > events.shape[0] - n_events:
        if n_events > 0:
            # A buffer that has events in it is emptied first: the closer bound costs a walk through the book.
            return np.int64(Need.EVENTS), min(bound, events.shape[0])
        bound = level_events(state, entry)
        if bound > events.shape[0]:
            return np.int64(Need.EVENTS), bound
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(inline=True)
def apply_next(state, entries, i, events, n_events, credit):
    """Apply the entry at `i`, or the basket that begins there, if there is room.

    Returns (index of the next entry, n_events, credit left, Need, at_least); with a need nothing has changed.
    """
    entry = entries[i]
    events_free = events.shape[0] - n_events
    if credit < 1:
        credit = credit_of(state)
        if credit < 1:
            need, at_least = pool_shortage(state)
            return i, n_events, credit, need, at_least
    if events_free < EVENTS_PER_ENTERING:
        return i, n_events, credit, np.int64(Need.EVENTS), np.int64(EVENTS_PER_ENTERING)
    kind = entry.kind
    nothing = np.int64(Need.NOTHING)
    if kind == EntryKind.PLACE:
        if is_ordinary(state, entry) and is_in_sequence(state, entry):
            need, at_least = enough_events(state, entry, events, n_events)
            if need == Need.NOTHING:
                need, at_least = id_needs(state, entry)
            if need == Need.NOTHING:
                state.core[0].last_order_id = entry.order_id
                n_events, _, _, _ = enter_ordinary(state, events, n_events, entry, np.int64(NIL))
                i += 1
            return i, n_events, credit - 1, need, at_least
    elif kind == EntryKind.CANCEL or kind == EntryKind.EXPIRE:
        slot = find_slot(state, np.int64(entry.order_id))
        if slot >= 0:
            reason = np.int64(Reason.REQUESTED) if kind == EntryKind.CANCEL else np.int64(Reason.EXPIRED)
            n_events = withdraw_order(state, events, n_events, slot, reason)
        else:
            n_events = write_rejection(events, n_events, entry, np.int64(Reason.UNKNOWN_ORDER))
        return i + 1, n_events, credit, nothing, nothing
    elif kind == EntryKind.AMEND:
        slot = find_slot(state, np.int64(entry.order_id))
        if is_ordinary_amend(state, entry, slot):
            own = load_amend(state, entry, slot)
            need, at_least = enough_events(state, own, events, n_events)
            if need == Need.NOTHING:
                n_events, _, _, _ = amend_ordinary(state, events, n_events, own, slot)
                i += 1
            return i, n_events, credit - 1, need, at_least
    need, at_least = any_needs(state, events_free, entries, i)
    if need == Need.NOTHING:
        n_events, i = apply_any(state, events, n_events, entries, i)
    return i, n_events, nothing, need, at_least


@kernel(inline=True)
def look_ahead(state, entries, i, n, many, some):
    """Ask for what the entries after this one of `n` will touch. `many`, `some`: whether there are so many orders.

    For all kinds alike, whether they have such a thing or not: a branch by kind would be guessed wrong every other time.
    """
    if many:
        if i + AHEAD_INDEX < n:
            prefetch_entry(state, entries[i + AHEAD_INDEX])
            prefetch_order(state, entries[i + AHEAD_ORDER])
            prefetch_neighbours(state, entries[i + AHEAD_SURROUNDINGS])
            prefetch_level(state, entries[i + AHEAD_SURROUNDINGS])
    elif some and i + AHEAD_ORDER_OF_SOME < n:
        prefetch_order(state, entries[i + AHEAD_ORDER_OF_SOME])


@kernel
def run_batch(state, entries, start, events, n_events):
    """Apply `entries[start:]` (ENTRY) until the end or until one has no room.

    Returns (index of the next entry, n_events, Need, at_least); the entry at that index has changed nothing yet. Baskets lie whole in
    `entries`.
    """
    n = entries.shape[0]
    credit = np.int64(0)
    i = np.int64(start)
    many = live_orders(state) >= MANY_ORDERS
    some = live_orders(state) >= SOME_ORDERS
    while i < n:
        look_ahead(state, entries, i, n, many, some)
        i, n_events, credit, need, at_least = apply_next(state, entries, i, events, n_events, credit)
        if need != Need.NOTHING:
            return i, n_events, need, at_least
    return i, n_events, np.int64(Need.NOTHING), np.int64(0)
