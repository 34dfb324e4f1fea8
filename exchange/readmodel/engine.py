"""Databases by URL: SQLite by default, PostgreSQL through psycopg. What is wrong with a URL or a server is told without its password."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, ColumnElement, Connection, Engine, Table, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from exchange.errors import InputError

SQLITE: Final = "sqlite"
POSTGRES: Final = "postgresql"
_EXPECTED: Final = "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
_CONNECT_TIMEOUT_S: Final = 10


def open_engine(url: str) -> Engine:
    """An engine with positional parameters; it connects when it is first used. SQLite has a write-ahead log, so that readers and the writer do not
    wait for each other.

    Raises InputError for a URL that is none, another kind of database, or a driver that is not installed.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == POSTGRES:
        return _open_postgres(parsed)
    in_memory = parsed.database in {None, "", ":memory:"}
    engine = create_engine(parsed, connect_args={"check_same_thread": False}, poolclass=StaticPool) if in_memory else create_engine(parsed)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise InputError(f"the read model's URL is none; {_EXPECTED}") from None
    if backend == POSTGRES and "+" not in parsed.drivername:
        parsed = parsed.set(drivername=f"{POSTGRES}+psycopg")
    if parsed.drivername not in {SQLITE, f"{SQLITE}+pysqlite", f"{POSTGRES}+psycopg"}:
        raise InputError(f"a read model on {parsed.drivername} is not supported; {_EXPECTED}")
    return parsed


def _open_postgres(url: URL) -> Engine:
    """A connection that died in the pool, as after a restart of the server, is noticed before it is used."""
    try:
        # A commit waits for the server's disk: what is committed is not kept here any more.
        connect_args = {"connect_timeout": _CONNECT_TIMEOUT_S, "options": "-c synchronous_commit=on"}
        return create_engine(url, paramstyle="format", pool_pre_ping=True, connect_args=connect_args)
    except ModuleNotFoundError as error:
        raise InputError(f"a read model on PostgreSQL needs the package {error.name}: pip install 'parkex[postgres]'") from None


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """A power failure may cost the last transactions, never their order: what is missing comes again from the journal."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}").close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries all see the database as of the first one."""
    with engine.connect() as connection:
        if engine.dialect.name == POSTGRES:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        else:
            connection.exec_driver_sql("BEGIN")
        yield connection


def open_cursor(connection: Connection, table: Table, *order: ColumnElement[Any]) -> Any:
    """The driver's cursor over all rows of a table, which come when they are fetched. They are tuples as the driver makes them: integers and texts
    need no conversion, and there are millions of them.
    """
    statement = str(select(table).order_by(*order).compile(connection))
    # PostgreSQL keeps the rows of a cursor with a name on its side.
    name = {"name": f"{table.name}_rows"} if connection.dialect.name == POSTGRES else {}
    cursor = connection.connection.cursor(**name)
    cursor.execute(statement)
    return cursor


def copy_rows(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Rows in column order to PostgreSQL in one stream, at a fraction of what inserts cost. Raises DBAPIError as other statements do."""
    preparer = connection.dialect.identifier_preparer
    columns = ", ".join(preparer.quote(column.name) for column in table.columns)
    statement = f"COPY {preparer.format_table(table)} ({columns}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise OperationalError(statement, None, error) from error
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError(statement, None, error) from error


def is_missing_file(engine: Engine) -> bool:
    """Whether a connection would make an empty file."""
    database = engine.url.database
    return engine.dialect.name == SQLITE and bool(database) and database != ":memory:" and not Path(str(database)).exists()


def unusable(engine: Engine, error: DBAPIError) -> InputError:
    """A database that cannot be used, as an error for people."""
    words = " ".join(str(error.orig).split())
    return InputError(f"the read model at {engine.url.render_as_string(hide_password=True)} cannot be used: {words}")
