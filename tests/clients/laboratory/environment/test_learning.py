"""Curves of learning: what is dropped, what is settled, and the example of docs/learning.md as it stands there."""

import re
from pathlib import Path

import pytest

from clients.laboratory.environment.learning import EPISODES_MIN, convergence_of, returns_of

DOCS = Path(__file__).parents[4] / "docs"


def noisy(n: int) -> list[float]:
    return [float(3 * (k * 7919 % 11) - 15) for k in range(n)]


def test_a_curve_that_rises_and_settles_loses_its_rise() -> None:
    rise, settled = [10.0 * k for k in range(40)], [400.0 + value for value in noisy(160)]
    found = convergence_of(rise + settled)
    assert found.has_converged
    assert found.warm_up == 40
    assert found.settled is not None
    assert found.settled.low is not None
    assert found.settled.high is not None
    assert found.settled.low < 400.0 < found.settled.high
    assert len(found.curve) == 40


@pytest.mark.parametrize("returns", [noisy(EPISODES_MIN - 1), [float(k * k) for k in range(100)]], ids=["too short", "still rising"])
def test_no_answer_where_there_is_none(returns: list[float]) -> None:
    found = convergence_of(returns)
    assert (found.warm_up, found.settled, found.has_converged) == (None, None, False)


class Counting:
    """Three steps an episode, each rewarded by its action; `seeds` are those it was reset with."""

    def __init__(self) -> None:
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None) -> tuple[int, dict[str, int]]:
        self.seeds.append(seed)
        self.steps = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, int]]:
        self.steps += 1
        return self.steps, float(action), self.steps == 3, False, {}


def test_returns_are_sums_of_rewards_over_one_stream() -> None:
    environment = Counting()
    assert returns_of(environment, lambda observation: observation + 1, 2, seed=8) == [6.0, 6.0]
    assert environment.seeds == [8, None]


def test_the_example_of_the_docs_learns(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"```python\n(.*?)```", (DOCS / "learning.md").read_text("utf-8"), re.DOTALL)
    scope: dict[str, object] = {}
    exec(code[0], scope)
    learnt, first = (float(value) for value in re.findall(r"-?[\d.]+", capsys.readouterr().out))
    assert learnt > first
