"""Postings and holds, compiled: the only code that changes a balance, a held amount or the units of a position.

Functions take a `state` with the arrays `accounts`, `positions`, `instruments`, `postings` and `counters` (exchange.order_path.state.PathState)
and modify them in place. Callers have made room for the postings.
"""

from typing import Any

import numpy as np

from exchange.ledger.periods import add_open_lots, period_slot
from exchange.protocol.instrument_class import InstrumentClass
from matching.compile import kernel
from matching.records import Side

MONEY = np.int64(0)  # asset of a posting in micro-CNY
ONE_LOT = np.int64(1)


@kernel(internal=True)
def record_posting(state: Any, debit: int, credit: int, asset: int, amount: int, reason: int) -> None:
    """Append one posting to the journal of postings of the command at work."""
    counters = state.counters[0]
    posting = state.postings[counters.n_postings]
    posting.sequence = counters.sequence
    posting.index = counters.posting_index
    posting.reason = reason
    posting.debit = debit
    posting.credit = credit
    posting.asset = asset
    posting.amount = amount
    counters.n_postings += 1
    counters.posting_index += 1


@kernel(internal=True)
def post_money(state: Any, debit: int, credit: int, amount_micro: int, reason: int) -> None:
    """Move micro-CNY from `debit` to `credit`; nothing is recorded for an amount of zero."""
    if amount_micro == 0:
        return
    state.accounts[debit].balance_micro -= amount_micro
    state.accounts[credit].balance_micro += amount_micro
    record_posting(state, debit, credit, MONEY, amount_micro, reason)


@kernel(internal=True)
def post_units(state: Any, slot: int, debit: int, credit: int, quantity_lots: int, reason: int) -> None:
    """Move units of the instrument in `slot` from `debit` to `credit`."""
    state.positions[slot, debit].net_lots -= quantity_lots
    state.positions[slot, credit].net_lots += quantity_lots
    record_posting(state, debit, credit, state.instruments[slot].id, quantity_lots, reason)


@kernel(inline=True)
def maker_fee_micro(instrument: Any, price_ticks: int, quantity_lots: int) -> int:
    """Trading fee of a fill of a resting order: exact, linear in the quantity, so a hold covers any way of filling the order."""
    return quantity_lots * (instrument.maker_fee_lot_micro + price_ticks * instrument.maker_fee_tick_lot_micro)


@kernel(inline=True)
def taker_fee_micro(instrument: Any, price_ticks: int, quantity_lots: int) -> int:
    """Trading fee of a fill of an entering order."""
    return quantity_lots * (instrument.taker_fee_lot_micro + price_ticks * instrument.taker_fee_tick_lot_micro)


@kernel(inline=True)
def hold_micro(instrument: Any, side: int, limit_ticks: int, quantity_lots: int) -> int:
    """Cash an open order needs: a pure function of its remaining quantity and its limit.

    Buy: the value at the limit, the dearer of the two fees, the park fee. Sell of power: what a failed delivery can cost beyond the
    price, max(0, deficit price - limit), and the fee, since the seller is paid at settlement. Sell of units: nothing, the units are held.
    """
    # The dearer fee of one lot, so that the hold is linear and a release is its exact inverse.
    fee = quantity_lots * max(maker_fee_micro(instrument, limit_ticks, ONE_LOT), taker_fee_micro(instrument, limit_ticks, ONE_LOT))
    if side == Side.BUY:
        return quantity_lots * (limit_ticks * instrument.multiplier_micro + instrument.park_fee_lot_micro) + fee
    if instrument.instrument_class == InstrumentClass.POWER:
        return guarantee_micro(instrument, limit_ticks, quantity_lots) + fee
    return 0


@kernel(inline=True)
def guarantee_micro(instrument: Any, price_ticks: int, quantity_lots: int) -> int:
    """What a seller of power holds so that a failed delivery is always paid (docs/rules.md, "Counterparty")."""
    return quantity_lots * max(0, instrument.deficit_price_ticks - price_ticks) * instrument.multiplier_micro


@kernel(internal=True)
def block_guarantee_micro(state: Any, slot: int, limit_ticks: int, quantity_lots: int) -> int:
    """The guarantee of a sale of a block: of each quarter-hour against its own deficit price."""
    total = np.int64(0)
    for i in range(state.instruments[slot].periods):
        total += guarantee_micro(state.instruments[period_slot(state, slot, i)], limit_ticks, quantity_lots)
    return total


@kernel(inline=True)
def order_hold_micro(state: Any, slot: int, side: int, limit_ticks: int, quantity_lots: int) -> int:
    """`hold_micro` of an order in any instrument.

    Fees, park fees and multiplier of a block are the sums over its quarter-hours (exchange.market.blocks); a deficit price of its own it has none.
    """
    instrument = state.instruments[slot]
    hold = hold_micro(instrument, side, limit_ticks, quantity_lots)
    if side == Side.SELL and instrument.periods > 1:
        hold += block_guarantee_micro(state, slot, limit_ticks, quantity_lots)
    return hold


@kernel(inline=True)
def reserve(state: Any, slot: int, account: int, side: int, limit_ticks: int, quantity_lots: int) -> None:
    """Hold cash and count the open quantity of an order that grows by `quantity_lots`: of a block in each of its quarter-hours too."""
    state.accounts[account].held_micro += order_hold_micro(state, slot, side, limit_ticks, quantity_lots)
    position = state.positions[slot, account]
    if side == Side.BUY:
        position.open_buy_lots += quantity_lots
    else:
        position.open_sell_lots += quantity_lots
    if state.instruments[slot].periods > 1:
        add_open_lots(state, slot, account, side, quantity_lots)


@kernel(inline=True)
def release(state: Any, slot: int, account: int, side: int, limit_ticks: int, quantity_lots: int) -> None:
    """The one way an order shrinks: the exact inverse of `reserve`, hold(before) - hold(after) since the hold is linear."""
    reserve(state, slot, account, side, limit_ticks, -quantity_lots)


@kernel(internal=True)
def hold_position_cash(state: Any, slot: int, account: int, park_fee_micro: int, guarantee: int) -> None:
    """Add to (or with negative amounts take from) what an executed power position holds until settlement."""
    position = state.positions[slot, account]
    position.held_park_fee_micro += park_fee_micro
    position.held_guarantee_micro += guarantee
    state.accounts[account].held_micro += park_fee_micro + guarantee


@kernel
def post_settlement(state: Any, rows: Any, start: int) -> int:
    """Post settlement rows (POSTING records, money only) from `start` while there is room; returns the next row to post."""
    room = state.postings.shape[0] - state.counters[0].n_postings
    end = min(rows.shape[0], start + room)
    for i in range(start, end):
        row = rows[i]
        post_money(state, row.debit, row.credit, row.amount, row.reason)
    return end


@kernel
def release_position_holds(state: Any, slot: int) -> None:
    """Release what the executed positions of one power instrument still hold, for all accounts."""
    for account in range(state.accounts.shape[0]):
        position = state.positions[slot, account]
        if position.held_park_fee_micro != 0 or position.held_guarantee_micro != 0:
            hold_position_cash(state, slot, account, -position.held_park_fee_micro, -position.held_guarantee_micro)


