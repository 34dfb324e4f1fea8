"""Step 7, compiled: what the books report becomes ledger entries, released holds and executions. Modifies PathState in place."""

from typing import Any

import numpy as np

from exchange.ledger.chart import House
from exchange.ledger.periods import period_slot
from exchange.ledger.postings import (
    guarantee_micro,
    hold_position_cash,
    maker_fee_micro,
    post_money,
    post_units,
    release,
    taker_fee_micro,
)
from exchange.ledger.records import PostingReason
from exchange.order_path.book_events import post_book_event
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.executions import record_execution, record_trade
from exchange.order_path.idempotency import remove_key
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import DeadlineKind
from exchange.protocol.instrument_class import InstrumentClass, Resale
from matching.compile import kernel
from matching.records import EventKind, Reason, Side, TimeInForce

NO_KEY = np.int64(-1)
NOTHING = np.int64(0)
CLEARING = np.int64(House.CLEARING)
FEES = np.int64(House.FEES)


@kernel(internal=True)
def count_open_order(state: Any, account: int, slot: int, change: int) -> None:
    """An order came to rest (1) or ended (-1)."""
    state.accounts[account].open_orders += change
    state.instruments[slot].open_orders += change


@kernel(inline=True)
def end_order(state: Any, account: int, slot: int, terms: Any) -> None:
    """A resting order has ended; its key leaves now if its retention is over."""
    count_open_order(state, account, slot, np.int64(-1))
    if terms.outlives_key:
        remove_key(state, np.int64(terms.key))


@kernel(internal=True)
def _note_trade(state: Any, slot: int, buyer: int, seller: int, value_micro: int, quantity_lots: int) -> None:
    """What was bought and sold in an instrument."""
    state.positions[slot, buyer].bought_lots += quantity_lots
    state.positions[slot, buyer].bought_micro += value_micro
    state.positions[slot, seller].sold_lots += quantity_lots
    state.positions[slot, seller].sold_micro += value_micro


@kernel(internal=True)
def _take_position(state: Any, slot: int, buyer: int, seller: int, price_ticks: int, quantity_lots: int) -> None:
    """The obligation to deliver in one quarter-hour, and what both sides hold for it."""
    instrument = state.instruments[slot]
    state.positions[slot, buyer].net_lots += quantity_lots
    hold_position_cash(state, slot, buyer, quantity_lots * instrument.park_fee_lot_micro, NOTHING)
    state.positions[slot, seller].net_lots -= quantity_lots
    hold_position_cash(state, slot, seller, NOTHING, guarantee_micro(instrument, price_ticks, quantity_lots))


@kernel(internal=True)
def _fill_power(state: Any, slot: int, buyer: int, seller: int, price_ticks: int, quantity_lots: int) -> None:
    """Cash moves to the clearing account at trade and to the seller at settlement; both sides hold what delivery may still cost.

    A trade of a block is an equal position in each of its quarter-hours, whose values sum to its own exactly.
    """
    instrument = state.instruments[slot]
    value_micro = price_ticks * quantity_lots * instrument.multiplier_micro
    post_money(state, buyer, CLEARING, value_micro, np.int64(PostingReason.TRADE))
    _note_trade(state, slot, buyer, seller, value_micro, quantity_lots)
    if instrument.periods == 1:
        _take_position(state, slot, buyer, seller, price_ticks, quantity_lots)
        return
    for i in range(instrument.periods):
        period = period_slot(state, slot, i)
        _note_trade(state, period, buyer, seller, price_ticks * quantity_lots * state.instruments[period].multiplier_micro, quantity_lots)
        _take_position(state, period, buyer, seller, price_ticks, quantity_lots)


@kernel(internal=True)
def fill_units(state: Any, slot: int, buyer: int, seller: int, price_ticks: int, quantity_lots: int) -> None:
    """Delivery versus payment at once, through the clearing account."""
    instrument = state.instruments[slot]
    value_micro = price_ticks * quantity_lots * instrument.multiplier_micro
    post_money(state, buyer, CLEARING, value_micro, np.int64(PostingReason.TRADE))
    post_money(state, CLEARING, seller, value_micro, np.int64(PostingReason.TRADE))
    post_units(state, slot, seller, buyer, quantity_lots, np.int64(PostingReason.UNITS_TRADED))
    bought = state.positions[slot, buyer]
    bought.bought_lots += quantity_lots
    bought.bought_micro += value_micro
    if instrument.resale != Resale.FREE:
        bought.unsellable_lots += quantity_lots
    state.positions[slot, seller].sold_lots += quantity_lots
    state.positions[slot, seller].sold_micro += value_micro


@kernel(internal=True)
def charge_fee(state: Any, slot: int, account_id: int, amount_micro: int, reason: int, quantity_lots: int) -> None:
    """The fee of a fill; that of a block is the sum of the fees of its quarter-hours, where the statement finds them."""
    post_money(state, account_id, FEES, amount_micro, reason)
    periods = state.instruments[slot].periods
    if periods <= 1:
        state.positions[slot, account_id].fees_micro += amount_micro
        return
    for i in range(periods):
        period = period_slot(state, slot, i)
        quarter = state.instruments[period]
        of_lot_micro = quarter.taker_fee_lot_micro if reason == PostingReason.TAKER_FEE else quarter.maker_fee_lot_micro
        state.positions[period, account_id].fees_micro += quantity_lots * of_lot_micro


@kernel(inline=True)
def _terms_at(state: Any, order_slot: int) -> Any:
    """Terms of an order by its slot in an event: an order that enters for the first time has none yet."""
    return state.terms[order_slot] if order_slot >= 0 else state.own_terms[0]


@kernel(inline=True)
def _post_fill(state: Any, slot: int, event: Any, own_order_id: int) -> None:
    """A trade. Each side is released at its own limit; the taker may be an order that waited and entered in the course of the command."""
    counters = state.counters[0]
    instrument = state.instruments[slot]
    price_ticks = np.int64(event.price_ticks)
    quantity_lots = np.int64(event.quantity_lots)
    taker = np.int64(event.owner)
    maker = np.int64(event.counter_owner)
    side = np.int64(event.side)
    taker_terms = _terms_at(state, np.int64(event.slot))
    maker_terms = state.terms[event.counter_slot]
    release(state, slot, taker, side, np.int64(taker_terms.limit_ticks), quantity_lots)
    release(state, slot, maker, 1 - side, np.int64(maker_terms.limit_ticks), quantity_lots)
    buyer = taker if side == Side.BUY else maker
    seller = maker if side == Side.BUY else taker
    if instrument.instrument_class == InstrumentClass.POWER:
        _fill_power(state, slot, buyer, seller, price_ticks, quantity_lots)
    else:
        fill_units(state, slot, buyer, seller, price_ticks, quantity_lots)
    # In an auction both orders were resting: neither took what the other offered.
    in_auction = event.reason == Reason.AUCTION
    taker_fee = maker_fee_micro(instrument, price_ticks, quantity_lots) if in_auction else taker_fee_micro(instrument, price_ticks, quantity_lots)
    maker_fee = maker_fee_micro(instrument, price_ticks, quantity_lots)
    charge_fee(state, slot, taker, taker_fee, np.int64(PostingReason.MAKER_FEE) if in_auction else np.int64(PostingReason.TAKER_FEE), quantity_lots)
    charge_fee(state, slot, maker, maker_fee, np.int64(PostingReason.MAKER_FEE), quantity_lots)
    instrument.trade_number += 1
    instrument.last_price_ticks = price_ticks
    taker_terms.filled_lots += quantity_lots
    maker_terms.filled_lots += quantity_lots
    if event.order_id == own_order_id or event.counter_id == own_order_id:
        counters.filled_lots += quantity_lots
        counters.notional_micro += price_ticks * quantity_lots * instrument.multiplier_micro
        counters.open_lots = event.remaining_lots if event.order_id == own_order_id else event.counter_remaining_lots
    record_trade(state, np.int64(ExecutionKind.TRADE), event, slot, taker_terms, maker_terms, taker_fee, maker_fee)
    if event.counter_remaining_lots == 0:
        end_order(state, maker, slot, maker_terms)
    if event.slot >= 0 and event.remaining_lots == 0:
        end_order(state, taker, slot, taker_terms)


@kernel(inline=True)
def _post_withdrawal(state: Any, slot: int, event: Any, own_order_id: int, own_account: int) -> None:
    """An order lost quantity without a trade. One that never came to rest or to wait ends with its command."""
    kind = np.int64(ExecutionKind.CANCELLED) if event.kind == EventKind.CANCELLED else np.int64(ExecutionKind.REDUCED)
    account = np.int64(event.owner)
    release(state, slot, account, np.int64(event.side), np.int64(event.price_ticks), np.int64(event.quantity_lots))
    terms = _terms_at(state, np.int64(event.slot))
    record_execution(state, kind, event, slot, terms)
    if event.order_id == own_order_id:
        state.counters[0].open_lots = event.remaining_lots
    if kind == ExecutionKind.CANCELLED:
        if own_account < 0 or account == own_account:
            state.counters[0].cancelled_orders += 1
        if event.slot >= 0:
            end_order(state, account, slot, terms)


@kernel(inline=True)
def _keep_own_terms(state: Any, slot: int, event: Any) -> None:
    """The order that is entering has a slot now: here, since one of its makers may have left that slot an event ago."""
    own = state.own_terms[0]
    state.terms[event.slot] = own
    count_open_order(state, np.int64(event.owner), slot, np.int64(1))
    if own.time_in_force == TimeInForce.GTD:
        add_deadline(state, own.expiry_ns, DeadlineKind.ORDER_EXPIRY, event.order_id)
    own.key = NO_KEY


@kernel(inline=True)
def _post_note(state: Any, slot: int, event: Any, kind: int, own_order_id: int) -> None:
    """Something that moves no money: an order came to rest or to wait, was triggered, shows its next peak or was taken out for an amend."""
    own = state.own_terms[0]
    if (kind == ExecutionKind.RESTED or kind == ExecutionKind.WAITING) and event.order_id == own_order_id and own.key >= 0:
        _keep_own_terms(state, slot, event)
    if event.order_id == own_order_id:
        state.counters[0].open_lots = event.remaining_lots
    record_execution(state, kind, event, slot, _terms_at(state, np.int64(event.slot)))


@kernel(inline=True)
def _note_kind(kind: int) -> int:
    """ExecutionKind of an event that moves no money."""
    if kind == EventKind.RESTED:
        return np.int64(ExecutionKind.RESTED)
    if kind == EventKind.WAITING:
        return np.int64(ExecutionKind.WAITING)
    if kind == EventKind.REFILLED:
        return np.int64(ExecutionKind.REFILLED)
    if kind == EventKind.TRIGGERED:
        return np.int64(ExecutionKind.TRIGGERED)
    # The amend has already exchanged the hold of the old price for that of the new one.
    return np.int64(ExecutionKind.REPRICED)


@kernel(internal=True)
def post_events(state: Any, slot: int, n_events: int, own_order_id: int, own_account: int) -> None:
    """Post the first `n_events` of state.events, all of the instrument in `slot`, in order.

    `own_order_id` is the order that the command places or amends (0 for none); what it filled and has open is counted for the outcome. Events
    of other orders follow it: orders that waited and now enter, stops that it triggered. Withdrawn orders are counted for `own_account`
    alone, or all of them (-1). Terms are read and written event by event, because a slot may change its order between two events.
    """
    for i in range(n_events):
        event = state.events[i]
        if event.kind == EventKind.FILLED:
            _post_fill(state, slot, event, own_order_id)
        elif event.kind == EventKind.CANCELLED or event.kind == EventKind.REDUCED:
            _post_withdrawal(state, slot, event, own_order_id, own_account)
        elif event.kind == EventKind.PHASE_CHANGED or event.kind == EventKind.UNCROSSED:
            post_book_event(state, slot, event)
        else:
            _post_note(state, slot, event, _note_kind(np.int64(event.kind)), own_order_id)
    if n_events > 0:
        state.instruments[slot].book_seq += 1
