"""Compiled changes that business commands and deadlines make: units, contracts, storage anchors. Modify PathState in place."""

from typing import Any

import numpy as np

from exchange.ledger.chart import House
from exchange.ledger.postings import post_money, post_units
from exchange.ledger.records import PostingReason
from exchange.protocol.instrument_class import Resale
from matching.compile import kernel


@kernel
def unlock_units(state: Any) -> None:
    """Units bought today become sellable; those at the end of their transfers stay."""
    for slot in range(state.instruments.shape[0]):
        instrument = state.instruments[slot]
        if instrument.used and instrument.resale == Resale.NEXT_DAY:
            for account in range(state.accounts.shape[0]):
                state.positions[slot, account].unsellable_lots = 0


@kernel
def issue_units(state: Any, slot: int, account: int, quantity_lots: int) -> None:
    """Units enter an account from outside."""
    post_units(state, slot, np.int64(House.ISSUER), account, quantity_lots, np.int64(PostingReason.UNITS_ISSUED))


@kernel
def move_units(state: Any, slot: int, debit: int, credit: int, quantity_lots: int, reason: int) -> None:
    """Units go from one account to another, of the house or not."""
    post_units(state, slot, debit, credit, quantity_lots, np.int64(reason))


@kernel
def add_unsellable(state: Any, slot: int, account: int, quantity_lots: int) -> None:
    """So many more (negative: fewer) units of an account cannot be sold."""
    state.positions[slot, account].unsellable_lots += quantity_lots


@kernel
def deposit(state: Any, account: int, amount_micro: int) -> None:
    """Money enters an account from outside, or leaves it."""
    post_money(state, np.int64(House.OUTSIDE), account, amount_micro, np.int64(PostingReason.DEPOSIT))


@kernel
def charge(state: Any, account: int, house: int, amount_micro: int, reason: int) -> None:
    """Money goes from an account to one of the house; the caller has looked at what is available."""
    post_money(state, account, house, amount_micro, np.int64(reason))


@kernel
def set_contract(state: Any, slot: int, account: int, net_lots: int) -> None:
    """A monthly contract decomposed to one quarter-hour: a delivery obligation without money on the exchange."""
    state.positions[slot, account].contract_lots += net_lots


@kernel
def anchor_storage(state: Any, account: int, soc_wh: int, as_of_ns: int) -> None:
    """A metered state of charge replaces what the schedule expected."""
    storage = state.storages[state.accounts[account].storage]
    if as_of_ns > storage.as_of_ns:
        storage.soc_wh = soc_wh
        storage.as_of_ns = as_of_ns
