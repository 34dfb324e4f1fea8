"""Which runs a question needs: cells, seeds, keys."""

import dataclasses

import pytest

from clients.laboratory.scenario.model import AgentChoice, MarketRules
from clients.laboratory.sweep.axes import Axis, default_axes, grid, parse_axes, star
from clients.laboratory.sweep.plan import Question, make_plan, scenario_digest
from clients.laboratory.sweep.populations import responses_of, with_population
from exchange.errors import InputError
from tests.clients.laboratory.sweep.small_scenario import load, small_scenario, write

GATE = Axis("market.gate_closure_minutes", ("5", "15", "60"))
MECHANISM = Axis("market.mechanism", ("cda", "uniform"))


def test_axes_of_the_command_line() -> None:
    assert parse_axes(["market.gate_closure_minutes=5, 15,60", "market.mechanism=cda"]) == (GATE, Axis("market.mechanism", ("cda",)))
    assert parse_axes(["a=[1,2],[3]"]) == (Axis("a", ("[1,2]", "[3]")),)


@pytest.mark.parametrize("text", ["gate", "=5", "gate=", "gate=5,,6", "gate=5,5"])
def test_refused_axes(text: str) -> None:
    with pytest.raises(InputError, match="--set"):
        parse_axes([text])


def test_a_key_is_set_once() -> None:
    with pytest.raises(InputError, match="a is set twice"):
        parse_axes(["a=1", "a=2"])


def test_grid_and_star() -> None:
    names = [cell.name for cell in grid((GATE, MECHANISM))]
    assert names == [
        "baseline", "market.mechanism=uniform", "market.gate_closure_minutes=15", "market.gate_closure_minutes=15, market.mechanism=uniform",
        "market.gate_closure_minutes=60", "market.gate_closure_minutes=60, market.mechanism=uniform",
    ]  # fmt: skip
    assert [cell.name for cell in star((GATE, MECHANISM))] == [names[0], names[2], names[4], names[1]]
    assert all(set(cell.overrides) == {GATE.key, MECHANISM.key} for cell in star((GATE, MECHANISM)))


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(InputError, match="too many"):
        grid([Axis(str(number), tuple(map(str, range(10)))) for number in range(5)])


def test_every_cell_has_the_same_seeds() -> None:
    plan = make_plan(Question(scenario="small", axes=(GATE, MECHANISM), seeds=3), load, write)
    assert len(plan.tasks) == 18
    assert plan.seeds == (7, 8, 9)
    assert {cell.name: [task.seed for task in plan.tasks if task.cell == cell.name] for cell in plan.cells} == {
        cell.name: [7, 8, 9] for cell in plan.cells
    }
    assert [task.seed for task in plan.tasks] == sorted(task.seed for task in plan.tasks)


def test_the_default_question_has_tick_and_lot() -> None:
    plan = make_plan(Question(scenario="small", seeds=1), load, write)
    assert [cell.name for cell in plan.cells] == [
        "baseline", "market.mechanism=uniform", "market.gate_closure_minutes=15", "market.gate_closure_minutes=60",
        "market.tick_cny_per_kwh=0.005", "market.lot_kwh=10",
    ]  # fmt: skip
    assert plan.tasks[0].scenario == small_scenario()
    assert (plan.tasks[4].scenario.market.tick_step, plan.tasks[5].scenario.market.lot_step) == (50, 100)


def test_default_axes_begin_at_the_rules_as_written() -> None:
    market = MarketRules(mechanism="vcg", gate_closure_minutes=15, tick_step=3, lot_step=100)
    assert [axis.values for axis in default_axes(market)] == [
        ("vcg", "cda", "uniform"), ("15", "5", "60"), ("0.0003", "0.0001", "0.005"), ("10", "0.1"),
    ]  # fmt: skip


def test_keys_name_what_is_played() -> None:
    def keys(**changes: object) -> set[str]:
        question = Question(scenario="small", axes=(GATE,), seeds=2)
        return {task.key for task in make_plan(dataclasses.replace(question, **changes), load, write).tasks}

    first = keys()
    assert len(first) == 6
    assert keys() == first
    assert keys(seeds=3) > first
    assert keys(axes=(GATE, Axis("market.lot_step", ("1", "2")))) > first  # more cells use what is there
    assert keys(first_seed=9).isdisjoint(first)
    assert keys(days=3).isdisjoint(first)
    assert keys(welfare=True).isdisjoint(first)
    assert keys(populations=("zip",)).isdisjoint(first)


def test_a_changed_strategy_file_is_another_scenario(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    digests = []
    for content in ("", "a = 1", "a = 2"):
        if content:
            (tmp_path / "own.py").write_text(content)
        digests.append(scenario_digest(small_scenario(), write))
    assert len(set(digests)) == 3


def test_days_of_the_question() -> None:
    (task,) = make_plan(Question(scenario="small", axes=(Axis("market.tick_step", ("1",)),), seeds=1, days=5), load, write).tasks
    assert task.scenario.days == 5


def test_a_refused_cell_has_tasks_with_the_reason() -> None:
    plan = make_plan(Question(scenario="small", axes=(Axis(GATE.key, ("5", "15", "9999")),), seeds=2), load, write)
    assert [(task.cell, task.refused) for task in plan.tasks if task.refused] == 2 * [
        (f"{GATE.key}=9999", "small.toml: market.gate_closure_minutes = 9999: at most 1440")
    ]
    assert len({task.key for task in plan.tasks}) == 6


@pytest.mark.parametrize("axis", [Axis(GATE.key, ("9999", "5")), Axis("market.gate", ("1", "2")), Axis(GATE.key, ("5", "8888", "9999"))])
def test_a_refused_baseline_or_nothing_else_refuses_the_question(axis: Axis) -> None:
    with pytest.raises(InputError, match=r"small\.toml"):
        make_plan(Question(scenario="small", axes=(axis,)), load, write)


@pytest.mark.parametrize(("seeds", "responses"), [(0, 0), (3, 4), (3, -1)])
def test_refused_seeds(seeds: int, responses: int) -> None:
    with pytest.raises(InputError, match="--seeds"):
        make_plan(Question(scenario="small", seeds=seeds, response_seeds=responses), load, write)


def test_populations_replace_who_only_forms_prices() -> None:
    assert [p.agent.name for p in with_population(small_scenario(), "gdx").participants] == ["gdx", "gdx", "gdx", "market_maker", "own.py:Trader"]
    assert with_population(small_scenario(), "") == small_scenario()


def test_responses_are_of_the_largest_of_each_role() -> None:
    found = [(response.participant, response.alternative) for response in responses_of(small_scenario())]
    assert found == [
        ("E2", "truthful"), ("E2", "misreports"), ("E2", "withholds"), ("G1", "misreports"), ("G1", "withholds"),
    ]  # fmt: skip
    changed = responses_of(small_scenario())[1].applied(small_scenario())
    assert [p.id for p, q in zip(changed.participants, small_scenario().participants, strict=True) if p != q] == ["E2"]
    assert changed.participants[1].agent.name == "strategic"


def test_responses_are_played_with_the_scenarios_own_population() -> None:
    question = Question(scenario="small", axes=(MECHANISM,), seeds=3, populations=("zi_c", "zip", "aa"), response_seeds=2)
    plan = make_plan(question, load, write)
    played = {(task.population, task.response, task.seed) for task in plan.tasks if task.cell == "baseline"}
    own = {("", response) for response in ("", *(response.name for response in plan.responses))}
    assert {(p, r) for p, r, seed in played if seed == 9} == {("zi_c", ""), ("zip", ""), ("aa", "")}
    assert {(p, r) for p, r, seed in played if seed == 8} == own | {("zi_c", ""), ("zip", ""), ("aa", "")}
    assert AgentChoice(name="strategic", parameters={"withheld_ppm": 500_000}) in [p.agent for t in plan.tasks for p in t.scenario.participants]
