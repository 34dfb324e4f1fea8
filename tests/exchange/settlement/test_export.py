"""Statements as CSV and as a page: the amounts of the lines, the source of each, and text that cannot break out."""

import csv
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from exchange.settlement.day import settle_day
from exchange.settlement.export import source_of, statement_to_csv, statement_to_html
from exchange.settlement.lines import LineItem, LineStatus
from exchange.settlement.record import SettledDay
from exchange.settlement.rendering import LINE_NAMES, cny
from exchange.settlement.statement import Statement, day_settlement
from tests.exchange.settlement.worlds import Trade, make_day

KWH = 1_000


@pytest.fixture(name="record")
def fixture_record() -> SettledDay:
    """Two quarter-hours: 10 kWh bought and 8 used in the first, 3 kWh of deficit in the second; settled by command 77."""
    day = make_day([[8 * KWH, 3 * KWH], [0, 0]], [[0, 0], [10 * KWH, 0]], [Trade(1, 0, 0, 100, 5000)])
    return replace(settle_day(day).settlement, sequence=77, rules_version=2)


@pytest.fixture(name="statement")
def fixture_statement(record: SettledDay) -> Statement:
    return day_settlement(record).statements[0]


class Cells(HTMLParser):
    """Rows of the page's table as lists of text, and every tag and attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, list]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, attrs))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_csv_has_every_line_and_the_total(statement: Statement) -> None:
    rows = list(csv.DictReader(statement_to_csv(statement).splitlines()))
    assert [row["item"] for row in rows] == [*(str(line.item) for line in statement.lines), "total"]
    assert [int(row["amount_micro"]) for row in rows] == [*(line.amount_micro for line in statement.lines), statement.total_micro]
    assert sum(int(row["amount_micro"]) for row in rows[:-1] if row["status"] == "charged") == statement.total_micro
    assert {(row["day"], row["account"], row["run"]) for row in rows} == {("2026-07-15", "32", "1")}


def test_every_charged_line_says_what_it_comes_from(statement: Statement, record: SettledDay) -> None:
    sources = {line.item: source_of(statement, index) for index, line in enumerate(statement.lines)}
    span = "GP-20260715-0000 … GP-20260715-0015"
    assert sources[LineItem.ENERGY_BOUGHT] == f"trades {span}; rules version 2"
    place = int(record.postings[record.items.index(LineItem.DEFICIT), 0])
    assert sources[LineItem.DEFICIT] == f"readings {span}; posting (77, {place}); rules version 2"
    assert all(sources[line.item] for line in statement.lines if line.status is LineStatus.CHARGED)
    assert source_of(statement, 0, "zh").startswith("成交 ")


@pytest.mark.parametrize(("language", "column"), [("en", 0), ("zh", 1)])
def test_the_page_has_the_names_and_amounts_of_every_line(statement: Statement, language: str, column: int) -> None:
    page = Cells()
    page.feed(statement_to_html(statement, language))
    body = page.rows[1:-1]
    assert len(body) == len(statement.lines)
    for row, line in zip(body, statement.lines, strict=True):
        assert row[0].startswith(LINE_NAMES[line.item][column])
        assert row[2] == (cny(line.amount_micro) if line.status in {LineStatus.CHARGED, LineStatus.INFORMATION} else "-")
    assert page.rows[-1][2] == cny(statement.total_micro)


def test_the_page_needs_nothing_but_itself(statement: Statement) -> None:
    page = Cells()
    page.feed(statement_to_html(statement))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object"}
    assert not [attr for _, attrs in page.tags for attr in attrs if attr[0] in {"src", "href", "onclick"}]
    assert ("meta", [("name", "viewport"), ("content", "width=device-width,initial-scale=1")]) in page.tags


def test_a_name_cannot_break_out_of_the_page(record: SettledDay) -> None:
    named = replace(record, names=('<img src=x onerror="alert(1)">&', *record.names[1:]))
    text = statement_to_html(day_settlement(named).statements[0])
    assert "<img" not in text
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;" in text


def test_a_later_run_shows_what_it_changed(record: SettledDay) -> None:
    changed = record.amount_micro.copy()
    changed[record.items.index(LineItem.DEFICIT), 0] -= 650_000
    later = replace(record, run=2, amount_micro=changed)
    statement = day_settlement(later, record).statements[0]
    page = Cells()
    page.feed(statement_to_html(statement, "zh"))
    assert page.rows[0][3] == "较上次 元"
    row = page.rows[1 + [line.item for line in statement.lines].index(LineItem.DEFICIT)]
    assert row[3] == "-0.65"
    assert page.rows[-1][3] == "-0.65"
    assert np.array_equal(later.energy_wh, record.energy_wh)
    rows = list(csv.DictReader(statement_to_csv(statement).splitlines()))
    assert {row["item"]: row["adjustment_micro"] for row in rows}["deficit"] == "-650000"
