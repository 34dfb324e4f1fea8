"""The market designer's guide: its commands run as written, its answer is what they give."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[4] / "docs" / "market-designers-guide.md"
TEXT = GUIDE.read_text("utf-8")
ROW = re.compile(r"^\| `(?P<measure>[^`]+)` \| (?P<mean>\S+) \| (?P<low>\S+) \| (?P<high>\S+) \| (?P<detectable>\S+) \|$", re.MULTILINE)


def commands(kind: str) -> list[str]:
    """Lines of the blocks of a kind, in the order of the page."""
    return [line for block in re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines() if line]


def run(line: str, folder: Path) -> str:
    words = shlex.split(line)
    assert words[0] == "parkex"
    done = subprocess.run(
        [sys.executable, "-m", "clients.cli", *words[1:]], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(GUIDE.parents[1]), "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of the page were run, one after the other."""
    folder = tmp_path_factory.mktemp("guide")
    for line in commands("sh"):
        run(line, folder)
    return folder


def test_the_commands_leave_what_the_page_says(folder: Path) -> None:
    assert {"mine.toml", "run", "run.html", "gate", "gate.html"} <= {path.name for path in folder.iterdir()}
    assert (folder / "gate.html").stat().st_size < 10_000_000


def test_the_answer_is_what_the_sweep_found(folder: Path) -> None:
    analysis = json.loads((folder / "gate" / "analysis.json").read_text("utf-8"))
    found = {
        row["measure"]: {name: f"{row[name]:.1f}" for name in ("mean", "low", "high", "detectable")}
        for row in analysis["differences"]
        if row["population"] == "zi_c"
    }
    stated = {row["measure"]: {name: row[name] for name in ("mean", "low", "high", "detectable")} for row in ROW.finditer(TEXT)}
    assert found == stated


def test_the_signs_hold_for_all_populations_and_the_bills_hardly_move(folder: Path) -> None:
    differences = json.loads((folder / "gate" / "analysis.json").read_text("utf-8"))["differences"]
    for measure, sign in (("traded_kwh", -1), ("imbalance_cost_cny", 1)):
        means = [row["mean"] for row in differences if row["measure"] == measure]
        assert len(means) >= 3
        assert all(mean * sign > 0 for mean in means)
    bills = {row["population"]: row for row in differences if row["measure"] == "bill_market_cny@enterprise"}
    assert all(abs(row["mean"]) < 50 for row in bills.values())
    assert bills["zi_c"]["high"] < 0
    assert bills["zip"]["low"] < 0 < bills["zip"]["high"]


@pytest.mark.soak
def test_the_long_commands_run(folder: Path) -> None:
    for line in commands("sh soak"):
        run(line, folder)
