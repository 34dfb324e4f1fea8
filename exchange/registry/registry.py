"""The registry: which serial numbers there are, who has them and what became of them.

Units of a listed instrument move by postings and only by them: `fold` takes the postings of the ledger in order, so balances and serial numbers
cannot part. A document that names ranges, or wants to know which ones it moves, selects rows first and states them for the posting that follows.
Bundles of no listed instrument (asset 0, such as granular certificates) have no balances; they change by `change`.

Cost, measured in docs/decisions/0020: 136 bytes a row and 8 for its queue; a transfer is one or two appended rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exchange.errors import CheckFailedError, InputError
from exchange.protocol.instrument_class import Resale
from exchange.registry import queues
from exchange.registry.bundles import NO_ROW
from exchange.registry.folding import fold_postings
from exchange.registry.lifecycle import UnitState
from exchange.registry.selection import Rows, Selection
from exchange.registry.serials import UnitScheme


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What a unit is, whoever has it. `source`: device or project by scheme; `evidence`: SHA-256 of what it was issued on, or empty."""

    scheme: UnitScheme
    source: int = 0
    vintage: int = 0
    period_start_ns: int = 0
    period_end_ns: int = 0
    expiry_ns: int = 0
    evidence: bytes = b""


class Registry(Selection):
    """State is the fold of postings and documents. Raises InputError for what a caller asks wrongly, CheckFailedError for a contradiction."""

    def add_asset(self, asset: int, resale: Resale) -> None:
        """Make an instrument known, once; asset 0 always is."""
        if not self.table.knows(asset):
            self.table.add_asset(asset, resale)

    # Issuance.

    def issue(
        self,
        facts: UnitFacts,
        account: int,
        quantity: int,
        sequence: int,
        *,
        asset: int = 0,
        state: UnitState = UnitState.ISSUED,
        is_bought: bool = False,
    ) -> int:
        """A new issuance of one bundle; returns its row. Units of an instrument begin VERIFIED: their posting makes them ISSUED.

        `is_bought`: they have changed hands once, today; for holdings from before there was a registry.
        """
        first, _ = self._append(
            [account], [quantity], sequence, facts.evidence, asset, state, scheme=facts.scheme, source=facts.source, vintage=facts.vintage,
            period_start_ns=facts.period_start_ns, period_end_ns=facts.period_end_ns, expiry_ns=facts.expiry_ns, transfers=int(is_bought),
            day=int(self.table.tables.counters[0].day),
        )  # fmt: skip
        return first

    def issue_many(
        self,
        accounts: ArrayLike,
        quantities: ArrayLike,
        sequence: int,
        *,
        scheme: ArrayLike,
        source: ArrayLike = 0,
        use: ArrayLike = 0,
        vintage: ArrayLike = 0,
        period_start_ns: ArrayLike = 0,
        period_end_ns: ArrayLike = 0,
        expiry_ns: ArrayLike = 0,
        evidence: bytes = b"",
    ) -> tuple[int, int]:
        """One issuance of k bundles of no listed instrument, in the order given: int64[k] accounts and quantities (> 0), facts as int64[k] or one
        value for all. Returns (first row, row behind the last).
        """
        return self._append(
            accounts, quantities, sequence, evidence, 0, UnitState.ISSUED, scheme=scheme, source=source, use=use, vintage=vintage,
            period_start_ns=period_start_ns, period_end_ns=period_end_ns, expiry_ns=expiry_ns,
        )  # fmt: skip

    def _append(
        self, accounts: ArrayLike, quantities: ArrayLike, sequence: int, evidence: bytes, asset: int, state: UnitState, **facts: ArrayLike
    ) -> tuple[int, int]:
        owners, lots = np.asarray(accounts, np.int64), np.asarray(quantities, np.int64)
        if not len(lots) or lots.min() <= 0:
            raise InputError("an issuance needs quantities above zero")
        table = self.table
        table.make_room(len(lots), int(owners.max()))
        first, end = table.n_rows, table.n_rows + len(lots)
        number = table.new_issuance(len(lots), sequence, evidence)
        rows = table.tables.rows[first:end]
        for name, values in facts.items():
            rows[name] = values
        last = np.cumsum(lots)
        rows["issuance"], rows["origin"], rows["asset"], rows["parent"] = number, asset, asset, NO_ROW
        rows["serial_from"], rows["serial_to"] = last - lots + 1, last
        rows["holder"], rows["account"], rows["sequence"], rows["state"] = owners, owners, sequence, int(state)
        table.tables.counters[0].n_rows = end
        table.seal_roots(number)
        queues.enqueue_new(table.tables, first, end)
        return first, end

    # Changes.

    def state_rows(self, rows: Rows) -> None:
        """The next posting of units moves these rows, and them alone. Whatever was posted before has been folded."""
        self.table.make_room(0, stated=len(rows))
        self.table.tables.stated[: len(rows)] = rows
        self.table.tables.counters[0].n_stated = len(rows)

    def fold(self, postings: NDArray[np.void]) -> None:
        """Take over POSTING records in order; money among them is passed over. All instruments are known (`add_asset`)."""
        units = postings[postings["asset"] != 0]
        if not len(units):
            return
        self.table.make_room(2 * len(units), int(max(units["debit"].max(), units["credit"].max())))
        first = self.table.n_rows
        answer = int(fold_postings(self.table.tables, units.view(np.recarray)))
        self.table.seal_parts(first)
        if answer < 0:
            raise CheckFailedError("postings move units that the registry does not have there")

    def change(self, rows: Rows, state: UnitState, account: int | None = None) -> None:
        """Give whole bundles of no listed instrument another state; with `account`, another owner (a transfer). Raises InputError, with nothing
        changed, where the lifecycle does not allow it or a bundle is of a listed instrument.
        """
        table = self.table
        chosen = table.rows[rows]
        if len(chosen) and (chosen["asset"].any() or not table.tables.allowed[chosen["state"], int(state)].all()):
            raise InputError("the lifecycle does not allow it")
        table.make_room(0, account or 0)
        for row in rows.tolist():
            owner = int(table.tables.rows[row].account)
            queues.change(table.tables, row, int(state), owner if account is None else account, 0, account is not None and account != owner)

    def prefer(self, rows: Rows) -> None:
        """Deliver these rows before all others of their queue, in this order."""
        for row in rows[::-1].tolist():
            queues.put_first(self.table.tables, row)

    def begin_day(self) -> None:
        """Local midnight has come: what could not be sold on the day it was bought can be sold now."""
        if len(self):
            queues.begin_day(self.table.tables)

    # State.

    def to_hash(self) -> list[Any]:
        """What the state hash has of the registry: one digest for every block of rows."""
        return [*self._head(), self.table.digests()] if len(self) else []

    def to_canonical(self) -> list[Any]:
        """What a snapshot has: the rows."""
        return [*self._head(), self.table.rows.tobytes()] if len(self) else []

    def _head(self) -> list[Any]:
        return [self.table.counters_to_canonical(), self.table.issuances_to_canonical()]

    @classmethod
    def from_canonical(cls, content: list[Any], resales: Mapping[int, Resale]) -> "Registry":
        """Inverse of `to_canonical`; `resales` has the rule of every instrument that units may be of, by id."""
        registry = cls()
        for asset, resale in resales.items():
            registry.add_asset(asset, resale)
        if content:
            registry.table.restore(*content)
        return registry
