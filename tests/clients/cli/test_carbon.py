"""`parkex carbon` as its users run it: over the folder of an exchange, what it prints and its exit codes."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clients.cli import main
from exchange.gateway.validate import pack_command
from exchange.journal.record import COMMAND, CommandKind
from exchange.protocol.documents import Admit, encode_document
from exchange.service import start_exchange
from tests.exchange.carbon.accounts import activity
from tests.exchange.maintenance.exchanges import options
from tests.exchange.order_path.park import OPERATOR

Command = Callable[..., tuple[int, str, str]]
MONTH = 202606  # before the day that the tests' clock begins at


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exchange with a member that burnt 1,000 m3 of gas and made 10 pieces."""
    directory = tmp_path_factory.mktemp("carbon")

    async def play() -> None:
        service = await start_exchange(options(directory, read_model=False))
        documents = [Admit(name="E01", role="enterprise", permissions=[], min_net_power_lots=0, max_net_power_lots=0)]
        documents += [activity("fuel", 1_000_000, month=MONTH), activity("product_output", 10_000, month=MONTH)]
        for document in documents:
            record = np.frombuffer(bytearray(pack_command(CommandKind.DOCUMENT, OPERATOR, 0)), COMMAND)
            answer = await service.node.submit(record, encode_document(document))
            assert answer.outcome["code"] == 0, answer.result
        await service.stop()

    asyncio.run(play())
    return directory


@pytest.fixture
def parkex(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["parkex", "carbon", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize(
    ("lang", "word"), [("en", "Carbon report 2026  (preliminary, 0 settled days"), ("zh", "碳核算报告 2026  (初步, 0 个已结算日")]
)
def test_report(parkex: Command, folder: Path, lang: str, word: str) -> None:
    code, told, errors = parkex("report", str(folder), "--lang", lang)
    assert (code, errors) == (0, "")
    assert told.startswith(word)
    assert "2.162" in told


def test_report_as_json(parkex: Command, folder: Path) -> None:
    report = json.loads(parkex("report", str(folder), "--json", "--factor", "residual", "--region", "central")[1])
    assert report["park"]["fuel_g"] == 2_162_200
    assert report["park"]["indirect_factor"].endswith("residual: 0.6096 kgCO2/kWh")
    assert report["choices"] == {"publisher": "MEE", "region": "central", "indirect": "residual", "deduct_export": False}
    assert [member["name"] for member in report["members"]] == ["operator", "E01"]


def test_product(parkex: Command, folder: Path, tmp_path: Path) -> None:
    statement = json.loads(parkex("product", str(folder), "33", "bearings")[1])
    assert (statement["output_milli"], statement["direct_mg_per_unit"]) == (10_000, 216_220_000)
    page = tmp_path / "bearings.html"
    assert parkex("product", str(folder), "33", "bearings", "--html", str(page), "--lang", "zh")[0] == 0
    assert "216.220 kg CO2/piece" in page.read_text("utf-8")


def test_closing_is_a_document_to_submit(parkex: Command, folder: Path) -> None:
    told = json.loads(parkex("closing", str(folder), "--year", "2026", "--region", "north")[1])
    assert told["schema"] == "close_carbon_year"
    assert sorted((f["region"], f["kind"]) for f in told["document"]["factors"]) == [
        ("national", "average"), ("national", "fossil"), ("national", "residual"), ("north", "average"),
    ]  # fmt: skip
    assert {f["fuel"] for f in told["document"]["fuels"]} >= {"natural_gas", "coal"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("report", "{}", "--year", "2019"), "in 2019"),
        (("report", "{}", "--lang", "fr"), "--lang is en or zh"),
        (("report", "{}", "--factor", "marginal"), "--factor is average or residual"),
        (("report", "{}/nothing"), "no journal"),
        (("product", "{}", "33", "rings"), "no output of rings"),
        (("product", "{}", "77", "rings"), "no account 77"),
        (("matrix", "--lang", "fr"), "--lang is en or zh"),
    ],
)
def test_bad_input_is_said_and_exits_2(parkex: Command, folder: Path, arguments: tuple[str, ...], problem: str) -> None:
    code, told, errors = parkex(*(argument.format(folder) for argument in arguments))
    assert (code, told) == (2, "")
    assert problem in errors


def test_matrix_and_factors(parkex: Command) -> None:
    assert parkex("matrix", "--lang", "zh")[1].count("不允许") == 2 * 20
    factors = parkex("factors")[1]
    assert "MEE 2023 national residual: 0.6096 kgCO2/kWh" in factors
    assert "natural_gas: 2.1622 kgCO2/m3, 1.33 kgce/m3" in factors
