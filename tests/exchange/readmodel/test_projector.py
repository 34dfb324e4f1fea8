"""The projector: each event lands exactly once, however batches come, and the tables agree with the fold."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, func, select

from exchange.errors import CheckFailedError, InputError
from exchange.journal.memory import MemoryJournal
from exchange.journal.record import CommandKind
from exchange.ledger.chart import House
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind
from exchange.readmodel import tables
from exchange.readmodel.follower import catch_up
from exchange.readmodel.projector import Projector, drop_read_model
from tests.exchange.order_path.block_market import walk_blocks
from tests.exchange.order_path.park import GENESIS
from tests.exchange.readmodel.market import DAY, Market, Recorder, cut_again, market_day

GENESIS_HASH = "ab" * 32

@pytest.fixture(scope="module")
def market() -> Market:
    return market_day()


@pytest.fixture
def projector(market: Market, database_url: str) -> Iterator[Projector]:
    projector = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    yield projector
    projector.close()


def dump(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables in a fixed order, but for what depends on how batches were cut."""
    with engine.connect() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(select(table))) for name, table in tables.metadata.tables.items() if name != "meta"
        }


def fill(projector: Projector, market: Market) -> None:
    for batch in market.batches:
        assert projector.apply(batch)


def test_every_table_has_rows_after_a_day(projector: Projector, market: Market) -> None:
    fill(projector, market)
    assert [name for name, rows in dump(projector.engine).items() if not rows] == []
    assert projector.last_sequence == market.exchange.last_sequence
    assert projector.watermark().sequence == market.exchange.last_sequence


def test_executions_and_postings_are_those_of_the_fold(projector: Projector, market: Market) -> None:
    fill(projector, market)
    rows = dump(projector.engine)
    for table, arrays in (("executions", [b.executions for b in market.batches]), ("postings", [b.postings for b in market.batches])):
        names = [column.name for column in tables.metadata.tables[table].columns if column.name in arrays[0].dtype.names]
        expected = [tuple(v.decode() if isinstance(v, bytes) else v for v in row) for array in arrays for row in array[names].tolist()]
        assert [row[: len(names)] for row in rows[table]] == sorted(expected)


def test_postings_have_the_time_of_their_command(projector: Projector, market: Market) -> None:
    fill(projector, market)
    stamps = {batch.first_sequence + i: int(ns) for batch in market.batches for i, ns in enumerate(batch.records["stamp_ns"].tolist())}
    p = tables.postings.c
    with projector.engine.connect() as connection:
        rows = connection.execute(select(p.sequence, p.stamp_ns)).all()
    assert rows
    assert all(row.stamp_ns == stamps[row.sequence] for row in rows)


def test_orders_agree_with_the_book_before_and_after_the_gate(database_url: str, market: Market) -> None:
    """The open orders of the table are those of the fold, with the same numbers, after each part of the day."""
    exchange = Exchange(GENESIS)
    projector = Projector.open(database_url, GENESIS_HASH, exchange.settlement)
    o = tables.orders.c
    n_seen = 0
    for number, (records, documents) in enumerate(market.park.log):
        projector.apply(exchange.apply(records, documents, exchange.last_sequence + 1))
        if number % 23 and number < len(market.park.log) - 5:
            continue
        with projector.engine.connect() as connection:
            found = connection.execute(
                select(o.order_id, o.client_order_id, o.side, o.price_ticks, o.remaining_lots, o.filled_lots, o.revision, o.original_lots)
                .where(o.status == "open")
                .order_by(o.order_id)
            ).all()
        expected = [order for account in market.accounts for order in exchange.open_orders(account)]
        n_seen += len(expected)
        assert [tuple(row) for row in found] == sorted(
            (e.order_id, e.client_order_id, int(e.side), e.price_ticks, e.remaining_lots, e.filled_lots, e.revision, e.original_lots)
            for e in expected
        )
    assert n_seen > 100
    projector.close()


def test_legs_of_baskets_and_orders_of_blocks_are_orders_like_others(database_url: str) -> None:
    market = walk_blocks(200, seed=1)
    exchange = Exchange(GENESIS)
    projector = Projector.open(database_url, GENESIS_HASH, exchange.settlement)
    for records, documents in market.log:
        projector.apply(exchange.apply(records, documents, exchange.last_sequence + 1))
    legs = [row for records, _ in market.log for row in records if row["kind"] == CommandKind.BASKET]
    o, t = tables.orders.c, tables.trades.c
    with projector.engine.connect() as connection:
        found = connection.execute(select(o.order_id, o.remaining_lots, o.filled_lots).where(o.status == "open").order_by(o.order_id)).all()
        ids = [row["client_order_id"].decode() for row in legs]
        of_legs = connection.execute(select(o.status, o.original_lots, o.filled_lots).where(o.client_order_id.in_(ids))).all()
        sides = ((t.buy_order_id, 0), (t.sell_order_id, 1))
        traded = [dict(connection.execute(select(order, func.sum(t.quantity_lots)).group_by(order)).all()) for order, _ in sides]
        filled = [dict(connection.execute(select(o.order_id, o.filled_lots).where(o.filled_lots > 0, o.side == side)).all()) for _, side in sides]
    expected = [order for member in market.members for order in exchange.open_orders(member)]
    assert [tuple(row) for row in found] == sorted((e.order_id, e.remaining_lots, e.filled_lots) for e in expected)
    assert len(of_legs) > 5
    assert all(row.status == "filled" and row.original_lots == row.filled_lots for row in of_legs)
    assert traded == filled
    projector.close()


def test_fills_of_orders_add_up_to_the_trades(projector: Projector, market: Market) -> None:
    fill(projector, market)
    o, t = tables.orders.c, tables.trades.c
    with projector.engine.connect() as connection:
        filled = dict(connection.execute(select(o.order_id, o.filled_lots).where(o.filled_lots > 0)).all())
        bought = dict(connection.execute(select(t.buy_order_id, func.sum(t.quantity_lots)).group_by(t.buy_order_id)).all())
        sold = dict(connection.execute(select(t.sell_order_id, func.sum(t.quantity_lots)).group_by(t.sell_order_id)).all())
        n_trades = connection.execute(select(func.count()).select_from(tables.trades)).scalar_one()
        buyers = dict(connection.execute(select(o.order_id, o.account).where(o.side == 0)).all())
        assert all(buyers[row.buy_order_id] == row.buyer for row in connection.execute(select(t.buy_order_id, t.buyer)))
        statuses = set(connection.execute(select(o.status)).scalars())
    assert filled == bought | sold
    assert n_trades == sum(int((b.executions["kind"] == int(ExecutionKind.TRADE)).sum()) for b in market.batches) > 20
    assert statuses == {"open", "filled", "cancelled"}


def test_balances_are_the_sum_of_the_postings(projector: Projector, market: Market) -> None:
    fill(projector, market)
    p = tables.postings.c
    with projector.engine.connect() as connection:
        paid = dict(connection.execute(select(p.debit, func.sum(p.amount)).where(p.asset == 0).group_by(p.debit)).all())
        received = dict(connection.execute(select(p.credit, func.sum(p.amount)).where(p.asset == 0).group_by(p.credit)).all())
    for account in (*House, *market.accounts):
        assert market.exchange.balances(account).balance_micro == received.get(int(account), 0) - paid.get(int(account), 0)


def test_batches_that_come_again_change_nothing(projector: Projector, market: Market) -> None:
    fill(projector, market)
    whole = dump(projector.engine)
    assert not any(projector.apply(batch) for batch in market.batches)
    for seed in range(3):
        _, batches = cut_again(market, seed)
        assert projector.apply_all([(batch, "") for batch in batches]) == 0
    assert dump(projector.engine) == whole


@pytest.mark.parametrize("seed", range(2))
def test_rows_do_not_depend_on_how_commands_are_cut(projector: Projector, market: Market, seed: int) -> None:
    """Some single, some together, some of them twice and cut in another way."""
    fill(projector, market)
    exchange, batches = cut_again(market, seed)
    _, other_batches = cut_again(market, seed + 100)
    other = Projector.open("sqlite://", GENESIS_HASH, exchange.settlement)
    half = len(batches) // 2
    other.apply_all([(batch, "") for batch in batches[:half]])
    overlapping = [batch for batch in other_batches if batch.last_sequence > other.last_sequence]
    assert overlapping[0].first_sequence <= other.last_sequence + 1
    for batch in overlapping:
        assert other.apply(batch)
    assert dump(other.engine) == dump(projector.engine)
    other.close()


def test_a_gap_is_refused(projector: Projector, market: Market) -> None:
    projector.apply(market.batches[0])
    with pytest.raises(InputError, match="expected command 2, got 3"):
        projector.apply(market.batches[2])
    assert projector.apply(market.batches[1])


def test_a_batch_that_fails_leaves_nothing_of_itself(database_url: str, market: Market) -> None:
    projector = Projector.open(database_url, GENESIS_HASH, lambda _day, _run: None)
    with pytest.raises(CheckFailedError, match=f"day {DAY} was settled"):
        fill(projector, market)
    left = dump(projector.engine)
    assert left["statements"] == []
    assert max(row[0] for row in left["postings"]) <= projector.last_sequence
    projector._find_settlement = market.exchange.settlement
    assert projector.apply_all([(batch, "") for batch in market.batches]) == market.exchange.last_sequence - left_at(projector, left)
    assert len(dump(projector.engine)["statements"]) == len(market.exchange.settlement(DAY).statements)
    projector.close()


def left_at(projector: Projector, left: dict[str, list[tuple[object, ...]]]) -> int:
    """Where the first failure stopped: the command before the settlement."""
    del left
    with projector.engine.connect() as connection:
        settled = connection.execute(select(func.max(tables.statements.c.sequence))).scalar_one()
    return int(settled) - 1


def test_a_read_model_is_opened_again_where_it_stopped(database_url: str, market: Market) -> None:
    first = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    for batch in market.batches[:10]:
        first.apply(batch, "cd" * 32)
    first.close()
    again = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    assert (again.last_sequence, again.chain_hash, again.watermark().chain_hash) == (10, "cd" * 32, "cd" * 32)
    fill(again, replace(market, park=_from(market, 10)))
    assert again.last_sequence == market.exchange.last_sequence
    again.close()


def _from(market: Market, start: int):
    class Rest:
        exchange = market.exchange
        batches = market.batches[start:]

    return Rest()


def test_two_writers_are_noticed(database_url: str, market: Market) -> None:
    one = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    other = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    one.apply(market.batches[0])
    with pytest.raises(CheckFailedError, match="another process"):
        other.apply(market.batches[0])
    one.close()
    other.close()


def test_another_journal_or_version_is_refused_and_can_be_dropped(database_url: str, market: Market) -> None:
    projector = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    fill(projector, market)
    with pytest.raises(InputError, match="another journal"):
        Projector.open(database_url, "00" * 32, market.exchange.settlement)
    with projector.engine.begin() as connection:
        connection.execute(tables.meta.update().values(schema_version=99))
    with pytest.raises(InputError, match="schema version 99"):
        Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    projector.close()
    drop_read_model(database_url)
    fresh = Projector.open(database_url, "00" * 32, market.exchange.settlement)
    assert fresh.last_sequence == 0
    fresh.close()


def test_a_read_model_of_an_earlier_version_is_filled_again_by_who_has_the_whole_journal(database_url: str, market: Market) -> None:
    projector = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    fill(projector, market)
    whole = dump(projector.engine)
    with projector.engine.begin() as connection:
        connection.execute(tables.meta.update().values(schema_version=tables.SCHEMA_VERSION - 1))
        connection.exec_driver_sql("ALTER TABLE postings DROP COLUMN stamp_ns")
    projector.close()
    with pytest.raises(InputError, match="schema version 3, this program writes 4: drop it"):
        Projector.open(database_url, GENESIS_HASH, market.exchange.settlement)
    with pytest.raises(InputError, match="schema version 3"):  # nobody fills another exchange's read model
        Projector.open(database_url, "00" * 32, market.exchange.settlement, may_rebuild=True)
    again = Projector.open(database_url, GENESIS_HASH, market.exchange.settlement, may_rebuild=True)
    assert again.last_sequence == 0
    fill(again, market)
    assert dump(again.engine) == whole
    with again.engine.begin() as connection:
        connection.execute(tables.meta.update().values(schema_version=tables.SCHEMA_VERSION + 1))
    again.close()
    with pytest.raises(InputError, match="schema version 5"):  # of a later program: nothing of it is dropped
        Projector.open(database_url, GENESIS_HASH, market.exchange.settlement, may_rebuild=True)


def test_dropped_and_rebuilt_from_the_journal_it_is_the_same(projector: Projector, market: Market) -> None:
    journal = MemoryJournal(GENESIS)
    for records, documents in market.park.log:
        journal.append(records, documents)
    fill(projector, market)
    whole = dump(projector.engine)
    projector.drop()
    assert projector.last_sequence == 0
    exchange = Exchange(GENESIS)
    projector._find_settlement = exchange.settlement
    assert catch_up(projector, exchange, journal.groups()) == market.exchange.last_sequence
    assert dump(projector.engine) == whole
    assert projector.watermark().chain_hash == journal.chain_hash
    assert catch_up(projector, Exchange(GENESIS), journal.groups()) == 0


def test_a_name_with_a_nul_is_stored_with_its_picture(database_url: str) -> None:
    """PostgreSQL takes every character but this one, and a member's name may hold it."""
    park = Recorder()
    park.admit("E\0 园", "enterprise", [], 0, 0, 0)
    projector = Projector.open(database_url, GENESIS_HASH, park.exchange.settlement)
    projector.apply_all([(batch, "") for batch in park.batches])
    assert [row[1] for row in dump(projector.engine)["participants"]] == ["E\u2400 园"]
    projector.close()
