"""Two orders of rows side by side, in slices of two: whether they hold is what two dictionaries say, whatever the order was."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine

from exchange.errors import CheckFailedError
from exchange.maintenance import stored_table
from exchange.maintenance.stored_table import StoredTable
from exchange.readmodel import tables

Rows = dict[tuple[int, int, int], tuple[int, ...]]  # of `readings`, by account, period and revision


@pytest.fixture(scope="module", autouse=True)
def slices_of_two() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stored_table, "SLICE", 2)
        yield


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    tables.readings.create(engine)
    yield engine
    engine.dispose()


def write(connection: Connection, rows: list[tuple[int, ...]]) -> None:
    connection.execute(tables.readings.delete())
    if rows:
        connection.exec_driver_sql("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def compare(connection: Connection, calls: list[list[tuple[int, ...]]], *, in_key_order: bool) -> int:
    table = StoredTable(connection, tables.readings, in_key_order=in_key_order)
    for rows in calls:
        table.compare(rows)
    return table.conclude()


def cut(rows: list[tuple[int, ...]], rng: random.Random) -> list[list[tuple[int, ...]]]:
    """The rows in calls of one to five."""
    calls = []
    while rows:
        n = rng.randint(1, 5)
        calls.append(rows[:n])
        rows = rows[n:]
    return calls


keys = st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))
contents = st.dictionaries(keys, st.tuples(*[st.integers(0, 1)] * 4), max_size=14)


@given(expected=contents, change=contents, missing=st.sets(keys, max_size=2), seed=st.integers(0, 2**16), in_key_order=st.booleans())
def test_it_holds_exactly_where_two_dictionaries_are_equal(
    engine: Engine, expected: Rows, change: Rows, missing: set[tuple[int, int, int]], seed: int, in_key_order: bool
) -> None:
    rng = random.Random(seed)
    stored = {key: row for key, row in (expected | (change if rng.random() < 0.6 else {})).items() if key not in missing}
    wanted = [(*key, *row) for key, row in (sorted(expected.items()) if in_key_order else expected.items())]
    written = [(*key, *row) for key, row in stored.items()]
    if rng.random() < 0.5:
        rng.shuffle(written)
    with engine.begin() as connection:
        write(connection, written)
        if stored == expected:
            assert compare(connection, cut(wanted, rng), in_key_order=in_key_order) == len(stored)
            return
        with pytest.raises(CheckFailedError) as raised:
            compare(connection, cut(wanted, rng), in_key_order=in_key_order)
    differing = {key for key in expected.keys() | stored.keys() if expected.get(key) != stored.get(key)}
    named = {key for key in differing if f"readings row {', '.join(map(str, key))}" in str(raised.value)}
    assert len(named) == 1
    assert named == {min(differing)} or not in_key_order


NAMED = [
    ({(1, 0, 1): (5, 0, 0, 9)}, "says consumption_wh 5 in readings row 1, 0, 1, the journal gives 4"),
    ({(1, 0, 1): None}, "lacks readings row 1, 0, 1"),
    ({(1, 0, 2): (0, 0, 0, 9)}, "has a readings row 1, 0, 2 that the journal does not give"),
    ({(9, 9, 9): (0, 0, 0, 9)}, "has a readings row 9, 9, 9 that the journal does not give"),
    ({(3, 0, 1): None}, "lacks readings row 3, 0, 1"),
]


@pytest.mark.parametrize("in_key_order", [True, False])
@pytest.mark.parametrize(("change", "words"), NAMED, ids=[row[1] for row in NAMED])
def test_what_differs_is_named(engine: Engine, change: dict[tuple[int, ...], tuple[int, ...] | None], words: str, in_key_order: bool) -> None:
    expected: dict[tuple[int, ...], tuple[int, ...]] = {(account, 0, 1): (4, 0, 0, 9) for account in (1, 2, 3)}
    stored = {key: row for key, row in (expected | change).items() if row is not None}
    with engine.begin() as connection:
        write(connection, [(*key, *row) for key, row in stored.items()])
        with pytest.raises(CheckFailedError, match=words):
            compare(connection, [[(*key, *row) for key, row in expected.items()]], in_key_order=in_key_order)


def test_in_the_order_of_keys_the_first_difference_is_raised_at_once(engine: Engine) -> None:
    expected = [(account, 0, 1, 4, 0, 0, 9) for account in (1, 2, 3, 4)]
    with engine.begin() as connection:
        write(connection, [(2, 0, 1, 5, 0, 0, 9), *expected[2:]])
        table = StoredTable(connection, tables.readings, in_key_order=True)
        with pytest.raises(CheckFailedError, match="lacks readings row 1, 0, 1"):
            table.compare(expected[:2])


def test_of_rows_in_one_order_nothing_is_kept(engine: Engine) -> None:
    rows = [(account, 0, 1, 4, 0, 0, 9) for account in range(9, 0, -1)]
    with engine.begin() as connection:
        write(connection, rows)
        table = StoredTable(connection, tables.readings, in_key_order=False)
        table.compare(rows[:5])
        assert not table._awaited
        table.compare(rows[6:])
        assert len(table._awaited) == 3
        table.compare(rows[5:6])
        assert table.conclude() == 9
