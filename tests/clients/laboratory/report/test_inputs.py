"""From folders to evidence: which runs belong together, what differs, what is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from clients.cli.app import app
from clients.laboratory.report.answer import Verdict, compare
from clients.laboratory.report.inputs import flat_scenario, read_evidence
from clients.laboratory.report.markup import Text
from clients.laboratory.sweep.analysis import analyse
from clients.laboratory.sweep.folder import ANALYSIS_NAME
from clients.laboratory.sweep.results import write_json
from exchange.errors import InputError
from tests.clients.laboratory.report.folders import run_folder, sweep_folder, sweep_plan
from tests.clients.laboratory.report.park_day import park_record

BILL = "bill_market_cny"


def test_a_scenario_is_flat_by_ids() -> None:
    text = 'days = 1\n[market]\nticks = [1, 2]\nis_open = true\n[[member]]\nid = "a"\nload = 5\n[[noise]]\nx = 1\n'
    assert flat_scenario(text, Path("s.toml")) == {
        "days": "1", "market.ticks": "1, 2", "market.is_open": "true", "member.a.id": "a", "member.a.load": "5", "noise.0.x": "1",
    }  # fmt: skip


def test_a_scenario_that_is_none_is_named() -> None:
    with pytest.raises(InputError, match=r"s\.toml.*line 1"):
        flat_scenario("days = = 1", Path("s.toml"))


def test_one_run_is_one_setting_by_its_name(tmp_path: Path) -> None:
    evidence = read_evidence([run_folder(tmp_path / "a")])
    assert [setting.label for setting in evidence.settings] == [Text("Zero-carbon demo park, Zhengzhou", "郑州零碳示范园区")]
    assert evidence.seeds == [1]
    assert not evidence.differing


def test_seeds_of_the_same_rules_are_one_setting(tmp_path: Path) -> None:
    folders = [run_folder(tmp_path / f"s{seed}", park_record(seed=seed), bill_market_cny=100.0 + seed) for seed in (1, 2)]
    folders += [
        run_folder(tmp_path / f"g{seed}", park_record(seed=seed, overrides={"market.gate_closure_minutes": "15"}), bill_market_cny=105.0 + seed)
        for seed in (1, 2)
    ]
    evidence = read_evidence(folders)
    assert [setting.label.en for setting in evidence.settings] == ["gate closure 5 min", "gate closure 15 min"]
    assert dict(evidence.differing) == {"market.gate_closure_minutes": ["5", "15"]}
    assert evidence.values(BILL, 1) == {("", 1): 106.0, ("", 2): 107.0}
    assert compare(evidence, BILL, 1).spread.mean == 5


def test_many_differences_are_named_by_folder(tmp_path: Path) -> None:
    other = {"market.gate_closure_minutes": "15", "market.mechanism": "uniform", "market.transparency": "top"}
    evidence = read_evidence([run_folder(tmp_path / "old"), run_folder(tmp_path / "new", park_record(overrides=other))])
    assert [setting.label.en for setting in evidence.settings] == ["old", "new"]
    assert len(evidence.differing) == 3


def test_a_measure_without_a_value_is_left_out(tmp_path: Path) -> None:
    assert read_evidence([run_folder(tmp_path / "a", gini=None)]).values("gini", 0) == {}


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", "b"], ["missing"]])
def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path, names: list[str]) -> None:
    for name in ("a", "b"):
        run_folder(tmp_path / name)
    with pytest.raises(InputError):
        read_evidence([tmp_path / name for name in names])


def test_a_sweep_is_read_with_its_cells(tmp_path: Path) -> None:
    plan = sweep_plan(seeds=3)
    values = {(task.cell, task.population, task.seed): {BILL: 100.0 + task.seed + 7 * (task.cell != "baseline")} for task in plan.tasks}
    sweep_folder(tmp_path / "sweep", plan, values)
    evidence = read_evidence([tmp_path / "sweep"])
    assert [setting.label.en for setting in evidence.settings] == ["baseline", "gate closure 15 min"]
    assert "gate_closure_minutes = 15" in evidence.settings[1].scenario_toml
    assert dict(evidence.differing) == {"market.gate_closure_minutes": ["5", "15"]}
    assert evidence.values(BILL, 1) == {("", seed): 107.0 + seed for seed in (1, 2, 3)}
    assert evidence.sweep is not None
    assert evidence.sweep.analysis is None
    assert evidence.sweep.n_planned == 6
    assert evidence.sweep.command == "parkex sweep park --set market.gate_closure_minutes=5,15 --seeds 3 --first-seed 1"


def test_the_command_of_a_sweep_asks_the_same(tmp_path: Path) -> None:
    sweep_folder(tmp_path / "sweep", sweep_plan(seeds=2, populations=("zi_c", "zip")), {("baseline", "zip", 2): {BILL: 1.0}})
    sweep = read_evidence([tmp_path / "sweep"]).sweep
    assert sweep is not None
    assert sweep.command.endswith("--seeds 2 --first-seed 1 --populations zi_c,zip")
    options = {word for word in sweep.command.split() if word.startswith("--")}
    known: Any = typer.main.get_command(app)
    assert options <= {name for parameter in known.commands["sweep"].params for name in parameter.opts}


@pytest.mark.parametrize(("shift", "verdict"), [(7.0, Verdict.BEHAVIOUR), (0.0, Verdict.SAME)])
def test_what_a_sweep_concludes_is_what_a_report_says(tmp_path: Path, shift: float, verdict: Verdict) -> None:
    plan = sweep_plan(seeds=4)
    values = {
        (task.cell, task.population, task.seed): {BILL: 100.0 + task.seed + (shift + 0.01 * task.seed * (shift > 0)) * (task.cell != "baseline")}
        for task in plan.tasks
    }
    results = sweep_folder(tmp_path / "sweep", plan, values)
    write_json(tmp_path / "sweep" / ANALYSIS_NAME, analyse(plan, results, [BILL]))
    found = compare(read_evidence([tmp_path / "sweep"]), BILL, 1)
    assert found.verdict is verdict
    assert (found.p_holm is None) == (verdict is Verdict.SAME)


def test_a_robust_conclusion_of_a_sweep_is_called_robust(tmp_path: Path) -> None:
    plan = sweep_plan(seeds=4)
    values = {(t.cell, t.population, t.seed): {BILL: 100.0 + t.seed + (7 + 0.01 * t.seed) * (t.cell != "baseline")} for t in plan.tasks}
    results = sweep_folder(tmp_path / "sweep", plan, values)
    analysis = analyse(plan, results, [BILL])
    robust = [msgspec.structs.replace(conclusion, verdict="robust") for conclusion in analysis.conclusions]
    write_json(tmp_path / "sweep" / ANALYSIS_NAME, msgspec.structs.replace(analysis, conclusions=robust))
    assert compare(read_evidence([tmp_path / "sweep"]), BILL, 1).verdict is Verdict.ROBUST


def test_a_run_beside_a_sweep_gives_its_cell_the_charts(tmp_path: Path) -> None:
    plan = sweep_plan(seeds=2)
    sweep_folder(tmp_path / "sweep", plan, {(task.cell, task.population, task.seed): {BILL: 1.0} for task in plan.tasks})
    run = run_folder(tmp_path / "run", park_record(overrides={"market.gate_closure_minutes": "15"}))
    evidence = read_evidence([tmp_path / "sweep", run])
    assert [setting.run and setting.run.directory for setting in evidence.settings] == [None, run]
    assert len(evidence.observations) == 4
    stranger = run_folder(tmp_path / "stranger", park_record(overrides={"market.gate_closure_minutes": "60"}))
    with pytest.raises(InputError, match="none of the sweep"):
        read_evidence([tmp_path / "sweep", stranger])


def test_two_sweeps_are_refused(tmp_path: Path) -> None:
    plan = sweep_plan(seeds=1)
    for name in ("a", "b"):
        sweep_folder(tmp_path / name, plan, {("baseline", "", 1): {BILL: 1.0}})
    with pytest.raises(InputError, match="both sweeps"):
        read_evidence([tmp_path / "a", tmp_path / "b"])


def test_a_sweep_without_results_is_refused(tmp_path: Path) -> None:
    sweep_folder(tmp_path / "sweep", sweep_plan(seeds=1), {})
    with pytest.raises(InputError, match="no run of the sweep has ended"):
        read_evidence([tmp_path / "sweep"])


@pytest.mark.parametrize("name", ["scenarios/0001.toml", "results.jsonl", "sweep.json"])
def test_a_damaged_sweep_is_named(tmp_path: Path, name: str) -> None:
    plan = sweep_plan(seeds=1)
    sweep_folder(tmp_path / "sweep", plan, {(task.cell, "", 1): {BILL: 1.0} for task in plan.tasks})
    (tmp_path / "sweep" / name).write_bytes(b"\xff = \n")
    with pytest.raises(InputError, match=name):
        read_evidence([tmp_path / "sweep"])
