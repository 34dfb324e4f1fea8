"""docs/mechanisms.md against the table of the code, both ways, and its example."""

import re

import pytest

from matching.mechanisms import MECHANISMS, ONE_WAY, Mechanism
from tests.architecture.repository import DOCS, table_rows

PAGE = (DOCS / "mechanisms.md").read_text("utf-8")
ROWS = {row[0].strip("`"): row for row in table_rows(PAGE, 10)}
EVERY = (*MECHANISMS.values(), ONE_WAY)


def row_of(mechanism: Mechanism) -> list[str]:
    properties = mechanism.properties
    return [
        f"`{mechanism.name}`",
        mechanism.rule,
        mechanism.paper,
        "yes" if properties.efficient else "no",
        properties.rationality.value,
        properties.budget.value,
        properties.strategy_proof.value,
        mechanism.ties,
        mechanism.rounding,
        ", ".join(f"`{name}`" for name in mechanism.reads),
    ]


def test_the_page_has_every_mechanism_in_sequence() -> None:
    assert list(ROWS) == [mechanism.name for mechanism in EVERY]


@pytest.mark.parametrize("mechanism", EVERY, ids=lambda mechanism: mechanism.name)
def test_the_row_is_what_the_code_says(mechanism: Mechanism) -> None:
    assert ROWS[mechanism.name] == row_of(mechanism)


@pytest.mark.parametrize("mechanism", MECHANISMS.values(), ids=lambda mechanism: mechanism.name)
def test_the_docstring_names_the_paper(mechanism: Mechanism) -> None:
    module = __import__(mechanism.clear.__module__, fromlist=["__doc__"])
    for author in re.findall(r"[A-Z][\w-]+(?= \d{4}|,| et al| and)", mechanism.paper):
        assert author in str(module.__doc__)
    assert "Properties" in str(module.__doc__)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/mechanisms.md", "exec"), {})
    assert "Fraction(5000, 1)),) [40 30 10]" in capsys.readouterr().out
