"""Linked baskets, compiled: up to a hundred fill-or-kill legs in different instruments, all or none (docs/protocol.md, "Baskets").

    count_legs -> basket_room -> is_new_basket -> admit_basket (reserves) -> enter_leg, leg by leg

All legs are admitted and reserve at their worst with no netting, a storage is looked at as if all had filled, then every leg is counted
reading only. So the first refusal leaves the state as it was, and what is entered fills whole.
"""

from typing import Any

import numpy as np

from exchange.journal.record import CommandFlag, CommandKind
from exchange.ledger.periods import fill_on_paper
from exchange.ledger.postings import release, reserve
from exchange.order_path.admit import (
    admit_account,
    admit_assets,
    admit_limits,
    admit_terms,
    admit_trading,
    gathers,
    instrument_slot,
    limit_ticks,
)
from exchange.order_path.idempotency import content_digest, find_key
from exchange.order_path.mixing import mix_pair
from exchange.order_path.orders import note_terms
from exchange.order_path.owners import admit_owner
from exchange.order_path.post import post_events
from exchange.order_path.reduce_only import make_way
from exchange.order_path.storage import check_periods, check_storage
from exchange.protocol.reject_codes import RejectCode
from matching.basket import LEGS_MAX, leg_can_trade
from matching.compile import kernel
from matching.long_way import place_any
from matching.records import EntryKind, Need, TimeInForce
from matching.room import basket_needs

NO_KEY = np.int64(-1)
NO_SLOT = np.int64(-1)
NOTHING = np.int64(0)
ALL_LEGS = np.int64(-1)
LEG_FLAGS = int(CommandFlag.CANCEL_ON_DISCONNECT)


@kernel(internal=True)
def count_legs(commands: Any, first: int) -> int:
    """Legs of the whole basket of one account that begins at `first`; 0 if none does."""
    header = commands[first]
    legs = np.int64(header.group)
    if header.kind != CommandKind.BASKET or legs < 1 or legs > LEGS_MAX or first + legs > commands.shape[0]:
        return NOTHING
    for i in range(first + 1, first + legs):
        leg = commands[i]
        if leg.kind != CommandKind.BASKET or leg.group != 0 or leg.account != header.account:
            return NOTHING
    return legs


@kernel(internal=True)
def basket_digest(state: Any, commands: Any, first: int, legs: int) -> int:
    """Digest of what a basket asks for, ids included: a leg is the same only within the same basket."""
    h = np.uint64(state.counters[0].hash_key)
    for i in range(first, first + legs):
        command = commands[i]
        h = mix_pair(h, content_digest(state, command), command.cid0)
        h = mix_pair(mix_pair(h, command.cid1, command.cid2), command.cid3, np.uint64(command.cid4))
    return h


@kernel(internal=True)
def _same_id(a: Any, b: Any) -> bool:
    return a.cid0 == b.cid0 and a.cid1 == b.cid1 and a.cid2 == b.cid2 and a.cid3 == b.cid3 and a.cid4 == b.cid4


@kernel(internal=True)
def is_new_basket(state: Any, commands: Any, first: int, legs: int) -> bool:
    """Whether every leg has an id of its own that the account has not used."""
    for i in range(first, first + legs):
        command = commands[i]
        if command.cid0 == 0 or find_key(state, np.int64(command.account), command)[0] >= 0:
            return False
        for before in range(first, i):
            if _same_id(commands[before], command):
                return False
    return True


@kernel(internal=True)
def _is_leg(commands: Any, first: int, i: int) -> bool:
    """Whether a command says what a leg may: fill or kill, no conditions, an instrument that no leg before it has."""
    command = commands[i]
    holds = command.time_in_force == TimeInForce.FOK and np.int64(command["flags"]) & ~LEG_FLAGS == 0
    for before in range(first, i):
        holds = holds and commands[before].instrument != command.instrument
    return holds


@kernel(internal=True)
def _entry_of_leg(state: Any, command: Any, slot: int, leg: int) -> None:
    """Fill the scratch entry of a leg; its order id comes when it enters."""
    entry = state.entry[leg]
    entry.kind = EntryKind.BASKET
    entry.order_id = 0
    entry.quantity_lots = command.quantity_lots
    entry.display_lots = 0
    entry.min_lots = 0
    entry.price_ticks = limit_ticks(state.instruments[slot], command)
    entry.stop_ticks = 0
    entry.book = state.instruments[slot].book
    entry.owner = command.account
    entry.side = command.side
    entry.time_in_force = TimeInForce.FOK
    entry.self_trade = command.self_trade
    entry.label = 0
    entry.legs = 0
    entry["flags"] = 0


@kernel(merged=True)
def basket_room(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int]:
    """(Need, at_least) of the books for a whole basket. Nothing is needed for what will be refused. Fills the scratch entries."""
    if commands[first].account >= state.accounts.shape[0]:
        return np.int64(Need.NOTHING), NOTHING
    for i in range(first, first + legs):
        slot = instrument_slot(state, np.int64(commands[i].instrument))
        if slot < 0 or not _is_leg(commands, first, i) or admit_terms(state.instruments[slot], commands[i]) != RejectCode.ACCEPTED:
            return np.int64(Need.NOTHING), NOTHING
        _entry_of_leg(state, commands[i], slot, i - first)
    return basket_needs(state.books, np.int64(state.events.shape[0]), state.entry, NOTHING, legs)


@kernel(internal=True)
def _admit_leg(state: Any, commands: Any, first: int, i: int, slot: int) -> int:
    """All checks of one leg but those of storage and of what it would meet."""
    command = commands[i]
    if not _is_leg(commands, first, i):
        return np.int64(RejectCode.INVALID_BASKET)
    code = admit_account(state, command)
    if code == RejectCode.ACCEPTED:
        code = admit_trading(state, command, slot, np.int64(command.side))
    if code == RejectCode.ACCEPTED:
        code = admit_terms(state.instruments[slot], command)
    if code == RejectCode.ACCEPTED and gathers(state.instruments[slot].phase):
        code = np.int64(RejectCode.RESTING_ORDERS_ONLY)
    if code != RejectCode.ACCEPTED:
        return code
    account, side = np.int64(command.account), np.int64(command.side)
    price_ticks = limit_ticks(state.instruments[slot], command)
    code = admit_limits(state, account, slot, side, price_ticks, command.quantity_lots)
    if code == RejectCode.ACCEPTED:
        code = admit_assets(state, account, slot, side, price_ticks, command.quantity_lots)
    if code == RejectCode.ACCEPTED and state.accounts[account].owner != 0:
        code = admit_owner(state, account, slot, side, price_ticks, command.quantity_lots, True)
    return code


@kernel(internal=True)
def release_legs(state: Any, commands: Any, first: int, end: int) -> None:
    for i in range(first, end):
        command = commands[i]
        slot = instrument_slot(state, np.int64(command.instrument))
        price_ticks = limit_ticks(state.instruments[slot], command)
        release(state, slot, np.int64(command.account), np.int64(command.side), price_ticks, command.quantity_lots)


@kernel(internal=True)
def _fill_all_on_paper(state: Any, commands: Any, first: int, legs: int, way: int) -> None:
    """Positions as if every leg had filled (`way` 1), and back (-1)."""
    for i in range(first, first + legs):
        command = commands[i]
        slot = instrument_slot(state, np.int64(command.instrument))
        fill_on_paper(state, slot, np.int64(command.account), np.int64(command.side), way * command.quantity_lots)


@kernel(internal=True)
def _check_storage_of_legs(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int]:
    """(leg, code) of the rating: the first leg with a quarter-hour beyond it; then of the energy: the first leg of power."""
    power_leg = ALL_LEGS
    for leg in range(legs):
        slot = instrument_slot(state, np.int64(commands[first + leg].instrument))
        if state.instruments[slot].periods > 0:
            if not check_periods(state, np.int64(commands[first].account), slot):
                return leg, np.int64(RejectCode.STORAGE_RATING)
            power_leg = leg if power_leg < 0 else power_leg
    if power_leg < 0:
        return ALL_LEGS, np.int64(RejectCode.ACCEPTED)
    return power_leg, check_storage(state, np.int64(commands[first].account), NO_SLOT, NOTHING, NOTHING)


@kernel(internal=True)
def _storage_refuses(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int]:
    """(leg, code) of a storage that all legs together would ask too much of."""
    if state.accounts[commands[first].account].storage < 0:
        return ALL_LEGS, np.int64(RejectCode.ACCEPTED)
    _fill_all_on_paper(state, commands, first, legs, np.int64(1))
    leg, code = _check_storage_of_legs(state, commands, first, legs)
    _fill_all_on_paper(state, commands, first, legs, np.int64(-1))
    return leg, code


@kernel(internal=True)
def cover_legs(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int]:
    """(leg, code) of the first refusal with nothing reserved, or (-1, ACCEPTED) with every leg reserved. Whether they can trade is not looked at."""
    for i in range(first, first + legs):
        command = commands[i]
        slot = instrument_slot(state, np.int64(command.instrument))
        code = _admit_leg(state, commands, first, i, slot)
        if code != RejectCode.ACCEPTED:
            release_legs(state, commands, first, i)
            return i - first, code
        price_ticks = limit_ticks(state.instruments[slot], command)
        reserve(state, slot, np.int64(command.account), np.int64(command.side), price_ticks, command.quantity_lots)
    leg, code = _storage_refuses(state, commands, first, legs)
    if code != RejectCode.ACCEPTED:
        release_legs(state, commands, first, first + legs)
        return leg, code
    return ALL_LEGS, np.int64(RejectCode.ACCEPTED)


@kernel(merged=True)
def admit_basket(state: Any, commands: Any, first: int, legs: int) -> tuple[int, int]:
    """(leg, code) of the first refusal, or (-1, ACCEPTED) with every leg reserved and sure to fill whole."""
    leg, code = cover_legs(state, commands, first, legs)
    if code != RejectCode.ACCEPTED:
        return leg, code
    for leg in range(legs):
        if not leg_can_trade(state.books, state.entry[leg]):
            release_legs(state, commands, first, first + legs)
            return leg, np.int64(RejectCode.FILL_OR_KILL_UNFILLABLE)
    return ALL_LEGS, np.int64(RejectCode.ACCEPTED)


@kernel(merged=True)
def enter_leg(state: Any, command: Any, leg: int, key: int) -> int:
    """Match and post one leg of an admitted basket; returns its order id."""
    counters = state.counters[0]
    slot = instrument_slot(state, np.int64(command.instrument))
    order_id = counters.next_order_id
    counters.next_order_id += 1
    if state.accounts[command.account].may_reduce:
        make_way(state, slot, np.int64(command.account), np.int64(command.side))
    note_terms(state, command, slot, limit_ticks(state.instruments[slot], command), key)
    state.entry[leg].order_id = order_id
    n_events, _reason, _lots, _slot = place_any(state.books, state.events, NOTHING, state.entry[leg])
    post_events(state, slot, n_events, order_id, np.int64(command.account))
    state.own_terms[0].key = NO_KEY
    return order_id
