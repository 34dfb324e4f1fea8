"""Order commands, compiled: place, amend, cancel, and the ways many orders end at once. Each admits, reserves, matches and posts.

All functions modify PathState in place, answer with a RejectCode and leave quantities for the outcome in the counters. Callers have made room.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag
from exchange.ledger.postings import release, reserve
from exchange.order_path.admit import (
    REDUCE_ONLY,
    admit_amended_lots,
    admit_place,
    admit_risk,
    admit_trading,
    gathers,
    instrument_slot,
    limit_ticks,
    open_order_slot,
)
from exchange.order_path.entries import POST_ONLY, REPRICE, admitted_ticks, amended_lots, entry_of_amend, entry_of_place
from exchange.order_path.owners import admit_owner
from exchange.order_path.post import post_events
from exchange.order_path.reduce_only import make_way, room_to_reduce
from exchange.protocol.reject_codes import RejectCode
from matching.commands import amend_order, place_order, withdraw_order
from matching.compile import kernel
from matching.entering import would_cross
from matching.ids import find_slot
from matching.orders import first_order, order_after, order_at, order_side_index
from matching.queries import CANONICAL, owner_orders
from matching.records import Reason, TimeInForce
from matching.refusals import phase_refuses
from matching.state import LADDERS, Ladder

# Typed, so that a call with a constant is not compiled apart from one with a variable.
NO_ORDER = np.int64(0)
START = np.int64(0)
NO_KEY = np.int64(-1)
ANY_ACCOUNT = np.int64(-1)


@kernel(inline=True)
def _code_of(reason: int, filled_lots: int) -> int:
    """What the one who sent the order is told when nothing of it traded or rests."""
    if reason == Reason.POST_ONLY_WOULD_CROSS:
        return np.int64(RejectCode.POST_ONLY_WOULD_CROSS)
    if reason == Reason.FILL_OR_KILL_UNFILLABLE:
        return np.int64(RejectCode.FILL_OR_KILL_UNFILLABLE)
    if reason == Reason.MINIMUM_UNFILLABLE:
        return np.int64(RejectCode.MINIMUM_UNFILLABLE)
    if filled_lots == 0 and reason == Reason.IMMEDIATE_REMAINDER:
        return np.int64(RejectCode.NO_LIQUIDITY)
    if filled_lots == 0 and reason == Reason.SELF_TRADE:
        return np.int64(RejectCode.SELF_TRADE_PREVENTED)
    return np.int64(RejectCode.ACCEPTED)


@kernel(inline=True)
def waits(state: Any, order_id: int) -> int:
    """1 for an order that waits beside the ladder."""
    book = state.books.books[state.entry[0].book]
    if book.waiting == 0 and book.stops == 0:
        return np.int64(0)
    order_slot = find_slot(state.books, order_id)
    if order_slot < 0 or order_side_index(state.books, order_slot) & (LADDERS - 1) < Ladder.WAITING_BUYS:
        return np.int64(0)
    return np.int64(1)


@kernel(inline=True)
def place(state: Any, command: Any, key: int) -> tuple[int, int, int]:
    """(code, order id, open lots) of a new order."""
    counters = state.counters[0]
    slot = instrument_slot(state, np.int64(command.instrument))
    code = admit_place(state, command, slot)
    if code != RejectCode.ACCEPTED:
        return code, 0, 0
    account = np.int64(command.account)
    side = np.int64(command.side)
    entry_of_place(state, command, slot)
    price_ticks = admitted_ticks(state, slot, limit_ticks(state.instruments[slot], command))
    code = admit_risk(state, account, slot, side, price_ticks, command.quantity_lots)
    if code == RejectCode.ACCEPTED and state.accounts[account].owner != 0:
        enters = np.int64(command["flags"]) & CommandFlag.STOP == 0
        code = admit_owner(state, account, slot, side, price_ticks, command.quantity_lots, enters)
    if code != RejectCode.ACCEPTED:
        return code, 0, 0
    if gathers(state.instruments[slot].phase) and phase_refuses(state.books, state.entry[0]):
        return np.int64(RejectCode.RESTING_ORDERS_ONLY), 0, 0
    reduces = command["flags"] & REDUCE_ONLY != 0
    if reduces and room_to_reduce(state, slot, account, side) < command.quantity_lots:
        return np.int64(RejectCode.REDUCE_ONLY), 0, 0
    order_id = counters.next_order_id
    counters.next_order_id += 1
    reserve(state, slot, account, side, price_ticks, command.quantity_lots)
    if reduces:
        state.accounts[account].may_reduce = 1
    elif state.accounts[account].may_reduce:
        make_way(state, slot, account, side)
    note_terms(state, command, slot, price_ticks, key)
    n_events, reason, _lots, _slot = place_order(state.books, state.events, START, state.entry[0])
    post_events(state, slot, n_events, order_id, account)
    state.own_terms[0].key = NO_KEY
    counters.waits = waits(state, order_id)
    return _code_of(reason, counters.filled_lots), order_id, counters.open_lots


@kernel(inline=True)
def note_terms(state: Any, command: Any, slot: int, price_ticks: int, key: int) -> None:
    """What the exchange knows of an order that is entering; the event that says where it rests or waits gives it its slot."""
    flags = np.int64(command["flags"])
    terms = state.own_terms[0]
    terms.expiry_ns = command.expiry_ns
    terms.limit_ticks = price_ticks
    terms.display_lots = command.display_lots if flags & CommandFlag.ICEBERG else 0
    terms.original_lots = command.quantity_lots
    terms.filled_lots = 0
    terms.key = key
    terms.outlives_key = 0
    terms.cid0, terms.cid1, terms.cid2, terms.cid3, terms.cid4 = command.cid0, command.cid1, command.cid2, command.cid3, command.cid4
    terms.instrument_slot = slot
    terms.session = command.session
    terms.label = command.label
    terms.revision = 1
    terms.side = command.side
    terms.time_in_force = command.time_in_force
    terms.self_trade = command.self_trade
    terms.cancel_on_disconnect = 1 if flags & CommandFlag.CANCEL_ON_DISCONNECT else 0
    terms.reduce_only = 1 if flags & REDUCE_ONLY else 0
    terms.post_only = (POST_ONLY if flags & CommandFlag.POST_ONLY else 0) | (REPRICE if flags & CommandFlag.REPRICE else 0)


@kernel(internal=True)
def _withdraw(state: Any, order_slot: int, reason: int) -> None:
    """Take a live order out of its book and post what that releases."""
    slot = np.int64(state.terms[order_slot].instrument_slot)
    n_events = withdraw_order(state.books, state.events, START, order_slot, np.int64(reason))
    post_events(state, slot, n_events, NO_ORDER, ANY_ACCOUNT)


@kernel(inline=True)
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
    lots = amended_lots(state, command, order_slot)
    code = admit_amended_lots(state, order_slot, lots)
    if code != RejectCode.ACCEPTED:
        return code, command.order_id, old_lots, revision
    price_ticks = admitted_ticks(state, slot, command.price_ticks if command["flags"] & CommandFlag.AMEND_PRICE else old_ticks)
    if price_ticks != old_ticks or lots > old_lots:
        # Loses its priority: the old hold goes, the new one is admitted as if the order were new, and nothing changes if it is not.
        release(state, slot, account, side, old_ticks, old_lots)
        code = admit_risk(state, account, slot, side, price_ticks, lots)
        if code == RejectCode.ACCEPTED and state.accounts[account].owner != 0:
            code = admit_owner(state, account, slot, side, price_ticks, lots, waits(state, command.order_id) == 0)
        if code == RejectCode.ACCEPTED and price_ticks != old_ticks and terms.post_only and would_cross(state.books, entry):
            code = np.int64(RejectCode.POST_ONLY_WOULD_CROSS)
        if code == RejectCode.ACCEPTED and terms.post_only and gathers(state.instruments[slot].phase):
            code = np.int64(RejectCode.RESTING_ORDERS_ONLY)
        if code == RejectCode.ACCEPTED and terms.reduce_only and room_to_reduce(state, slot, account, side) < lots:
            code = np.int64(RejectCode.REDUCE_ONLY)
        if code != RejectCode.ACCEPTED:
            reserve(state, slot, account, side, old_ticks, old_lots)
            return code, command.order_id, old_lots, revision
        reserve(state, slot, account, side, price_ticks, lots)
        if state.accounts[account].may_reduce:
            make_way(state, slot, account, side)
    terms.limit_ticks = price_ticks
    terms.revision += 1
    n_events, _reason, _lots, _slot = amend_order(state.books, state.events, START, entry)
    post_events(state, slot, n_events, command.order_id, account)
    state.counters[0].waits = waits(state, command.order_id)
    return np.int64(RejectCode.ACCEPTED), command.order_id, state.counters[0].open_lots, revision + 1


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


@kernel(merged=True)
def expire_order(state: Any, order_id: int) -> None:
    """A good-till-date order has reached its end; one that is gone already is ignored."""
    order_slot = find_slot(state.books, order_id)
    if order_slot >= 0:
        _withdraw(state, order_slot, Reason.EXPIRED)


@kernel
def expire_outside_band(state: Any, slot: int) -> None:
    """Expire the orders whose limit the band of the instrument no longer allows, in the order of `expire_instrument`."""
    instrument = state.instruments[slot]
    for ladder in CANONICAL:
        order_slot = first_order(state.books, np.int64(instrument.book), ladder)
        while order_slot >= 0:
            following = order_after(state.books, order_slot)
            price_ticks = state.terms[order_slot].limit_ticks
            if price_ticks < instrument.band_low_ticks or price_ticks > instrument.band_high_ticks:
                _withdraw(state, order_slot, Reason.EXPIRED)
            order_slot = following


@kernel
def expire_instrument(state: Any, slot: int, session_orders_only: bool) -> None:
    """Expire the orders of an instrument, best bid first, then asks, then what waits: all at gate closure, session orders at the end of a session."""
    book = np.int64(state.instruments[slot].book)
    for ladder in CANONICAL:
        order_slot = first_order(state.books, book, ladder)
        while order_slot >= 0:
            following = order_after(state.books, order_slot)
            if not session_orders_only or state.terms[order_slot].time_in_force == TimeInForce.SESSION:
                _withdraw(state, order_slot, Reason.EXPIRED)
            order_slot = following
