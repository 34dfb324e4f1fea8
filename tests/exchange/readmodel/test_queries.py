"""What the gateway asks: trades as the wire shows them, private events by sequence, statements, all as of one command."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from sqlalchemy import Connection

from exchange.order_path.records import ExecutionKind
from exchange.readmodel import queries, tables
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from matching.records import Reason
from tests.exchange.readmodel.market import DAY, Market, market_day
from tests.exchange.readmodel.test_projector import GENESIS_HASH


@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture(scope="module")
def model(market: Market, shared_database_url: str) -> Iterator[ReadModel]:
    projector = Projector.open(shared_database_url, GENESIS_HASH, market.exchange.settlement)
    projector.apply_all([(batch, "") for batch in market.batches])
    projector.close()
    model = ReadModel.open(shared_database_url)
    yield model
    model.close()


def fold_trades(market: Market) -> list[tuple]:
    return [row for b in market.batches for row in b.executions if row["kind"] == ExecutionKind.TRADE]


def _taker_side(row: np.void) -> str:
    """An auction has no taker."""
    return "" if row["reason"] == Reason.AUCTION else "sell" if row["side"] else "buy"


def test_trades_newest_first(model: ReadModel, market: Market) -> None:
    as_of, rows = model.trades(limit=1_000)
    assert as_of == market.exchange.last_sequence
    expected = [(int(r["trade_number"]), int(r["stamp_ns"]), _taker_side(r)) for r in reversed(fold_trades(market))]
    assert [(row["number"], row["at_ns"], row["side"]) for row in rows] == expected
    assert set(rows[0]) == {"instrument", "number", "price", "quantity", "side", "at_ns", "mode"}
    assert [(row["number"], row["price"]) for row in rows if row["mode"] == "auction"] == [(1, "0.4008")]


def test_trades_of_one_instrument_in_its_decimals(model: ReadModel, market: Market) -> None:
    trades = [r for r in fold_trades(market) if r["instrument"] == market.power]
    _, rows = model.trades("GP-20260715-1000", limit=5)
    assert len(rows) == 5
    assert rows[0]["number"] == trades[-1]["trade_number"] == len(trades)
    assert rows[0]["price"] == f"0.{int(trades[-1]['price_ticks']):04d}"
    assert rows[0]["quantity"] == f"{int(trades[-1]['quantity_lots']) // 10}.{int(trades[-1]['quantity_lots']) % 10}"
    assert {row["instrument"] for row in rows} == {"GP-20260715-1000"}
    assert model.trades("NONE")[1] == []


def test_private_events_have_no_gaps(model: ReadModel, market: Market) -> None:
    for account in market.accounts:
        last = market.exchange.execution_seq(account)
        _, rows = model.executions(account, limit=10_000)
        assert [row["private_seq"] for row in rows] == list(range(1, last + 1))
        _, rows = model.executions(account, from_seq=last - 3, limit=2)
        assert [row["private_seq"] for row in rows] == [last - 3, last - 2]


def test_orders_and_postings_of_an_account(model: ReadModel, market: Market) -> None:
    account = market.accounts[0]
    _, orders = model.orders(account, limit=3)
    assert [row["account"] for row in orders] == [account] * 3
    assert orders[0]["order_id"] > orders[1]["order_id"] > orders[2]["order_id"]
    _, postings = model.postings(account, limit=10_000)
    money = sum(row["amount"] * (1 if row["credit"] == account else -1) for row in postings if row["asset"] == 0)
    assert money == market.exchange.balances(account).balance_micro


def test_statement_is_that_of_the_fold(model: ReadModel, market: Market) -> None:
    for account in market.accounts:
        statement = market.exchange.statement(account, DAY)
        as_of, row = model.statement(account, DAY)
        assert as_of == market.exchange.last_sequence
        assert row is not None
        assert statement is not None
        assert (row["total_micro"], row["name"], row["claim_micro"]) == (statement.total_micro, statement.name, statement.claim_micro)
        assert [(line["item"], line["status"], line["energy_wh"], line["amount_micro"]) for line in row["lines"]] == [
            (str(line.item), str(line.status), line.energy_wh, line.amount_micro) for line in statement.lines
        ]
    assert model.statement(market.accounts[0], "2020-01-01")[1] is None


def test_a_settled_instrument_is_still_found(model: ReadModel) -> None:
    _, row = model.instrument("GP-20260715-1000")
    assert row is not None
    assert row["phase"] == "settled"
    assert row["specification"]["deficit_price_ticks"] == 6_500
    assert model.instrument("NONE")[1] is None


def test_nothing_of_a_command_behind_the_answer_is_shown(database_url: str, market: Market) -> None:
    """Rows that a transaction adds between the two reads of an answer stay out of it."""
    projector = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    projector.apply_all([(batch, "") for batch in market.batches])
    reader = ReadModel(projector.engine)
    n_all = len(reader.trades(limit=1_000)[1])
    last = max(int(r["sequence"]) for r in fold_trades(market))
    with projector.engine.begin() as connection:
        connection.execute(tables.meta.update().values(last_sequence=last - 1))
    as_of, rows = reader.trades(limit=1_000)
    assert as_of == last - 1
    assert len(rows) < n_all
    projector.close()


def test_all_of_an_answer_is_of_one_state(database_url: str, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """The projector commits between the two reads of an answer: rows that change, as those of orders, are of the first read too."""
    projector = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    reader = ReadModel.open(database_url)
    batches = iter(market.batches)
    as_of = queries._as_of

    def overtaken(connection: Connection) -> int:
        last = as_of(connection)
        projector.apply_all([(batch, "") for batch in islice(batches, 8)])
        return last

    monkeypatch.setattr(queries, "_as_of", overtaken)
    n_rows = 0
    while projector.last_sequence < market.exchange.last_sequence:
        for account in market.accounts:
            last, rows = reader.orders(account)
            n_rows += len(rows)
            assert all(row["last_sequence"] <= last for row in rows)
        last, row = reader.statement(market.accounts[0], DAY)
        assert row is None or row["sequence"] <= last
    assert n_rows > 100
    reader.close()
    projector.close()
