"""The folder of a run: what is written, what is read back, what is refused."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from clients.laboratory.run import output, tables
from clients.laboratory.run.output import FACTS, read_run, write_run
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.write import scenario_text
from exchange.errors import InputError
from tests.architecture.repository import DOCS, code_names, table_rows
from tests.clients.laboratory.report.park_day import park_record

PAGE = (DOCS / "run-output.md").read_text("utf-8")
MEASURES = {"bill_market_cny": 12.5, "trades": 3, "gini": None, "smith_alpha_percent": float("nan")}
TABLES = ("participants", "days", "participant_days", "periods", "participant_periods", "trades", "quotes", "certificates")


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return park_record(days=2, seed=5)


@pytest.fixture(scope="module")
def written(record: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "run"
    write_run(record, directory, MEASURES)
    return directory


@pytest.fixture
def folder(record: RunRecord, tmp_path: Path) -> Path:
    """A folder of its own, to be damaged."""
    write_run(record, tmp_path / "run", MEASURES)
    return tmp_path / "run"


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_a_summary_has_facts_and_measures(record: RunRecord, written: Path) -> None:
    run = read_run(written)
    assert run.facts["seed"] == 5
    assert run.facts["days"] == 2
    assert run.facts["state_hash"] == record.state_hash
    assert set(run.facts["versions"]) == {"parkex", "numpy", "numba", "python"}
    assert run.measures == {"bill_market_cny": 12.5, "trades": 3, "gini": None, "smith_alpha_percent": None}


def test_the_scenario_loads_to_the_one_that_was_played(record: RunRecord, written: Path) -> None:
    assert (written / "scenario.toml").read_text("utf-8") == scenario_text(record.scenario)
    assert load_scenario(str(written / "scenario.toml")).participants == record.scenario.participants


def test_every_key_of_a_summary_is_documented(written: Path) -> None:
    keys = set(json.loads((written / "summary.json").read_text("utf-8"))) - set(MEASURES)
    assert {name for row in table_rows(section("summary.json"), 2) for name in code_names(row[0])} == keys == set(FACTS)


def test_every_table_is_documented(written: Path) -> None:
    assert {path.stem for path in (written / "tables").glob("*.parquet")} == set(TABLES)
    assert {name for name in TABLES if section(name)} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_documented(written: Path, name: str) -> None:
    documented = [column for row in table_rows(section(name), 2) for column in code_names(row[0])]
    assert documented == pq.read_schema(written / "tables" / f"{name}.parquet").names


def test_every_unit_is_documented(written: Path) -> None:
    endings = tuple(ending for row in table_rows(section("Units"), 2) for ending in code_names(row[0]))
    without = {"period", "day", "round", "orders", "trades"}
    for path in (written / "tables").glob("*.parquet"):
        numbers = {field.name for field in pq.read_schema(path) if str(field.type) == "int64"}
        assert {name for name in numbers if not name.endswith(endings)} <= without, path.name


@pytest.mark.parametrize("name", TABLES)
def test_csv_and_parquet_hold_the_same(written: Path, name: str) -> None:
    rows = pq.read_table(written / "tables" / f"{name}.parquet").to_pylist()
    with (written / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows] == read


def test_columns_are_the_arrays_of_the_record(record: RunRecord, written: Path) -> None:
    run, n = read_run(written), record.n_participants
    by_period = run.table("participant_periods").to_pydict()
    assert by_period["participant"][: n + 1] == [*(row.id for row in record.scenario.participants), record.scenario.participants[0].id]
    for name in ("load_wh", "bought_lots", "value_ticks"):
        assert np.array(by_period[name]).reshape(-1, n).T.tolist() == getattr(record, name).tolist()
    bills = run.table("participant_days").to_pydict()["bill_market_micro"]
    assert np.array(bills).reshape(-1, n).T.tolist() == record.bill_market_micro.tolist()
    assert sum(run.table("participants").to_pydict()["bill_market_micro"]) == int(record.bill_market_micro.sum())


def test_trades_say_who_and_on_which_side(record: RunRecord, written: Path) -> None:
    trades, ids = read_run(written).table("trades").to_pydict(), [row.id for row in record.scenario.participants]
    assert trades["buyer"] == [ids[row] for row in record.trades["buyer"]]
    assert trades["taker_side"][:3] == [{0: "buy", 1: "sell", 255: "auction"}[int(side)] for side in record.trades["taker_side"][:3]]
    periods = read_run(written).table("periods").to_pydict()
    assert sum(periods["traded_micro"]) == 10 * int((record.trades["price_ticks"] * record.trades["quantity_lots"]).sum())


def test_nothing_there_is_an_empty_cell(record: RunRecord, written: Path) -> None:
    run = read_run(written)
    assert run.table("quotes").column("ask_ticks").null_count == int((record.quotes["ask_ticks"] < 0).sum()) > 0
    assert run.table("participant_periods").column("limit_reported_ticks").null_count == int((record.limit_reported_ticks < 0).sum()) > 0


def test_two_runs_differ_in_nothing_but_seconds(record: RunRecord, written: Path, tmp_path: Path) -> None:
    write_run(replace(record, seconds={"world": 9.0}), tmp_path, MEASURES)
    for path in (*(written / "tables").iterdir(), written / "scenario.toml"):
        assert (tmp_path / path.relative_to(written)).read_bytes() == path.read_bytes()


def test_a_large_table_is_not_written_as_csv(record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "CSV_MAX_ROWS", 100)
    write_run(record, tmp_path, {})
    assert not (tmp_path / "tables" / "trades.csv").exists()
    assert (tmp_path / "tables" / "days.csv").exists()
    assert read_run(tmp_path).table("trades").num_rows == len(record.trades)


def test_parts_make_the_same_table(record: RunRecord, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PART_ROWS", 100)
    write_run(record, tmp_path, {})
    for name in TABLES:
        assert read_run(tmp_path).table(name).to_pylist() == read_run(written).table(name).to_pylist()
        assert (tmp_path / "tables" / f"{name}.csv").read_bytes() == (written / "tables" / f"{name}.csv").read_bytes()
    assert pq.ParquetFile(tmp_path / "tables" / "trades.parquet").num_row_groups == -(-len(record.trades) // 100)


def test_a_run_without_trades_has_empty_tables(record: RunRecord, tmp_path: Path) -> None:
    write_run(replace(record, trades=record.trades[:0], quotes=record.quotes[:0]), tmp_path, {})
    assert read_run(tmp_path).table("trades").num_rows == 0
    assert (tmp_path / "tables" / "quotes.csv").read_text("utf-8").startswith('"period","round"')


def test_without_certificates_there_is_no_table(record: RunRecord, tmp_path: Path) -> None:
    none = np.zeros_like(record.issued_wh)
    write_run(replace(record, issued_wh=none, claimed_wh=none, expired_wh=none), tmp_path, {})
    assert not read_run(tmp_path).has("certificates")


def test_what_is_there_is_not_written_over(record: RunRecord, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="not empty"):
        write_run(record, tmp_path, {})


def test_a_journal_may_be_there(record: RunRecord, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "segment").touch()
    write_run(record, tmp_path, {})
    assert not [name for name in read_run(tmp_path).facts["files"] if "journal" in name]


def test_a_measure_may_not_hide_a_fact(record: RunRecord, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed"):
        write_run(record, tmp_path, {"seed": 2})


def test_a_write_that_fails_leaves_no_summary(record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(output.pa_csv, "CSVWriter", fail)
    with pytest.raises(OSError, match="no space"):
        write_run(record, tmp_path, {})
    assert not list(tmp_path.rglob("*.writing"))
    with pytest.raises(InputError, match="interrupted while it was written"):
        read_run(tmp_path)


def _edit(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        path = directory / "summary.json"
        content = json.loads(path.read_text("utf-8"))
        change(content)
        path.write_text(json.dumps(content), "utf-8")

    return damage


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("no folder", lambda d: d.rename(d.parent / "away"), "is no folder"),
    ("half written", lambda d: (d / "summary.json").unlink(), "interrupted while it was written"),
    ("foreign", lambda d: [d.joinpath("summary.json").unlink(), d.joinpath("tables").rename(d / "else")], "expected the folder of a run"),
    ("no JSON", lambda d: (d / "summary.json").write_text("{"), "is no JSON"),
    ("a list", lambda d: (d / "summary.json").write_text("[]"), "not of the format"),
    ("another format", _edit(lambda s: s.update(format="parkex-run-9")), "not of the format parkex-run-1"),
    ("a fact is missing", _edit(lambda s: s.pop("seed")), "seed is missing"),
    ("a measure is text", _edit(lambda s: s.update(trades="many")), "trades is 'many'"),
    ("a table is missing", lambda d: (d / "tables" / "trades.csv").unlink(), "trades.csv: is missing"),
    ("a table is damaged", lambda d: (d / "tables" / "days.csv").write_text("day\n"), "days.csv: is not what was written"),
    ("the scenario was changed", lambda d: (d / "scenario.toml").write_text("days = 1\n"), "scenario.toml: is not what was written"),
    ("a file outside", _edit(lambda s: s["files"].update({"../secret": {"bytes": 1, "sha256": ""}})), "names a file outside"),
]


@pytest.mark.parametrize(("damage", "message"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES])
def test_a_folder_that_is_no_whole_run_is_named(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(InputError, match=message) as refused:
        read_run(folder)
    assert str(folder) in str(refused.value)
