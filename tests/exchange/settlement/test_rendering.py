"""Statements as dictionary and as text: every line named in both languages, amounts that agree with the integers."""

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.accounts.permissions import Role
from exchange.settlement.day import settle_day
from exchange.settlement.export import statement_to_html
from exchange.settlement.lines import OPTIONAL
from exchange.settlement.rendering import LINE_NAMES, ROLE_NAMES, STATUS_NOTES, Language, cny, kwh, pad, statement_to_dict, statement_to_text
from exchange.settlement.statement import LineItem, LineStatus, Statement
from tests.exchange.settlement.worlds import Trade, make_day, report

KWH = 1_000


@pytest.fixture(name="statement")
def fixture_statement() -> Statement:
    """A buyer of 400 kWh at 0.51 that used 380, nominated 375, had one reading substituted; the guarantee fund helped a poor seller."""
    day = make_day([[380 * KWH], [0]], [[0], [400 * KWH]], [Trade(1, 0, 0, 4000, 5100)], adders=[20_000, 0])
    replaced = np.array([[True], [False]])
    nominations = np.array([[-375 * KWH], [400 * KWH]])
    result = settle_day(replace(day, nomination_wh=nominations, readings=replace(day.readings, replaced=replaced)))
    return report(result).statements[0]


def test_every_item_and_status_has_both_names() -> None:
    assert set(LINE_NAMES) == set(LineItem)
    assert set(STATUS_NOTES) == set(LineStatus)
    assert set(ROLE_NAMES) == set(Role)
    assert all(en and zh for names in (LINE_NAMES, ROLE_NAMES) for en, zh in names.values())


@pytest.mark.parametrize(("language", "role"), [("en", "market maker"), ("zh", "做市商")])
def test_the_head_says_whose_statement_it_is(statement: Statement, language: Language, role: str) -> None:
    of_maker = msgspec.structs.replace(statement, name="M1", account=40, role="market_maker")
    assert statement_to_text(of_maker, language).splitlines()[0].endswith(f"M1 (40, {role})")
    assert f"M1 (40, {role})" in statement_to_html(of_maker, language)


def test_the_lines_of_an_industrial_bill_are_there_in_order(statement: Statement) -> None:
    assert [line.item for line in statement.lines] == [item for item in LineItem if item not in OPTIONAL]
    names = {line["name_zh"]: line["status"] for line in statement_to_dict(statement)["lines"]}
    assert names["基本电费"] == names["力调电费"] == "excluded"
    assert names["系统运行费"] == names["政府性基金及附加"] == "inside_tariff"
    assert names["输配电费（电压等级差价）"] == "charged"


def test_dictionary_holds_integers_and_survives_json(statement: Statement) -> None:
    content = statement_to_dict(statement)
    assert json.loads(json.dumps(content)) == content
    park_fee = next(line for line in content["lines"] if line["item"] == "park_fee")
    assert (park_fee["amount_micro"], park_fee["amount_fen"], park_fee["energy_wh"]) == (-15_200_000, -1520, 380 * KWH)
    assert content["total_micro"] == sum(line["amount_micro"] for line in content["lines"] if line["status"] == "charged")
    assert content["total_micro"] == -204_000_000 + 5_600_000 - 15_200_000 - 7_600_000


def test_chinese_names_use_the_terms_of_the_glossary() -> None:
    """Each row of docs/glossary.md that names a line: one of its Chinese terms is part of the line's name."""
    glossary = (Path(__file__).parents[3] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in glossary.splitlines() if row.startswith("| ")]
    items = {item for _, _, _, messages in rows for item in LineItem if f"`{item}`" in messages}
    assert len(items) >= 8
    for _, chinese, _, messages in rows:
        for item in LineItem:
            if f"`{item}`" in messages:
                terms = chinese.replace("(", " ").replace(")", " ").split()
                assert any(term in LINE_NAMES[item][1] for term in terms), (item, chinese)


ENGLISH = """\
Statement 2026-07-15  E01 (32, prosumer)
received positive, paid negative
Line                                                      energy kWh      amount CNY
Energy bought in the park market                             400.000         -204.00
Energy sold in the park market                                                  0.00
Contract energy, settled bilaterally                                            0.00  not in the total
Deficit energy at the retail tariff                                             0.00
Surplus energy at the feed-in price                           20.000            5.60
Refund of imbalance netting                                                     0.00
Environmental attribute                                                         0.00
Park network fee                                             380.000          -15.20
Trading fees                                                                    0.00
Transmission and distribution: voltage level adder           380.000           -7.60
Capacity or demand charge                                                          -  excluded: billed by the grid company
Power factor adjustment                                                            -  excluded: billed by the grid company
System operation fee                                                               -  inside the retail tariff of deficit energy
Government funds and surcharges                                                    -  inside the retail tariff of deficit energy
Total                                                                        -221.20
park fee held 16.00, released 0.80
1 periods have substituted readings
meter against nomination of 1 periods: 5.000 kWh apart; the meter is settled
journal head abc123
"""


def test_english_text(statement: Statement) -> None:
    assert statement_to_text(statement, "en", "abc123") == ENGLISH


def test_chinese_text_says_the_same(statement: Statement) -> None:
    text = statement_to_text(statement, "zh", "abc123").splitlines()
    assert len(text) == len(ENGLISH.splitlines())
    assert text[0] == "结算单 2026-07-15  E01 (32, 产消者)"
    assert text[3].startswith("园区市场购电")
    assert text[3].endswith("-204.00")
    assert text[17].startswith("合计")
    assert "解冻 0.80 元" in text[18]
    assert text[-1] == "日志链头 abc123"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_columns_line_up_in_terminal_cells(statement: Statement, language: str) -> None:
    """Every amount ends in cell 84, however many of the name's characters take two."""
    for row in statement_to_text(statement, language).splitlines()[2:18]:
        table = row.split("  ")
        note_cells = cells(table[-1]) + 2 if row[-1] not in "0123456789-TNY元" else 0
        assert cells(row) - note_cells == 84, row


def cells(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def test_a_claim_is_named() -> None:
    day = make_day([[10 * KWH]], [[0]], available_micro=[1_000_000])
    statement = report(settle_day(day)).statements[0]
    assert "a claim on this account: 5.50" in statement_to_text(statement, "en")
    assert "履约保证金池垫付 5.50 元" in statement_to_text(statement, "zh")


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "0.00"), (5_000, "0.00"), (5_001, "0.01"), (15_000, "0.02"), (-5_001, "-0.01"), (-5_000, "0.00"), (1_234_567_890_000, "1,234,567.89")],
)
def test_yuan_round_half_even_to_the_fen(micro: int, text: str) -> None:
    assert cny(micro) == text


@given(st.integers(-(10**15), 10**15))
def test_energy_is_shown_exactly(energy_wh: int) -> None:
    assert round(float(kwh(energy_wh).replace(",", "")) * 1000) == energy_wh


@pytest.mark.parametrize(("text", "width", "right", "padded"), [("合计", 6, False, "合计  "), ("ab", 4, True, "  ab"), ("（元", 2, False, "（元")])
def test_padding_counts_cells(text: str, width: int, right: bool, padded: str) -> None:
    assert pad(text, width, right) == padded
