"""docs/scenarios.md against the file format, both ways; `python -m tests.architecture.scenario_tables` writes the tables anew."""

import re

import pytest

from clients.laboratory.scenario import schema
from clients.laboratory.scenario.names import MECHANISMS, POPULATIONS
from clients.scenarios import schema as park_schema
from clients.scenarios.layers import SHIPPED
from clients.scenarios.schema import Table
from tests.architecture.repository import code_names, table_rows
from tests.architecture.scenario_tables import PAGE, TABLES, meanings, page_with_tables, parts

TEXT = PAGE.read_text("utf-8")


def test_the_tables_are_those_of_the_format() -> None:
    assert page_with_tables(TEXT) == TEXT


def test_every_table_of_the_format_is_on_the_page() -> None:
    assert parts(TEXT).keys() == TABLES.keys()
    known = {kind for module in (schema, park_schema) for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Table)}
    # Those of a day of the demo are the same keys without the laboratory's.
    parents = {Table, park_schema.ParkTable, park_schema.MemberTable, park_schema.NetworkTable}
    assert {kind for kind in known if kind not in parents} == set(TABLES.values())


@pytest.mark.parametrize("name", TABLES)
def test_every_key_has_a_meaning(name: str) -> None:
    assert [key for key, meaning in meanings(parts(TEXT)[name]).items() if not meaning] == []


def test_every_ready_scenario_is_on_the_page() -> None:
    assert [code_names(row[0])[0] for row in table_rows(TEXT, 3)] == list(SHIPPED)


def test_all_mechanisms_and_populations_are_named() -> None:
    assert set(MECHANISMS) | set(POPULATIONS) <= set(re.findall(r"`([^`]+)`", TEXT))
