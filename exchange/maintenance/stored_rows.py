"""The read model row by row against what a replay says its rows are: a changed, missing or added row is found and named.

Rows that carry the command which wrote them are compared batch by batch; the others, and those that change after they were written, at the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, Self

from sqlalchemy import Connection, Select, Table, func, literal_column, select

from exchange.errors import CheckFailedError
from exchange.order_path.path import BatchResult
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine, reading
from exchange.readmodel.orders import OPEN, OrderChange, order_changes
from exchange.readmodel.rows import FindSettlement, Row, last_phases, rows_of

# Rows in the order of their commands, which only grow.
_BY_COMMAND: Final = tuple(
    table for table in tables.metadata.sorted_tables if [column.name for column in table.primary_key.columns] == ["sequence", "index"]
)
_ORDERS: Final = tables.orders
_FETCHED: Final = 10_000
_COLUMNS: Final = {table: [column.name for column in table.columns] for table in tables.metadata.sorted_tables}
_KEYS: Final = {
    table: [itemgetter(_COLUMNS[table].index(column.name)) for column in table.primary_key.columns] for table in tables.metadata.sorted_tables
}
_STATE: Final = ("filled_lots", "remaining_lots", "status", "reason", "price_ticks", "revision", "last_sequence")


class StoredRows:
    """One pass over a read model beside a replay from the genesis. Use as a context manager; everything is read as of its start.

    `last_sequence`: the last command that it has seen.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._find_settlement: FindSettlement = _no_settlement
        self.last_sequence = 0
        self._reading = reading(self._engine)
        self._of_batch = {table: self._sql(_between(table)) for table in _BY_COMMAND}
        self._expected: dict[Table, dict[Row, Row]] = {}  # rows that are compared at the end, by key
        self._orders: dict[int, list[Any]] = {}
        self._counts: dict[Table, int] = {}

    def __enter__(self) -> Self:
        self._connection: Connection = self._reading.__enter__()
        self.last_sequence = self._connection.execute(select(tables.meta.c.last_sequence)).scalar_one()
        return self

    def __exit__(self, *exception: object) -> None:
        self._reading.__exit__(None, None, None)
        self._engine.dispose()

    def begin(self, find_settlement: FindSettlement) -> None:
        """`find_settlement` gives the record of a day that the replay has settled."""
        self._find_settlement = find_settlement

    def see(self, batch: BatchResult) -> None:
        """Compare what the batch wrote. Raises CheckFailedError naming the first row that differs, by table, key and column."""
        rows = rows_of(batch, self._find_settlement)
        for table in _BY_COMMAND:
            self._compare_commands(table, rows.pop(table, []), batch.first_sequence, batch.last_sequence)
        for table, of_table in rows.items():
            self._expected.setdefault(table, {}).update(zip(_keys(table, of_table), of_table, strict=True))
        for symbol, phase in last_phases(batch).items():
            self._set_phase(symbol, phase)
        self._follow_orders(batch)

    def conclude(self) -> int:
        """Compare the rest, and that there is nothing more. Returns how many rows the read model has."""
        self._expected[_ORDERS] = {(order_id,): tuple(row) for order_id, row in self._orders.items()}
        for table in tables.metadata.sorted_tables:
            if table is tables.meta:
                continue
            if table in _BY_COMMAND:
                self._check_count(table)
            else:
                self._compare_all(table, self._expected.get(table, {}))
        return sum(self._counts.values())

    def _compare_commands(self, table: Table, expected: Sequence[Row], first: int, last: int) -> None:
        stored = [row for rows in self._fetch(self._of_batch[table].format(first=first, last=last)) for row in rows]
        self._counts[table] = self._counts.get(table, 0) + len(expected)
        if stored != expected:
            _differ(table, _by_key(table, stored), _by_key(table, expected))

    def _sql(self, query: Select[Any]) -> str:
        return str(query.compile(self._engine))

    def _fetch(self, statement: str) -> Iterator[list[Row]]:
        """Rows as the driver gives them: integers and texts need no conversion, and there are millions of them."""
        cursor = self._connection.connection.cursor()
        try:
            cursor.execute(statement)
            while rows := list(cursor.fetchmany(_FETCHED)):
                yield rows
        finally:
            cursor.close()

    def _check_count(self, table: Table) -> None:
        found = self._connection.execute(select(func.count()).select_from(table)).scalar_one()
        expected = self._counts.get(table, 0)
        if found != expected:
            raise CheckFailedError(f"the read model has {found} rows of {table.name}, the journal gives {expected}")

    def _compare_all(self, table: Table, expected: dict[Row, Row]) -> None:
        found = 0
        for rows in self._fetch(self._sql(select(table))):
            found += len(rows)
            if list(map(expected.get, _keys(table, rows))) != rows:
                stored = _by_key(table, rows)
                _differ(table, stored, {key: expected[key] for key in stored if key in expected})
        self._counts[table] = found
        if found != len(expected):
            raise CheckFailedError(f"the read model has {found} rows of {table.name}, the journal gives {len(expected)}")

    def _set_phase(self, symbol: str, phase: str) -> None:
        """The one column of an instrument that changes."""
        columns = _COLUMNS[tables.instruments]
        at_symbol, at_phase = columns.index("symbol"), columns.index("phase")
        of_symbol = self._expected.setdefault(tables.instruments, {})
        for key in reversed(of_symbol):
            row = of_symbol[key]
            if row[at_symbol] == symbol:
                of_symbol[key] = (*row[:at_phase], phase, *row[at_phase + 1 :])
                return

    def _follow_orders(self, batch: BatchResult) -> None:
        """As the projector's update does it."""
        found = order_changes(batch)
        columns = _COLUMNS[_ORDERS]
        at = {name: columns.index(name) for name in _STATE}
        for order_id, placed in found.placed.items():
            row = [*placed, *([0] * (len(columns) - len(placed)))]
            row[at["remaining_lots"]], row[at["status"]] = placed[-1], OPEN
            self._orders[order_id] = row
        for order_id, change in found.changes.items():
            _apply(self._orders[order_id], change, at)


def _between(table: Table) -> Select[Any]:
    """Rows of the commands from {first} to {last}, in their order."""
    c = table.c
    return select(table).where(c.sequence.between(literal_column("{first}"), literal_column("{last}"))).order_by(c.sequence, c.index)


def _no_settlement(_day: str, _run: int) -> None:
    """Before the replay nothing is settled."""


def _apply(row: list[Any], change: OrderChange, at: dict[str, int]) -> None:
    row[at["filled_lots"]] += change.filled_lots
    row[at["reason"]], row[at["last_sequence"]] = change.reason, change.last_sequence
    for name in ("remaining_lots", "status", "price_ticks", "revision"):
        value = getattr(change, name)
        if value is not None:
            row[at[name]] = value


def _keys(table: Table, rows: Sequence[Row]) -> Iterator[Row]:
    """The primary key of each row."""
    return zip(*(map(place, rows) for place in _KEYS[table]), strict=True)


def _by_key(table: Table, rows: Sequence[Row]) -> dict[Row, Row]:
    return dict(zip(_keys(table, rows), rows, strict=True))


def _differ(table: Table, stored: dict[Row, Row], expected: dict[Row, Row]) -> None:
    """Raises CheckFailedError for the first row, in the order of keys, that is not as it should be."""
    for key in _in_order({*stored, *expected}):
        name = f"{table.name} row {', '.join(map(str, key))}"
        if key not in expected:
            raise CheckFailedError(f"the read model has a {name} that the journal does not give")
        if key not in stored:
            raise CheckFailedError(f"the read model lacks {name}")
        for column, have, want in zip(_COLUMNS[table], stored[key], expected[key], strict=True):
            if have != want:
                raise CheckFailedError(f"the read model says {column} {have!r} in {name}, the journal gives {want!r}")


def _in_order(keys: Iterable[Row]) -> list[Row]:
    return sorted(keys, key=lambda key: tuple((str(type(part)), part) for part in key))
