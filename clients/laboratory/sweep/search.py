"""Search of the rules that serve an objective best (extra `laboratory`: optuna).

The tree-structured Parzen estimator of J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl, "Algorithms for hyper-parameter optimization" (NIPS 2011)
proposes rules one after the other; the seeds of one proposal are played at the same time. Whatever wins many noisy comparisons looks better than it
is, so the winner is played again over seeds that the search has not seen, beside the rules as written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clients.laboratory.sweep.parameters import ParameterSpace, Range
from clients.laboratory.sweep.points import Evaluator, Point
from exchange.errors import CheckFailedError, InputError

if TYPE_CHECKING:
    import optuna

DIRECTIONS: Final = ("maximise", "minimise")


@dataclass(frozen=True, slots=True)
class Objective:
    """A measure and whether more of it is better."""

    direction: str
    measure: str


@dataclass(frozen=True, slots=True)
class Found:
    """Every point that was tried, in their sequence, and the best; `best_again` and `written_again` (the scenario's own rules) over fresh seeds."""

    objective: Objective
    tried: tuple[Point, ...]
    best: Point
    best_again: Point
    written_again: Point


def parse_objective(text: str) -> Objective:
    """Of `maximise:MEASURE` or `minimise:MEASURE`. Raises InputError."""
    direction, _, measure = text.partition(":")
    if direction not in DIRECTIONS or not measure:
        raise InputError(f"--objective {text}: expected maximise:MEASURE or minimise:MEASURE, such as maximise:allocative_efficiency")
    return Objective(direction, measure)


def search(space: ParameterSpace, objective: Objective, trials: int, seed: int, fresh_seed: int, evaluator: Evaluator) -> Found:
    """Try `trials` rules, drawn by `seed`. Raises InputError without optuna, CheckFailedError when no rules could be played."""
    study, failed_state = _study(objective, seed)
    tried: list[Point] = []
    known: dict[tuple[int, ...], Point] = {}
    for _ in range(trials):
        trial = study.ask()
        indices = tuple(_propose(trial, space))
        if indices not in known:
            known[indices] = evaluator.evaluate([_overrides(space, indices)])[0]
        point = known[indices]
        if point.values:
            study.tell(trial, point.mean)
        else:
            study.tell(trial, state=failed_state)
        tried.append(point)
    best = _best(objective, tried)
    best_again, written_again = evaluator.evaluate([best.overrides, {}], fresh_seed)
    return Found(objective, tuple(tried), best, best_again, written_again)


def _study(objective: Objective, seed: int) -> "tuple[optuna.Study, optuna.trial.TrialState]":
    try:
        import optuna
    except ImportError:
        raise InputError("--search needs optuna: pip install 'parkex[laboratory]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = optuna.study.StudyDirection.MAXIMIZE if objective.direction == "maximise" else optuna.study.StudyDirection.MINIMIZE
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))
    return study, optuna.trial.TrialState.FAIL


def _propose(trial: "optuna.Trial", space: ParameterSpace) -> list[int]:
    return [
        trial.suggest_int(parameter.key, 0, parameter.n_values - 1)
        if isinstance(parameter, Range)
        else trial.suggest_categorical(parameter.key, list(range(parameter.n_values)))
        for parameter in space
    ]


def _overrides(space: ParameterSpace, indices: tuple[int, ...]) -> Mapping[str, str]:
    return {parameter.key: parameter.text(index) for parameter, index in zip(space, indices, strict=True)}


def _best(objective: Objective, tried: list[Point]) -> Point:
    played = [point for point in tried if point.values]
    if not played:
        raise CheckFailedError(f"the search played nothing: {tried[0].reason}" if tried else "the search has no trials")
    pick = max if objective.direction == "maximise" else min
    return pick(played, key=lambda point: point.mean)
