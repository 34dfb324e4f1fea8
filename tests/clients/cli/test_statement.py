"""`parkex statement` as its users run it: over the journal of a settled day, in every format, and its exit codes."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.cli import main
from exchange.journal.segments import SegmentJournal
from tests.exchange.order_path.park import GENESIS
from tests.exchange.order_path.settling_park import KWH, SettlingPark

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def park() -> SettlingPark:
    """10 kWh bought at 0.50, 9 used."""
    park = SettlingPark(1)
    park.trade(park.load, 100)
    park.deliver()
    park.ok(park.readings({park.load: 9 * KWH}, {park.plant: 10 * KWH}))
    assert park.settle()[0] == 0
    return park


@pytest.fixture(scope="module")
def folder(park: SettlingPark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("statement") / "journal"
    journal = SegmentJournal.open(directory, GENESIS, segment_bytes=1 << 20)
    for records, documents in park.log:
        journal.append(records, documents)
    journal.close()
    return directory


@pytest.fixture
def parkex(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["parkex", "statement", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


def test_every_format_tells_the_same_total(parkex: Command, park: SettlingPark, folder: Path, tmp_path: Path) -> None:
    """-5.00 of energy, 0.28 of surplus, -0.36 of park fee, and the taker's fee of 0.005 CNY."""
    statement = park.exchange.statement(park.load, "2026-07-15")
    assert statement is not None
    arguments = (str(folder), str(park.load), "2026-07-15", "--format")
    assert json.loads(parkex(*arguments, "json")[1])["total_micro"] == statement.total_micro == -5_000_000 + 280_000 - 360_000 - 5_000
    rows = list(csv.DictReader(parkex(*arguments, "csv")[1].splitlines()))
    assert int(rows[-1]["amount_micro"]) == statement.total_micro
    assert parkex(*arguments, "text", "--lang", "zh")[1].startswith("结算单 2026-07-15")
    out = tmp_path / "statement.html"
    assert parkex(*arguments, "html", "--lang", "zh", "--out", str(out)) == (0, "", "")
    page = out.read_text("utf-8")
    assert "结算单" in page
    assert "-5.08" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("34", "2026-07-16"), "account 34 has no statement of 2026-07-16"),
        (("34", "2026-07-15", "--run", "2"), "by run 2"),
        (("34", "2026-07-15", "--format", "pdf"), "a format is one of text, json, csv, html"),
        (("34", "2026-07-15", "--lang", "fr"), "a language one of en, zh"),
    ],
)
def test_what_there_is_not(parkex: Command, folder: Path, arguments: tuple[str, ...], words: str) -> None:
    code, told, errors = parkex(str(folder), *arguments)
    assert (code, told) == (2, "")
    assert words in errors
