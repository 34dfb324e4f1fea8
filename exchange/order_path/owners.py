"""Step 5a for accounts of one beneficial owner, compiled (docs/rules.md, "Beneficial owners"): one limit for all, and no trade among them.

Looked at only where an account shares its owner with another and the rules ask for it: for everybody else it costs one comparison.
"""

from typing import Any

import numpy as np

from exchange.ledger.periods import period_slot
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel
from matching.orders import order_side_index
from matching.queries import owner_orders
from matching.records import Side
from matching.state import LADDERS, Ladder


@kernel(internal=True)
def admit_owner(state: Any, account: int, slot: int, side: int, price_ticks: int, quantity_lots: int, enters: bool) -> int:
    """POSITION_LIMIT beyond the limit of the owner, SELF_TRADE_PREVENTED for an order that could meet another account's of the same owner.

    `enters`: the order goes to the ladder now, and not beside it. Changes nothing but scratch memory.
    """
    if _exceeds_limit(state, account, slot, side, quantity_lots):
        return np.int64(RejectCode.POSITION_LIMIT)
    if enters and state.counters[0].owner_self_trade != 0 and _meets_own(state, account, slot, side, price_ticks):
        return np.int64(RejectCode.SELF_TRADE_PREVENTED)
    return np.int64(RejectCode.ACCEPTED)


@kernel(internal=True)
def _exceeds_limit(state: Any, account: int, slot: int, side: int, quantity_lots: int) -> bool:
    """Whether all accounts of the owner together could come beyond its limit, in the worst case of each quarter-hour."""
    limit_lots = np.int64(state.counters[0].owner_limit_lots)
    if limit_lots == 0:
        return False
    owner = state.accounts[account].owner
    for i in range(state.instruments[slot].periods):
        period = period_slot(state, slot, i)
        total_lots = np.int64(quantity_lots)
        for other in range(state.accounts.shape[0]):
            if state.accounts[other].owner == owner:
                position = state.positions[period, other]
                net_lots = position.net_lots + position.contract_lots
                total_lots += net_lots + position.open_buy_lots if side == Side.BUY else position.open_sell_lots - net_lots
        if total_lots > limit_lots:
            return True
    return False


@kernel(internal=True)
def _meets_own(state: Any, account: int, slot: int, side: int, price_ticks: int) -> bool:
    """Whether an order in the ladder of another account of the owner stands within the limit. Writes `order_slots`, which is scratch."""
    owner = state.accounts[account].owner
    for other in range(state.accounts.shape[0]):
        if other == account or state.accounts[other].owner != owner or state.accounts[other].open_orders == 0:
            continue
        count = owner_orders(state.books, np.int64(other), np.int64(state.instruments[slot].book), state.order_slots)
        for i in range(count):
            order_slot = np.int64(state.order_slots[i])
            terms = state.terms[order_slot]
            beside = order_side_index(state.books, order_slot) & (LADDERS - 1) >= Ladder.WAITING_BUYS
            if terms.side == side or beside:
                continue
            if terms.limit_ticks <= price_ticks if side == Side.BUY else terms.limit_ticks >= price_ticks:
                return True
    return False
