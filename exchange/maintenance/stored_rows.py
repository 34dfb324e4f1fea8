"""The read model row by row against what a replay says its rows are: a changed, missing or added row is found and named.

Tables that only grow are read beside the replay, batch by batch; orders and instruments, which change after they were written, at its end.
"""

from contextlib import ExitStack
from typing import Final, Protocol, Self

from sqlalchemy import Connection, Table, select

from exchange.maintenance.followed_orders import FollowedOrders
from exchange.maintenance.stored_table import SLICE, StoredTable
from exchange.order_path.path import BatchResult
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine, reading
from exchange.readmodel.rows import FindSettlement, Row, last_phases, rows_of_arrays, rows_of_documents

_CHANGING: Final = (tables.orders, tables.instruments)
_GROWING: Final = tuple(table for table in tables.metadata.sorted_tables if table not in {tables.meta, *_CHANGING})
_AT_SYMBOL: Final = tables.instruments.columns.keys().index("symbol")
_AT_PHASE: Final = tables.instruments.columns.keys().index("phase")


class RowsBeside(Protocol):
    """A read model that is compared beside a replay from the genesis. A context manager; everything is read as of its start.

    Both methods that compare raise CheckFailedError naming a row that differs, by table, key and column; at the latest `conclude` does.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def last_sequence(self) -> int:
        """The last command that the read model has seen. When this is known, what is read is fixed."""

    def begin(self, find_settlement: FindSettlement) -> None:
        """`find_settlement` gives the record of a day that the replay has settled."""

    def see(self, batch: BatchResult) -> None:
        """Compare what the batch wrote."""

    def conclude(self) -> int:
        """Compare the rest, and that there is nothing more. Returns how many rows the read model has."""


class StoredRows:
    """In this process; see RowsBeside."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._find_settlement: FindSettlement = _no_settlement
        self.last_sequence = 0
        self._opened = ExitStack()
        self._orders = FollowedOrders()
        self._instruments: dict[str, Row] = {}  # by symbol

    def __enter__(self) -> Self:
        self._opened.callback(self._engine.dispose)
        self._connection: Connection = self._opened.enter_context(reading(self._engine))
        self.last_sequence = self._connection.execute(select(tables.meta.c.last_sequence)).scalar_one()
        self._growing = {table: self._open(table, in_key_order=_is_by_command(table)) for table in _GROWING}
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def begin(self, find_settlement: FindSettlement) -> None:
        self._find_settlement = find_settlement

    def see(self, batch: BatchResult) -> None:
        for table, rows in rows_of_arrays(batch, SLICE):
            self._growing[table].compare(rows)
        of_documents = rows_of_documents(batch, self._find_settlement)
        for row in of_documents.pop(tables.instruments, []):
            self._instruments[row[_AT_SYMBOL]] = row
        for table, rows in of_documents.items():
            self._growing[table].compare(rows)
        for symbol, phase in last_phases(batch).items():
            row = self._instruments[symbol]
            self._instruments[symbol] = (*row[:_AT_PHASE], phase, *row[_AT_PHASE + 1 :])
        self._orders.follow(batch)

    def conclude(self) -> int:
        n_rows = sum(table.conclude() for table in self._growing.values())
        orders, instruments = (self._open(table, in_key_order=True) for table in _CHANGING)
        for rows in self._orders.rows(SLICE):
            orders.compare(rows)
        instruments.compare(sorted(self._instruments.values()))
        return n_rows + orders.conclude() + instruments.conclude()

    def _open(self, table: Table, *, in_key_order: bool) -> StoredTable:
        stored = StoredTable(self._connection, table, in_key_order=in_key_order)
        self._opened.callback(stored.close)
        return stored


def _is_by_command(table: Table) -> bool:
    """Whether its rows come in the order of their keys, which are their commands."""
    return table.primary_key.columns.keys() == ["sequence", "index"]


def _no_settlement(_day: str, _run: int) -> None:
    """Before the replay nothing is settled."""
