"""Readings by device against a plain dictionary that folds the same documents, rule by rule, and as of every command."""

import random as random_module
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.metering.device_readings import DeviceRule, Taken, limit_wh
from exchange.metering.device_store import DeviceStore
from exchange.metering.generation import device_generation_wh, is_metered
from exchange.metering.months import ClosedMonth, Months
from exchange.metering.validation import MeterProblem, MeterRule
from exchange.protocol.documents import MeterReadings
from exchange.protocol.value_chain.metering import CorrectReadings, RegisterDevice
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.metering.device_world import (
    ACCOUNT,
    HEAT,
    LOAD,
    OTHER_ACCOUNT,
    PV,
    SECOND_LOAD,
    START_NS,
    STORAGE,
    Reader,
    pairs,
    readings_of,
    run_of,
)

BLOCK_END_NS = (START_NS // (32 * NS_PER_DAY) + 1) * 32 * NS_PER_DAY
# On both sides of the end of a block, so that documents cross it.
STARTS = [BLOCK_END_NS + i * PERIOD_NS for i in (-2, -1, 0, 1)]
VERSIONS = ("preliminary", "final")
keys = st.tuples(st.sampled_from([LOAD, PV, STORAGE, SECOND_LOAD]), st.sampled_from(STARTS))
rows = st.dictionaries(keys, st.tuples(st.integers(0, 3), st.just(0), st.integers(0, 2)), min_size=1, max_size=8)
documents = st.tuples(st.integers(0, 3), st.sampled_from(VERSIONS), rows)


class PlainTable:
    """Latest higher revision wins, what is there already is passed over, a document is whole or nothing."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[int, str, tuple[int, int, int]]] = {}

    def take(self, revision: int, version: str, new: dict) -> bool:
        changed = {}
        for key, row in new.items():
            old = self.cells.get(key)
            if old == (revision, version, row):
                continue
            if old is not None and (old[0] >= revision or VERSIONS.index(old[1]) > VERSIONS.index(version)):
                return False
            changed[key] = (revision, version, row)
        self.cells |= changed
        return True

    def sums(self, account_devices: list[int], start: int) -> tuple[bool, bool, int, int]:
        """(metered, substituted, consumption, generation) of an account in a period."""
        firsts = {d: min(s for (e, s) in self.cells if e == d) for d in account_devices if any(e == d for e, _ in self.cells)}
        there = {d: self.cells[d, start][2] for d in account_devices if (d, start) in self.cells}
        complete = bool(there) and all(d in there for d, first in firsts.items() if first <= start)
        return complete, any(row[2] for row in there.values()), sum(row[0] for row in there.values()), sum(row[1] for row in there.values())


@given(st.lists(documents, max_size=6))
def test_the_table_is_the_fold_of_its_documents_as_of_every_command(stream: list) -> None:
    reader, plain, known = Reader(), PlainTable(), []
    for revision, version, new in stream:
        taken = isinstance(reader.take(readings_of(new, revision, version)), Taken)
        assert taken == plain.take(revision, version, new)
        known.append((reader.sequence, dict(plain.cells)))
    for sequence, cells in [*known, (None, plain.cells)]:
        before = PlainTable()
        before.cells = cells
        day = reader.table.read([ACCOUNT, OTHER_ACCOUNT], STARTS, sequence)
        for row, devices in enumerate(([LOAD, PV], [STORAGE, SECOND_LOAD])):
            for column, start in enumerate(STARTS):
                seen = day.metered[row, column], day.replaced[row, column], day.consumption_wh[row, column], day.generation_wh[row, column]
                assert seen == before.sums(devices, start), (sequence, row, column)
    present = {start for _, start in plain.cells}
    assert set(reader.table.period_starts_ns()) == present


@given(st.lists(documents, max_size=5), documents)
def test_a_restored_store_goes_on_as_the_uninterrupted_one(stream: list, last: tuple) -> None:
    reader = Reader()
    for revision, version, new in stream:
        reader.take(readings_of(new, revision, version))
    store = reader.table.devices
    content = msgspec.msgpack.decode(msgspec.msgpack.encode(store.to_canonical()))
    other = Reader()
    other.sequence, other.table.devices = reader.sequence, DeviceStore.from_canonical(content)
    assert other.table.devices.to_hash() == store.to_hash()
    revision, version, new = last
    a, b = (r.take(readings_of(new, revision, version)) for r in (reader, other))
    assert isinstance(a, Taken) == isinstance(b, Taken)
    assert other.table.devices.to_canonical() == store.to_canonical()
    assert DeviceStore.from_canonical(store.to_canonical()).to_hash() == store.to_hash()  # no digest is one of before


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_cut_into_documents_give_the_same_readings(new: dict, random: random_module.Random) -> None:
    whole, parts = Reader(), Reader()
    whole.must(readings_of(new))
    shuffled = list(new.items())
    random.shuffle(shuffled)
    for key, row in shuffled:
        parts.must(readings_of({key: row}))
    for account in (ACCOUNT, OTHER_ACCOUNT):
        a, b = (reader.table.read([account], STARTS) for reader in (whole, parts))
        for name in ("consumption_wh", "generation_wh", "metered", "replaced"):
            assert (getattr(a, name) == getattr(b, name)).all()


def test_a_run_is_its_quarter_hours_in_a_row() -> None:
    reader = Reader()
    taken = reader.must(run_of(PV, BLOCK_END_NS - PERIOD_NS, [0, 0, 0], [5, 6, 7]))
    expected = {(PV, BLOCK_END_NS + i * PERIOD_NS): (0, 6 + i, 0) for i in (-1, 0, 1)}
    assert pairs(taken.rows) == expected


GOOD: dict[str, Any] = {
    "revision": 1, "devices": [LOAD, PV], "first_starts_ns": [START_NS, START_NS], "counts": [2, 2], "qualities": ["measured", "estimated"],
    "import_wh": [10, 11, 0, 1], "export_wh": [0, 0, 20, 21], "grid_starts_ns": [START_NS], "grid_import_wh": [5], "grid_export_wh": [0],
    "losses_wh": [1],
}  # fmt: skip
LIMIT = 4_000_000 * 11 // 40
EMPTY: dict[str, Any] = {name: [] for name in GOOD if name != "revision"}
RULE = DeviceRule
CASES = [
    (EMPTY, MeterProblem(RULE.DEVICE_DOCUMENT_EMPTY)),
    ({"counts": [2]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"counts": [2, 3]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"counts": [4, 0]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"counts": [5, -1]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"export_wh": [0, 0, 20]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"soc_devices": [STORAGE]}, MeterProblem(RULE.DEVICE_COLUMNS_DIFFER)),
    ({"losses_wh": []}, MeterProblem(MeterRule.METER_COLUMNS_DIFFER, grid=True)),
    ({"import_wh": [10, 2**63, 0, 1]}, MeterProblem(RULE.DEVICE_NUMBER_OUT_OF_RANGE)),
    ({"devices": [LOAD, 2**64 - 1]}, MeterProblem(RULE.DEVICE_NUMBER_OUT_OF_RANGE)),
    ({"revision": -1}, MeterProblem(RULE.DEVICE_REVISION_OUT_OF_RANGE)),
    ({"revision": 2**31}, MeterProblem(RULE.DEVICE_REVISION_OUT_OF_RANGE)),
    ({"version": "last"}, MeterProblem(RULE.DEVICE_VERSION_UNKNOWN)),
    ({"qualities": ["measured", "guessed"]}, MeterProblem(RULE.DEVICE_QUALITY_UNKNOWN)),
    ({"devices": [LOAD, 6]}, MeterProblem(RULE.DEVICE_UNKNOWN, 2)),
    ({"devices": [0, PV]}, MeterProblem(RULE.DEVICE_UNKNOWN, 0)),
    ({"first_starts_ns": [START_NS, START_NS + 1]}, MeterProblem(RULE.DEVICE_PERIOD_OFF_GRID, 2)),
    ({"first_starts_ns": [-PERIOD_NS, START_NS]}, MeterProblem(RULE.DEVICE_PERIOD_OFF_GRID, 0)),
    ({"first_starts_ns": [START_NS, START_NS + 38_398 * PERIOD_NS + PERIOD_NS]}, MeterProblem(RULE.DEVICE_PERIOD_NOT_OVER, 3)),
    ({"grid_starts_ns": [START_NS + 38_400 * PERIOD_NS]}, MeterProblem(MeterRule.METER_PERIOD_NOT_OVER, 0, grid=True)),
    ({"import_wh": [10, -1, 0, 1]}, MeterProblem(RULE.DEVICE_READING_NEGATIVE, 1)),
    ({"export_wh": [0, 0, 20, -(2**63)]}, MeterProblem(RULE.DEVICE_READING_NEGATIVE, 3)),
    ({"grid_import_wh": [-5]}, MeterProblem(MeterRule.METER_READING_NEGATIVE, 0, grid=True)),
    ({"export_wh": [0, 0, LIMIT + 1, 0]}, MeterProblem(RULE.DEVICE_OVER_CAPACITY, 2)),
    ({"export_wh": [0, 1, 20, 21]}, MeterProblem(RULE.DEVICE_LOAD_EXPORTS, 1)),
    ({"devices": [LOAD, LOAD], "export_wh": [0] * 4}, MeterProblem(RULE.DEVICE_DUPLICATE_READING, 2)),
    ({"soc_devices": [PV], "soc_at_ns": [START_NS], "soc_wh": [5]}, MeterProblem(RULE.DEVICE_STATE_OF_CHARGE_MALFORMED, 0)),
    ({"soc_devices": [STORAGE], "soc_at_ns": [START_NS], "soc_wh": [-1]}, MeterProblem(RULE.DEVICE_STATE_OF_CHARGE_MALFORMED, 0)),
]


def good(**changes: Any) -> Any:
    return readings_of({}, **(GOOD | changes))


@pytest.mark.parametrize(("changes", "problem"), CASES, ids=lambda value: str(value) if isinstance(value, MeterProblem) else "")
def test_a_broken_rule_is_named_and_nothing_is_taken(changes: dict[str, Any], problem: MeterProblem) -> None:
    reader = Reader()
    assert reader.take(good(**changes)) == problem
    assert reader.table.devices.to_hash() == []
    assert reader.table.to_canonical() == Reader().table.to_canonical()


def test_the_good_document_and_the_limits_themselves_are_taken() -> None:
    assert Reader().must(good(export_wh=[0, 0, LIMIT, 21])).replaced == 0
    assert limit_wh(Reader().devices.by_id[PV]) == LIMIT


OTHER_VALUES = {"import_wh": [10, 12, 0, 1]}
SETTLED = [START_NS + PERIOD_NS]


def close(reader: Reader) -> None:
    reader.table.months.closed.append(ClosedMonth("2026-07", START_NS, START_NS + 30 * NS_PER_DAY))


# (what happened before, the document, its problem): the first document was `good()`.
STATE_CASES = [
    (None, OTHER_VALUES, MeterProblem(RULE.DEVICE_REVISION_NOT_HIGHER, 1)),
    (None, {"qualities": ["measured", "measured"]}, MeterProblem(RULE.DEVICE_REVISION_NOT_HIGHER, 2)),
    (None, {"version": "final"}, MeterProblem(RULE.DEVICE_REVISION_NOT_HIGHER, 0)),
    (None, {"grid_import_wh": [6]}, MeterProblem(MeterRule.METER_REVISION_NOT_HIGHER, 0, grid=True)),
    (lambda r: r.must(good(revision=2, version="final")), {"revision": 3}, MeterProblem(RULE.DEVICE_VERSION_LOWER, 0)),
    (lambda r: r.table.mark_settled(SETTLED), {"revision": 2}, MeterProblem(RULE.DEVICE_PERIOD_SETTLED, 1)),
    (lambda r: r.table.mark_settled(SETTLED), {"revision": 2, "version": "final"}, None),
    (close, {"revision": 2, "version": "final"}, MeterProblem(RULE.DEVICE_MONTH_CLOSED, 0)),
    (close, {"revision": 2, "version": "correction"}, None),
    (close, {}, None),  # a load that was interrupted is repeated
    (None, {"revision": 2, "version": "correction"}, MeterProblem(RULE.DEVICE_MONTH_NOT_CLOSED, 0)),
]


@pytest.mark.parametrize(("before", "changes", "problem"), STATE_CASES)
def test_what_is_there_decides_what_may_come(before: Any, changes: dict[str, Any], problem: MeterProblem | None) -> None:
    reader = Reader()
    reader.must(good())
    if before is not None:
        before(reader)
    content = reader.table.devices.to_canonical(), reader.table.to_canonical()
    result = reader.take(good(**changes))
    if problem is None:
        assert isinstance(result, Taken), str(result)
    else:
        assert result == problem
        assert (reader.table.devices.to_canonical(), reader.table.to_canonical()) == content


def test_the_cases_cover_every_rule_of_a_document() -> None:
    named = {problem.rule for _, problem in CASES} | {case[2].rule for case in STATE_CASES if case[2] is not None}
    assert set(DeviceRule) - named == {RULE.DEVICE_READ_BY_ACCOUNT}


def test_what_is_there_already_is_passed_over() -> None:
    reader = Reader()
    reader.must(good())
    content = reader.table.devices.to_canonical()
    again = reader.must(good())
    assert (again.unchanged, again.replaced, len(again.rows.device)) == (5, 0, 0)
    assert reader.table.devices.to_canonical() == content


def test_sums_are_of_electric_devices_and_a_gap_of_one_device_is_a_gap_of_its_account() -> None:
    reader = Reader()
    reader.must(run_of(LOAD, START_NS, [100, 100, 100]))
    reader.must(run_of(HEAT, START_NS, [7, 7, 7]))
    reader.must(run_of(PV, START_NS + PERIOD_NS, [1, 1], [30, 40], qualities=["substituted"]))
    day = reader.table.read([ACCOUNT], [START_NS + i * PERIOD_NS for i in range(4)])
    assert day.consumption_wh.tolist() == [[100, 101, 101, 0]]
    assert day.generation_wh.tolist() == [[0, 30, 40, 0]]
    assert day.metered.tolist() == [[True, True, True, False]]
    assert day.replaced.tolist() == [[False, True, True, False]]
    reader.must(run_of(LOAD, START_NS + 3 * PERIOD_NS, [100]))
    assert reader.table.read([ACCOUNT], [START_NS + 3 * PERIOD_NS]).metered.tolist() == [[False]]
    assert reader.table.metered_accounts() == {ACCOUNT}


def by_account(account: int, start_ns: int, consumption_wh: int, generation_wh: int, revision: int = 1) -> MeterReadings:
    return MeterReadings(
        revision=revision, accounts=[account], period_starts_ns=[start_ns], consumption_wh=[consumption_wh], generation_wh=[generation_wh],
        soc_wh=[-1], grid_starts_ns=[], grid_import_wh=[], grid_export_wh=[], losses_wh=[],
    )  # fmt: skip


def test_a_period_of_an_account_is_read_one_way() -> None:
    reader = Reader()
    assert reader.table.apply(by_account(ACCOUNT, START_NS, 5, 0), [ACCOUNT], reader.stamp_ns) is None
    assert reader.take(run_of(LOAD, START_NS - PERIOD_NS, [1, 1])) == MeterProblem(RULE.DEVICE_READ_BY_ACCOUNT, 1)
    reader.must(run_of(LOAD, START_NS + PERIOD_NS, [1]))
    problem = reader.table.apply(by_account(ACCOUNT, START_NS + PERIOD_NS, 5, 0), [ACCOUNT], reader.stamp_ns)
    assert problem == MeterProblem(MeterRule.METER_READ_BY_DEVICE, 0)
    assert reader.table.read([ACCOUNT], [START_NS, START_NS + PERIOD_NS]).consumption_wh.tolist() == [[5, 1]]


def test_generation_is_the_devices_own_or_its_accounts_where_that_can_mean_nothing_else() -> None:
    reader = Reader()
    starts = START_NS + np.arange(3) * PERIOD_NS
    reader.must(run_of(PV, START_NS, [2], [30]))
    reader.table.apply(by_account(ACCOUNT, START_NS + PERIOD_NS, 5, 12), [ACCOUNT], reader.stamp_ns)
    of = lambda device: device_generation_wh(reader.devices, reader.table, device, starts).tolist()  # noqa: E731
    assert of(PV) == [30, 12, 0]
    assert is_metered(reader.devices, reader.table, PV, starts).tolist() == [True, True, False]
    assert of(LOAD) == [0, 0, 0]
    reader.must(run_of(STORAGE, START_NS, [0], [9]))
    assert of(STORAGE) == [0, 0, 0]
    with pytest.raises(KeyError):
        of(9)


def test_what_a_storage_discharged_is_nobodys_generation() -> None:
    reader = Reader()
    plant = reader.devices.add(RegisterDevice(account=OTHER_ACCOUNT, name="pv6", kind="pv", capacity_w=4_000_000, commissioned_ns=0))
    reader.table.apply(by_account(OTHER_ACCOUNT, START_NS, 5, 12), [OTHER_ACCOUNT], reader.stamp_ns)
    starts = np.array([START_NS])
    assert device_generation_wh(reader.devices, reader.table, plant.id, starts).tolist() == [0]
    assert is_metered(reader.devices, reader.table, plant.id, starts).tolist() == [False]


def correction(account: int, start_ns: int, consumption_wh: int, revision: int, grid: list[int]) -> CorrectReadings:
    return CorrectReadings(
        revision=revision, reason="a wrong factor", accounts=[account], period_starts_ns=[start_ns], consumption_wh=[consumption_wh],
        generation_wh=[0], soc_wh=[-1], grid_starts_ns=[start_ns] if grid else [], grid_import_wh=grid, grid_export_wh=[0] * len(grid),
        losses_wh=[0] * len(grid),
    )  # fmt: skip


def test_a_correction_by_account_leaves_what_was_settled_readable() -> None:
    reader = Reader()
    table, starts = reader.table, [START_NS, START_NS + PERIOD_NS]
    for start in starts:
        table.apply(by_account(ACCOUNT, start, 5, 0), [ACCOUNT], reader.stamp_ns)
    table.mark_settled(starts)
    first = correction(ACCOUNT, START_NS, 6, 2, [9])
    assert table.correct(first, [ACCOUNT], reader.stamp_ns, 10) == MeterProblem(MeterRule.METER_MONTH_NOT_CLOSED, 0)
    close(reader)
    assert table.correct(first, [ACCOUNT], reader.stamp_ns, 10) is None
    assert table.correct(correction(ACCOUNT, START_NS, 7, 3, [8]), [ACCOUNT], reader.stamp_ns, 20) is None
    assert table.correct(correction(ACCOUNT, START_NS, 7, 3, []), [ACCOUNT], reader.stamp_ns, 30) == MeterProblem(RULE_NOT_HIGHER, 0)
    seen = {s: table.read([ACCOUNT], starts, s) for s in (9, 10, 19, 20, None)}
    assert {s: (day.consumption_wh[0].tolist(), day.grid_import_wh.tolist()) for s, day in seen.items()} == {
        9: ([5, 5], [0, 0]), 10: ([6, 5], [9, 0]), 19: ([6, 5], [9, 0]), 20: ([7, 5], [8, 0]), None: ([7, 5], [8, 0]),
    }  # fmt: skip
    assert seen[9].grid_metered.tolist() == [False, False]
    assert table.apply(by_account(ACCOUNT, START_NS + 2 * PERIOD_NS, 5, 0), [ACCOUNT], reader.stamp_ns) == MeterProblem(
        MeterRule.METER_MONTH_CLOSED, 0
    )
    restored = Months.from_canonical(msgspec.msgpack.decode(msgspec.msgpack.encode(table.months.to_canonical())))
    assert restored.to_canonical() == table.months.to_canonical()


RULE_NOT_HIGHER = MeterRule.METER_REVISION_NOT_HIGHER
