"""A run can be repeated from what it wrote, by other processes and by other Pythons."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from clients.laboratory.measures.measures import measure
from clients.laboratory.run.engine import simulate
from clients.laboratory.run.output import read_run, write_run
from clients.laboratory.scenario.resolve import load_scenario

ROOT = Path(__file__).parents[4]
OVERRIDES = {"market.day_ahead_rounds": "1", "market.rounds_before_gate_minutes": "30", "population.default": "zip"}
PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
NEEDS = "import numba, msgspec, scipy, sqlalchemy, sortedcontainers"
ASK = """
import json, sys
from clients.laboratory.run.engine import simulate
from clients.laboratory.scenario.resolve import load_scenario
record = simulate(load_scenario("park", json.loads(sys.argv[1])), int(sys.argv[2]))
print(record.state_hash, record.journal_hash)
"""


def hashes(seed: int) -> tuple[str, str]:
    record = simulate(load_scenario("park", OVERRIDES), seed)
    return record.state_hash, record.journal_hash


def test_what_a_run_wrote_repeats_it(tmp_path: Path) -> None:
    record = simulate(load_scenario("park", OVERRIDES), 11)
    write_run(record, tmp_path / "run", measure(record))
    written = read_run(tmp_path / "run")
    again = simulate(load_scenario(str(tmp_path / "run" / "scenario.toml")), int(written.facts["seed"]), days=int(written.facts["days"]))
    assert again.state_hash == written.facts["state_hash"]
    assert measure(again) == dict(written.measures)


def test_many_processes_come_to_the_hashes_of_one() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(hashes, (1, 2, 3))) == [hashes(seed) for seed in (1, 2, 3)]


def able_pythons() -> list[str]:
    """Interpreters that are found and have what parkex needs, this one first."""
    found = [sys.executable]
    for name in PYTHONS:
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", NEEDS], capture_output=True, check=False).returncode == 0:
            found.append(path)
    return found


@pytest.mark.parametrize("python", able_pythons())
def test_every_python_that_is_found_comes_to_the_same_hashes(python: str) -> None:
    done = subprocess.run([python, "-c", ASK, json.dumps(OVERRIDES), "5"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tuple(done.stdout.split()) == hashes(5)
