"""Trades of units without orders in a book: what they hold, and how they are posted. The compiled postings are those of fills.

`account` of a trade is the taker, `counter_account` the maker: their fees are those of the instrument.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from exchange.accounts.permissions import Permission, trade_permission
from exchange.ledger.postings import hold_micro, maker_fee_micro, release, reserve, taker_fee_micro
from exchange.ledger.records import PostingReason
from exchange.market.holds import Hold
from exchange.market.instruments import Instrument
from exchange.order_path.business.rules import require_code
from exchange.order_path.executions import hash_execution
from exchange.order_path.post import charge_fee, fill_units
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.order_path.state import EXECUTION_WORDS
from exchange.protocol.reject_codes import RejectCode
from exchange.units import INT64_MAX
from matching.compile import kernel
from matching.records import Side

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


@kernel
def reserve_hold(state: Any, slot: int, account: int, side: int, price_ticks: int, quantity_lots: int) -> None:
    """Hold units or cash as an order of these terms does. Modifies the state in place."""
    reserve(state, slot, account, side, price_ticks, quantity_lots)


@kernel
def release_hold(state: Any, slot: int, account: int, side: int, price_ticks: int, quantity_lots: int) -> None:
    """Inverse of `reserve_hold`."""
    release(state, slot, account, side, price_ticks, quantity_lots)


@kernel
def needed_micro(state: Any, slot: int, side: int, price_ticks: int, quantity_lots: int) -> int:
    """Cash that `reserve_hold` would hold. Reads only."""
    return np.int64(hold_micro(state.instruments[slot], side, price_ticks, quantity_lots))


@kernel
def post_direct_trade(state: Any, slot: int, rows: Any) -> None:
    """Post one trade: delivery versus payment, both fees, one execution with the private sequences of both accounts.

    `rows` (EXECUTION_WORDS[1]) names kind, side, price, quantity, both accounts and their ids; the rest of it is filled here. Modifies the state in
    place; the caller has made room and released what the two sides held.
    """
    counters = state.counters[0]
    start = np.int64(counters.n_executions)
    instrument = state.instruments[slot]
    row = rows[0]
    taker, maker = np.int64(row.account), np.int64(row.counter_account)
    price_ticks, quantity_lots = np.int64(row.price_ticks), np.int64(row.quantity_lots)
    buyer = taker if row.side == Side.BUY else maker
    seller = maker if row.side == Side.BUY else taker
    fill_units(state, slot, buyer, seller, price_ticks, quantity_lots)
    row.fee_micro = taker_fee_micro(instrument, price_ticks, quantity_lots)
    row.counter_fee_micro = maker_fee_micro(instrument, price_ticks, quantity_lots)
    charge_fee(state, slot, taker, np.int64(row.fee_micro), np.int64(PostingReason.TAKER_FEE), quantity_lots)
    charge_fee(state, slot, maker, np.int64(row.counter_fee_micro), np.int64(PostingReason.MAKER_FEE), quantity_lots)
    instrument.trade_number += 1
    row.trade_number = instrument.trade_number
    row.instrument = instrument.id
    row.sequence = counters.sequence
    row.stamp_ns = counters.stamp_ns
    row.index = counters.event_index
    counters.event_index += 1
    state.accounts[taker].execution_seq += 1
    row.seq = state.accounts[taker].execution_seq
    state.accounts[maker].execution_seq += 1
    row.counter_seq = state.accounts[maker].execution_seq
    state.executions[start] = row
    counters.n_executions += 1
    hash_execution(state, start)


def require_may_trade(exchange: "Exchange", account: int, instrument: Instrument, side: int) -> None:
    """Account, permission and recovery, with the codes that an order would get."""
    row = exchange.state.accounts[account]
    require_code(bool(row.exists) and not row.suspended, RejectCode.ACCOUNT_SUSPENDED)
    permission = trade_permission(instrument.instrument_class, side)
    require_code(Permission(int(row.permissions)) & permission == permission, RejectCode.NO_PERMISSION)
    require_code(exchange.now_ns >= int(exchange.state.counters[0].cancel_only_until_ns), RejectCode.RECOVERY_CANCEL_ONLY)


def is_quantity(instrument: Instrument, price_ticks: int, quantity_lots: int) -> bool:
    """Whether the money of a trade stays far from the end of int64; the price is one of the instrument."""
    spec = instrument.spec
    lot_micro = price_ticks * spec.multiplier_micro + max(
        spec.maker_fee_lot_micro + price_ticks * spec.maker_fee_tick_lot_micro, spec.taker_fee_lot_micro + price_ticks * spec.taker_fee_tick_lot_micro
    )
    return 0 < quantity_lots <= INT64_MAX // 2**20 and lot_micro * quantity_lots <= INT64_MAX // 1024


def require_covered(exchange: "Exchange", hold: Hold) -> None:
    """Units that can be sold now, or cash that is available, for one more hold."""
    slot = exchange.rooms.instruments.by_id[hold.instrument].slot
    position = exchange.state.positions[slot, hold.account]
    if hold.side == Side.SELL:
        sellable_lots = int(position.net_lots) - int(position.unsellable_lots) - int(position.open_sell_lots)
        require_code(sellable_lots >= hold.quantity_lots, RejectCode.INSUFFICIENT_UNITS)
    needed = needed_micro(exchange.state, slot, hold.side, hold.price_ticks, hold.quantity_lots)
    require_code(exchange.balances(hold.account).available_micro >= needed, RejectCode.INSUFFICIENT_CASH)


def take_hold(exchange: "Exchange", hold: Hold) -> None:
    """Hold what was found to be covered."""
    slot = exchange.rooms.instruments.by_id[hold.instrument].slot
    reserve_hold(exchange.state, slot, hold.account, hold.side, hold.price_ticks, hold.quantity_lots)


def give_hold_back(exchange: "Exchange", hold: Hold) -> None:
    """Inverse of `take_hold`."""
    slot = exchange.rooms.instruments.by_id[hold.instrument].slot
    release_hold(exchange.state, slot, hold.account, hold.side, hold.price_ticks, hold.quantity_lots)


def trade_directly(
    exchange: "Exchange", kind: ExecutionKind, taker: Hold, maker: int, *, taker_id: str = "", maker_id: str = ""
) -> None:
    """Post a trade of `taker` (its side, price and quantity) with the account `maker`; their ids as they gave them."""
    row = np.zeros(1, EXECUTION)
    row["kind"], row["side"], row["price_ticks"], row["quantity_lots"] = int(kind), taker.side, taker.price_ticks, taker.quantity_lots
    row["account"], row["counter_account"] = taker.account, maker
    row["client_order_id"], row["counter_client_order_id"] = taker_id, maker_id
    exchange.make_output_room(1)
    post_direct_trade(exchange.state, exchange.rooms.instruments.by_id[taker.instrument].slot, row.view(EXECUTION_WORDS).view(np.recarray))
