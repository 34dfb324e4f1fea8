"""`parkex sweep` and `parkex compare` as they are typed: tables, JSON, folders that go on, exit codes."""

import json
from pathlib import Path

import pytest

from clients.cli.app import app
from clients.cli.exits import Exit, exit_of
from clients.laboratory.sweep import session
from clients.laboratory.sweep.results import RESULTS_NAME
from exchange.errors import ParkexError
from tests.clients.laboratory.sweep.here import Here
from tests.clients.laboratory.sweep.plays import FUNCTIONS


@pytest.fixture
def played_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs are played by a function of the tests, in this process; scenarios, plans, files and tables are the real ones."""
    function = {"name": "measured"}
    monkeypatch.setattr(session.Workers, "executor", lambda self: Here(f"{FUNCTIONS}:{function['name']}"))
    monkeypatch.chdir(tmp_path)
    return function


def parkex(*words: str) -> int:
    """Exit code of a command line."""
    try:
        app(list(words), standalone_mode=False)
    except ParkexError as error:
        print(error)
        return exit_of(error)
    return Exit.DONE


GATE = ("--set", "market.gate_closure_minutes=5,60", "--seeds", "4")


def test_a_sweep_tells_and_keeps_what_it_found(played_here, capsys, tmp_path: Path) -> None:
    assert parkex("sweep", "park", *GATE, "--measures", "allocative_efficiency,bill_market_cny@E01", "--out", "gate") == Exit.DONE
    captured = capsys.readouterr()
    assert "2 cells, 4 seeds, 8 runs in gate" in captured.err
    assert "market.gate_closure_minutes=60" in captured.out
    assert "lower, depends on behaviour" in captured.out
    assert {path.name for path in (tmp_path / "gate").iterdir()} == {
        RESULTS_NAME, "sweep.json", "scenarios", "analysis.json", "estimates.csv", "differences.csv", "regrets.csv",
    }  # fmt: skip
    assert parkex("sweep", "--resume", "gate", "--json", "--measures", "same") == Exit.DONE
    captured = capsys.readouterr()
    assert "8 results were there, 0 runs played" in captured.err
    assert [d["cell"] for d in json.loads(captured.out)["differences"]] == ["market.gate_closure_minutes=60"]


def test_the_default_sweep_and_folder(played_here, capsys, tmp_path: Path) -> None:
    assert parkex("sweep", "park", "--seeds", "2", "--measures", "same") == Exit.DONE
    cells = json.loads((tmp_path / "out" / "sweep-park" / "sweep.json").read_text())["cells"]
    assert {key for cell in cells for key in cell["overrides"]} == {
        "market.mechanism", "market.gate_closure_minutes", "market.tick_cny_per_kwh", "market.lot_kwh",
    }  # fmt: skip
    assert len(cells) == 6


def test_robust_plays_populations_and_responses(played_here, capsys) -> None:
    assert parkex("sweep", "park", *GATE, "--robust", "--measures", "allocative_efficiency", "--json") == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert {d["population"] for d in found["differences"]} == {"", "zi_c", "zip", "aa"}
    assert [c["verdict"] for c in found["conclusions"]] == ["robust"]
    assert {(r["role"], r["alternative"]) for r in found["regrets"]} >= {("enterprise", "withholds"), ("generator", "misreports")}


def test_failed_runs_are_told_and_exit_with_1(played_here, capsys) -> None:
    played_here["name"] = "refuses_for_uniform"
    options = ("--set", "market.mechanism=cda,uniform", "--seeds", "3", "--measures", "same")
    assert parkex("sweep", "park", *options) == Exit.CHECK_FAILED
    out = capsys.readouterr().out
    assert "3 of 6 runs failed:\n  3 times: own.py:12: quote returned nonsense" in out
    assert "Mean and 95% interval" in out
    played_here["name"] = "measured"
    assert parkex("sweep", "park", *options) == Exit.DONE


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep",), "name a scenario"),
        (("sweep", "park", "--resume", "nowhere"), "has no sweep.json"),
        (("sweep", "nopark"), "nopark"),
        (("sweep", "park", "--set", "market.nothing=1,2"), "nothing"),
        (("sweep", "park", "--search", "market.gate=5..9"), "--objective"),
        (("sweep", "park", "--sensitivity", "morris", "--measures", "same"), "at least two"),
        (("sweep", "park", *GATE, "--measures", "nothing"), "no run has the measure nothing"),
        (("compare", "park", "--mechanisms", "cda"), "at least two of cda, uniform"),
        (("compare", "park", "--mechanisms", "cda,dutch"), "at least two of cda, uniform"),
        (("compare", "park", "--set", "market.gate=5,6"), "compare varies mechanisms only"),
    ],
)
def test_bad_usage_exits_with_2(played_here, capsys, words: tuple[str, ...], message: str) -> None:
    assert parkex(*words) == Exit.BAD_INPUT
    assert message in capsys.readouterr().out


def test_a_search(played_here, capsys, tmp_path: Path) -> None:
    options = ("--search", "market.gate_closure_minutes=5..60:5", "--objective", "maximise:allocative_efficiency", "--trials", "8", "--seeds", "2")
    assert parkex("sweep", "park", *options, "--out", "found") == Exit.DONE
    assert "rules as written, fresh seeds" in capsys.readouterr().out
    found = json.loads((tmp_path / "found" / "search.json").read_text())
    assert (len(found["tried"]), len(found["best_again"]["values"])) == (8, 2)


def test_a_sensitivity_analysis(played_here, capsys, tmp_path: Path) -> None:
    options = ("--search", "market.gate_closure_minutes=5..60", "--search", "market.mechanism=cda,uniform", "--measures", "allocative_efficiency")
    assert parkex("sweep", "park", "--sensitivity", "morris", "--samples", "2", "--seeds", "1", *options, "--out", "found") == Exit.DONE
    assert "market.mechanism" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "found" / "sensitivity.json").read_text())["effects"]) == 2


def test_the_null_test(played_here, capsys, tmp_path: Path) -> None:
    assert parkex("sweep", "park", "--null", "--seeds", "20", "--measures", "same,allocative_efficiency", "--out", "null") == Exit.DONE
    assert "any, after Holm" in capsys.readouterr().out
    assert json.loads((tmp_path / "null" / "null.json").read_text())["any_measure"]["trials"] == 1000


def test_compare_has_a_row_for_each_mechanism(played_here, capsys, tmp_path: Path) -> None:
    assert parkex("compare", "park", "--mechanisms", "cda,uniform,vcg", "--seeds", "3", "--measures", "allocative_efficiency") == Exit.DONE
    out = capsys.readouterr().out
    assert [line.split("│")[1].strip() for line in out.splitlines() if line.startswith("│ ")][:3] == [
        "cda", "uniform", "vcg",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    assert parkex("compare", "park", "--mechanisms", "cda,uniform", "--seeds", "2", "--measures", "same", "--json", "--out", "kept") == Exit.DONE
    assert (tmp_path / "kept" / "analysis.json").is_file()
