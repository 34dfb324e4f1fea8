"""Participants, instruments and storages enter the arrays, settled instruments leave. Static terms only: money and units move by postings."""

from collections import Counter

import numpy as np

from exchange.accounts.participants import Participant, Participants
from exchange.market.auction_terms import NO_PRICE, continuous_end_ns
from exchange.market.instruments import Instrument
from exchange.order_path.room import with_accounts, with_instruments
from exchange.order_path.state import PathState
from exchange.protocol.documents import RegisterStorage
from exchange.units import NS_PER_HOUR, PERIOD_NS

_TERMS = (
    "min_price_ticks", "max_price_ticks", "band_low_ticks", "band_high_ticks", "max_order_lots", "multiplier_micro", "maker_fee_lot_micro",
    "taker_fee_lot_micro", "maker_fee_tick_lot_micro", "taker_fee_tick_lot_micro", "park_fee_lot_micro", "deficit_price_ticks", "delivery_start_ns",
    "interruption_ns",
)  # fmt: skip


def enter_account(state: PathState, participant: Participant) -> PathState:
    """A participant's limits and permissions."""
    state = with_accounts(state, participant.id + 1)
    state.accounts[participant.id].exists = 1
    change_account(state, participant)
    return state


def change_account(state: PathState, participant: Participant) -> None:
    """Other limits and permissions for an account that is there. Modifies the state in place."""
    account = state.accounts[participant.id]
    account.permissions = int(participant.permissions)
    account.min_net_lots = participant.min_net_power_lots
    account.max_net_lots = participant.max_net_power_lots


def lay_out_owners(state: PathState, participants: Participants) -> None:
    """Who is looked at together: accounts that share their beneficial owner, where the rules ask for it. Modifies the state in place."""
    rules = participants.owner_rules
    shared = Counter(p.beneficial_owner for p in participants.by_id.values())
    for p in participants.by_id.values():
        state.accounts[p.id].owner = p.beneficial_owner if rules.looks_at_owners and shared[p.beneficial_owner] > 1 else 0
    state.counters[0].owner_self_trade = int(rules.self_trade_scope == "beneficial_owner")
    state.counters[0].owner_limit_lots = rules.limit_lots


def change_instrument(state: PathState, instrument: Instrument) -> None:
    """Other terms for an instrument that is there. Modifies the state in place."""
    row = state.instruments[instrument.slot]
    for name in _TERMS:
        if instrument.reference is None or not name.startswith("band_"):
            setattr(row, name, getattr(instrument.spec, name))


def enter_house(state: PathState, accounts: list[int]) -> PathState:
    """House accounts hold balances but never trade."""
    return with_accounts(state, max(accounts) + 1)


def free_instrument_slot(state: PathState) -> int:
    """The lowest free slot; it may lie behind the end of the arrays."""
    free = np.flatnonzero(state.instruments.used == 0)
    return int(free[0]) if free.size else int(state.instruments.shape[0])


def enter_instrument(state: PathState, instrument: Instrument, book: int) -> PathState:
    """The terms of an instrument into its slot; its positions start at zero. `lay_out_schedule` behind the last one completes it."""
    state = with_instruments(state, instrument.slot + 1, instrument.id)
    row = state.instruments[instrument.slot]
    for name in _TERMS:
        setattr(row, name, getattr(instrument.spec, name))
    row.id, row.book, row.phase, row.used = instrument.id, book, int(instrument.phase), 1
    row.instrument_class, row.resale = int(instrument.instrument_class), int(instrument.resale)
    row.trade_number = row.book_seq = row.open_orders = 0
    row.last_price_ticks = -1
    row.continuous_end_ns, row.phase_end_ns, row.auction_ticks = continuous_end_ns(instrument.spec), 0, NO_PRICE
    state.slot_of_instrument[instrument.id] = instrument.slot
    row.periods = instrument.periods
    state.positions[instrument.slot] = np.zeros(state.positions.shape[1], state.positions.dtype)
    if instrument.is_block:
        lay_out_schedule(state)
        return lay_out_blocks(state)
    return state


def leave_instrument(state: PathState, instrument: Instrument) -> None:
    """Free the slot of a settled instrument. `lay_out_schedule` behind the last one completes it. Modifies the state in place."""
    state.slot_of_instrument[instrument.id] = -1
    state.instruments[instrument.slot].used = 0


def lay_out_schedule(state: PathState) -> None:
    """Slots of open quarter-hours in order of delivery, then id."""
    rows = state.instruments
    slots = np.flatnonzero((rows.used == 1) & (rows.periods == 1))
    order = np.lexsort((rows.id[slots], rows.delivery_start_ns[slots]))
    state.schedule[: slots.size] = slots[order]
    state.counters[0].n_schedule = slots.size


def lay_out_blocks(state: PathState) -> PathState:
    """The quarter-hours of every open block, block by block: of several with one delivery start the one listed first.

    A quarter-hour that is settled has slot -1. Its block has passed its gate long before, so nobody looks there any more.
    """
    rows = state.instruments
    schedule = state.schedule[: int(state.counters[0].n_schedule)]
    starts_ns = rows.delivery_start_ns[schedule]
    covered: list[int] = []
    for slot in np.flatnonzero((rows.used == 1) & (rows.periods > 1)):
        rows[slot].first_period = len(covered)
        wanted_ns = rows[slot].delivery_start_ns + PERIOD_NS * np.arange(rows[slot].periods)
        at = np.searchsorted(starts_ns, wanted_ns)
        covered += [int(schedule[i]) if i < len(schedule) and starts_ns[i] == ns else -1 for i, ns in zip(at, wanted_ns, strict=True)]
    return state._replace(covered=np.array([*covered, -1], np.int32))


def enter_storage(state: PathState, document: RegisterStorage, as_of_ns: int) -> PathState:
    """Parameters of a storage; its state of charge holds at the start of the periods from `as_of_ns` on."""
    storages = state.storages
    index = int((storages.account > 0).sum())
    if index == storages.shape[0]:
        storages = np.concatenate([storages, np.zeros_like(storages)]).view(np.recarray)
        state = state._replace(storages=storages)
    row = storages[index]
    row.account, row.soc_wh, row.soc_min_wh, row.soc_max_wh = document.account, document.soc_wh, document.soc_min_wh, document.soc_max_wh
    row.period_limit_wh = document.power_w * PERIOD_NS // NS_PER_HOUR
    row.charge_ppm, row.discharge_ppm, row.as_of_ns = document.charge_efficiency_ppm, document.discharge_efficiency_ppm, as_of_ns
    state.accounts[document.account].storage = index
    return state
