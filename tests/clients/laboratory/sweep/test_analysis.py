"""Findings: pairing, Holm over all that is asked, regrets, and what may be called robust."""

import csv
import dataclasses
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from clients.laboratory.statistics.comparisons import holm
from clients.laboratory.sweep.analysis import analyse
from clients.laboratory.sweep.attempt import attempt
from clients.laboratory.sweep.axes import Axis
from clients.laboratory.sweep.findings import BEHAVIOUR, NO_DIFFERENCE, ROBUST, TOO_FEW, Analysis
from clients.laboratory.sweep.folder import read_sweep, write_plan
from clients.laboratory.sweep.null import null_test
from clients.laboratory.sweep.outcome import choose_measures, judge
from clients.laboratory.sweep.plan import Plan, Question, make_plan
from clients.laboratory.sweep.populations import ROBUST_POPULATIONS
from clients.laboratory.sweep.tables import compare_table, differences_table, means_table, number, regrets_table
from clients.laboratory.sweep.task import Result
from exchange.errors import InputError
from tests.clients.laboratory.sweep.plays import FUNCTIONS, noise
from tests.clients.laboratory.sweep.small_scenario import load, write

GATE = Axis("market.gate_closure_minutes", ("5", "15", "60"))


def played(question: Question, function: str = "measured") -> tuple[Plan, dict[str, Result]]:
    plan = make_plan(question, load, write)
    return plan, {task.key: attempt(f"{FUNCTIONS}:{function}", task).result for task in plan.tasks}


def robust_question(seeds: int = 12) -> Question:
    return Question(scenario="small", axes=(GATE,), seeds=seeds, populations=ROBUST_POPULATIONS, response_seeds=6)


def test_pairing_finds_what_the_noise_of_seeds_hides() -> None:
    plan, results = played(Question(scenario="small", axes=(GATE,), seeds=12))
    analysis = analyse(plan, results, ["allocative_efficiency", "same"])
    (first, _, last, _) = analysis.differences
    assert (first.cell, first.measure, first.n) == ("market.gate_closure_minutes=15", "allocative_efficiency", 12)
    for difference, effect in ((first, -1.0), (last, -5.5)):
        assert difference.low < effect < difference.high
        assert difference.p_holm < 0.05
        assert difference.variance_reduction_percent > 99
    overlap = [e for e in analysis.estimates if e.measure == "allocative_efficiency"]
    assert overlap[0].low < overlap[1].mean  # unpaired, the first difference is lost in the noise
    assert {c.verdict for c in analysis.conclusions if c.measure == "same"} == {NO_DIFFERENCE}


def test_p_values_are_adjusted_for_all_measures_and_cells() -> None:
    plan, results = played(Question(scenario="small", axes=(GATE,), seeds=5))
    one = analyse(plan, results, ["allocative_efficiency"]).differences
    many = analyse(plan, results, ["allocative_efficiency", "same", "traded_lots"]).differences
    assert [d.p_holm for d in one] == pytest.approx(holm([d.p for d in one]))
    assert [d.p_holm for d in many] == pytest.approx(holm([d.p for d in many]))
    assert [d.p for d in one] == [d.p for d in many if d.measure == "allocative_efficiency"]


def verdicts(analysis: Analysis, measure: str = "allocative_efficiency") -> list[tuple[str, list[str]]]:
    return [(c.verdict, c.reasons) for c in analysis.conclusions if c.measure == measure]


def test_robust_needs_populations_and_responses() -> None:
    measures = ["allocative_efficiency"]
    assert verdicts(analyse(*played(robust_question()), measures)) == [(ROBUST, []), (ROBUST, [])]
    two = dataclasses.replace(robust_question(), populations=("", "zi_c", "zip"))
    assert verdicts(analyse(*played(two), measures))[0] == (BEHAVIOUR, ["2 of 3 populations tried"])
    alone = dataclasses.replace(robust_question(), response_seeds=0)
    assert verdicts(analyse(*played(alone), measures))[0] == (BEHAVIOUR, ["no response tried"])
    assert verdicts(analyse(*played(Question(scenario="small", axes=(GATE,), seeds=1)), measures)) == [(TOO_FEW, []), (TOO_FEW, [])]


def changed(results: dict[str, Result], plan: Plan, cell: str, population: str, response: str, shift: float) -> dict[str, Result]:
    """Results of one place with another efficiency."""
    keys = {task.key for task in plan.tasks if (task.cell, task.population, task.response) == (cell, population, response)}
    moved = {key: dict(results[key].measures, allocative_efficiency=results[key].measures["allocative_efficiency"] + shift) for key in keys}
    return {**results, **{key: msgspec.structs.replace(results[key], measures=measures) for key, measures in moved.items()}}


def test_a_population_that_says_otherwise_takes_robustness_away() -> None:
    plan, results = played(robust_question())
    other = changed(results, plan, "market.gate_closure_minutes=60", "zip", "", 20.0)
    assert verdicts(analyse(plan, other, ["allocative_efficiency"])) == [(ROBUST, []), (BEHAVIOUR, ["not shown for zip"])]


def test_a_best_response_that_turns_the_sign_takes_robustness_away() -> None:
    plan, results = played(robust_question())
    other = changed(results, plan, "market.gate_closure_minutes=60", "", "E2 withholds", 20.0)
    assert verdicts(analyse(plan, other, ["allocative_efficiency"]))[1] == (BEHAVIOUR, ["not when enterprise E2 withholds"])
    harmless = changed(results, plan, "market.gate_closure_minutes=60", "", "E2 truthful", 20.0)  # saves nothing: nobody would
    assert verdicts(analyse(plan, harmless, ["allocative_efficiency"]))[1] == (ROBUST, [])


def test_regrets_are_what_a_participant_saves() -> None:
    plan, results = played(robust_question())
    analysis = analyse(plan, results, ["allocative_efficiency"])
    saves = {(r.participant, r.alternative): r.gain_cny for r in analysis.regrets if r.cell == "baseline"}
    assert saves == {
        ("E2", "truthful"): 0, ("E2", "misreports"): 0, ("E2", "withholds"): pytest.approx(2), ("G1", "misreports"): 0,
        ("G1", "withholds"): pytest.approx(2),
    }  # fmt: skip
    assert [c.largest_regret_cny for c in analysis.conclusions] == [pytest.approx(2)] * 2


def test_failed_and_undefined_runs_are_left_out_of_their_pairs() -> None:
    question = Question(scenario="small", axes=(Axis("market.mechanism", ("cda", "uniform")),), seeds=4)
    plan, results = played(question, "raises_for_uniform")
    analysis = analyse(plan, results, ["allocative_efficiency", "undefined"])
    assert [(d.n, d.mean) for d in analysis.differences] == [(0, None), (0, None)]
    assert {e.n for e in analysis.estimates if e.measure == "undefined"} == {0}
    assert list(analysis.failures.values()) == [4]
    one = next(task.key for task in plan.tasks if task.cell == "baseline")
    complete = played(question)[1]
    lacking = {**complete, one: results[next(task.key for task in plan.tasks if task.cell != "baseline")]}
    assert [d.n for d in analyse(plan, lacking, ["allocative_efficiency"]).differences] == [3]


def test_measures_of_a_participant_and_unknown_ones() -> None:
    plan, results = played(Question(scenario="small", axes=(GATE,), seeds=3))
    (found, *_) = analyse(plan, results, ["bill_market_cny@E2"]).estimates
    assert found.mean == pytest.approx(200 + np.mean([noise(seed, "E2") for seed in plan.seeds]))
    for name in ("nothing", "bill_market_cny@E9", "nothing@E2"):
        with pytest.raises(InputError, match=f"no run has the measure {name}"):
            analyse(plan, results, [name])
    with pytest.raises(InputError, match="no run has the measure nothing"):
        choose_measures("same,nothing", results.values())
    with pytest.raises(InputError, match="--level"):
        analyse(plan, results, ["same"], 1.0)


def test_files_of_a_sweep(tmp_path: Path) -> None:
    question = robust_question(seeds=6)
    plan, results = played(question)
    write_plan(tmp_path, plan, write)
    analysis = judge(tmp_path, plan, results, "allocative_efficiency,same", 0.9)
    found = read_sweep(tmp_path)
    assert found.asked() == question
    assert [(tmp_path / cell.scenario).read_text() for cell in found.cells] == [write(plan.scenarios[cell.name]) for cell in plan.cells]
    assert (found.populations, found.seeds, len(found.responses)) == (list(ROBUST_POPULATIONS), list(plan.seeds), 5)
    assert msgspec.json.decode((tmp_path / "analysis.json").read_bytes(), type=Analysis) == analysis
    rows = list(csv.DictReader((tmp_path / "differences.csv").read_text().splitlines()))
    assert [(row["cell"], float(row["mean"])) for row in rows] == [(d.cell, d.mean) for d in analysis.differences]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 3}', b"\xff"])
def test_a_folder_that_is_no_sweep(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"has no sweep\.json"):
        read_sweep(tmp_path)
    (tmp_path / "sweep.json").write_bytes(content)
    with pytest.raises(InputError, match="is not a sweep"):
        read_sweep(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    plan, _ = played(Question(scenario="small", axes=(GATE,), seeds=1))
    write_plan(tmp_path, plan, write)
    path = tmp_path / "sweep.json"
    path.write_text(path.read_text().replace("parkex-sweep-1", "parkex-sweep-9"))
    with pytest.raises(InputError, match="parkex-sweep-9; this version of parkex reads parkex-sweep-1"):
        read_sweep(tmp_path)


def test_equal_rules_do_not_differ_more_often_than_chance() -> None:
    values = {name: {seed: noise(seed, name) for seed in range(40)} for name in ("a", "b", "c")}
    test = null_test(values, 0.95, 400)
    assert test.holds
    assert all(2 < percent < 8 for percent in test.by_measure_percent.values())
    assert 0.01 < test.any_measure.share < 0.083


def test_a_null_test_that_finds_too_much_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Holm's adjustment twenty measures differ by chance far too often."""
    monkeypatch.setattr("clients.laboratory.sweep.null.holm", lambda p_values: p_values)
    values = {f"m{number}": {seed: noise(seed, str(number)) for seed in range(24)} for number in range(10)}
    assert not null_test(values, 0.95, 100).holds


def test_few_seeds_are_no_null_test() -> None:
    with pytest.raises(InputError, match="at least 8"):
        null_test({"a": dict.fromkeys(range(7), 1.0)}, 0.95)
    with pytest.raises(InputError, match="0 seeds"):
        null_test({}, 0.95)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0"), (12345.6, "12,346"), (-123.45, "-123.5"), (12.5, "12.50"), (1.2345, "1.234"), (0.012345, "0.0123"), (math.pi, "3.142")],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_tables_have_every_row() -> None:
    analysis = analyse(*played(robust_question()), ["allocative_efficiency", "same", "undefined"])
    assert (means_table(analysis, "zip").row_count, len(means_table(analysis, "zip").columns)) == (3, 4)
    table = differences_table(analysis, "")
    assert table.row_count == 6
    assert list(table.columns[-1].cells) == ["robust: lower", "no difference found", "too few seeds"] * 2
    assert regrets_table(analysis).row_count == 6
    compared = compare_table(analysis, {"baseline": "five", "market.gate_closure_minutes=60": "sixty"})
    assert [list(column.cells)[1].endswith("*") for column in compared.columns] == [False, True, False, False]
    assert list(compared.columns[0].cells) == ["five", "sixty"]
