"""How much an order would trade at once, reading only: for fill-or-kill, minimum, all-or-none and basket legs."""

import numpy as np

from matching.compile import kernel
from matching.ladder import better, crosses, level_price, next_level
from matching.orders import first_order, has_cold, minimum_of, order_after, owner_of
from matching.records import SelfTrade
from matching.state import LADDERS, NIL, Ladder


@kernel(inline=True)
def is_outside_band(state, book, price_ticks):
    """Whether a trade at that price would interrupt trading."""
    record = state.books[book]
    return record.has_band != 0 and (price_ticks < record.band_low_ticks or price_ticks > record.band_high_ticks)


@kernel(inline=True)
def counts_own(self_trade, owner, maker_owner):
    """(Whether an order that is met counts, whether the count ends there), by the self-trade prevention of the one that enters."""
    if owner != maker_owner or self_trade == SelfTrade.ALLOW:
        return True, False
    return False, self_trade != SelfTrade.CANCEL_OLDEST


@kernel(internal=True)
def count_level(state, entry, self_trade, level, wanted):
    """Lots that an entry would trade at one price of the ladder, at most `wanted`, and whether the count ends here."""
    lots = np.int64(0)
    reserves = np.int64(0)
    slot = np.int64(state.levels[level].head)
    while slot >= 0 and lots < wanted:
        counts, ends = counts_own(self_trade, np.int64(entry.owner), owner_of(state, slot))
        if ends:
            return lots, True
        if counts:
            lots += min(wanted - lots, np.int64(state.orders[slot].remaining_lots))
            if has_cold(state, slot):
                reserves += np.int64(state.cold[slot].reserve_lots)
        slot = np.int64(state.orders[slot].next)
    # New peaks come behind everything that was shown, so by then no own order is in the way.
    return lots + min(wanted - lots, reserves), False


@kernel(internal=True)
def count_tradable(state, entry, self_trade):
    """Lots of its quantity that an entry would trade now, against the ladder and what waits, inside the band.

    `self_trade` counts instead of the entry's own.
    """
    side = np.int64(entry.side)
    limit_ticks = np.int64(entry.price_ticks)
    base = LADDERS * np.int64(entry.book)
    level = np.int64(state.sides[base + (side ^ 1)].best_level)
    waiting = first_order(state, np.int64(entry.book), Ladder.WAITING_BUYS + (side ^ 1)) if state.books[entry.book].waiting > 0 else np.int64(NIL)
    wanted = np.int64(entry.quantity_lots)
    left = wanted
    while left > 0:
        has_level = level >= 0 and crosses(side, limit_ticks, level_price(state, level))
        while waiting >= 0 and minimum_of(state, waiting) > left:
            waiting = order_after(state, waiting)
        has_waiting = waiting >= 0 and crosses(side, limit_ticks, level_price(state, np.int64(state.orders[waiting].level)))
        if not has_level and not has_waiting:
            break
        if has_waiting:
            price_ticks = level_price(state, np.int64(state.orders[waiting].level))
            if not has_level or better(side ^ 1, price_ticks, level_price(state, level)):
                counts, ends = counts_own(self_trade, np.int64(entry.owner), owner_of(state, waiting))
                if ends or (counts and is_outside_band(state, entry.book, price_ticks)):
                    break
                if counts:
                    left -= min(left, np.int64(state.orders[waiting].remaining_lots))
                waiting = order_after(state, waiting)
                continue
        if is_outside_band(state, entry.book, level_price(state, level)):
            # What trades there would interrupt; own orders that are passed over trade nothing.
            lots, ends = count_level(state, entry, self_trade, level, np.int64(1))
            if lots > 0 or ends:
                break
            level = next_level(state, side ^ 1, level)
            continue
        lots, ends = count_level(state, entry, self_trade, level, left)
        left -= lots
        if ends:
            break
        level = next_level(state, side ^ 1, level)
    return wanted - left
