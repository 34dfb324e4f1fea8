"""Step 7, compiled: what the books report becomes ledger entries, released holds and executions. Modifies PathState in place."""

from typing import Any

import numpy as np

from exchange.ledger.chart import House
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
from exchange.order_path.idempotency import end_key_order, mix
from exchange.order_path.records import ExecutionKind
from exchange.protocol.instrument_class import InstrumentClass, Resale
from matching.compile import kernel
from matching.records import EventKind, Side

EXECUTION_WORD_COUNT = 25
NO_KEY = np.int64(-1)
NOTHING = np.int64(0)
CLEARING = np.int64(House.CLEARING)
FEES = np.int64(House.FEES)


@kernel(internal=True)
def count_open_order(state: Any, account: int, slot: int, change: int) -> None:
    """An order came to rest (1) or ended (-1)."""
    state.accounts[account].open_orders += change
    state.instruments[slot].open_orders += change


@kernel(internal=True)
def end_order(state: Any, account: int, slot: int, key: int) -> None:
    """A resting order has ended: its key may now leave after its retention."""
    count_open_order(state, account, slot, np.int64(-1))
    end_key_order(state, key)


@kernel(internal=True)
def record_execution(state: Any, kind: int, event: Any, slot: int, key: int, counter_key: int) -> None:
    """Append one execution with its event id and the private sequence of its account."""
    counters = state.counters[0]
    row = state.executions[counters.n_executions]
    counters.n_executions += 1
    row.sequence = counters.sequence
    row.index = counters.event_index
    counters.event_index += 1
    row.kind = kind
    row.side = event.side
    row.reason = event.reason
    row.stamp_ns = counters.stamp_ns
    row.instrument = state.instruments[slot].id
    row.order_id = event.order_id
    row.counter_order_id = event.counter_id
    row.price_ticks = event.price_ticks
    row.quantity_lots = event.quantity_lots
    row.remaining_lots = event.remaining_lots
    row.counter_remaining_lots = event.counter_remaining_lots
    row.fee_micro = 0
    row.counter_fee_micro = 0
    row.counter_seq = 0
    row.trade_number = 0
    row.account = event.owner
    row.counter_account = 0
    state.accounts[event.owner].execution_seq += 1
    row.seq = state.accounts[event.owner].execution_seq
    _set_client_ids(state, row, key, counter_key)


@kernel(internal=True)
def _set_client_ids(state: Any, row: Any, key: int, counter_key: int) -> None:
    mine = state.keys[key]
    row.cid0, row.cid1, row.cid2, row.cid3, row.cid4 = mine.cid0, mine.cid1, mine.cid2, mine.cid3, mine.cid4
    if counter_key >= 0:
        other = state.keys[counter_key]
        row.counter_cid0, row.counter_cid1, row.counter_cid2 = other.cid0, other.cid1, other.cid2
        row.counter_cid3, row.counter_cid4 = other.cid3, other.cid4
    else:
        row.counter_cid0 = row.counter_cid1 = row.counter_cid2 = row.counter_cid3 = np.uint64(0)
        row.counter_cid4 = np.uint32(0)


@kernel(internal=True)
def hash_executions(state: Any, start: int) -> None:
    """Fold the executions from `start` on into the running hash of events."""
    counters = state.counters[0]
    h = np.uint64(counters.event_hash)
    for i in range(start, counters.n_executions):
        for word in range(EXECUTION_WORD_COUNT):
            h = mix(h, state.execution_words[i, word])
    counters.event_hash = h


@kernel(internal=True)
def _fill_power(state: Any, slot: int, buyer: int, seller: int, price_ticks: int, quantity_lots: int) -> None:
    """Cash moves to the clearing account at trade and to the seller at settlement; both sides hold what delivery may still cost."""
    instrument = state.instruments[slot]
    value_micro = price_ticks * quantity_lots * instrument.multiplier_micro
    post_money(state, buyer, CLEARING, value_micro, np.int64(PostingReason.TRADE))
    bought = state.positions[slot, buyer]
    bought.net_lots += quantity_lots
    bought.bought_lots += quantity_lots
    bought.bought_micro += value_micro
    hold_position_cash(state, slot, buyer, quantity_lots * instrument.park_fee_lot_micro, NOTHING)
    sold = state.positions[slot, seller]
    sold.net_lots -= quantity_lots
    sold.sold_lots += quantity_lots
    sold.sold_micro += value_micro
    hold_position_cash(state, slot, seller, NOTHING, guarantee_micro(instrument, price_ticks, quantity_lots))


@kernel(internal=True)
def _fill_units(state: Any, slot: int, buyer: int, seller: int, price_ticks: int, quantity_lots: int) -> None:
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
def _charge_fee(state: Any, slot: int, account_id: int, amount_micro: int, reason: int) -> None:
    post_money(state, account_id, FEES, amount_micro, reason)
    state.positions[slot, account_id].fees_micro += amount_micro


@kernel(internal=True)
def _post_fill(state: Any, slot: int, event: Any, taker_limit_ticks: int, taker_key: int) -> None:
    counters = state.counters[0]
    instrument = state.instruments[slot]
    price_ticks = np.int64(event.price_ticks)
    quantity_lots = np.int64(event.quantity_lots)
    taker = np.int64(event.owner)
    maker = np.int64(event.counter_owner)
    side = np.int64(event.side)
    release(state, slot, taker, side, taker_limit_ticks, quantity_lots)
    release(state, slot, maker, 1 - side, price_ticks, quantity_lots)
    buyer = taker if side == Side.BUY else maker
    seller = maker if side == Side.BUY else taker
    if instrument.instrument_class == InstrumentClass.POWER:
        _fill_power(state, slot, buyer, seller, price_ticks, quantity_lots)
    else:
        _fill_units(state, slot, buyer, seller, price_ticks, quantity_lots)
    taker_fee = taker_fee_micro(instrument, price_ticks, quantity_lots)
    maker_fee = maker_fee_micro(instrument, price_ticks, quantity_lots)
    _charge_fee(state, slot, taker, taker_fee, np.int64(PostingReason.TAKER_FEE))
    _charge_fee(state, slot, maker, maker_fee, np.int64(PostingReason.MAKER_FEE))
    instrument.trade_number += 1
    instrument.last_price_ticks = price_ticks
    counters.filled_lots += quantity_lots
    counters.notional_micro += price_ticks * quantity_lots * instrument.multiplier_micro
    state.terms[event.counter_slot].filled_lots += quantity_lots
    maker_key = np.int64(state.terms[event.counter_slot].key)
    record_execution(state, np.int64(ExecutionKind.TRADE), event, slot, taker_key, maker_key)
    row = state.executions[counters.n_executions - 1]
    row.fee_micro = taker_fee
    row.counter_fee_micro = maker_fee
    row.trade_number = instrument.trade_number
    row.counter_account = maker
    state.accounts[maker].execution_seq += 1
    row.counter_seq = state.accounts[maker].execution_seq
    if event.counter_remaining_lots == 0:
        end_order(state, maker, slot, maker_key)


@kernel(internal=True)
def _post_withdrawal(state: Any, slot: int, event: Any, kind: int, own_order_id: int, own_key: int) -> None:
    """An order lost quantity without a trade. The end of the entering order itself (`own_order_id`) is its command's to record."""
    release(state, slot, np.int64(event.owner), np.int64(event.side), np.int64(event.price_ticks), np.int64(event.quantity_lots))
    is_own = event.order_id == own_order_id
    key = own_key if is_own else np.int64(state.terms[event.slot].key)
    record_execution(state, kind, event, slot, key, NO_KEY)
    if kind == ExecutionKind.CANCELLED:
        state.counters[0].cancelled_orders += 1
        if not is_own:
            end_order(state, np.int64(event.owner), slot, key)


@kernel(internal=True)
def post_events(state: Any, slot: int, n_events: int, own_order_id: int, own_limit_ticks: int, own_key: int) -> None:
    """Post the first `n_events` of state.events, all of the instrument in `slot`, in order.

    `own_order_id` is the order that is entering (0 for none), with its limit and key.
    """
    start = state.counters[0].n_executions
    for i in range(n_events):
        event = state.events[i]
        if event.kind == EventKind.FILLED:
            _post_fill(state, slot, event, own_limit_ticks, own_key)
        elif event.kind == EventKind.CANCELLED:
            _post_withdrawal(state, slot, event, np.int64(ExecutionKind.CANCELLED), own_order_id, own_key)
        elif event.kind == EventKind.REDUCED:
            _post_withdrawal(state, slot, event, np.int64(ExecutionKind.REDUCED), own_order_id, own_key)
        elif event.kind == EventKind.RESTED:
            record_execution(state, np.int64(ExecutionKind.RESTED), event, slot, own_key, NO_KEY)
        else:
            # Repriced: the amend has already exchanged the hold of the old price for that of the new one.
            record_execution(state, np.int64(ExecutionKind.REPRICED), event, slot, own_key, NO_KEY)
    if n_events > 0:
        state.instruments[slot].book_seq += 1
    hash_executions(state, start)
