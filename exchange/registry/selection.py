"""Which bundles: by serial number, by owner, first in first out, or by named ranges; and the splits that make whole rows of them.

A bundle that is split keeps its owner, state and place: to select units changes nothing that a balance or an invariant could see.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.protocol.instrument_class import Resale
from exchange.registry import queues
from exchange.registry.bundles import NO_ROW, Queue
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import SerialRange, UnitScheme
from exchange.registry.table import BundleTable

Rows = NDArray[np.int64]
# What an account holds: what it cannot sell comes first where units are set aside or end.
HELD: Final = (Queue.UNSELLABLE, Queue.SELLABLE)


class Selection:
    """The table of bundles and what can be asked of it."""

    def __init__(self) -> None:
        self.table = BundleTable()

    def __len__(self) -> int:
        return self.table.n_rows

    @property
    def rows(self) -> Any:
        """BUNDLE records of all bundles by row, split ones among them. To read only."""
        return self.table.rows

    def quantity(self, row: int) -> int:
        bundle = self.table.tables.rows[row]
        return int(bundle.serial_to) - int(bundle.serial_from) + 1

    def queue_of(self, row: int) -> int:
        """Queue of a row, -1 where it is in none."""
        bundle, tables = self.table.tables.rows[row], self.table.tables
        state, resale = int(bundle.state), int(tables.resale[tables.slot_of[int(bundle.asset)]])
        if state in {UnitState.LOCKED, UnitState.FROZEN}:
            return int(Queue.LOCKED if state == UnitState.LOCKED else Queue.FROZEN)
        if state != UnitState.ISSUED:
            return queues.NO_QUEUE
        today = resale == Resale.NEXT_DAY and int(bundle.day) == int(tables.counters[0].day)
        return int(Queue.UNSELLABLE if bundle.transfers > 0 and (resale == Resale.NONE or today) else Queue.SELLABLE)

    def find(self, issuance: int, serial: int) -> int | None:
        """Row of the bundle that has the serial number now; None where it was never issued."""
        if not 0 < issuance <= self.table.n_issuances:
            return None
        entry = self.table.issuances[issuance - 1]
        row = int(queues.find_leaf(self.table.tables, int(entry["first_row"]), int(entry["rows"]), serial))
        return None if row == NO_ROW else row

    def range_of(self, row: int) -> SerialRange:
        """Serial numbers of a bundle; `str` of it is their text."""
        bundle = self.table.tables.rows[row]
        scheme, *numbers = (int(bundle[name]) for name in ("scheme", "source", "vintage", "issuance", "serial_from", "serial_to"))
        return SerialRange(UnitScheme(scheme), *numbers)

    def bundles_of(self, account: int, asset: int | None = None, state: UnitState | None = None) -> Rows:
        """Rows of an account in the order they were made, without split ones: held, set aside or ended in its name. Reads the whole table."""
        rows = self.table.rows
        wanted = (rows["account"] == account) & (rows["state"] != int(UnitState.SPLIT))
        if asset is not None:
            wanted &= rows["asset"] == asset
        if state is not None:
            wanted &= rows["state"] == int(state)
        return np.flatnonzero(wanted)

    def counts(self, asset: int) -> dict[UnitState, int]:
        """Units of an instrument by state, as far as there are any."""
        if not self.table.knows(asset):
            return {}
        totals = self.table.tables.totals[self.table.tables.slot_of[asset]].tolist()
        return {UnitState(state): lots for state, lots in enumerate(totals) if lots}

    def lots(self, asset: int, account: int, *among: Queue) -> int:
        """Units of an account in the given queues; without any, all it holds: sellable or not."""
        return sum(self.table.queue_lots(asset, account, queue) for queue in among or HELD)

    def select_first(self, asset: int, account: int, quantity: int, sequence: int, among: Iterable[Queue] = HELD) -> Rows:
        """The first units of an account by their queues, as whole rows: the last bundle is split where needed. InputError when there are too few."""
        return self.cut(self.first_rows(asset, account, quantity, among), quantity, sequence)

    def first_rows(self, asset: int, account: int, quantity: int, among: Iterable[Queue] = HELD) -> list[int]:
        """Rows with the first units of an account by its queues, the last perhaps with more than `quantity`. InputError when there are too few."""
        kinds = tuple(among)
        if not 0 < quantity <= self.lots(asset, account, *kinds):
            raise InputError("so many units are not there")
        found: list[int] = []
        for queue in kinds:
            row = int(self._tables_queue(asset, account, queue).first) if self.table.queue_lots(asset, account, queue) else NO_ROW
            while row != NO_ROW and quantity > 0:
                found.append(row)
                quantity -= self.quantity(row)
                row = int(self.table.tables.after[row])
        return found

    def _tables_queue(self, asset: int, account: int, queue: Queue) -> Any:
        tables = self.table.tables
        return tables.queues[int(tables.slot_of[asset]), account, int(queue)]

    def count_ranges(self, asset: int, account: int, ranges: Iterable[SerialRange], among: Iterable[Queue] = HELD) -> dict[Queue, int]:
        """Units of the named ranges by queue. Raises InputError when they overlap, are not all there, or not all in those queues of that account."""
        found = dict.fromkeys(among, 0)
        covered: list[SerialRange] = []
        for item in ranges:
            if any(item.issuance == c.issuance and item.serial_from <= c.serial_to and c.serial_from <= item.serial_to for c in covered):
                raise InputError("ranges overlap")
            covered.append(item)
            for row in self.leaves(item):
                bundle, queue = self.table.tables.rows[row], self.queue_of(row)
                if queue not in found or int(bundle.account) != account or int(bundle.asset) != asset:
                    raise InputError("ranges are not all held there")
                lots = min(int(bundle.serial_to), item.serial_to) - max(int(bundle.serial_from), item.serial_from) + 1
                found[Queue(queue)] += lots
        return found

    def select_ranges(self, asset: int, account: int, ranges: Iterable[SerialRange], sequence: int, among: Iterable[Queue] = HELD) -> Rows:
        """The named ranges of an account as whole rows, in the order named; splits bundles at their ends. Raises as `count_ranges`, changing
        nothing.
        """
        named = list(ranges)
        self.count_ranges(asset, account, named, among)
        return np.array([row for item in named for row in self._cut(item, sequence)], np.int64)

    def cut(self, rows: Iterable[int], quantity: int, sequence: int) -> Rows:
        """The first `quantity` units of some bundles, as whole rows; the last is split where needed."""
        found = []
        for row in rows:
            if quantity > 0:
                found.append(self._split_at(row, quantity, sequence))
                quantity -= self.quantity(found[-1])
        return np.array(found, np.int64)

    def parts_of(self, row: int) -> list[int]:
        """What a bundle consists of now, in the order of serial numbers: itself, or the parts that took its place."""
        waiting, found = [row], []
        while waiting:
            row = waiting.pop()
            if self.table.tables.rows[row].state == UnitState.SPLIT:
                first = int(self.table.tables.after[row])
                waiting += [first + 1, first]
            else:
                found.append(row)
        return found

    def leaves(self, item: SerialRange) -> list[int]:
        """Rows that hold a range now, the first and the last perhaps beyond it. Raises InputError where there are no such units."""
        found, serial = [], item.serial_from
        while serial <= item.serial_to:
            row = self.find(item.issuance, serial)
            if row is None or self.range_of(row)[:3] != item[:3]:
                raise InputError("no such units")
            found.append(row)
            serial = int(self.table.tables.rows[row].serial_to) + 1
        return found

    def _cut(self, item: SerialRange, sequence: int) -> list[int]:
        cut = []
        for leaf in self.leaves(item):
            row, bundle = leaf, self.table.tables.rows[leaf]
            ahead = item.serial_from - int(bundle.serial_from)
            if ahead > 0:
                row = self._split_at(row, ahead, sequence) + 1
            cut.append(self._split_at(row, item.serial_to - max(item.serial_from, int(self.table.tables.rows[row].serial_from)) + 1, sequence))
        return cut

    def _split_at(self, row: int, quantity: int, sequence: int) -> int:
        """The row with the first `quantity` units of a bundle: itself where it has no more."""
        if self.quantity(row) <= quantity:
            return row
        self.table.make_room(2)
        first = int(queues.split(self.table.tables, row, quantity, sequence))
        self.table.seal_parts(first)
        return first
