"""docs/measures.md against the keys of a summary, both ways; and what holds for every summary."""

import json
from typing import Final

import pytest

from clients.laboratory.measures.measures import measure
from clients.laboratory.measures.participants import participant_table
from tests.architecture.repository import DOCS, code_names, table_rows
from tests.clients.laboratory.records import battery, member, quote, record_of, scenario_of, trade

PAGE: Final = (DOCS / "measures.md").read_text("utf-8")
UNITS: Final = (
    "_cny", "_percent", "_kwh", "_kw", "_t", "_years", "_days", "_min", "_count", "_cny_per_kwh", "_cny_per_year", "_cny_per_kwh_per_mwh", "_lots",
)  # fmt: skip
COUNTS_AND_INDICES: Final = {
    "is_coupled", "orders", "trades", "churn", "price_change_autocorrelation", "hhi_buyers", "hhi_sellers", "participants_losing", "gini", "jain",
    "fairness_participants", "assets", "double_claims",
}  # fmt: skip

EMPTY = record_of(scenario_of(member("F1")), load_kwh=[[0]], generation_kwh=[[0]])
BUSY = record_of(
    scenario_of(member("F1"), member("S1"), member("B1", storage=battery())),
    load_kwh=[[10, 5], [0, 0], [0, 0]],
    generation_kwh=[[0, 0], [8, 8], [0, 0]],
    charge_kwh=[[0, 0], [0, 0], [0, 3]],
    trades=[trade(0, 0, 1, 80, 5000), trade(1, 0, 1, 50, 4000), trade(1, 2, 1, 30, 4100)],
    quotes=[quote(0, 0, 4000, 5000), quote(0, 1, 4500, 5000)],
)  # fmt: skip


def test_every_key_has_one_row_and_every_row_a_key() -> None:
    listed = [name for row in table_rows(PAGE, 3) for name in code_names(row[0])]
    assert sorted(listed) == sorted(measure(BUSY))


@pytest.mark.parametrize("record", [EMPTY, BUSY], ids=["empty", "busy"])
def test_a_summary_is_json_without_nan_and_names_its_units(record: object) -> None:
    figures = measure(record)  # type: ignore[arg-type]
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert {key for key in figures if not key.endswith(UNITS)} == COUNTS_AND_INDICES
    assert figures.keys() == measure(BUSY).keys()


def test_measuring_twice_gives_the_same() -> None:
    assert measure(BUSY) == measure(BUSY)


def test_one_row_a_participant_adds_up_to_the_summary() -> None:
    rows, figures = participant_table(BUSY), measure(BUSY)
    assert [row["participant"] for row in rows] == ["F1", "S1", "B1"]
    for key in (
        "load_kwh", "generation_kwh", "discharge_kwh", "deficit_kwh", "surplus_kwh", "bill_retail_cny", "bill_pool_cny", "bill_market_cny",
        "fees_cny", "storage_value_change_cny", "saving_against_pool_cny", "imbalance_cost_cny", "certificates_issued_kwh",
        "certificates_claimed_kwh",
    ):  # fmt: skip
        assert sum(float(row[key] or 0) for row in rows) == pytest.approx(figures[key])
    assert sum(float(row["shared_gain_cny"] or 0) for row in rows) == pytest.approx(figures["sharing_gain_cny"])
    assert sum(float(row["bought_kwh"] or 0) for row in rows) == sum(float(row["sold_kwh"] or 0) for row in rows) == figures["traded_kwh"]
    assert len({tuple(row) for row in rows}) == 1
    json.dumps(rows, allow_nan=False)
