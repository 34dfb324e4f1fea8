"""Search, sensitivity, and the spaces they work on: with objectives whose answer is known."""

from pathlib import Path

import pytest

from clients.laboratory.sweep.parameters import Choice, Range, parse_parameters
from clients.laboratory.sweep.plan import Question
from clients.laboratory.sweep.points import Evaluator
from clients.laboratory.sweep.results import ResultFile
from clients.laboratory.sweep.runner import Runner
from clients.laboratory.sweep.search import Objective, parse_objective, search
from clients.laboratory.sweep.sensitivity import points_of, sensitivity
from clients.laboratory.sweep.tables import search_table, sensitivity_table
from exchange.errors import CheckFailedError, InputError
from tests.clients.laboratory.sweep.here import Here
from tests.clients.laboratory.sweep.plays import FUNCTIONS
from tests.clients.laboratory.sweep.small_scenario import load, write

GATE = "market.gate_closure_minutes=5..120:5"
MECHANISM = "market.mechanism=cda,uniform,vcg"


@pytest.fixture
def file(tmp_path: Path):
    with ResultFile(tmp_path) as opened:
        yield opened


def evaluator(file: ResultFile, measure: str = "allocative_efficiency", function: str = "measured", seeds: int = 3) -> Evaluator:
    return Evaluator(Question(scenario="small", seeds=seeds), load, write, Runner(Here(f"{FUNCTIONS}:{function}"), file), measure)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=5..8", ["5", "6", "7", "8"]), ("a.b=5..120:50", ["5", "55", "105"]), ("a=0.1..0.3", ["0.1", "0.2", "0.3"]),
        ("a=-1..1", ["-1", "0", "1"]), ("a=0..1:0.25", ["0.00", "0.25", "0.50", "0.75", "1.00"]), ("a=100..300:1e2", ["100", "200", "300"]),
        ("a=cda,uniform", ["cda", "uniform"]), ("a=[1,2],[3]", ["[1,2]", "[3]"]),
    ],
)  # fmt: skip
def test_values_of_a_parameter(text: str, values: list[str]) -> None:
    (parameter,) = parse_parameters([text])
    assert [parameter.text(index) for index in range(parameter.n_values)] == values


@pytest.mark.parametrize(
    "text", ["a", "a=", "=1..2", "a=5..5", "a=9..5", "a=1..x", "a=1..2:0", "a=1..2:-1", "a=NaN..2", "a=1..Infinity", "a=1..2:9", "a=x"]
)
def test_refused_parameters(text: str) -> None:
    with pytest.raises(InputError, match="--search"):
        parse_parameters([text])


def test_a_parameter_is_given_once() -> None:
    with pytest.raises(InputError, match="given twice"):
        parse_parameters([GATE, "market.gate_closure_minutes=5,6"])


@pytest.mark.parametrize("text", ["", "efficiency", "maximise:", "maximize:x"])
def test_refused_objectives(text: str) -> None:
    with pytest.raises(InputError, match="--objective"):
        parse_objective(text)


def test_a_search_finds_the_best_rules_and_repeats_itself(file: ResultFile) -> None:
    space = parse_parameters([GATE, MECHANISM])
    assert space[1] == Choice("market.mechanism", ("cda", "uniform", "vcg"))
    assert isinstance(space[0], Range)
    found = search(space, parse_objective("maximise:allocative_efficiency"), 40, 7, 100, evaluator(file))
    assert found.best.overrides["market.mechanism"] == "uniform"
    assert int(found.best.overrides["market.gate_closure_minutes"]) <= 20
    assert found.best_again.mean - found.written_again.mean == pytest.approx(3, abs=2)
    assert found.best.values != found.best_again.values  # other seeds
    again = search(space, Objective("maximise", "allocative_efficiency"), 40, 7, 100, evaluator(file))
    assert again == found
    assert search(space, Objective("maximise", "allocative_efficiency"), 40, 8, 100, evaluator(file)).tried != found.tried
    worst = search(space, Objective("minimise", "allocative_efficiency"), 40, 7, 100, evaluator(file))
    assert int(worst.best.overrides["market.gate_closure_minutes"]) >= 100
    assert list(search_table(found).columns[0].cells)[-1] == "rules as written, fresh seeds"


def test_rules_that_fail_are_passed_over(file: ResultFile) -> None:
    space = parse_parameters(["market.gate_closure_minutes=1000..2000:100"])  # above a day they are refused
    found = search(space, Objective("minimise", "allocative_efficiency"), 25, 7, 100, evaluator(file))
    assert found.best.overrides == {"market.gate_closure_minutes": "1400"}
    assert {point.reason for point in found.tried if not point.values} >= {"small.toml: market.gate_closure_minutes = 2000: at most 1440"}
    with pytest.raises(CheckFailedError, match="undefined with seed 7"):
        search(space, Objective("minimise", "undefined"), 3, 7, 100, evaluator(file, "undefined"))


@pytest.mark.parametrize(("method", "samples"), [("morris", 8), ("sobol", 64)])
def test_sensitivity_knows_what_matters(file: ResultFile, method: str, samples: int) -> None:
    """The efficiency falls by a tenth with every minute and by nothing with the tick, but for a noise of a tenth."""
    space = parse_parameters(["market.tick_cny_per_kwh=0.0001..0.0020", GATE])
    tick, gate = sensitivity(method, space, samples, 7, evaluator(file, seeds=1))
    assert (tick.key, gate.key) == ("market.tick_cny_per_kwh", "market.gate_closure_minutes")
    assert gate.size > 20 * abs(tick.size)
    assert gate.size == pytest.approx(11.5 if method == "morris" else 1.0, rel=0.2)
    assert len(file.by_key) <= points_of(method, 2, samples)
    assert sensitivity(method, space, samples, 7, evaluator(file, seeds=1)) == (tick, gate)
    assert next(iter(sensitivity_table(method, "x", (tick, gate)).columns[0].cells)) == gate.key


@pytest.mark.parametrize(
    ("method", "space", "samples", "match"),
    [
        ("other", [GATE, MECHANISM], 8, "expected morris or sobol"), ("sobol", [GATE, MECHANISM], 10, "power of two"),
        ("morris", [GATE, MECHANISM], 1, "at least 2"), ("morris", [GATE], 8, "at least two"),
    ],
)  # fmt: skip
def test_refused_sensitivities(file: ResultFile, method: str, space: list[str], samples: int, match: str) -> None:
    with pytest.raises(InputError, match=match):
        sensitivity(method, parse_parameters(space), samples, 7, evaluator(file))


def test_sensitivity_needs_every_point_and_something_that_varies(file: ResultFile) -> None:
    space = parse_parameters(["market.gate_closure_minutes=1000..2000:100", MECHANISM])
    with pytest.raises(CheckFailedError, match=r"was not played: small\.toml"):
        sensitivity("morris", space, 4, 7, evaluator(file))
    with pytest.raises(CheckFailedError, match="whatever the rules"):
        sensitivity("morris", parse_parameters([GATE, MECHANISM]), 4, 7, evaluator(file, "traded_lots"))


def test_a_measure_that_is_not_there(file: ResultFile) -> None:
    with pytest.raises(InputError, match="no run has the measure nothing; there are: allocative_efficiency, same"):
        evaluator(file, "nothing").evaluate([{}])
