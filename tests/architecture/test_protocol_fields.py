"""docs/protocol-fields.md against the messages; `python -m tests.architecture.protocol_tables` writes its tables anew."""

from exchange.protocol import messages
from tests.architecture.protocol_tables import PAGE, RESULTS, page_with_tables, tables

TEXT = PAGE.read_text("utf-8")


def test_tables_are_those_of_the_code() -> None:
    assert page_with_tables(TEXT) == TEXT


def test_every_table_is_on_the_page() -> None:
    assert all(f"<!-- table {name} -->" in TEXT for name in tables())


def test_every_method_has_a_result() -> None:
    assert set(RESULTS) == set(messages.REQUESTS)
