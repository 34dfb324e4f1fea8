"""Order commands, compiled: place, amend, cancel, and the ways many orders end at once. Each admits, reserves, matches and posts.

All functions modify PathState in place, answer with a RejectCode and leave quantities for the outcome in the counters. Callers have made room.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag, OrderType
from exchange.ledger.postings import release, reserve
from exchange.order_path.admit import admit_place, admit_risk, admit_trading, instrument_slot, is_post_only, limit_ticks, open_order_slot
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.post import count_open_order, end_order, post_events
from exchange.order_path.state import DeadlineKind
from exchange.protocol.reject_codes import RejectCode
from matching.commands import amend_order, cancel_order, place_order
from matching.compile import kernel
from matching.entering import would_cross
from matching.ids import find_slot
from matching.orders import first_order, order_after, order_at
from matching.queries import owner_orders
from matching.records import EntryFlag, EntryKind, Reason, TimeInForce

POST_ONLY = int(EntryFlag.POST_ONLY)
# Typed, so that a call with a constant is not compiled apart from one with a variable.
NO_ORDER = np.int64(0)
NO_KEY = np.int64(-1)


@kernel(internal=True)
def _code_of(reason: int, filled_lots: int) -> int:
    """What the one who sent the order is told when nothing of it traded or rests."""
    if reason == Reason.POST_ONLY_WOULD_CROSS:
        return np.int64(RejectCode.POST_ONLY_WOULD_CROSS)
    if reason == Reason.FILL_OR_KILL_UNFILLABLE:
        return np.int64(RejectCode.FILL_OR_KILL_UNFILLABLE)
    if filled_lots == 0 and reason == Reason.IMMEDIATE_REMAINDER:
        return np.int64(RejectCode.NO_LIQUIDITY)
    if filled_lots == 0 and reason == Reason.SELF_TRADE:
        return np.int64(RejectCode.SELF_TRADE_PREVENTED)
    return np.int64(RejectCode.ACCEPTED)


@kernel(internal=True)
def entry_of_place(state: Any, command: Any, slot: int) -> None:
    """Fill the scratch entry for a new order: the next order id at its limit. Also what the room check bounds."""
    entry = state.entry[0]
    entry.kind = EntryKind.PLACE
    entry.order_id = state.counters[0].next_order_id
    entry.quantity_lots = command.quantity_lots
    entry.display_lots = command.display_lots
    entry.min_lots = command.min_lots
    entry.price_ticks = limit_ticks(state.instruments[slot], command)
    entry.stop_ticks = command.stop_ticks
    entry.book = state.instruments[slot].book
    entry.owner = command.account
    entry.side = command.side
    entry.time_in_force = time_in_force(command)
    entry.self_trade = command.self_trade
    entry.label = 0
    entry["flags"] = POST_ONLY if is_post_only(command["flags"]) else 0


@kernel(internal=True)
def entry_of_amend(state: Any, command: Any, order_slot: int) -> None:
    """Fill the scratch entry for a resting order with what the amend changes."""
    order = order_at(state.books, order_slot)
    terms = state.terms[order_slot]
    entry = state.entry[0]
    entry.kind = EntryKind.AMEND
    entry.order_id = command.order_id
    entry.quantity_lots = command.quantity_lots if command["flags"] & CommandFlag.AMEND_QUANTITY else order.remaining_lots
    entry.price_ticks = command.price_ticks if command["flags"] & CommandFlag.AMEND_PRICE else order.price_ticks
    entry.book = order.book
    entry.owner = order.owner
    entry.side = order.side
    entry.time_in_force = terms.time_in_force
    entry.self_trade = terms.self_trade
    entry.label = 0
    entry["flags"] = POST_ONLY if terms.post_only else 0


@kernel(internal=True)
def time_in_force(command: Any) -> int:
    """A market order never rests: what cannot trade at once is cancelled."""
    if command.order_type == OrderType.MARKET and command.time_in_force != TimeInForce.FOK:
        return np.int64(TimeInForce.IOC)
    return np.int64(command.time_in_force)


@kernel(internal=True)
def place(state: Any, command: Any, key: int) -> tuple[int, int, int]:
    """(code, order id, remaining lots) of a new order."""
    counters = state.counters[0]
    slot = instrument_slot(state, np.int64(command.instrument))
    code = admit_place(state, command, slot)
    if code != RejectCode.ACCEPTED:
        return code, 0, 0
    account = np.int64(command.account)
    side = np.int64(command.side)
    price_ticks = limit_ticks(state.instruments[slot], command)
    entry_of_place(state, command, slot)
    order_id = counters.next_order_id
    counters.next_order_id += 1
    reserve(state, slot, account, side, price_ticks, command.quantity_lots)
    n_events, reason, remaining_lots, order_slot = place_order(state.books, state.events, 0, state.entry[0])
    post_events(state, slot, n_events, order_id, price_ticks, key)
    if order_slot >= 0:
        _keep_terms(state, command, slot, order_slot, key)
    return _code_of(reason, counters.filled_lots), order_id, remaining_lots


@kernel(internal=True)
def _keep_terms(state: Any, command: Any, slot: int, order_slot: int, key: int) -> None:
    """Note what the exchange knows of an order that came to rest, once the events of its entry are posted: a maker's slot may be reused."""
    terms = state.terms[order_slot]
    terms.expiry_ns = command.expiry_ns
    terms.original_lots = command.quantity_lots
    terms.filled_lots = state.counters[0].filled_lots
    terms.key = key
    terms.instrument_slot = slot
    terms.session = command.session
    terms.label = command.label
    terms.revision = 1
    terms.side = command.side
    terms.time_in_force = command.time_in_force
    terms.self_trade = command.self_trade
    terms.cancel_on_disconnect = 1 if command["flags"] & CommandFlag.CANCEL_ON_DISCONNECT else 0
    terms.post_only = 1 if is_post_only(command["flags"]) else 0
    state.keys[key].order_live = 1
    count_open_order(state, np.int64(command.account), slot, np.int64(1))
    if command.time_in_force == TimeInForce.GTD:
        add_deadline(state, command.expiry_ns, DeadlineKind.ORDER_EXPIRY, state.entry[0].order_id)


@kernel(internal=True)
def _withdraw(state: Any, order_slot: int, reason: int) -> None:
    """Take a live order out of its book and post what that releases."""
    slot = np.int64(state.terms[order_slot].instrument_slot)
    n_events = cancel_order(state.books, state.events, 0, order_at(state.books, order_slot).order_id, reason)
    post_events(state, slot, n_events, NO_ORDER, NO_ORDER, NO_KEY)


@kernel(internal=True)
def cancel(state: Any, command: Any) -> tuple[int, int, int]:
    """(code, order id, 0) of a cancel."""
    order_slot = find_slot(state.books, command.order_id)
    if not open_order_slot(state, command, order_slot):
        return np.int64(RejectCode.UNKNOWN_ORDER), 0, 0
    _withdraw(state, order_slot, Reason.REQUESTED)
    return np.int64(RejectCode.ACCEPTED), command.order_id, 0


@kernel(internal=True)
def amend(state: Any, command: Any) -> tuple[int, int, int, int]:
    """(code, order id, remaining lots, revision) of an amend. A refused amend leaves the order as it was, with its priority."""
    order_slot = find_slot(state.books, command.order_id)
    if not open_order_slot(state, command, order_slot):
        return np.int64(RejectCode.UNKNOWN_ORDER), 0, 0, 0
    order = order_at(state.books, order_slot)
    terms = state.terms[order_slot]
    old_lots, old_ticks = order.remaining_lots, order.price_ticks
    revision = np.int64(terms.revision)
    if command.revision != revision:
        return np.int64(RejectCode.REVISION_MISMATCH), command.order_id, old_lots, revision
    slot = np.int64(terms.instrument_slot)
    side = np.int64(terms.side)
    account = np.int64(command.account)
    code = admit_trading(state, command, slot, side)
    if code != RejectCode.ACCEPTED:
        return code, command.order_id, old_lots, revision
    entry_of_amend(state, command, order_slot)
    entry = state.entry[0]
    lots = command.quantity_lots if command["flags"] & CommandFlag.AMEND_QUANTITY else old_lots
    if lots <= 0:
        return np.int64(RejectCode.AMEND_BELOW_FILLED), command.order_id, old_lots, revision
    if lots > state.instruments[slot].max_order_lots:
        return np.int64(RejectCode.QUANTITY_OUT_OF_RANGE), command.order_id, old_lots, revision
    price_ticks = command.price_ticks if command["flags"] & CommandFlag.AMEND_PRICE else old_ticks
    if price_ticks != old_ticks or lots > old_lots:
        # Loses its priority: the old hold goes, the new one is admitted as if the order were new, and nothing changes if it is not.
        release(state, slot, account, side, old_ticks, old_lots)
        code = admit_risk(state, account, slot, side, price_ticks, lots)
        if code == RejectCode.ACCEPTED and price_ticks != old_ticks and terms.post_only and would_cross(state.books, entry):
            code = np.int64(RejectCode.POST_ONLY_WOULD_CROSS)
        if code != RejectCode.ACCEPTED:
            reserve(state, slot, account, side, old_ticks, old_lots)
            return code, command.order_id, old_lots, revision
        reserve(state, slot, account, side, price_ticks, lots)
    key = np.int64(terms.key)
    n_events, _reason, remaining_lots, new_slot = amend_order(state.books, state.events, 0, entry)
    post_events(state, slot, n_events, command.order_id, price_ticks, key)
    if new_slot < 0:
        end_order(state, account, slot, key)
    else:
        terms.revision += 1
        terms.filled_lots += state.counters[0].filled_lots
    return np.int64(RejectCode.ACCEPTED), command.order_id, remaining_lots, revision + 1


@kernel(internal=True)
def mass_cancel(state: Any, command: Any) -> None:
    """Cancel the open orders of one account that fit the command's filter, oldest first. Cost: the orders of the account."""
    flags = command["flags"]
    wanted = instrument_slot(state, np.int64(command.instrument))
    count = owner_orders(state.books, np.int64(command.account), -1, state.order_slots)
    for i in range(count):
        terms = state.terms[state.order_slots[i]]
        fits = (flags & CommandFlag.ALL_INSTRUMENTS) != 0 or terms.instrument_slot == wanted
        fits = fits and ((flags & CommandFlag.ALL_SIDES) != 0 or terms.side == command.side)
        fits = fits and ((flags & CommandFlag.ALL_LABELS) != 0 or terms.label == command.label)
        if fits:
            _withdraw(state, np.int64(state.order_slots[i]), Reason.REQUESTED)


@kernel(internal=True)
def end_sessions(state: Any, account: int, session: int) -> None:
    """Cancel on disconnect for the orders of one session (0: of every session) of an account."""
    count = owner_orders(state.books, account, -1, state.order_slots)
    for i in range(count):
        terms = state.terms[state.order_slots[i]]
        if terms.cancel_on_disconnect and (session == 0 or terms.session == session):
            _withdraw(state, np.int64(state.order_slots[i]), Reason.REQUESTED)


@kernel(internal=True)
def expire_order(state: Any, order_id: int) -> None:
    """A good-till-date order has reached its end; one that is gone already is ignored."""
    order_slot = find_slot(state.books, order_id)
    if order_slot >= 0:
        _withdraw(state, order_slot, Reason.EXPIRED)


@kernel
def expire_instrument(state: Any, slot: int, session_orders_only: bool) -> None:
    """Expire the orders of an instrument, best bid first, then asks: all at gate closure, session orders at the end of a session."""
    book = np.int64(state.instruments[slot].book)
    for side in range(2):
        order_slot = first_order(state.books, book, side)
        while order_slot >= 0:
            following = order_after(state.books, order_slot)
            if not session_orders_only or state.terms[order_slot].time_in_force == TimeInForce.SESSION:
                _withdraw(state, order_slot, Reason.EXPIRED)
            order_slot = following
