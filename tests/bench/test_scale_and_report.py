"""Scale and report, tiny."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import report, scale
from bench.record import append_result
from matching.core import MatchingCore
from matching.records import Side

MATCHING = {
    "stream": "stream 1", "ids": "dense", "ratio": 2.0, "ratio_range": [1.9, 2.2], "ns_per_message": {"median": 40.0},
    "latency_ns": {"p50": 30.0, "p99": 150.0, "p999": 600.0}, "latency_histogram": [0, 3, 90, 7],
}  # fmt: skip


def test_ten_orders_rest_in_each_book() -> None:
    core = MatchingCore()
    books = [core.open_book() for _ in range(40)]
    core.submit(scale.ten_orders_a_book(books))
    core.check_all()
    for book in books:
        orders = core.dump_orders(book)
        assert (orders["side"] == Side.BUY).tolist() == [True] * 5 + [False] * 5
        assert len(np.unique(orders["price_ticks"])) == 10


def test_books_are_opened_and_measured() -> None:
    found = scale.open_many(300)
    assert found["books"] == 300
    assert found["array_mb"] > 0
    assert 0 < found["open_us"]["p50"] <= found["open_us"]["max"]


def test_scale_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PARKEX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(scale, "SHALLOW", 50)
    arguments = ["--resting", "500", "--books", "20", "--messages", "1000", "--repeat", "1", "--results", str(tmp_path)]
    assert scale.main(arguments) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["depth"]["resting"], result["depth"]["shallow"]) == (500, 50)
    assert result["depth"]["cost_ratio"] > 0
    assert result["depth"]["floor_cost_ratio"] > 0
    assert (tmp_path / "scale.jsonl").exists()
    with pytest.raises(SystemExit):
        scale.main(["--messages", "10", "--books", "1", "--no-record"])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of two commits, in the form of each command and in that of an older one."""
    append_result("matching", {"stream": "s1.bin", "ratio": 2.5, "ns_per_message": {"median": 50.0}}, tmp_path)
    append_result("matching", MATCHING, tmp_path)
    append_result("matching", MATCHING | {"ids": "caller", "ratio": 3.0, "latency_histogram": [1]}, tmp_path)
    append_result("matching", {"stream": "mixed-day-1", "ratio": None, "ns_per_message": {"median": 45.0}}, tmp_path)
    append_result("replay", {"stream": "stream 1", "commands_per_s": {"from_memory": 2_500_000}}, tmp_path)
    depth = {"resting": 1000, "shallow": 10, "cost_ratio": 3.5, "cost_ratio_range": [3, 4], "floor_cost_ratio": 7.0}
    append_result("scale", {"depth": depth, "books": {"books": 99, "process_mb": 12.5, "open_us": {"mean": 0.5}}}, tmp_path)
    append_result("journal", {"rows": []}, tmp_path)
    return tmp_path


def test_points_of_every_command(results: Path) -> None:
    found = report.read_results(results)
    series = report.by_series(found.points)
    assert [point.value for point in series["matching stream 1"]] == [2.5, 2.0]
    assert (series["matching stream 1"][1].low, series["matching stream 1"][1].high) == (1.9, 2.2)
    assert series["matching stream 1, ids of the caller"][0].value == 3.0
    assert series["replay from memory"][0].value == 2.5
    assert series["1000 resting orders against 10"][0].value == 3.5
    assert series["99 open books"][0].value == 12.5
    assert found.n_unknown == 2
    assert found.histograms["matching stream 1"][1] == [0, 3, 90, 7]


def test_each_benchmark_has_a_chart_over_the_commits(results: Path) -> None:
    point = report.read_results(results).points[0]
    points = [replace(point, commit="a"), replace(point, commit="b"), replace(point, commit="a"), replace(point, benchmark="order_path")]
    first, second = report.trend_figures(points)
    assert list(first.data[0].x) == ["a", "b", "a"]
    assert list(first.layout.xaxis.categoryarray) == ["a", "b", point.commit]
    assert second.layout.title.text == "order path, floors"


def test_table_shows_the_last_points_of_each_series(results: Path) -> None:
    console = Console(width=200, record=True, force_terminal=False)
    report.show_table(report.read_results(results), 1, console)
    text = console.export_text()
    assert "1.9 to 2.2" in text
    assert "2.5 floors" not in text
    assert "2 more lines" in text


def test_page_needs_nothing_else(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main(["--results", str(results), "--output", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "matching stream 1" in page
    assert "Latency of one message" in page
    assert "<script src=" not in page
    assert "report.html" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["{", "[]", '{"benchmark": "matching", "ratio": 1}'])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "matching.jsonl").write_text(line + "\n")
    with pytest.raises(SystemExit) as stop:
        report.main(["--results", str(tmp_path)])
    assert stop.value.code == 2
    assert "cannot be read" in capsys.readouterr().err


def test_no_results_are_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        report.main(["--results", str(tmp_path)])
    assert stop.value.code == 2
