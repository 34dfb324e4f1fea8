"""The claims matrix cell by cell, and that every cell says why and by what source, in both languages."""

import re

import pytest

from exchange.carbon.claims import CarbonAccount, Instrument, counting_wh, is_allowed, matrix
from exchange.carbon.rendering import matrix_to_text

# o: allowed, -: refused; columns in the order of CarbonAccount: ETS, park, Scope 2 location, Scope 2 market, product.
EXPECTED = {
    Instrument.SELF_USE: "-oooo",
    Instrument.DIRECT_SUPPLY: "-oooo",
    Instrument.GEC: "-o-oo",
    Instrument.GRANULAR: "---oo",
    Instrument.CCER: "o----",
    Instrument.PCC: "-----",
    Instrument.CEA: "o----",
}


@pytest.mark.parametrize(("instrument", "account"), [(i, a) for i in Instrument for a in CarbonAccount])
def test_every_cell(instrument: Instrument, account: CarbonAccount) -> None:
    expected = EXPECTED[instrument][list(CarbonAccount).index(account)] == "o"
    assert is_allowed(instrument, account) is expected
    cell = matrix()[instrument, account]
    assert cell.reason_en
    assert cell.source
    assert re.search(r"[\u4e00-\u9fff]", cell.reason_zh)


def test_there_are_no_other_cells() -> None:
    assert len(matrix()) == 35


@pytest.mark.parametrize(("account", "counts"), [("scope2_market", 110), ("park_indicator", 10), ("scope2_location", 0), ("ets_obligation", 1000)])
def test_only_what_is_allowed_counts(account: str, counts: int) -> None:
    held = {Instrument.GEC: 10, Instrument.GRANULAR: 100, Instrument.CCER: 1000}
    assert counting_wh(held, CarbonAccount(account)) == counts


@pytest.mark.parametrize(("language", "word"), [("en", "refused"), ("zh", "不允许")])
def test_the_table_is_the_matrix(language: str, word: str) -> None:
    text = matrix_to_text(language)
    table, reasons = text.split("\n\n")
    rows = table.splitlines()[1:]
    assert [row.count(word) for row in rows] == [EXPECTED[instrument].count("-") for instrument in Instrument]
    assert len(reasons.splitlines()) == 35
