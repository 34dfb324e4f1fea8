"""One row a rule: a document that breaks it is refused by name and row, and changes nothing."""

from typing import Any

import msgspec
import pytest

from exchange.metering.table import MeterTable
from exchange.metering.validation import READING_LIMIT_WH, MeterProblem, MeterRule
from exchange.protocol.documents import MeterReadings
from exchange.units import PERIOD_NS

START_NS = 1_784_044_800 * 10**9  # 2026-07-15 00:00 in Shanghai
NEXT_NS = START_NS + PERIOD_NS
STAMP_NS = NEXT_NS + PERIOD_NS
ACCOUNTS = (32, 33, 34)

GOOD: dict[str, Any] = {
    "revision": 1,
    "accounts": [32, 33, 32, 33],
    "period_starts_ns": [START_NS, START_NS, NEXT_NS, NEXT_NS],
    "consumption_wh": [100, 0, 120, 5],
    "generation_wh": [0, 40, 0, 60],
    "soc_wh": [-1, 0, -1, 5000],
    "grid_starts_ns": [START_NS, NEXT_NS],
    "grid_import_wh": [61, 66],
    "grid_export_wh": [0, 0],
    "losses_wh": [1, 1],
}


def readings(**changes: Any) -> MeterReadings:
    return MeterReadings(**{**GOOD, **changes})


def replaced_at(field: str, row: int, value: int) -> dict[str, list[int]]:
    column = list(GOOD[field])
    column[row] = value
    return {field: column}


EMPTY = {name: [] for name in GOOD if name != "revision"}
RULE = MeterRule
CASES = [
    (EMPTY, MeterProblem(RULE.METER_DOCUMENT_EMPTY)),
    ({"soc_wh": [-1, 0, -1]}, MeterProblem(RULE.METER_COLUMNS_DIFFER)),
    ({"losses_wh": [1]}, MeterProblem(RULE.METER_COLUMNS_DIFFER)),
    (replaced_at("generation_wh", 1, 2**63), MeterProblem(RULE.METER_NUMBER_OUT_OF_RANGE)),
    (replaced_at("accounts", 1, 2**64 - 1), MeterProblem(RULE.METER_NUMBER_OUT_OF_RANGE)),
    ({"revision": -1}, MeterProblem(RULE.METER_REVISION_OUT_OF_RANGE)),
    ({"revision": 2**31}, MeterProblem(RULE.METER_REVISION_OUT_OF_RANGE)),
    (replaced_at("accounts", 2, 35), MeterProblem(RULE.METER_UNKNOWN_ACCOUNT, 2)),
    (replaced_at("accounts", 0, 3), MeterProblem(RULE.METER_UNKNOWN_ACCOUNT, 0)),
    (replaced_at("period_starts_ns", 3, NEXT_NS + 1), MeterProblem(RULE.METER_PERIOD_OFF_GRID, 3)),
    (replaced_at("period_starts_ns", 3, -PERIOD_NS), MeterProblem(RULE.METER_PERIOD_OFF_GRID, 3)),
    (replaced_at("grid_starts_ns", 1, NEXT_NS - 1), MeterProblem(RULE.METER_PERIOD_OFF_GRID, 1, grid=True)),
    (replaced_at("period_starts_ns", 2, STAMP_NS), MeterProblem(RULE.METER_PERIOD_NOT_OVER, 2)),
    (replaced_at("grid_starts_ns", 0, STAMP_NS), MeterProblem(RULE.METER_PERIOD_NOT_OVER, 0, grid=True)),
    (replaced_at("consumption_wh", 2, -1), MeterProblem(RULE.METER_READING_NEGATIVE, 2)),
    (replaced_at("generation_wh", 3, -(2**63)), MeterProblem(RULE.METER_READING_NEGATIVE, 3)),
    (replaced_at("soc_wh", 1, -2), MeterProblem(RULE.METER_READING_NEGATIVE, 1)),
    (replaced_at("soc_wh", 1, -(2**63)), MeterProblem(RULE.METER_READING_NEGATIVE, 1)),
    (replaced_at("grid_export_wh", 1, -1), MeterProblem(RULE.METER_READING_NEGATIVE, 1, grid=True)),
    (replaced_at("losses_wh", 0, -1), MeterProblem(RULE.METER_READING_NEGATIVE, 0, grid=True)),
    (replaced_at("generation_wh", 0, READING_LIMIT_WH + 1), MeterProblem(RULE.METER_READING_TOO_LARGE, 0)),
    (replaced_at("soc_wh", 3, 2**63 - 1), MeterProblem(RULE.METER_READING_TOO_LARGE, 3)),
    (replaced_at("grid_import_wh", 1, READING_LIMIT_WH + 1), MeterProblem(RULE.METER_READING_TOO_LARGE, 1, grid=True)),
    (replaced_at("accounts", 1, 32), MeterProblem(RULE.METER_DUPLICATE_READING, 1)),
    (replaced_at("grid_starts_ns", 1, START_NS), MeterProblem(RULE.METER_DUPLICATE_READING, 1, grid=True)),
]


@pytest.mark.parametrize(("changes", "problem"), CASES, ids=lambda value: str(value) if isinstance(value, MeterProblem) else "")
def test_a_broken_rule_is_named_and_nothing_is_taken(changes: dict[str, Any], problem: MeterProblem) -> None:
    table = MeterTable()
    assert table.apply(readings(**changes), ACCOUNTS, STAMP_NS) == problem
    assert table.to_canonical() == MeterTable().to_canonical()


def test_the_good_document_is_taken() -> None:
    assert MeterTable().apply(readings(), ACCOUNTS, STAMP_NS) is None


def test_zero_and_the_limits_themselves_are_readings() -> None:
    changes = replaced_at("generation_wh", 0, READING_LIMIT_WH) | replaced_at("consumption_wh", 0, 0) | {"revision": 2**31 - 1}
    assert MeterTable().apply(readings(**changes), ACCOUNTS, STAMP_NS) is None


def test_a_document_of_grid_rows_or_of_member_rows_alone_is_taken() -> None:
    grid = {name: GOOD[name] for name in ("grid_starts_ns", "grid_import_wh", "grid_export_wh", "losses_wh")}
    table = MeterTable()
    assert table.apply(readings(**(EMPTY | grid)), ACCOUNTS, STAMP_NS) is None
    assert table.apply(readings(**{name: [] for name in grid}), ACCOUNTS, STAMP_NS) is None


@pytest.mark.parametrize("revision", [0, 1, 2])
def test_a_revision_that_is_not_higher_is_refused_whole(revision: int) -> None:
    table = MeterTable()
    assert table.apply(readings(revision=2), ACCOUNTS, STAMP_NS) is None
    before = table.to_canonical()
    mixed = readings(revision=revision, accounts=[34, 34, 34, 33], period_starts_ns=[START_NS, NEXT_NS, START_NS - PERIOD_NS, NEXT_NS])
    assert table.apply(mixed, ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_REVISION_NOT_HIGHER, 3)
    assert table.to_canonical() == before


def test_a_grid_revision_that_is_not_higher_is_refused() -> None:
    table = MeterTable()
    table.apply(readings(), ACCOUNTS, STAMP_NS)
    other = readings(accounts=[34, 34], period_starts_ns=[START_NS, NEXT_NS], consumption_wh=[1, 1], generation_wh=[0, 0], soc_wh=[-1, -1])
    assert table.apply(other, ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_REVISION_NOT_HIGHER, 0, grid=True)


def test_a_settled_period_takes_no_further_reading() -> None:
    table = MeterTable()
    table.apply(readings(), ACCOUNTS, STAMP_NS)
    table.mark_settled([NEXT_NS])
    assert table.apply(readings(revision=2), ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_PERIOD_SETTLED, 2)
    grid_only = readings(**(EMPTY | {name: GOOD[name] for name in GOOD if name.startswith(("grid", "losses"))}), revision=2)
    assert table.apply(grid_only, ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_PERIOD_SETTLED, 1, grid=True)


def test_the_lowest_rule_is_the_one_reported() -> None:
    changes = replaced_at("consumption_wh", 0, -1) | replaced_at("period_starts_ns", 3, 1) | replaced_at("accounts", 1, 99)
    table = MeterTable()
    assert table.apply(readings(**changes), ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_UNKNOWN_ACCOUNT, 1)
    changes.pop("accounts")
    assert table.apply(readings(**changes), ACCOUNTS, STAMP_NS) == MeterProblem(RULE.METER_PERIOD_OFF_GRID, 3)


def test_the_cases_cover_every_rule_of_a_document() -> None:
    named = {problem.rule for _, problem in CASES} | {RULE.METER_PERIOD_SETTLED, RULE.METER_REVISION_NOT_HIGHER}
    # What closed months and devices refuse is in test_device_readings.py.
    assert set(MeterRule) - named == {RULE.METER_MONTH_CLOSED, RULE.METER_READ_BY_DEVICE, RULE.METER_MONTH_NOT_CLOSED}


def test_a_document_survives_its_encoding() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(readings()), type=MeterReadings) == readings()
