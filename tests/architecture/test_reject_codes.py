"""Every reject code is documented and has a test row somewhere."""

import re

import pytest

from exchange.protocol.reject_codes import MESSAGES, RejectCode
from tests.architecture.repository import DOCS, ROOT, table_rows

REFUSALS = [code for code in RejectCode if code is not RejectCode.ACCEPTED]
ROWS = {row[1]: row for row in table_rows((DOCS / "reject-codes.md").read_text("utf-8"), 4)}
TESTS = {path: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("code", REFUSALS, ids=lambda code: code.name)
def test_code_is_documented(code: RejectCode) -> None:
    assert ROWS[code.name][0] == str(int(code))
    assert ROWS[code.name][2] == MESSAGES[code]
    assert ROWS[code.name][3]


@pytest.mark.parametrize("code", REFUSALS, ids=lambda code: code.name)
def test_code_has_a_test_row(code: RejectCode) -> None:
    row = re.compile(rf"(?<!Reason)\.{code.name}\b")  # matching's Reason shares some names
    assert any(row.search(text) for text in TESTS.values()), f"no test names RejectCode.{code.name}"


def test_no_other_code_is_documented() -> None:
    assert set(ROWS) == {code.name for code in REFUSALS}
