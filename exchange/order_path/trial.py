"""A dry run, compiled: the admission of an order, an amend or a basket as the order path makes it, on the state as it is.

Nothing logical changes: the scratch entry is overwritten, and what is released or reserved on the way is put back before a function returns.
The steps and their order are those of `loop._apply_order_command`, `orders.place` and `orders.amend`, up to the books.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag
from exchange.ledger.postings import order_hold_micro, release, reserve
from exchange.order_path.admit import (
    REDUCE_ONLY,
    admit_account,
    admit_amended_lots,
    admit_place,
    admit_risk,
    admit_trading,
    gathers,
    instrument_slot,
    limit_ticks,
    open_order_slot,
)
from exchange.order_path.baskets import basket_digest, cover_legs, is_new_basket, release_legs
from exchange.order_path.entries import admitted_ticks, amended_lots, entry_of_amend, entry_of_place
from exchange.order_path.idempotency import content_digest, find_key
from exchange.order_path.mixing import mix_pair
from exchange.order_path.reduce_only import room_to_reduce
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel
from matching.entering import would_cross
from matching.ids import find_slot
from matching.orders import order_at
from matching.refusals import phase_refuses

NEW = np.int64(0)
DUPLICATE = np.int64(1)
REUSED = np.int64(2)
NOTHING = np.int64(0)


@kernel
def key_state(state: Any, commands: Any) -> tuple[int, int]:
    """(NEW, DUPLICATE or REUSED, the recorded code) of the client order id of an order command."""
    command = commands[0]
    key, _, _ = find_key(state, np.int64(command.account), command)
    if key < 0:
        return NEW, NOTHING
    if state.keys[key].digest != content_digest(state, command):
        return REUSED, NOTHING
    return DUPLICATE, np.int64(state.keys[key].code)


@kernel
def basket_key_state(state: Any, commands: Any, legs: int) -> tuple[int, int]:
    """As `key_state`, of a basket: a duplicate is the same basket, all its ids in their places."""
    if is_new_basket(state, commands, NOTHING, legs):
        return NEW, NOTHING
    basket = basket_digest(state, commands, NOTHING, legs)
    code = NOTHING
    for leg in range(legs):
        command = commands[leg]
        key, _, _ = find_key(state, np.int64(command.account), command)
        if key < 0 or state.keys[key].digest != mix_pair(basket, np.uint64(leg), np.uint64(legs)):
            return REUSED, NOTHING
        if state.keys[key].code != RejectCode.BASKET_REFUSED:
            code = np.int64(state.keys[key].code)
    return DUPLICATE, code


@kernel
def try_place(state: Any, commands: Any) -> tuple[int, int, int]:
    """(code, limit in ticks, what the whole order holds in micro-CNY) of a new order."""
    command = commands[0]
    code = admit_account(state, command)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING
    slot = instrument_slot(state, np.int64(command.instrument))
    code = admit_place(state, command, slot)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING
    account, side = np.int64(command.account), np.int64(command.side)
    entry_of_place(state, command, slot)
    price_ticks = admitted_ticks(state, slot, limit_ticks(state.instruments[slot], command))
    code = admit_risk(state, account, slot, side, price_ticks, command.quantity_lots)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING
    if gathers(state.instruments[slot].phase) and phase_refuses(state.books, state.entry[0]):
        return np.int64(RejectCode.RESTING_ORDERS_ONLY), NOTHING, NOTHING
    if command["flags"] & REDUCE_ONLY != 0 and room_to_reduce(state, slot, account, side) < command.quantity_lots:
        return np.int64(RejectCode.REDUCE_ONLY), NOTHING, NOTHING
    if command["flags"] & CommandFlag.POST_ONLY != 0 and would_cross(state.books, state.entry[0]):
        return np.int64(RejectCode.POST_ONLY_WOULD_CROSS), NOTHING, NOTHING
    return np.int64(RejectCode.ACCEPTED), price_ticks, order_hold_micro(state, slot, side, price_ticks, command.quantity_lots)


@kernel
def try_amend(state: Any, commands: Any) -> tuple[int, int, int, int, int]:
    """(code, limit in ticks, hold in micro-CNY, open lots, whether the order would enter again) of an amend."""
    command = commands[0]
    code = admit_account(state, command)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING, NOTHING, NOTHING
    order_slot = find_slot(state.books, command.order_id)
    if not open_order_slot(state, command, order_slot):
        return np.int64(RejectCode.UNKNOWN_ORDER), NOTHING, NOTHING, NOTHING, NOTHING
    order, terms = order_at(state.books, order_slot), state.terms[order_slot]
    old_lots, old_ticks = order.remaining_lots, order.price_ticks
    if command.revision != np.int64(terms.revision):
        return np.int64(RejectCode.REVISION_MISMATCH), NOTHING, NOTHING, NOTHING, NOTHING
    account, slot, side = np.int64(command.account), np.int64(terms.instrument_slot), np.int64(terms.side)
    code = admit_trading(state, command, slot, side)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING, NOTHING, NOTHING
    entry_of_amend(state, command, order_slot)
    lots = amended_lots(state, command, order_slot)
    code = admit_amended_lots(state, order_slot, lots)
    if code != RejectCode.ACCEPTED:
        return code, NOTHING, NOTHING, NOTHING, NOTHING
    price_ticks = admitted_ticks(state, slot, command.price_ticks if command["flags"] & CommandFlag.AMEND_PRICE else old_ticks)
    enters = np.int64(1) if price_ticks != old_ticks or lots > old_lots else NOTHING
    if enters:
        release(state, slot, account, side, old_ticks, old_lots)
        code = admit_risk(state, account, slot, side, price_ticks, lots)
        if code == RejectCode.ACCEPTED and price_ticks != old_ticks and terms.post_only and would_cross(state.books, state.entry[0]):
            code = np.int64(RejectCode.POST_ONLY_WOULD_CROSS)
        if code == RejectCode.ACCEPTED and terms.post_only and gathers(state.instruments[slot].phase):
            code = np.int64(RejectCode.RESTING_ORDERS_ONLY)
        if code == RejectCode.ACCEPTED and terms.reduce_only and room_to_reduce(state, slot, account, side) < lots:
            code = np.int64(RejectCode.REDUCE_ONLY)
        reserve(state, slot, account, side, old_ticks, old_lots)
    return code, price_ticks, order_hold_micro(state, slot, side, price_ticks, lots), lots, enters


@kernel
def try_basket(state: Any, commands: Any, legs: int, holds_micro: Any) -> tuple[int, int]:
    """(leg, code) of the first refusal but for what the books hold, or (-1, ACCEPTED).

    `holds_micro` (int64[legs], modified in place) is what each leg holds.
    """
    if commands[0].account >= state.accounts.shape[0] or not state.accounts[commands[0].account].exists:
        return NOTHING, np.int64(RejectCode.ACCOUNT_SUSPENDED)
    leg, code = cover_legs(state, commands, NOTHING, legs)
    if code == RejectCode.ACCEPTED:
        for i in range(legs):
            command = commands[i]
            slot = instrument_slot(state, np.int64(command.instrument))
            side = np.int64(command.side)
            holds_micro[i] = order_hold_micro(state, slot, side, limit_ticks(state.instruments[slot], command), command.quantity_lots)
        release_legs(state, commands, NOTHING, legs)
    return leg, code
