"""The projector: writes what the fold did as SQL rows, with its last sequence in the same transaction, so that each event lands exactly once.

Batches may come again and cut in other ways (after a restart, or when the read model is rebuilt): what is there already is left out.
SQLite by default, PostgreSQL by URL. It blocks; a node runs it in a thread of its own (follower.py).
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
from sqlalchemy import Connection, Engine, Table, bindparam, func, select, update
from sqlalchemy.exc import DBAPIError

from exchange.errors import CheckFailedError, InputError
from exchange.journal.interface import Watermark
from exchange.journal.record import COMMAND, CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, OUTCOME, POSTING, joined
from exchange.readmodel import tables
from exchange.readmodel.engine import POSTGRES, copy_rows, is_missing_file, open_engine, reading, unusable
from exchange.readmodel.orders import OPEN, OrderChange, order_changes
from exchange.readmodel.rows import FindSettlement, Row, last_phases, rows_of

Told = tuple[BatchResult, str]  # a batch and the chain hash behind it, empty when it is not known

logger = logging.getLogger("parkex.readmodel")

_META_ID: Final = 1


class Projector:
    """Writer of one read model. Only one at a time; readers beside it are free."""

    def __init__(self, engine: Engine, genesis_hash: str, find_settlement: FindSettlement, *, may_rebuild: bool = False) -> None:
        """Use `open`."""
        self.engine = engine
        self._may_rebuild = may_rebuild
        self._genesis_hash = genesis_hash
        self._find_settlement = find_settlement
        self._inserts: dict[Table, str] = {}
        self.last_sequence, self.chain_hash, self.epoch = self._prepare()

    @classmethod
    def open(cls, url: str, genesis_hash: str, find_settlement: FindSettlement, *, may_rebuild: bool = False) -> Self:
        """Open or create the read model at a database URL (`sqlite:///path`, `postgresql+psycopg://...`).

        `genesis_hash` (hex) is the chain hash of the journal before its first group; `find_settlement` gives the record of a settled day. With
        `may_rebuild` a read model of an earlier version is emptied: who says so has the whole journal, which fills it again.
        Raises InputError when the database cannot be used, or the read model there belongs to another journal or another version: drop it, it is
        rebuilt by replay.
        """
        engine = open_engine(url)
        try:
            return cls(engine, genesis_hash, find_settlement, may_rebuild=may_rebuild)
        except DBAPIError as error:
            engine.dispose()
            raise unusable(engine, error) from error
        except BaseException:
            engine.dispose()
            raise

    def _prepare(self) -> tuple[int, str, int]:
        with self.engine.begin() as connection:
            tables.metadata.create_all(connection)
            row = connection.execute(select(tables.meta).where(tables.meta.c.id == _META_ID)).one_or_none()
            if row is None:
                values = (_META_ID, tables.SCHEMA_VERSION, self._genesis_hash, 0, "", 0)
                connection.execute(tables.meta.insert(), dict(zip(tables.meta.columns.keys(), values, strict=True)))
                return 0, "", 0
        if row.schema_version < tables.SCHEMA_VERSION and row.genesis_hash == self._genesis_hash and self._may_rebuild:
            logger.warning("the read model has schema version %d and is filled again as %d", row.schema_version, tables.SCHEMA_VERSION)
            with self.engine.begin() as connection:
                tables.metadata.drop_all(connection)
            return self._prepare()
        if row.schema_version != tables.SCHEMA_VERSION:
            raise InputError(f"the read model has schema version {row.schema_version}, this program writes {tables.SCHEMA_VERSION}: drop it")
        if row.genesis_hash != self._genesis_hash:
            raise InputError("the read model belongs to another journal: drop it, or name another database")
        return row.last_sequence, row.chain_hash, row.epoch

    def resume(self, told: Sequence[Told]) -> None:
        """After a connection was lost inside `apply_all(told)`: learn whether that transaction is there. Then apply the same again.

        Raises DBAPIError while the database is away, InputError when it has lost what was committed, CheckFailedError when somebody else wrote on.
        """
        self.engine.dispose()
        before = self.last_sequence
        self.last_sequence, self.chain_hash, self.epoch = self._prepare()
        if self.last_sequence < before:
            raise InputError(f"the read model went back from command {before} to {self.last_sequence}: start the exchange again to fill it")
        if self.last_sequence not in {before, told[-1][0].last_sequence}:
            raise CheckFailedError(f"the read model is at command {self.last_sequence} and not at {before}: another process writes it")

    def watermark(self) -> Watermark:
        """What the journal must hold for this read model to belong to it."""
        return Watermark("the read model", self.last_sequence, self.chain_hash or None)

    def apply(self, batch: BatchResult, chain_hash: str = "") -> bool:
        """Write one batch in one transaction. False when it was there already.

        Raises InputError when batches before it are missing, CheckFailedError when somebody else writes this read model.
        """
        return self.apply_all([(batch, chain_hash)]) > 0

    def apply_all(self, told: Sequence[Told]) -> int:
        """Write consecutive batches in one transaction. Returns the number of commands that were new."""
        new: list[BatchResult] = []
        last, chain_hash = self.last_sequence, self.chain_hash
        for batch, chain_hash_behind in told:
            if batch.last_sequence <= last:
                continue
            if batch.first_sequence > last + 1:
                raise InputError(f"expected command {last + 1}, got {batch.first_sequence}")
            new.append(batch if batch.first_sequence == last + 1 else batch_after(batch, last))
            last, chain_hash = batch.last_sequence, chain_hash_behind
        if not new:
            return 0
        self._write(merged(new), chain_hash)
        n_new = last - self.last_sequence
        self.last_sequence, self.chain_hash = last, chain_hash
        return n_new

    def _write(self, batch: BatchResult, chain_hash: str) -> None:
        rows, orders, phases = rows_of(batch, self._find_settlement), order_changes(batch), last_phases(batch)
        epoch = max(self.epoch, _epoch_in(batch))
        rows[tables.orders] = [(*placed, *_state_columns(placed, orders.changes.pop(order_id))) for order_id, placed in orders.placed.items()]
        with self.engine.begin() as connection:
            self._advance(connection, batch.last_sequence, chain_hash, epoch)
            for table, of_table in rows.items():
                if of_table:
                    self._insert(connection, table, of_table)
            if orders.changes:
                connection.execute(_UPDATE_ORDER, [_order_parameters(order_id, change) for order_id, change in orders.changes.items()])
            if phases:
                connection.execute(_UPDATE_PHASE, [{"of_symbol": symbol, "new_phase": phase} for symbol, phase in phases.items()])
        self.epoch = epoch

    def _advance(self, connection: Connection, last_sequence: int, chain_hash: str, epoch: int) -> None:
        """First of all, so that a second writer is kept out by the row, whatever it read before."""
        meta = tables.meta.c
        statement = update(tables.meta).where(meta.id == _META_ID, meta.last_sequence == self.last_sequence)
        values = {"last_sequence": last_sequence, "chain_hash": chain_hash, "epoch": epoch}
        if connection.execute(statement.values(values)).rowcount != 1:
            raise CheckFailedError(f"the read model is not at command {self.last_sequence} any more: another process writes it")

    def _insert(self, connection: Connection, table: Table, rows: list[Row]) -> None:
        if self.engine.dialect.name == POSTGRES:
            copy_rows(connection, table, rows)
        else:
            connection.exec_driver_sql(self._insert_text(table), rows)

    def _insert_text(self, table: Table) -> str:
        """Plain SQL for the driver: a fifth of the cost a row of a statement that is compiled with its parameters."""
        if table not in self._inserts:
            self._inserts[table] = str(table.insert().inline().compile(dialect=self.engine.dialect))
        return self._inserts[table]

    def drop(self) -> None:
        """Remove all rows and start again from nothing; the journal fills it."""
        with self.engine.begin() as connection:
            tables.metadata.drop_all(connection)
        self.last_sequence, self.chain_hash, self.epoch = self._prepare()

    def close(self) -> None:
        self.engine.dispose()


def stored_watermark(url: str, genesis_hash: str) -> Watermark:
    """What a read model says it has seen, without changing it.

    Raises InputError when there is none or it is of another version, CheckFailedError when it belongs to another journal.
    """
    engine = open_engine(url)
    try:
        if is_missing_file(engine):
            raise InputError(f"there is no read model at {engine.url.render_as_string()}")
        with reading(engine) as connection:
            row = connection.execute(select(tables.meta).where(tables.meta.c.id == _META_ID)).one_or_none()
    except DBAPIError as error:
        raise unusable(engine, error) from error
    finally:
        engine.dispose()
    if row is None or row.schema_version != tables.SCHEMA_VERSION:
        raise InputError(f"there is no read model of schema version {tables.SCHEMA_VERSION} at {engine.url.render_as_string()}")
    if row.genesis_hash != genesis_hash:
        raise CheckFailedError("the read model belongs to another journal")
    return Watermark("the read model", row.last_sequence, row.chain_hash or None)


def drop_read_model(url: str) -> None:
    """Remove the tables at a URL, whichever journal and version they belong to. Raises InputError when the database cannot be used."""
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            tables.metadata.drop_all(connection)
    except DBAPIError as error:
        raise unusable(engine, error) from error
    finally:
        engine.dispose()


def batch_after(batch: BatchResult, sequence: int) -> BatchResult:
    """The part of a batch behind `sequence`."""
    cut = sequence - batch.first_sequence + 1
    return replace(
        batch,
        first_sequence=sequence + 1,
        records=batch.records[cut:],
        outcomes=batch.outcomes[cut:],
        executions=batch.executions[batch.executions["sequence"] > sequence],
        postings=batch.postings[batch.postings["sequence"] > sequence],
        notices=[notice for notice in batch.notices if notice.sequence > sequence],
        results={index - cut: result for index, result in batch.results.items() if index >= cut},
    )


def merged(batches: Sequence[BatchResult]) -> BatchResult:
    """Consecutive batches as one: the work on arrays is then done once and not for each."""
    if len(batches) == 1:
        return batches[0]
    records = joined([batch.records for batch in batches], COMMAND)
    results: dict[int, dict[str, Any]] = {}
    index, document_start = 0, 0
    for batch in batches:
        records["document_offset"][index : index + len(batch.records)] += np.uint32(document_start)
        results |= {index + i: result for i, result in batch.results.items()}
        index += len(batch.records)
        document_start += len(batch.documents)
    return BatchResult(
        batches[0].first_sequence,
        records,
        b"".join(batch.documents for batch in batches),
        joined([batch.outcomes for batch in batches], OUTCOME),
        joined([batch.executions for batch in batches], EXECUTION),
        joined([batch.postings for batch in batches], POSTING),
        [notice for batch in batches for notice in batch.notices],
        results,
    )


def _epoch_in(batch: BatchResult) -> int:
    started = batch.records["kind"] == int(CommandKind.NODE_STARTED)
    return int(batch.records["quantity_lots"][started].max()) if np.any(started) else 0


def _state_columns(placed: tuple[Any, ...], change: OrderChange) -> tuple[Any, ...]:
    """The columns behind those of `placed`: what later batches may change."""
    remaining_lots = placed[-1] if change.remaining_lots is None else change.remaining_lots
    return (
        change.price_ticks, change.revision, change.filled_lots, remaining_lots, change.status or OPEN, change.reason, change.last_sequence,
    )  # fmt: skip


def _order_parameters(order_id: int, change: OrderChange) -> dict[str, Any]:
    return {
        "of_order": order_id,
        "more_filled": change.filled_lots,
        "new_remaining": change.remaining_lots,
        "new_status": change.status,
        "new_reason": change.reason,
        "new_price": change.price_ticks,
        "new_revision": change.revision,
        "new_sequence": change.last_sequence,
    }


_O: Final = tables.orders.c
_UPDATE_ORDER: Final = (
    update(tables.orders)
    .where(_O.order_id == bindparam("of_order"))
    .values(
        filled_lots=_O.filled_lots + bindparam("more_filled"),
        remaining_lots=func.coalesce(bindparam("new_remaining", type_=_O.remaining_lots.type), _O.remaining_lots),
        status=func.coalesce(bindparam("new_status", type_=_O.status.type), _O.status),
        reason=bindparam("new_reason"),
        price_ticks=func.coalesce(bindparam("new_price", type_=_O.price_ticks.type), _O.price_ticks),
        revision=func.coalesce(bindparam("new_revision", type_=_O.revision.type), _O.revision),
        last_sequence=bindparam("new_sequence"),
    )
)
_UPDATE_PHASE: Final = update(tables.instruments).where(tables.instruments.c.symbol == bindparam("of_symbol")).values(phase=bindparam("new_phase"))
