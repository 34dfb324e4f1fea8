"""Playing: processes that fail, die and are killed, files that go on, and the same results wherever they are played."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from clients.laboratory.sweep.attempt import attempt
from clients.laboratory.sweep.axes import Axis
from clients.laboratory.sweep.plan import Plan, Question, make_plan
from clients.laboratory.sweep.processes import Processes
from clients.laboratory.sweep.results import RESULTS_NAME, ResultFile, failures, read_results
from clients.laboratory.sweep.runner import ProgressBar, Runner
from clients.laboratory.sweep.task import Result, Task
from exchange.errors import InputError
from tests.architecture.repository import ROOT
from tests.clients.laboratory.sweep.here import Here
from tests.clients.laboratory.sweep.plays import FUNCTIONS
from tests.clients.laboratory.sweep.small_scenario import load, write

AXES = (Axis("market.gate_closure_minutes", ("5", "15")), Axis("market.mechanism", ("cda", "uniform")))


def plan(seeds: int = 3) -> Plan:
    return make_plan(Question(scenario="small", axes=AXES, seeds=seeds), load, write)


def in_this_process(function: str, tasks: tuple[Task, ...]) -> list[Result]:
    return [attempt(f"{FUNCTIONS}:{function}", task).result for task in tasks]


def play(directory: Path, function: str, tasks: tuple[Task, ...], n: int = 2) -> tuple[dict[str, Result], Runner]:
    """Play tasks on `n` processes; 0: in this one."""
    with ResultFile(directory) as file, Processes(f"{FUNCTIONS}:{function}", n) if n else Here(f"{FUNCTIONS}:{function}") as executor:
        runner = Runner(executor, file)
        return runner.play(tasks), runner


@pytest.mark.parametrize("n", [1, 2])
def test_processes_give_what_one_process_gives(tmp_path: Path, n: int) -> None:
    tasks = plan().tasks
    found, runner = play(tmp_path, "measured", tasks, n)
    assert [found[task.key] for task in tasks] == in_this_process("measured", tasks)
    assert (runner.effort.played, runner.effort.failed, runner.effort.found) == (12, 0, 0)
    assert sorted(map(msgspec.json.encode, read_results(tmp_path / RESULTS_NAME))) == sorted(map(msgspec.json.encode, found.values()))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("raises_for_uniform", "tests/clients/laboratory/sweep/plays.py:37: KeyError: 'nothing'"),
        ("refuses_for_uniform", "own.py:12: quote returned nonsense"),
        ("exits_for_uniform", "tests/clients/laboratory/sweep/plays.py:55: SystemExit: a strategy that leaves"),
        ("dies_for_uniform", "the worker process was ended by SIGKILL (out of memory?)"),
    ],
)
def test_a_task_that_fails_has_its_reason_and_the_others_go_on(tmp_path: Path, function: str, reason: str) -> None:
    tasks = plan(2).tasks
    found, runner = play(tmp_path, function, tasks)
    assert {(task.cell.endswith("uniform"), found[task.key].reason) for task in tasks} == {(True, reason), (False, "")}
    assert failures(found.values()) == {reason: 4}
    assert runner.effort.failed == 4
    whole, again = play(tmp_path, "measured", tasks, 0)  # what failed is tried again, what is there is not
    assert (again.effort.played, again.effort.found) == (4, 4)
    assert all(result.is_done for result in whole.values())


def test_a_refused_scenario_is_a_failed_task(tmp_path: Path) -> None:
    tasks = make_plan(Question(scenario="small", axes=(Axis(AXES[0].key, ("5", "15", "9999")),), seeds=1), load, write).tasks
    found, _ = play(tmp_path, "measured", tasks, 0)
    assert [found[task.key].reason for task in tasks] == ["", "", "small.toml: market.gate_closure_minutes = 9999: at most 1440"]


def test_a_worker_of_other_code_says_so() -> None:
    (task, *_) = plan().tasks
    other = Task(task.key, task.cell, task.population, task.response, task.seed, "0.0.1+other", task.scenario)
    assert "the sweep was planned with 0.0.1+other" in attempt(f"{FUNCTIONS}:measured", other).result.reason


def test_more_seeds_go_on_from_what_is_there(tmp_path: Path) -> None:
    play(tmp_path, "measured", plan(2).tasks, 0)
    found, runner = play(tmp_path, "measured", plan(4).tasks, 0)
    assert (runner.effort.played, runner.effort.found, len(found)) == (8, 8, 16)


def test_an_unfinished_line_is_cut_and_its_task_played_again(tmp_path: Path) -> None:
    tasks = plan(1).tasks
    play(tmp_path, "measured", tasks, 0)
    whole = (tmp_path / RESULTS_NAME).read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    for cut in (1, len(last) // 2, len(last) - 1):
        (tmp_path / RESULTS_NAME).write_bytes(whole[:-cut])
        with ResultFile(tmp_path) as file:
            assert file.cut_bytes == len(last) - cut
            assert len(file.by_key) == 3
    _, runner = play(tmp_path, "measured", tasks, 0)
    assert runner.effort.played == 1
    assert (tmp_path / RESULTS_NAME).read_bytes() == whole


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    play(tmp_path, "measured", plan(1).tasks, 0)
    lines = (tmp_path / RESULTS_NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / RESULTS_NAME).write_bytes(b"".join([lines[0], lines[1][:40] + b"\n", *lines[2:]]))
    with pytest.raises(InputError, match=r"results\.jsonl:2: not a result"):
        ResultFile(tmp_path)


def test_one_sweep_writes_a_folder(tmp_path: Path) -> None:
    with ResultFile(tmp_path), pytest.raises(InputError, match="another sweep"):
        ResultFile(tmp_path)
    with ResultFile(tmp_path) as file:
        assert file.by_key == {}


PROGRAM = """
import sys
from pathlib import Path
from tests.clients.laboratory.sweep.test_runner import play, plan
if __name__ == "__main__":
    play(Path(sys.argv[1]), "waits_for_uniform", plan().tasks)
"""


def test_a_killed_sweep_keeps_what_it_told_and_its_workers_end(tmp_path: Path) -> None:
    """Both workers stand at a task that never ends when the parent is killed; what ended before is there."""
    program, waits = tmp_path / "program.py", tmp_path / "waits"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WAITS_FILE": str(waits)}
    sweep = subprocess.Popen([sys.executable, str(program), str(tmp_path / "out")], env=environment, stderr=subprocess.PIPE)
    results = tmp_path / "out" / RESULTS_NAME
    until(lambda: waits.exists() and waits.read_text() and results.exists() and results.read_bytes().count(b"\n") >= 2)
    worker = int(waits.read_text())
    sweep.kill()
    sweep.communicate(timeout=30)
    until(lambda: not is_running(worker))
    kept = read_results(results)
    assert 2 <= len(kept) <= 3
    found, runner = play(tmp_path / "out", "measured", plan().tasks, 0)
    assert runner.effort.played == 12 - len(kept)
    assert [found[task.key] for task in plan().tasks] == in_this_process("measured", plan().tasks)


def until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_leaving_early_ends_a_running_task(tmp_path: Path, monkeypatch) -> None:
    waits = tmp_path / "waits"
    monkeypatch.setenv("WAITS_FILE", str(waits))
    with Processes(f"{FUNCTIONS}:waits_for_uniform", 1) as processes:
        next(processes.run(plan(1).tasks))
        until(lambda: waits.exists() and waits.read_text())
    assert not is_running(int(waits.read_text()))


def test_a_bar_says_how_far_it_is(monkeypatch, capsys) -> None:
    monkeypatch.setattr("clients.laboratory.sweep.runner._LINE_EVERY_S", 0.0)
    console = Console(force_terminal=False, width=120)
    results = [attempt(f"{FUNCTIONS}:raises_for_uniform", task) for task in plan(1).tasks]
    with ProgressBar(console, "sweep", 4) as bar:
        for played in results:
            bar.count(played)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",  ")[0].split(", about")[0] for line in lines] == [
        "sweep: 1 of 4", "sweep, 1 failed: 2 of 4", "sweep, 1 failed: 3 of 4", "sweep, 2 failed: 4 of 4",
    ]  # fmt: skip


def test_signals_have_names() -> None:
    from clients.laboratory.sweep.processes import _last_words

    assert _last_words(3) == "the worker process ended with exit code 3"
    assert _last_words(-signal.SIGSEGV) == "the worker process was ended by SIGSEGV"
    assert _last_words(-64 - 40) == "the worker process was ended by signal 104"
