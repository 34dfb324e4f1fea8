"""The read model against the journal: whatever is changed, taken away or added, in any table and column, is found and named."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Text, select

from exchange.errors import CheckFailedError
from exchange.maintenance.stored_rows import StoredRows
from exchange.readmodel import tables
from exchange.readmodel.engine import open_engine
from exchange.readmodel.projector import Projector
from tests.exchange.readmodel.market import Market, cut_again, market_day

TABLES = [table for table in tables.metadata.sorted_tables if table is not tables.meta]
COLUMNS = [(table.name, column.name) for table in TABLES for column in table.columns]


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture(scope="module")
def filled(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "model.sqlite"
    fill(market, f"sqlite:///{path}")
    return path


@pytest.fixture
def url(filled: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(filled, tmp_path / 'model.sqlite')}"


def fill(market: Market, url: str) -> None:
    projector = Projector.open(url, "ab" * 32, market.exchange.settlement)
    projector.apply_all([(batch, "") for batch in market.batches])
    projector.close()


def compare(market: Market, url: str, seed: int | None = None) -> int:
    exchange, batches = (market.exchange, market.batches) if seed is None else cut_again(market, seed)
    with StoredRows(url) as stored:
        stored.begin(exchange.settlement)
        for batch in batches:
            stored.see(batch)
        return stored.conclude()


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_read_model_that_was_written_holds_however_commands_are_cut(market: Market, database_url: str, seed: int | None) -> None:
    fill(market, database_url)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        found = sum(len(connection.execute(select(table)).all()) for table in TABLES)
    engine.dispose()
    assert compare(market, database_url, seed) == found > 500


def other_value(column: Column[Any], value: Any) -> Any:
    return f"{value}x" if isinstance(column.type, Text) else 10**12 if value is None else int(value) + 10**12


@pytest.mark.parametrize(("table_name", "column_name"), COLUMNS)
def test_a_changed_value_is_found(market: Market, url: str, table_name: str, column_name: str) -> None:
    table = tables.metadata.tables[table_name]
    column = table.c[column_name]
    engine = open_engine(url)
    with engine.begin() as connection:
        row = connection.execute(select(table).order_by(*table.primary_key.columns).offset(1)).first() or connection.execute(select(table)).first()
        assert row is not None
        here = [key == row._mapping[key.name] for key in table.primary_key.columns]
        connection.execute(table.update().where(*here).values({column_name: other_value(column, row._mapping[column_name])}))
    engine.dispose()
    with pytest.raises(CheckFailedError, match=table_name):
        compare(market, url)


@pytest.mark.parametrize("table_name", [table.name for table in TABLES])
def test_a_row_that_is_gone_or_too_many_is_found(market: Market, url: str, table_name: str) -> None:
    table = tables.metadata.tables[table_name]
    engine = open_engine(url)
    with engine.begin() as connection:
        row = connection.execute(select(table)).first()
        assert row is not None
        connection.execute(table.delete().where(*[key == row._mapping[key.name] for key in table.primary_key.columns]))
    with pytest.raises(CheckFailedError, match=table_name):
        compare(market, url)
    with engine.begin() as connection:
        connection.execute(table.insert().values(row._mapping))
    assert compare(market, url)
    key = list(table.primary_key.columns)[-1]
    values = dict(row._mapping) | {key.name: other_value(key, row._mapping[key.name])}
    if "symbol" in table.c and table_name == "instruments":
        values["symbol"] = "another"
    with engine.begin() as connection:
        connection.execute(table.insert().values(values))
    engine.dispose()
    with pytest.raises(CheckFailedError, match=table_name):
        compare(market, url)


def test_the_first_difference_is_named_with_both_values(market: Market, database_url: str) -> None:
    fill(market, database_url)
    engine = open_engine(database_url)
    with engine.begin() as connection:
        sequence = connection.execute(select(tables.trades.c.sequence)).scalars().first()
        price = connection.execute(select(tables.trades.c.price_ticks).where(tables.trades.c.sequence == sequence)).scalars().first()
        connection.execute(tables.trades.update().where(tables.trades.c.sequence == sequence).values(price_ticks=1))
    engine.dispose()
    with pytest.raises(CheckFailedError, match=rf"says price_ticks 1 in trades row {sequence}, \d+, the journal gives {price}"):
        compare(market, database_url)
