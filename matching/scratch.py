"""The order that enters on the long way, in `state.scratch[0]`: a copy of the entry, or an order of a book as it stands, to enter again."""

import numpy as np

from matching.compile import kernel
from matching.meeting import ICEBERG, MINIMUM_FLAGS
from matching.orders import has_cold, order_lots, order_price, order_side_index, owner_of, side_of_ladder
from matching.records import EntryFlag, EntryKind, SelfTrade, TimeInForce
from matching.state import HAS_COLD, LADDER_BITS, LADDERS

MINIMUM = int(EntryFlag.MINIMUM)
STOP = int(EntryFlag.STOP)


@kernel(internal=True)
def fill_scratch(state, slot, book, side, price_ticks):
    """Fill the scratch entry with an order as it stands, to enter again. Modifies the state in place."""
    entry = state.scratch[0]
    entry.kind = EntryKind.PLACE
    entry.order_id = state.orders[slot].order_id
    entry.quantity_lots = order_lots(state, slot)
    entry.price_ticks = price_ticks
    entry.book = book
    entry.owner = owner_of(state, slot)
    entry.side = side
    entry.legs = 0
    if not has_cold(state, slot):
        entry.time_in_force = TimeInForce.GTC
        entry.self_trade = SelfTrade.CANCEL_NEWEST
        entry["flags"] = 0
        entry.label = 0
        entry.display_lots = 0
        entry.min_lots = 0
        entry.stop_ticks = 0
        return
    cold = state.cold[slot]
    entry.time_in_force = cold.time_in_force
    entry.self_trade = cold.self_trade
    entry["flags"] = cold["flags"]
    entry.label = cold.label
    entry.display_lots = cold.display_lots
    entry.min_lots = cold.min_lots
    entry.stop_ticks = cold.stop_ticks


@kernel(internal=True)
def load_order(state, slot):
    """Fill the scratch entry with an order that hangs in a ladder. Modifies the state in place."""
    side_index = order_side_index(state, slot)
    fill_scratch(state, slot, side_index >> LADDER_BITS, side_of_ladder(side_index & (LADDERS - 1)), order_price(state, slot))


@kernel(internal=True)
def load_triggered(state, book, slot):
    """Fill the scratch entry with a stop that has been triggered, and is none any more. Modifies the state in place."""
    cold = state.cold[slot]
    fill_scratch(state, slot, book, np.int64(cold.side), np.int64(cold.limit_ticks))
    entry = state.scratch[0]
    entry["flags"] = np.int64(entry["flags"]) & ~STOP
    entry.stop_ticks = 0


@kernel(internal=True)
def keep_cold(state, slot, entry, kept_flags):
    """Write the cold half of an order from the entry, or mark that it has none. Modifies the state in place."""
    order = state.orders[slot]
    if kept_flags == 0 and entry.label == 0:
        order.owner = entry.owner
        return
    order.owner = np.int64(entry.owner) | HAS_COLD
    cold = state.cold[slot]
    cold.reserve_lots = 0
    cold.display_lots = entry.display_lots if kept_flags & ICEBERG != 0 else 0
    cold.min_lots = entry.min_lots if kept_flags & MINIMUM != 0 else 0
    cold.label = entry.label
    cold.limit_ticks = entry.price_ticks
    cold.stop_ticks = entry.stop_ticks
    cold.side = entry.side
    cold["flags"] = kept_flags
    beside = kept_flags & (MINIMUM_FLAGS | STOP) != 0
    cold.time_in_force = entry.time_in_force if beside else 0
    cold.self_trade = entry.self_trade if beside else 0
