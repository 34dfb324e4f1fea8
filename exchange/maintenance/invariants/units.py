"""Invariants 2 and 10, units: what was issued is held, set aside or at its end, and from there nothing comes back."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.ledger.chart import FIRST_PARTICIPANT, House
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.path import BatchResult, Exchange

ENDS: Final = (House.RETIRED, House.SURRENDERED, House.EXPIRED, House.WITHDRAWN)


class UnitsWatch:
    """Holdings of its own from the postings of units, by instrument and account, compared with the state after every batch that moved any."""

    def __init__(self) -> None:
        self._lots: dict[int, NDArray[np.int64]] = {}  # by instrument id
        self._postings = 0

    def begin(self, exchange: Exchange) -> None:
        for instrument in exchange.instruments():
            if not instrument.is_power and instrument.slot >= 0:
                self._lots[instrument.id] = np.array(exchange.state.positions[instrument.slot].net_lots, np.int64)

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        rows = batch.postings[batch.postings["asset"] != 0]
        if not len(rows):
            return
        _check_rows(rows)
        self._postings += len(rows)
        for asset in np.unique(rows["asset"]).tolist():
            self._compare(asset, rows[rows["asset"] == asset], exchange, batch.last_sequence)

    def conclude(self, _exchange: Exchange) -> Finding:
        issued = sum(-int(lots[House.ISSUER]) for lots in self._lots.values())
        ended = sum(int(lots[house]) for lots in self._lots.values() for house in ENDS)
        return Finding("2, 10", "units", f"{self._postings:,} postings; {issued:,} issued = {issued - ended:,} held or set aside + {ended:,} ended")

    def _compare(self, asset: int, rows: NDArray[np.void], exchange: Exchange, sequence: int) -> None:
        in_state = exchange.state.positions[exchange.instrument_by_id(asset).slot].net_lots
        lots = self._lots.get(asset, np.zeros(0, np.int64))
        lots = np.concatenate([lots, np.zeros(len(in_state) - len(lots), np.int64)])
        np.subtract.at(lots, rows["debit"], rows["amount"])
        np.add.at(lots, rows["credit"], rows["amount"])
        self._lots[asset] = lots
        symbol = exchange.instrument_by_id(asset).symbol
        differs = np.flatnonzero(lots != in_state)
        if differs.size:
            raise breach("2", f"account {differs[0]} does not hold the {symbol} that its postings say", sequence)
        if lots.sum() != 0 or np.any(lots[FIRST_PARTICIPANT:] < 0) or np.any(np.delete(lots, House.ISSUER) < 0):
            raise breach("2", f"more {symbol} are held than were issued", sequence)


def _check_rows(rows: NDArray[np.void]) -> None:
    wrong = np.flatnonzero(rows["amount"] <= 0)
    if wrong.size:
        raise breach("2", "a posting of no units", int(rows["sequence"][wrong[0]]))
    wrong = np.flatnonzero((rows["debit"] == House.ISSUER) != (rows["reason"] == PostingReason.UNITS_ISSUED))
    if wrong.size:
        raise breach("2", "units appear without having been issued", int(rows["sequence"][wrong[0]]))
    wrong = np.flatnonzero(np.isin(rows["debit"], [int(house) for house in ENDS]))
    if wrong.size:
        raise breach("10", "units come back from their end", int(rows["sequence"][wrong[0]]))
