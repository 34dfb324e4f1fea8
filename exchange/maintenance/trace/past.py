"""The whole past of an exchange from its journal: the last state, what was traded, and the documents that were carried out."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.market.calendar import TIME_ZONE
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import EXECUTION, TRADE_KINDS, OutcomeFlag, joined
from exchange.protocol.documents import Document
from exchange.readmodel.rows import accepted_documents
from exchange.replay import ChainSource
from exchange.units import NS_PER_SECOND

_NO_TRADES: Final = np.zeros(0, EXECUTION)


@dataclass(frozen=True, slots=True)
class Carried:
    """A document that was carried out, with its command."""

    sequence: int
    document: Document


class Past:
    """One journal folded whole. `trades` are EXECUTION records, `documents` in the order of their commands."""

    def __init__(self, journal: Path, archive: Path | None) -> None:
        self._journal, self._archive = journal, archive
        self._trades: list[NDArray[np.void]] = []
        self._placed: list[NDArray[np.int64]] = []
        self._moved: dict[int, list[int]] = {}
        self.documents: list[Carried] = []
        self.exchange = self._fold(self._see)
        self.trades: NDArray[np.void] = joined(self._trades, EXECUTION) if self._trades else _NO_TRADES

    def _see(self, batch: BatchResult) -> None:
        found = batch.executions[np.isin(batch.executions["kind"], TRADE_KINDS)]
        if len(found):
            self._trades.append(found)
        fresh = (batch.outcomes["order_id"] > 0) & ((batch.outcomes["flags"] & int(OutcomeFlag.DUPLICATE)) == 0)
        placed = fresh & np.isin(batch.records["kind"], [int(CommandKind.PLACE), int(CommandKind.BASKET)])
        if placed.any():
            self._placed.append(np.stack([batch.outcomes["order_id"][placed], batch.outcomes["sequence"][placed]]))
        units = batch.postings[batch.postings["asset"] != 0]
        for asset in np.unique(units["asset"]).tolist():
            self._moved.setdefault(asset, []).extend(np.unique(units["sequence"][units["asset"] == asset]).tolist())
        self.documents += [Carried(sequence, document) for sequence, document, _ in accepted_documents(batch)]

    def placed_by(self, order_id: int) -> int:
        """The command that placed an order, 0 for none."""
        for ids, sequences in self._placed:
            at = int(np.searchsorted(ids, order_id))
            if at < len(ids) and ids[at] == order_id:
                return int(sequences[at])
        return 0

    def moved_by(self, asset: int) -> set[int]:
        """Commands that moved units of an instrument."""
        return set(self._moved.get(asset, ()))

    def _fold(self, see: Callable[[BatchResult], None]) -> Exchange:
        source = ChainSource(self._journal, self._archive)
        exchange = Exchange(source.genesis)
        with closing(source.groups()) as groups:
            for group in groups:
                see(exchange.apply(group.records, group.documents, group.first_sequence))
        return exchange

    def at(self, sequences: set[int]) -> Iterator[tuple[BatchResult, Exchange]]:
        """Each of these commands by itself, in their order: what it did, and the exchange behind it, which goes on: copy what is to be kept."""
        source = ChainSource(self._journal, self._archive)
        exchange = Exchange(source.genesis)
        wanted = sorted(sequences)
        with closing(source.groups()) as groups:
            for group in groups:
                start, end = 0, group.first_sequence + len(group.records)
                while wanted and wanted[0] < end:
                    at = wanted.pop(0) - group.first_sequence
                    if at > start:
                        exchange.apply(group.records[start:at], group.documents, group.first_sequence + start)
                    yield exchange.apply(group.records[at : at + 1], group.documents, group.first_sequence + at), exchange
                    start = at + 1
                if not wanted:
                    return
                if start < len(group.records):
                    exchange.apply(group.records[start:], group.documents, group.first_sequence + start)

    @cached_property
    def names(self) -> dict[int, str]:
        """Names of accounts by id."""
        return {participant.id: participant.name for participant in self.exchange.participants()}

    def name(self, account: int) -> str:
        """Of a participant or of a house account."""
        return self.names.get(account) or House(account).name.lower()

    def account(self, text: str) -> int:
        """By number or name. Raises InputError for nobody."""
        found = next((account for account, name in self.names.items() if text in {name, str(account)}), None)
        if found is None:
            raise InputError(f"there is no account {text[:64]}")
        return found


def local_time(at_ns: int) -> str:
    """A moment in the park's time zone, to the minute."""
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC).astimezone(TIME_ZONE).strftime("%Y-%m-%d %H:%M")
