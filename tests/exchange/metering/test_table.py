"""The table against a plain dictionary that folds the same documents."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.metering.table import MeterTable
from exchange.protocol.documents import MeterReadings
from exchange.units import PERIOD_NS

ACCOUNTS = (32, 33, 34, 40)
STARTS = [i * PERIOD_NS for i in range(4)]
STAMP_NS = 10 * PERIOD_NS

energies = st.integers(0, 10**6)
keys = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(STARTS))
member_rows = st.dictionaries(keys, st.tuples(energies, energies, st.integers(-1, 100)), max_size=10)
grid_rows = st.dictionaries(st.sampled_from(STARTS), st.tuples(energies, energies, energies), max_size=4)
documents = st.tuples(st.integers(0, 4), member_rows, grid_rows)


def document_of(revision: int, members: dict, grid: dict) -> MeterReadings:
    return MeterReadings(
        revision=revision,
        accounts=[account for account, _ in members],
        period_starts_ns=[start for _, start in members],
        consumption_wh=[row[0] for row in members.values()],
        generation_wh=[row[1] for row in members.values()],
        soc_wh=[row[2] for row in members.values()],
        grid_starts_ns=list(grid),
        grid_import_wh=[row[0] for row in grid.values()],
        grid_export_wh=[row[1] for row in grid.values()],
        losses_wh=[row[2] for row in grid.values()],
    )


class PlainTable:
    """The same rules by dictionary: latest higher revision wins, a document is whole or nothing."""

    def __init__(self) -> None:
        self.members: dict = {}
        self.grid: dict = {}

    def apply(self, revision: int, members: dict, grid: dict) -> bool:
        clash = any(self.members.get(k, (-1,))[0] >= revision for k in members) or any(self.grid.get(k, (-1,))[0] >= revision for k in grid)
        if clash or not (members or grid):
            return False
        self.members |= {k: (revision, k in self.members, row) for k, row in members.items()}
        self.grid |= {k: (revision, k in self.grid, row) for k, row in grid.items()}
        return True


@given(st.lists(documents, max_size=8))
def test_the_table_is_the_fold_of_its_documents(stream: list) -> None:
    table, plain = MeterTable(), PlainTable()
    for revision, members, grid in stream:
        taken = table.apply(document_of(revision, members, grid), ACCOUNTS, STAMP_NS) is None
        assert taken == plain.apply(revision, members, grid)
    day = table.read(ACCOUNTS, STARTS)
    for row, account in enumerate(ACCOUNTS):
        for column, start in enumerate(STARTS):
            revision, replaced, values = plain.members.get((account, start), (None, False, (0, 0, -1)))
            assert day.metered[row, column] == (revision is not None)
            assert day.replaced[row, column] == replaced
            assert (day.consumption_wh[row, column], day.generation_wh[row, column], day.soc_wh[row, column]) == values
    for column, start in enumerate(STARTS):
        assert day.grid_metered[column] == (start in plain.grid)
        values = plain.grid.get(start, (None, None, (0, 0, 0)))[2]
        assert (day.grid_import_wh[column], day.grid_export_wh[column], day.losses_wh[column]) == values
        consumption, generation, reading = table.park_energy_wh(start)
        assert consumption == sum(v[2][0] for k, v in plain.members.items() if k[1] == start)
        assert generation == sum(v[2][1] for k, v in plain.members.items() if k[1] == start)
        assert (reading is not None) == (start in plain.grid)
    assert table.metered_accounts() == {account for account, _ in plain.members}
    assert table.period_starts_ns() == sorted({start for _, start in plain.members} | plain.grid.keys())


@given(st.lists(documents, max_size=6), documents)
def test_a_restored_table_goes_on_as_the_uninterrupted_one(stream: list, last: tuple) -> None:
    table = MeterTable()
    for revision, members, grid in stream:
        table.apply(document_of(revision, members, grid), ACCOUNTS, STAMP_NS)
    table.mark_settled(STARTS[:1])
    content = msgspec.msgpack.decode(msgspec.msgpack.encode(table.to_canonical()))
    restored = MeterTable.from_canonical(content)
    assert restored.to_canonical() == table.to_canonical()
    assert restored.metered_accounts() == table.metered_accounts()
    assert table.apply(document_of(*last), ACCOUNTS, STAMP_NS) == restored.apply(document_of(*last), ACCOUNTS, STAMP_NS)
    assert restored.to_canonical() == table.to_canonical()


@given(member_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_cut_into_documents_leave_no_trace(members: dict, random) -> None:
    whole, parts = MeterTable(), MeterTable()
    whole.apply(document_of(1, members, {}), ACCOUNTS, STAMP_NS)
    shuffled = list(members.items())
    random.shuffle(shuffled)
    for key, row in shuffled:
        parts.apply(document_of(1, {key: row}, {}), ACCOUNTS, STAMP_NS)
    assert whole.to_canonical() == parts.to_canonical()


def test_every_kind_of_content_is_in_the_canonical_form() -> None:
    table = MeterTable()
    table.apply(document_of(1, {(32, 0): (1, 2, 3)}, {0: (4, 5, 6)}), ACCOUNTS, STAMP_NS)
    seen = [table.to_canonical()]
    table.apply(document_of(2, {(32, 0): (1, 2, 3)}, {}), ACCOUNTS, STAMP_NS)
    seen.append(table.to_canonical())
    table.apply(document_of(2, {}, {0: (4, 5, 6)}), ACCOUNTS, STAMP_NS)
    seen.append(table.to_canonical())
    table.mark_settled([0])
    seen.append(table.to_canonical())
    assert len({msgspec.msgpack.encode(content) for content in seen}) == len(seen)


def test_another_version_is_refused() -> None:
    with pytest.raises(InputError):
        MeterTable.from_canonical({**MeterTable().to_canonical(), "version": 2})


def test_reading_an_unknown_day_is_empty() -> None:
    day = MeterTable().read(ACCOUNTS, STARTS)
    assert not day.metered.any()
    assert not day.grid_metered.any()
    assert np.all(day.soc_wh == -1)
