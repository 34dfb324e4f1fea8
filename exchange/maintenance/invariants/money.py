"""Invariants 1 and 3, money: balances change by balanced postings alone, nothing enters but by deposits, nobody holds more than there is."""

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.chart import FIRST_PARTICIPANT, House
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.path import BatchResult, Exchange


class MoneyWatch:
    """Balances of its own from the postings, compared with the state after every batch."""

    def __init__(self) -> None:
        self._balance_micro: NDArray[np.int64] = np.zeros(0, np.int64)
        self._postings = 0

    def begin(self, exchange: Exchange) -> None:
        self._balance_micro = np.array(exchange.state.accounts.balance_micro, np.int64)

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        rows = batch.postings[batch.postings["asset"] == 0]
        if len(rows):
            _check_rows(rows)
            self._add(rows)
            self._postings += len(rows)
        accounts = exchange.state.accounts
        self._grow(accounts.shape[0])
        differs = np.flatnonzero(self._balance_micro != accounts.balance_micro)
        if differs.size:
            raise breach("1", f"the balance of account {differs[0]} is not the sum of its postings", batch.last_sequence)
        available = accounts.balance_micro - accounts.held_micro
        short = np.flatnonzero((available < 0) | (accounts.held_micro < 0))
        if np.any(short >= FIRST_PARTICIPANT):
            raise breach("3", f"account {short[short >= FIRST_PARTICIPANT][0]} holds more money than it has", batch.last_sequence)

    def conclude(self, exchange: Exchange) -> Finding:
        if int(self._balance_micro.sum()) != 0:
            raise breach("1", "all balances do not sum to zero", exchange.last_sequence)
        held = int(np.count_nonzero(self._balance_micro))
        return Finding("1, 3", "money", f"{self._postings:,} postings give the balances of {held} accounts, which sum to zero; none below its holds")

    def _add(self, rows: NDArray[np.void]) -> None:
        self._grow(int(max(rows["debit"].max(), rows["credit"].max())) + 1)
        np.subtract.at(self._balance_micro, rows["debit"], rows["amount"])
        np.add.at(self._balance_micro, rows["credit"], rows["amount"])

    def _grow(self, size: int) -> None:
        if size > len(self._balance_micro):
            self._balance_micro = np.concatenate([self._balance_micro, np.zeros(size - len(self._balance_micro), np.int64)])


def _check_rows(rows: NDArray[np.void]) -> None:
    """Amounts are positive, and the outside of the exchange is reached by deposits and withdrawals alone."""
    wrong = np.flatnonzero(rows["amount"] <= 0)
    if wrong.size and not _may_be_negative(rows[wrong]):
        raise breach("1", "a posting of no amount", int(rows["sequence"][wrong[0]]))
    outside = (rows["debit"] == House.OUTSIDE) | (rows["credit"] == House.OUTSIDE)
    wrong = np.flatnonzero(outside != (rows["reason"] == PostingReason.DEPOSIT))
    if wrong.size:
        raise breach("1", "money crosses the border of the exchange by something else than a deposit", int(rows["sequence"][wrong[0]]))


def _may_be_negative(rows: NDArray[np.void]) -> bool:
    """A withdrawal is a deposit of a negative amount."""
    return bool(np.all((rows["reason"] == PostingReason.DEPOSIT) & (rows["amount"] < 0)))
