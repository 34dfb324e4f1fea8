"""Step 5a, compiled: admission. Reads state, changes nothing, and answers with the lowest reject code that applies.

It comes after the journal, so it replays the same.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag, OrderType
from exchange.ledger.periods import add_open_lots, period_slot
from exchange.ledger.postings import order_hold_micro
from exchange.market.phases import Phase
from exchange.order_path.storage import check_periods, check_storage
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel
from matching.orders import owner_of
from matching.records import SelfTrade, Side, TimeInForce

# Typed, so that a call with a constant is not compiled apart from one with a variable.
NO_SLOT = np.int64(-1)
NO_LOTS = np.int64(0)
# Peaks that an iceberg may have at most.
DISPLAYS_MAX = 100
MINIMUMS = int(CommandFlag.MINIMUM | CommandFlag.ALL_OR_NONE)
REDUCE_ONLY = int(CommandFlag.REDUCE_ONLY)
CONDITIONS = int(CommandFlag.POST_ONLY | CommandFlag.REPRICE | CommandFlag.ICEBERG | CommandFlag.STOP) | MINIMUMS | REDUCE_ONLY


@kernel(internal=True)
def instrument_slot(state: Any, instrument_id: int) -> int:
    """Slot of an open instrument, -1 when it is settled or was never listed."""
    if instrument_id <= 0 or instrument_id >= state.slot_of_instrument.shape[0]:
        return -1
    return np.int64(state.slot_of_instrument[instrument_id])


@kernel(internal=True)
def limit_ticks(instrument: Any, command: Any) -> int:
    """Limit of a new order; a market order is protected by the edge of the price band."""
    if command.order_type == OrderType.MARKET:
        return instrument.band_high_ticks if command.side == Side.BUY else instrument.band_low_ticks
    return command.price_ticks


@kernel(internal=True)
def admit_account(state: Any, command: Any) -> int:
    """Checks that hold for every command of an account."""
    if command.account >= state.accounts.shape[0] or not state.accounts[command.account].exists:
        return np.int64(RejectCode.ACCOUNT_SUSPENDED)
    if command.deadline_ns != 0 and command.deadline_ns < state.counters[0].stamp_ns:
        return np.int64(RejectCode.DEADLINE_PASSED)
    return np.int64(RejectCode.ACCEPTED)


@kernel(internal=True)
def gathers(phase: int) -> bool:
    """Whether a phase is a call phase."""
    return phase >= Phase.OPENING_AUCTION


@kernel(inline=True)
def admit_trading(state: Any, command: Any, slot: int, side: int) -> int:
    """Account, permission, recovery and phase: for new orders and for amends."""
    account = state.accounts[command.account]
    if account.suspended:
        return np.int64(RejectCode.ACCOUNT_SUSPENDED)
    if slot < 0:
        return np.int64(RejectCode.NOT_OPEN_FOR_TRADING)
    instrument = state.instruments[slot]
    if (np.int64(account.permissions) >> (2 * instrument.instrument_class + side)) & 1 == 0:
        return np.int64(RejectCode.NO_PERMISSION)
    if state.counters[0].stamp_ns < state.counters[0].cancel_only_until_ns:
        return np.int64(RejectCode.RECOVERY_CANCEL_ONLY)
    if instrument.phase != Phase.CONTINUOUS and not gathers(instrument.phase):
        return np.int64(RejectCode.NOT_OPEN_FOR_TRADING)
    return np.int64(RejectCode.ACCEPTED)


@kernel(inline=True)
def admit_limits(state: Any, account_id: int, slot: int, side: int, price_ticks: int, quantity_lots: int) -> int:
    """Band, and position limits in the worst case: of a block in each of its quarter-hours."""
    instrument = state.instruments[slot]
    if price_ticks < instrument.band_low_ticks or price_ticks > instrument.band_high_ticks:
        return np.int64(RejectCode.PRICE_OUTSIDE_BAND)
    account = state.accounts[account_id]
    for i in range(instrument.periods):
        position = state.positions[period_slot(state, slot, i), account_id]
        net_lots = position.net_lots + position.contract_lots
        if side == Side.BUY and net_lots + position.open_buy_lots + quantity_lots > account.max_net_lots:
            return np.int64(RejectCode.POSITION_LIMIT)
        if side == Side.SELL and net_lots - position.open_sell_lots - quantity_lots < account.min_net_lots:
            return np.int64(RejectCode.POSITION_LIMIT)
    return np.int64(RejectCode.ACCEPTED)


@kernel(internal=True)
def admit_storage(state: Any, account_id: int, slot: int, side: int, quantity_lots: int) -> int:
    """What a storage can carry in the worst case. Changes nothing in the end: the lots of a block are counted while it is looked at."""
    instrument = state.instruments[slot]
    if instrument.periods == 0:
        return np.int64(RejectCode.ACCEPTED)
    if instrument.periods == 1:
        return check_storage(state, account_id, slot, side, quantity_lots)
    add_open_lots(state, slot, account_id, side, quantity_lots)
    code = np.int64(RejectCode.STORAGE_RATING)
    if check_periods(state, account_id, slot):
        code = check_storage(state, account_id, NO_SLOT, side, NO_LOTS)
    add_open_lots(state, slot, account_id, side, -quantity_lots)
    return code


@kernel(inline=True)
def admit_assets(state: Any, account_id: int, slot: int, side: int, price_ticks: int, quantity_lots: int) -> int:
    """Units and cash."""
    if side == Side.SELL and state.instruments[slot].instrument_class != InstrumentClass.POWER:
        position = state.positions[slot, account_id]
        if position.net_lots - position.unsellable_lots - position.open_sell_lots < quantity_lots:
            return np.int64(RejectCode.INSUFFICIENT_UNITS)
    account = state.accounts[account_id]
    if account.balance_micro - account.held_micro < order_hold_micro(state, slot, side, price_ticks, quantity_lots):
        return np.int64(RejectCode.INSUFFICIENT_CASH)
    return np.int64(RejectCode.ACCEPTED)


@kernel(inline=True)
def admit_risk(state: Any, account_id: int, slot: int, side: int, price_ticks: int, quantity_lots: int) -> int:
    """Band, position limits in the worst case, storage, units and cash for `quantity_lots` more at `price_ticks`."""
    code = admit_limits(state, account_id, slot, side, price_ticks, quantity_lots)
    if code == RejectCode.ACCEPTED and state.accounts[account_id].storage >= 0:
        code = admit_storage(state, account_id, slot, side, quantity_lots)
    if code == RejectCode.ACCEPTED:
        code = admit_assets(state, account_id, slot, side, price_ticks, quantity_lots)
    return code


@kernel(inline=True)
def conditions_contradict(command: Any) -> bool:
    """Whether the attributes of a new order cannot be combined, or are none that there are (docs/protocol.md, "Orders with conditions")."""
    if command.side > Side.SELL or command.order_type > OrderType.MARKET:
        return True
    if command.time_in_force > TimeInForce.GATE or command.self_trade > SelfTrade.ALLOW:
        return True
    flags = np.int64(command["flags"])
    if flags & CONDITIONS == 0:
        return False
    takes_at_once = command.time_in_force == TimeInForce.FOK
    never_rests = takes_at_once or command.time_in_force == TimeInForce.IOC or command.order_type == OrderType.MARKET
    minimum = flags & MINIMUMS
    if flags & CommandFlag.REPRICE and flags & CommandFlag.POST_ONLY == 0:
        return True
    if flags & CommandFlag.POST_ONLY and (never_rests or minimum != 0 or flags & CommandFlag.STOP != 0):
        return True
    if flags & CommandFlag.ICEBERG and (never_rests or minimum != 0):
        return True
    # What waits for a minimum cannot be cut.
    if flags & REDUCE_ONLY and minimum != 0:
        return True
    return minimum == MINIMUMS or (minimum != 0 and takes_at_once)


@kernel(inline=True)
def admit_terms(instrument: Any, command: Any) -> int:
    """What a new order may say at all. The gateway validates these; a journal written by another gateway is checked again, since the books do not
    check and an overflow would be silent.
    """
    if conditions_contradict(command):
        return np.int64(RejectCode.INVALID_COMBINATION)
    flags = np.int64(command["flags"])
    if flags & REDUCE_ONLY and instrument.periods != 1:
        return np.int64(RejectCode.INVALID_COMBINATION)
    if flags & CommandFlag.STOP and (command.stop_ticks < instrument.min_price_ticks or command.stop_ticks > instrument.max_price_ticks):
        return np.int64(RejectCode.PRICE_OUT_OF_RANGE)
    lots = command.quantity_lots
    if lots <= 0 or lots > instrument.max_order_lots:
        return np.int64(RejectCode.QUANTITY_OUT_OF_RANGE)
    if flags & CommandFlag.ICEBERG and not is_display(command.display_lots, lots):
        return np.int64(RejectCode.DISPLAY_OUT_OF_RANGE)
    if flags & CommandFlag.MINIMUM and (command.min_lots <= 0 or command.min_lots > lots):
        return np.int64(RejectCode.MINIMUM_OUT_OF_RANGE)
    return np.int64(RejectCode.ACCEPTED)


@kernel(inline=True)
def is_display(display_lots: int, quantity_lots: int) -> bool:
    """Whether an order of that quantity may show so much: each peak costs work, so there are at most `DISPLAYS_MAX`."""
    return 0 < display_lots <= quantity_lots <= DISPLAYS_MAX * display_lots


@kernel(internal=True)
def admit_amended_lots(state: Any, order_slot: int, quantity_lots: int) -> int:
    """The new remaining quantity of an open order, before anything of the market is asked."""
    terms = state.terms[order_slot]
    if quantity_lots <= 0:
        return np.int64(RejectCode.AMEND_BELOW_FILLED)
    if quantity_lots > state.instruments[terms.instrument_slot].max_order_lots:
        return np.int64(RejectCode.QUANTITY_OUT_OF_RANGE)
    if terms.display_lots > 0 and quantity_lots > DISPLAYS_MAX * terms.display_lots:
        return np.int64(RejectCode.DISPLAY_OUT_OF_RANGE)
    return np.int64(RejectCode.ACCEPTED)


@kernel(inline=True)
def admit_place(state: Any, command: Any, slot: int) -> int:
    """All checks of a new order but those of `admit_risk`, which need its price."""
    if command.time_in_force == TimeInForce.GTD and command.expiry_ns <= state.counters[0].stamp_ns:
        return np.int64(RejectCode.EXPIRY_PASSED)
    code = admit_trading(state, command, slot, np.int64(command.side))
    if code != RejectCode.ACCEPTED:
        return code
    return admit_terms(state.instruments[slot], command)


@kernel(internal=True)
def open_order_slot(state: Any, command: Any, order_slot: int) -> bool:
    """Whether `order_slot` (from the id table of the books) is an order of the command's account: unknown and foreign look the same."""
    return order_slot >= 0 and owner_of(state.books, order_slot) == command.account
