"""docs/populations.md against the catalogue, both ways; its strategy runs; its measured figures are those of the code."""

import re
from pathlib import Path

import pytest

from clients.laboratory.agents.catalogue import CATALOGUE
from clients.laboratory.agents.interface import NO_QUOTE
from clients.laboratory.agents.parameters import Entry
from clients.laboratory.agents.user import Shout, UserStrategy, View
from clients.laboratory.reproduce.table import REPRODUCTIONS
from matching.records import Side
from tests.architecture.repository import DOCS, code_names, table_rows
from tests.clients.laboratory.agents.states import shouts_of, view_of

PAGE = (DOCS / "populations.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROWS = {code_names(row[0])[0]: row for row in table_rows(PAGE, 4) if row[3] in {"yes", "no"}}


def test_the_page_has_every_population_in_sequence() -> None:
    assert list(ROWS) == list(CATALOGUE) == list(SECTIONS)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_rows_and_parameters_are_what_the_code_says(entry: Entry) -> None:
    assert ROWS[entry.name] == [f"`{entry.name}`", entry.rule, entry.paper, "yes" if entry.is_rational else "no"]
    expected = [
        [f"`{parameter.name}`", f"{parameter.low:,}", f"{parameter.high:,}", f"{parameter.default:,}", parameter.meaning]
        for parameter in entry.parameters
    ]
    assert table_rows(SECTIONS[entry.name], 5) == expected


def test_the_strategy_of_the_page_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "undercutter.py").write_text(example, "utf-8")
    strategy = UserStrategy("undercutter.py:Undercutter", {}, "E01", tmp_path)
    strategy.begin(0, int(Side.BUY), 900)
    view = view_of(bid_ticks=700, ask_ticks=880)
    assert strategy.quote(view[0], 0, int(Side.BUY), 900, 1) == 701
    assert strategy.quote(view[0], 0, int(Side.BUY), 700, 1) == NO_QUOTE
    assert strategy.quote(view[0], 0, int(Side.SELL), 100, 1) == 879
    strategy.hear(shouts_of((500, 1, 1))[0], 0, int(Side.BUY), NO_QUOTE)


@pytest.mark.parametrize("kind", [View, Shout])
def test_the_page_names_all_that_a_strategy_sees(kind: type) -> None:
    assert [name for name in kind.__dataclass_fields__ if f"`{name}`" not in PAGE] == []


@pytest.mark.soak
@pytest.mark.parametrize("name", REPRODUCTIONS)
def test_measured_figures_are_those_of_seed_1(name: str) -> None:
    found = REPRODUCTIONS[name](1).lines
    figures = {f"{line.ours:g}" for line in found if line.holds is not None and re.search("efficiency|gain|alpha|dispersion|trades", line.what)}
    assert figures
    assert figures - set(re.findall(r"\d+(?:\.\d+)?", PAGE)) == set()
