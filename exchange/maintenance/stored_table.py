"""The rows of one stored table beside those that the journal gives: as long as both come in the same order, nothing of them is kept."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table

from exchange.errors import CheckFailedError
from exchange.readmodel import tables
from exchange.readmodel.engine import open_cursor
from exchange.readmodel.rows import Row

# Rows that are fetched and compared at once. Some hundreds are made, compared and dropped within the processor's cache, which halves their cost.
SLICE: Final = 512

_KEYS: Final = {
    table: [itemgetter(list(table.columns).index(column)) for column in table.primary_key.columns] for table in tables.metadata.sorted_tables
}


class StoredTable:
    """One pass over a table. `in_key_order`: the expected rows come in the order of the primary key, over all calls of `compare`.

    Otherwise they come in the order in which a projector most likely wrote them, which a table without an order is most likely read in. From the
    first slice that differs there, rows wait by their keys until the end.
    """

    def __init__(self, connection: Connection, table: Table, *, in_key_order: bool) -> None:
        self._table = table
        self._in_key_order = in_key_order
        self._cursor: Any = open_cursor(connection, table, *(table.primary_key.columns if in_key_order else ()))
        self._agrees = True
        self._early: list[Row] = []  # stored rows that were read when the orders parted
        self._awaited: dict[Row, Row] = {}
        self._n_rows = 0

    def compare(self, expected: Sequence[Row]) -> None:
        """Compare the next rows. Raises CheckFailedError naming the first that differs, in the order of keys, where that is known already."""
        for start in range(0, len(expected), SLICE):
            wanted = expected[start : start + SLICE]
            if self._agrees:
                stored = self._fetch(len(wanted))
                if stored == wanted:
                    continue
                if self._in_key_order:
                    _differ(self._table, self._by_key(stored), self._by_key(wanted))
                self._agrees = False
                self._early = stored
            self._awaited |= self._by_key(wanted)

    def conclude(self) -> int:
        """Nothing more is expected: compare what is left on both sides. Returns the number of rows."""
        self._match(self._early)
        while rows := self._fetch(SLICE):
            self._match(rows)
        _differ(self._table, {}, self._awaited)
        return self._n_rows

    def close(self) -> None:
        """Let go of what the database keeps for it."""
        self._cursor.close()

    def _match(self, rows: list[Row]) -> None:
        stored = self._by_key(rows)
        wanted = {key: self._awaited.pop(key) for key in stored if key in self._awaited}
        if wanted != stored:
            _differ(self._table, stored, wanted)

    def _fetch(self, at_most: int) -> list[Row]:
        rows: list[Row] = self._cursor.fetchmany(at_most)
        self._n_rows += len(rows)
        return rows

    def _by_key(self, rows: Sequence[Row]) -> dict[Row, Row]:
        keys: Iterator[Row] = zip(*(map(part, rows) for part in _KEYS[self._table]), strict=True)
        return dict(zip(keys, rows, strict=True))


def _differ(table: Table, stored: dict[Row, Row], expected: dict[Row, Row]) -> None:
    """Raises CheckFailedError for the first row, in the order of keys, that is not as it should be."""
    for key in _in_order({*stored, *expected}):
        name = f"{table.name} row {', '.join(map(str, key))}"
        if key not in expected:
            raise CheckFailedError(f"the read model has a {name} that the journal does not give")
        if key not in stored:
            raise CheckFailedError(f"the read model lacks {name}")
        for column, have, want in zip(table.columns, stored[key], expected[key], strict=True):
            if have != want:
                raise CheckFailedError(f"the read model says {column.name} {have!r} in {name}, the journal gives {want!r}")


def _in_order(keys: Iterable[Row]) -> list[Row]:
    return sorted(keys, key=lambda key: tuple((str(type(part)), part) for part in key))
