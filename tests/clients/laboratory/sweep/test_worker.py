"""The real task: one park day, measured, the same in this process and in one of its own."""

import dataclasses

import pytest

from clients.laboratory.run.engine import simulate
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.write import scenario_text
from clients.laboratory.sweep.attempt import attempt
from clients.laboratory.sweep.axes import Axis
from clients.laboratory.sweep.plan import Question, make_plan
from clients.laboratory.sweep.processes import Processes
from clients.laboratory.sweep.runner import PLAY
from clients.laboratory.sweep.worker import KEPT, kept_of_participants


def test_a_run_is_the_same_in_any_process() -> None:
    """Two rules: results of a process of its own are those of this one, number by number, and its state hash is the simulator's."""
    plan = make_plan(Question(scenario="park", axes=(Axis("market.gate_closure_minutes", ("5", "60")),), seeds=1), load_scenario, scenario_text)
    here = {task.key: attempt(PLAY, task).result for task in plan.tasks}
    with Processes(PLAY, 1) as processes:
        assert {played.result.key: played.result for played in processes.run(plan.tasks)} == here
    first, second = (here[task.key] for task in plan.tasks)
    assert first.is_done, first.reason
    assert first.state_hash == simulate(plan.tasks[0].scenario, plan.tasks[0].seed).state_hash != second.state_hash
    assert first.measures["load_kwh"] == second.measures["load_kwh"]  # the same weather whatever the rules
    together = first.participants["enterprise"]["bill_market_cny"]
    assert together == pytest.approx(sum(row["bill_market_cny"] for name, row in first.participants.items() if name.startswith("E")))


def test_a_strategy_that_is_not_there_fails_its_task() -> None:
    (task, *_) = make_plan(Question(scenario="park", seeds=1), load_scenario, scenario_text).tasks
    participant, *rest = task.scenario.participants
    broken = dataclasses.replace(participant, agent=dataclasses.replace(participant.agent, name="nobody"))
    played = attempt(PLAY, dataclasses.replace(task, scenario=dataclasses.replace(task.scenario, participants=(broken, *rest))))
    assert "no population is called 'nobody'" in played.result.reason


def test_what_is_kept_of_participants() -> None:
    rows = [
        {"participant": "A", "role": "r", "bill_market_cny": 0.25, "bought_kwh": None, "gini": 3.0, "name_en": "a"},
        {"participant": "B", "role": "r", "bill_market_cny": 0.5, "bought_kwh": 4.0, "gini": 3.0, "name_en": "b"},
    ]
    assert kept_of_participants(rows) == {
        "r": {"bill_market_cny": 0.75, "bought_kwh": 4.0},
        "A": {"bill_market_cny": 0.25, "bought_kwh": None},
        "B": {"bill_market_cny": 0.5, "bought_kwh": 4.0},
    }
    assert "bill_market_cny" in KEPT


def test_welfare_is_measured_where_it_is_asked_for() -> None:
    question = Question(scenario="park", axes=(Axis("market.gate_closure_minutes", ("5",)),), seeds=1, welfare=True)
    (task,) = make_plan(question, load_scenario, scenario_text).tasks
    small = dataclasses.replace(task.scenario, participants=task.scenario.participants[17:24])
    found = {asked: attempt(PLAY, dataclasses.replace(task, scenario=small, welfare=asked)).result.measures for asked in (True, False)}
    assert found[True]["welfare_realised_cny"] <= found[True]["welfare_perfect_cny"]
    assert found[False]["welfare_perfect_cny"] is None
