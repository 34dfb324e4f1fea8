"""The call auction of one book: the price at which most trades, and the fills at it (docs/matching.md, "UNCROSS").

Demand falls and supply rises with the price, and both change only where orders stand, so between two such prices all prices are alike. One
walk upwards from the best ask to the best bid compares these stretches; it costs the levels between the two. The k rule then asks who is the
last to trade on each side and who the first that does not: one walk from the best of each side, as far as the volume reaches.
"""

from typing import NamedTuple

import numpy as np

from matching.compile import kernel
from matching.events import write_auction_fill, write_book_event
from matching.ladder import level_price, next_level
from matching.meeting import note_trade, take_shown
from matching.orders import first_in_ladder, has_cold
from matching.price_rules import k_price
from matching.records import K_ONE, QUANTITY_LOTS_MAX, EventKind, Reason, Side
from matching.state import LADDERS, NIL

NO_K = -1  # instead of a k: the price nearest to the reference


class Indication(NamedTuple):
    """Price and volume of an auction held now; 0 lots where nothing crosses."""

    price_ticks: int
    volume_lots: int


@kernel(internal=True)
def level_lots(state, level):
    """All lots of a level, reserves included."""
    lots = np.int64(state.levels[level].quantity_lots)
    if state.core[0].refills > 0:
        slot = np.int64(state.levels[level].head)
        while slot >= 0:
            if has_cold(state, slot):
                lots += np.int64(state.cold[slot].reserve_lots)
            slot = np.int64(state.orders[slot].next)
    return lots


@kernel
def find_auction(state, book, reference_ticks, k):
    """What an auction of a book would come to now (Indication), its price by the reference or, with k of 0 to K_ONE, by k. Reads only."""
    found = find_by_reference(state, book, reference_ticks)
    if k == NO_K or found.volume_lots == 0:
        return found
    low_ticks, high_ticks = find_interval(state, book, found.volume_lots)
    return Indication(k_price(low_ticks, high_ticks, k, K_ONE), found.volume_lots)


@kernel(internal=True)
def level_of_lot(state, side, level, lot):
    """Level in which a lot stands, counted from 1 at `level` away from the best; NIL when there are fewer lots."""
    while level >= 0:
        lot -= level_lots(state, level)
        if lot <= 0:
            return level
        level = next_level(state, side, level)
    return np.int64(NIL)


@kernel(internal=True)
def find_interval(state, book, volume_lots):
    """(low, high): prices at which demand and supply agree on a volume above 0, lot by lot (docs/matching.md, "UNCROSS"). Reads only.

    Not below the last ask that trades and the first bid that does not, not above the last bid that trades and the first ask that does not.
    """
    best_bid = np.int64(state.sides[LADDERS * book].best_level)
    best_ask = np.int64(state.sides[LADDERS * book + 1].best_level)
    low_ticks = level_price(state, level_of_lot(state, np.int64(Side.SELL), best_ask, volume_lots))
    high_ticks = level_price(state, level_of_lot(state, np.int64(Side.BUY), best_bid, volume_lots))
    bid_left = level_of_lot(state, np.int64(Side.BUY), best_bid, volume_lots + 1)
    ask_left = level_of_lot(state, np.int64(Side.SELL), best_ask, volume_lots + 1)
    if bid_left >= 0:
        low_ticks = max(low_ticks, level_price(state, bid_left))
    if ask_left >= 0:
        high_ticks = min(high_ticks, level_price(state, ask_left))
    return low_ticks, high_ticks


@kernel(internal=True)
def find_by_reference(state, book, reference_ticks):
    """`find_auction` with the price nearest to the reference among those of the greatest volume and the smallest surplus."""
    bid_level = np.int64(state.sides[LADDERS * book].best_level)
    ask_level = np.int64(state.sides[LADDERS * book + 1].best_level)
    if bid_level < 0 or ask_level < 0 or level_price(state, bid_level) < level_price(state, ask_level):
        return Indication(np.int64(reference_ticks), np.int64(0))
    top_ticks = level_price(state, bid_level)
    start_ticks = level_price(state, ask_level)
    demand = level_lots(state, bid_level)
    below = next_level(state, np.int64(Side.BUY), bid_level)
    while below >= 0 and level_price(state, below) >= start_ticks:
        bid_level = below
        demand += level_lots(state, bid_level)
        below = next_level(state, np.int64(Side.BUY), bid_level)
    supply = level_lots(state, ask_level)
    ask_level = next_level(state, np.int64(Side.SELL), ask_level)
    best_volume = np.int64(0)
    least_surplus = np.int64(0)
    low_ticks = start_ticks
    high_ticks = start_ticks
    only_demand = True
    only_supply = True
    while start_ticks <= top_ticks:
        # The stretch ends before the next ask and at the next bid, the last price at which that bid still counts.
        end_ticks = level_price(state, bid_level)
        if ask_level >= 0:
            end_ticks = min(end_ticks, level_price(state, ask_level) - 1)
        volume = min(demand, supply)
        surplus = abs(demand - supply)
        if volume > best_volume or (volume == best_volume and surplus < least_surplus):
            best_volume, least_surplus = volume, surplus
            low_ticks = start_ticks
            only_demand = True
            only_supply = True
        if volume == best_volume and surplus == least_surplus:
            high_ticks = end_ticks
            only_demand = only_demand and demand > supply
            only_supply = only_supply and supply > demand
        if end_ticks == level_price(state, bid_level):
            demand -= level_lots(state, bid_level)
            # The next better bid: the same walk in the other direction.
            bid_level = next_level(state, np.int64(Side.SELL), bid_level)
        start_ticks = end_ticks + 1
        if ask_level >= 0 and level_price(state, ask_level) == start_ticks:
            supply += level_lots(state, ask_level)
            ask_level = next_level(state, np.int64(Side.SELL), ask_level)
    if only_demand:
        price_ticks = high_ticks
    elif only_supply:
        price_ticks = low_ticks
    else:
        price_ticks = max(low_ticks, min(high_ticks, np.int64(reference_ticks)))
    return Indication(price_ticks, best_volume)


@kernel(internal=True)
def uncross(state, events, n_events, book, reference_ticks, k):
    """Hold one auction: UNCROSSED, then the fills. There is room. Returns the new count of events."""
    found = find_auction(state, book, reference_ticks, k)
    price_ticks = found.price_ticks
    left = found.volume_lots
    n_events = write_book_event(events, n_events, EventKind.UNCROSSED, book, left & QUANTITY_LOTS_MAX, price_ticks, np.int64(Reason.NONE))
    events[n_events - 1].remaining_lots = left >> 32
    if left > 0:
        note_trade(state, book, price_ticks)
    while left > 0:
        buy_slot = first_in_ladder(state, LADDERS * book)
        sell_slot = first_in_ladder(state, LADDERS * book + 1)
        lots = min(left, np.int64(state.orders[buy_slot].remaining_lots), np.int64(state.orders[sell_slot].remaining_lots))
        n_events = write_auction_fill(state, events, n_events, buy_slot, sell_slot, lots, price_ticks)
        n_events = take_shown(state, events, n_events, buy_slot, lots)
        n_events = take_shown(state, events, n_events, sell_slot, lots)
        left -= lots
    return n_events
