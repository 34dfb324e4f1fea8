"""docs/glossary.md against messages, documents, statements and the page, both ways."""

import re
from typing import Final, get_args

import pytest

from exchange.accounts.permissions import Role
from exchange.market.phases import Phase
from exchange.protocol import messages
from exchange.protocol.documents import DOCUMENTS
from exchange.protocol.instrument_class import InstrumentClass
from exchange.settlement.statement import LineItem
from tests.architecture.repository import DOCS, ROOT, code_names, table_rows

ROWS: Final = table_rows((DOCS / "glossary.md").read_text("utf-8"), 4)
NAMES: Final = {name for row in ROWS for name in code_names(row[3])}
SOURCES: Final = "\n".join(path.read_text("utf-8") for package in ("exchange", "clients") for path in (ROOT / package).rglob("*.py"))

# Words of the trade that the issue of this market has to name the same way everywhere.
REQUIRED: Final = {
    "clearing": "出清",
    "financial clearing": "清算",
    "settlement": "结算",
    "gate closure": "关闸",
    "imbalance": "偏差电量",
    "surrender": "清缴",
    "carry-over": "结转",
    "listed agreement": "挂牌协议",
    "block": "大宗协议",
    "one-way auction": "单向竞价",
    "iceberg": "冰山订单",
    "fill-or-kill": "全成或撤",
    "demand charge": "需量电费",
    "attribute": "环境权益",
}


def _literals() -> set[str]:
    names = (messages.SideName, messages.OrderTypeName, messages.TimeInForceName, messages.SelfTradeName)
    return {value for name in names for value in get_args(name)}


CODE_NAMES: Final = {
    "methods": set(messages.REQUESTS),
    "enumeration values": _literals(),
    "documents": set(DOCUMENTS),
    "phases": {phase.name.lower() for phase in Phase},
    "instrument classes": {kind.name.lower() for kind in InstrumentClass},
    "roles": {role.value for role in Role},
    "statement lines": {item.value for item in LineItem},
    "order notifications": {"book.snapshot", "book.delta", "trade", "turn"},
}


@pytest.mark.parametrize("kind", CODE_NAMES)
def test_names_of_the_code_are_in_the_glossary(kind: str) -> None:
    assert CODE_NAMES[kind] - NAMES == set()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_of_the_glossary_are_in_the_code(name: str) -> None:
    assert re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", SOURCES) or name.upper() in SOURCES, f"nothing is called {name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_term_has_both_languages_and_a_meaning(row: list[str]) -> None:
    english, chinese, meaning, _ = row
    assert english
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert meaning


@pytest.mark.parametrize(("english", "chinese"), REQUIRED.items())
def test_required_terms(english: str, chinese: str) -> None:
    assert any(row[0] == english and chinese in row[1] for row in ROWS)


def test_retire_is_said_differently_of_certificates_and_credits() -> None:
    (chinese,) = (row[1] for row in ROWS if row[0] == "retire")
    assert "核销" in chinese
    assert "注销" in chinese


def test_no_term_is_listed_twice() -> None:
    terms = [row[0] for row in ROWS]
    assert len(terms) == len(set(terms))


