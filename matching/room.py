"""What an entry may need, asked before anything of it happens. All functions read only.

`needs` answers (Need, at_least): (NOTHING, 0) when the entry may run; else make room for `at_least` of what is named (see
`MatchingCore.grow`) and ask again.
"""

import numpy as np

from matching.basket import count_legs
from matching.compile import kernel
from matching.ids import find_slot
from matching.ladder import crosses
from matching.meeting import ICEBERG, refills_of
from matching.orders import first_order, has_cold, order_after, order_side_index, side_of_ladder
from matching.ordinary import entry_side_index
from matching.owners import count_owner_entries
from matching.records import BookPhase, EntryKind, Need, SelfTrade
from matching.refusals import early_refusal, refusal_of
from matching.state import ID_PAGE_BITS, LADDER_BITS, LADDERS, NODES_MAX_PER_ORDER, Ladder, Pool

EVENTS_PER_MEETING = 3  # a decrement that uses up a peak: the resting order, its new peak, the entering order
NO_EVENTS = np.int64(0)
EVENTS_PER_ENTERING = 4  # triggered or repriced, phase changed, rested or cancelled, and one to spare


@kernel(inline=True)
def ordinary_events(state, entry):
    """Upper bound of the events of an entry that sets off nothing. It meets at most as many orders as it has lots, and, where it cancels
    the oldest, its owner's.
    """
    other = state.sides[entry_side_index(entry) ^ 1]
    if other.best_level < 0 or not crosses(entry.side, entry.price_ticks, np.int64(other.best_ticks)):
        return np.int64(EVENTS_PER_ENTERING)
    own = count_owner_entries(state, np.int64(entry.owner)) if entry.self_trade == SelfTrade.CANCEL_OLDEST else np.int64(0)
    return EVENTS_PER_MEETING * np.int64(entry.quantity_lots) + own + EVENTS_PER_ENTERING


@kernel(inline=True)
def plain_needs(state, events_free, order_id, book, side, limit_ticks, quantity_lots, owner):
    """`order_needs` of a new order without conditions, other than that it is not decided yet whether it enters: no entry is filled.

    Not for an order that cancels the oldest of its owner. Answers (Need, at_least), or (Need.EVENTS, -1) where only `order_needs` can tell.
    """
    side_index = LADDERS * book + side
    n_events = np.int64(EVENTS_PER_ENTERING)
    if state.sides[side_index].unusual != 0:
        return np.int64(Need.EVENTS), np.int64(-1)
    other = state.sides[side_index ^ 1]
    if other.best_level >= 0 and crosses(side, limit_ticks, np.int64(other.best_ticks)):
        n_events += EVENTS_PER_MEETING * quantity_lots
    if n_events > events_free:
        return np.int64(Need.EVENTS), np.int64(-1)
    need, at_least = pool_needs(state, np.int64(1))
    if need == Need.NOTHING:
        need, at_least = id_room(state, order_id, owner)
    return need, n_events if need == Need.NOTHING else at_least


@kernel(inline=True)
def live_orders(state):
    """Orders in all books."""
    return state.orders.shape[0] - np.int64(state.pools[Pool.ORDERS].free)


@kernel(internal=True)
def count_meetings(state, book):
    """Orders of a book and the peaks that its icebergs can still show."""
    n = np.int64(0)
    for ladder in range(6):
        slot = first_order(state, book, ladder)
        while slot >= 0:
            n += 1
            if has_cold(state, slot):
                cold = state.cold[slot]
                lots = np.int64(cold.reserve_lots) + np.int64(state.orders[slot].remaining_lots)
                n += refills_of(lots, np.int64(cold.display_lots)) if cold.display_lots > 0 else 0
            slot = order_after(state, slot)
    return n


@kernel(internal=True)
def book_events(state, book, peaks, events_free):
    """Upper bound of the events of all that can happen in a book at once, with an order that can show `peaks` peaks entering.

    Each meeting uses up a peak or an order that enters; those are the entry and what waits.
    """
    takers = np.int64(state.books[book].waiting) + np.int64(state.books[book].stops) + 1
    rest = (EVENTS_PER_MEETING + EVENTS_PER_ENTERING + 1) * takers + EVENTS_PER_MEETING * peaks
    # A stop's reserve is still among its lots, so peaks of waiting icebergs are counted only by the walk.
    bound = EVENTS_PER_MEETING * (live_orders(state) + state.core[0].refills) + rest
    if state.books[book].stops == 0 and bound <= events_free:
        return bound
    return EVENTS_PER_MEETING * count_meetings(state, book) + rest


@kernel(internal=True)
def sets_off_nothing(state, book, side, limit_ticks):
    """Whether an order that enters a book with that limit can neither make a waiting order ready nor reach a stop, whatever it trades."""
    record = state.books[book]
    if record.waiting > 0:
        return False
    other = state.sides[LADDERS * book + (side ^ 1)]
    if record.stops == 0 or other.best_level < 0 or not crosses(side, limit_ticks, np.int64(other.best_ticks)):
        return True
    # Its trades lie between the best price of the other side and its limit.
    low_ticks = min(limit_ticks, np.int64(other.best_ticks))
    high_ticks = max(limit_ticks, np.int64(other.best_ticks))
    buy_stops = state.sides[LADDERS * book + Ladder.BUY_STOPS]
    sell_stops = state.sides[LADDERS * book + Ladder.SELL_STOPS]
    return (buy_stops.best_level < 0 or buy_stops.best_ticks > high_ticks) and (sell_stops.best_level < 0 or sell_stops.best_ticks < low_ticks)


@kernel(internal=True)
def entering_events(state, entry, book, events_free):
    """Upper bound of the events of an order that enters a book on the long way."""
    lots = np.int64(entry.quantity_lots)
    side = np.int64(entry.side)
    display = np.int64(entry.display_lots) if entry["flags"] & ICEBERG != 0 else np.int64(0)
    if entry.kind == EntryKind.AMEND:
        # An amend keeps the display of its order, whatever the entry says.
        slot = find_slot(state, np.int64(entry.order_id))
        display = np.int64(state.cold[slot].display_lots) if slot >= 0 and has_cold(state, slot) else np.int64(0)
        side = side_of_ladder(order_side_index(state, slot) & (LADDERS - 1)) if slot >= 0 else side
    if (entry.kind == EntryKind.PLACE or entry.kind == EntryKind.AMEND) and sets_off_nothing(state, book, side, np.int64(entry.price_ticks)):
        own = count_owner_entries(state, np.int64(entry.owner)) if entry.kind == EntryKind.PLACE else live_orders(state)
        bound = EVENTS_PER_MEETING * lots + EVENTS_PER_ENTERING + (own if entry.self_trade == SelfTrade.CANCEL_OLDEST else np.int64(0))
        if bound <= events_free:
            return bound
    peaks = refills_of(lots, display) if display > 0 else np.int64(0)
    return book_events(state, book, peaks, events_free)


@kernel(internal=True)
def level_events(state, entry):
    """A closer bound where the lots of an ordinary entry are too many: the orders of its book."""
    return EVENTS_PER_MEETING * count_meetings(state, np.int64(entry.book)) + EVENTS_PER_MEETING + EVENTS_PER_ENTERING


@kernel(inline=True)
def pool_needs(state, orders):
    """Room in the pools for `orders` orders that come to rest."""
    if state.pools[Pool.ORDERS].free < orders:
        return np.int64(Need.ORDERS), orders
    if state.pools[Pool.PAGES].free < orders:
        return np.int64(Need.PAGES), orders
    if state.pools[Pool.NODES].free < NODES_MAX_PER_ORDER * orders:
        return np.int64(Need.DIRECTORIES), NODES_MAX_PER_ORDER * orders
    if state.pools[Pool.CHUNKS].free < orders:
        return np.int64(Need.OWNER_CHUNKS), orders
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(inline=True)
def id_needs(state, entry):
    """Room for the owner and the id of a new order."""
    return id_room(state, np.int64(entry.order_id), np.int64(entry.owner))


@kernel(inline=True)
def id_room(state, order_id, owner):
    """Room for an id and for its owner."""
    if owner >= state.owners.shape[0]:
        return np.int64(Need.OWNERS), owner + 1
    if state.core[0].hash_shift != 0:
        if 2 * (state.core[0].live_ids + 1) > state.id_table.shape[0]:
            return np.int64(Need.ID_TABLE), state.core[0].live_ids + 1
        return np.int64(Need.NOTHING), np.int64(0)
    index = (order_id >> ID_PAGE_BITS) - state.pools[Pool.ID_PAGES].first
    if index < 0 or index >= state.id_directory.shape[0]:
        return np.int64(Need.ID_SPAN), order_id
    if state.pools[Pool.ID_PAGES].free < 1 and state.id_directory[index] < 0:
        return np.int64(Need.ID_PAGES), np.int64(1)
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(internal=True)
def long_needs(state, events_free, entry, book):
    """For an order that enters `book` on the long way."""
    n_events = entering_events(state, entry, book, events_free)
    if n_events > events_free:
        return np.int64(Need.EVENTS), n_events
    stops = np.int64(state.books[book].stops)
    if state.queue.shape[0] < stops:
        return np.int64(Need.QUEUE), stops
    need, at_least = pool_needs(state, stops + np.int64(state.books[book].waiting) + 1)
    if need != Need.NOTHING:
        return need, at_least
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(internal=True)
def basket_events(state, events_free, entries, first, legs):
    """Upper bound of the events of a whole basket, of each leg by the orders of all books where that bound is at most `events_free`."""
    n_events = np.int64(0)
    for leg in range(first, first + legs):
        entry = entries[leg]
        if early_refusal(state, entry) == 0:
            n_events += entering_events(state, entry, np.int64(entry.book), events_free)
    return max(n_events, legs)


@kernel(internal=True)
def basket_needs(state, events_free, entries, first, legs):
    """For a whole basket. What its legs set off rests beside each other, so the pools need room for all of it together."""
    orders = np.int64(0)
    for leg in range(first, first + legs):
        entry = entries[leg]
        if early_refusal(state, entry) == 0:
            need, at_least = long_needs(state, np.int64(2**62), entry, np.int64(entry.book))
            if need != Need.NOTHING:
                return need, at_least
            orders += np.int64(state.books[entry.book].stops) + np.int64(state.books[entry.book].waiting) + 1
    n_events = basket_events(state, events_free, entries, first, legs)
    if n_events > events_free:
        # Counted book by book instead: a hundred legs must not claim memory for a hundred times the orders of all books.
        n_events = basket_events(state, NO_EVENTS, entries, first, legs)
    if n_events > events_free:
        return np.int64(Need.EVENTS), n_events
    return pool_needs(state, orders)


@kernel(internal=True)
def any_needs(state, events_free, entries, index):
    """For the entry at `index`, whatever it is, on the long way."""
    entry = entries[index]
    kind = entry.kind
    legs = count_legs(entries, index)
    if legs > 0:
        return basket_needs(state, events_free, entries, index, legs)
    if events_free < 1:
        return np.int64(Need.EVENTS), np.int64(1)
    # Nothing is needed for what is refused: no made-up id or owner may claim memory.
    if refusal_of(state, entry) != 0 or kind == EntryKind.SET_BAND:
        return np.int64(Need.NOTHING), np.int64(0)
    if kind == EntryKind.PLACE:
        need, at_least = long_needs(state, events_free, entry, np.int64(entry.book))
        return id_needs(state, entry) if need == Need.NOTHING else (need, at_least)
    if kind == EntryKind.AMEND:
        return long_needs(state, events_free, entry, order_side_index(state, find_slot(state, np.int64(entry.order_id))) >> LADDER_BITS)
    n_events = np.int64(1)
    if kind == EntryKind.MASS_CANCEL:
        n_events = max(count_owner_entries(state, np.int64(entry.owner)), np.int64(1))
    elif kind == EntryKind.SET_PHASE and entry.quantity_lots == BookPhase.CONTINUOUS:
        return long_needs(state, events_free, entry, np.int64(entry.book))
    elif kind == EntryKind.UNCROSS:
        n_events = 2 * EVENTS_PER_MEETING * count_meetings(state, np.int64(entry.book)) + 1
        need, at_least = pool_needs(state, np.int64(2))
        if need != Need.NOTHING:
            return need, at_least
    if n_events > events_free:
        return np.int64(Need.EVENTS), n_events
    return np.int64(Need.NOTHING), np.int64(0)


@kernel(internal=True)
def order_needs(state, events_free, entry):
    """For a PLACE or AMEND of an order that is there, whose fields have been checked and (AMEND) name the order's own book and side.

    With nothing needed, the second is a bound of the events that the entry writes.
    """
    if entry["flags"] == 0 and state.sides[entry_side_index(entry)].unusual == 0:
        n_events = ordinary_events(state, entry)
        if n_events > events_free:
            n_events = level_events(state, entry)
        need, at_least = pool_needs(state, np.int64(1))
    else:
        n_events = entering_events(state, entry, np.int64(entry.book), events_free)
        need, at_least = long_needs(state, events_free, entry, np.int64(entry.book))
    if n_events > events_free:
        return np.int64(Need.EVENTS), n_events
    if need == Need.NOTHING:
        need, at_least = id_needs(state, entry)
    return need, n_events if need == Need.NOTHING else at_least
