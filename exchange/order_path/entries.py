"""Step 6a, compiled: what a command asks of the books, as the scratch entry of PathState. Modifies that entry only.

A post-only order that may be repriced gets its price here, before it is admitted: its limit is then the price at which it rests, and its hold
stays a function of the limit. The books are never asked to reprice.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag, OrderType
from exchange.order_path.admit import limit_ticks
from matching.compile import kernel
from matching.entering import would_cross
from matching.orders import first_order, order_at
from matching.records import EntryFlag, EntryKind, Side, TimeInForce

POST_ONLY = int(EntryFlag.POST_ONLY)
REPRICE = int(EntryFlag.REPRICE)


@kernel(inline=True)
def entry_flags(flags: int) -> int:
    """Conditions of a command as flags of its entry, but for REPRICE."""
    found = np.int64(0)
    if flags & CommandFlag.POST_ONLY:
        found |= EntryFlag.POST_ONLY
    if flags & CommandFlag.ICEBERG:
        found |= EntryFlag.ICEBERG
    if flags & CommandFlag.MINIMUM:
        found |= EntryFlag.MINIMUM
    if flags & CommandFlag.ALL_OR_NONE:
        found |= EntryFlag.ALL_OR_NONE
    if flags & CommandFlag.STOP:
        found |= EntryFlag.STOP
    return found


@kernel(inline=True)
def time_in_force(command: Any) -> int:
    """A market order never rests: what cannot trade at once is cancelled. Of a stop order the command says how long it waits."""
    if command.order_type == OrderType.MARKET and command.time_in_force != TimeInForce.FOK:
        return np.int64(TimeInForce.IOC)
    return np.int64(command.time_in_force)


@kernel(internal=True)
def _step_behind(state: Any, slot: int) -> None:
    """Move the price of a post-only entry behind the other side, where there is such a price in the band."""
    entry = state.entry[0]
    if not would_cross(state.books, entry):
        return
    best_ticks = order_at(state.books, first_order(state.books, np.int64(entry.book), np.int64(entry.side) ^ 1)).price_ticks
    price_ticks = best_ticks - 1 if entry.side == Side.BUY else best_ticks + 1
    instrument = state.instruments[slot]
    if price_ticks >= instrument.band_low_ticks and price_ticks <= instrument.band_high_ticks:
        entry.price_ticks = price_ticks


@kernel(internal=True)
def admitted_ticks(state: Any, slot: int, asked_ticks: int) -> int:
    """The limit to admit and to hold for the order in the scratch entry: what was asked, or where it steps behind the other side."""
    instrument = state.instruments[slot]
    # The entry carries 32 bits; a price outside the band is refused as it was asked.
    if asked_ticks < instrument.band_low_ticks or asked_ticks > instrument.band_high_ticks:
        return asked_ticks
    return np.int64(state.entry[0].price_ticks)


@kernel(inline=True)
def entry_of_place(state: Any, command: Any, slot: int) -> None:
    """Fill the scratch entry for a new order: the next order id at its limit. Also what the room check bounds."""
    flags = np.int64(command["flags"])
    entry = state.entry[0]
    entry.kind = EntryKind.PLACE
    entry.order_id = state.counters[0].next_order_id
    entry.quantity_lots = command.quantity_lots
    # The bound of the events of an entry counts its peaks, so an order that is no iceberg shows all.
    entry.display_lots = command.display_lots if flags & CommandFlag.ICEBERG else command.quantity_lots
    entry.min_lots = command.min_lots
    entry.price_ticks = limit_ticks(state.instruments[slot], command)
    entry.stop_ticks = command.stop_ticks
    entry.book = state.instruments[slot].book
    entry.owner = command.account
    entry.side = command.side
    entry.time_in_force = time_in_force(command)
    entry.self_trade = command.self_trade
    entry.label = 0
    entry["flags"] = entry_flags(flags)
    if flags & CommandFlag.REPRICE:
        _step_behind(state, slot)


@kernel(internal=True)
def amended_lots(state: Any, command: Any, order_slot: int) -> int:
    """The new remaining quantity that an amend asks for."""
    return command.quantity_lots if command["flags"] & CommandFlag.AMEND_QUANTITY else order_at(state.books, order_slot).remaining_lots


@kernel(internal=True)
def entry_of_amend(state: Any, command: Any, order_slot: int) -> None:
    """Fill the scratch entry for an open order with what the amend changes."""
    order = order_at(state.books, order_slot)
    terms = state.terms[order_slot]
    entry = state.entry[0]
    entry.kind = EntryKind.AMEND
    entry.order_id = command.order_id
    entry.quantity_lots = amended_lots(state, command, order_slot)
    entry.display_lots = terms.display_lots if terms.display_lots > 0 else np.int64(entry.quantity_lots)
    entry.price_ticks = command.price_ticks if command["flags"] & CommandFlag.AMEND_PRICE else order.price_ticks
    entry.book = order.book
    entry.owner = order.owner
    entry.side = order.side
    entry.time_in_force = terms.time_in_force
    entry.self_trade = terms.self_trade
    entry.label = 0
    entry["flags"] = np.int64(terms.post_only) & POST_ONLY
    # An order that keeps its place keeps its price, also where a call phase has crossed it.
    moves = entry.price_ticks != order.price_ticks or entry.quantity_lots > order.remaining_lots
    if moves and np.int64(terms.post_only) & REPRICE:
        _step_behind(state, np.int64(terms.instrument_slot))
