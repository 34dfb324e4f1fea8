"""Reduce-only orders, compiled: they only bring the net position of their period nearer to zero (docs/rules.md, "Reduce-only orders").

    invariant: where an account has a reduce-only order open on a side, all its open orders of that side together are at most its net position on the
    other side

A fill takes as much from the net position as from what is open, so the invariant stands whatever trades, and in whatever order within one command.
Only an order that enters, or is amended to more, can break it; it then takes the room, and the newest reduce-only orders are cut. Accounts that
have placed none are told by one flag. Modify PathState in place; callers have made room for an execution an open order of the account.
"""

from typing import Any

import numpy as np

from exchange.ledger.periods import period_slot
from exchange.order_path.post import post_events
from exchange.order_path.records import HouseReason
from matching.commands import cancel_order, cut_order
from matching.compile import kernel
from matching.orders import order_at
from matching.queries import owner_orders
from matching.records import Side

# Typed, so that a call with a constant is not compiled apart from one with a variable.
NO_ORDER = np.int64(0)
START = np.int64(0)
NO_ACCOUNT = np.int64(0)
ALL_BOOKS = np.int64(-1)


@kernel(internal=True)
def room_to_reduce(state: Any, slot: int, account: int, side: int) -> int:
    """Lots that one more reduce-only order on `side` may have: the net position on the other side less all that is open on this one."""
    position = state.positions[slot, account]
    net_lots = position.net_lots + position.contract_lots
    return -net_lots - position.open_buy_lots if side == Side.BUY else net_lots - position.open_sell_lots


@kernel(internal=True)
def make_way(state: Any, slot: int, account: int, side: int) -> None:
    """An order on `side` has just reserved: cut what it takes the room of, of a block in each of its quarter-hours."""
    periods = np.int64(state.instruments[slot].periods)
    for i in range(periods if periods > 0 else 1):
        _make_way_in(state, period_slot(state, slot, i), account, side)


@kernel(merged=True)
def _make_way_in(state: Any, slot: int, account: int, side: int) -> None:
    """Cut the reduce-only orders of an account on one side of an instrument, newest first, until all fits again."""
    count = owner_orders(state.books, account, ALL_BOOKS, state.order_slots)
    over_lots = -room_to_reduce(state, slot, account, side)
    has_others = False
    for i in range(count - 1, -1, -1):
        order_slot = np.int64(state.order_slots[i])
        terms = state.terms[order_slot]
        if terms.reduce_only == 0:
            continue
        if over_lots > 0 and terms.instrument_slot == slot and terms.side == side:
            over_lots -= _cut(state, slot, order_slot, over_lots)
        has_others = True
    if not has_others:
        state.accounts[account].may_reduce = 0


@kernel(merged=True)
def _cut(state: Any, slot: int, order_slot: int, over_lots: int) -> int:
    """Take up to `over_lots` from one order; returns how many were taken."""
    order = order_at(state.books, order_slot)
    lots = min(over_lots, np.int64(order.remaining_lots))
    if lots == order.remaining_lots:
        n_events = cancel_order(state.books, state.events, START, order.order_id, np.int64(HouseReason.REDUCE_ONLY))
    else:
        n_events = cut_order(state.books, state.events, START, order_slot, lots, np.int64(HouseReason.REDUCE_ONLY))
    post_events(state, slot, n_events, NO_ORDER, NO_ACCOUNT)
    return lots
