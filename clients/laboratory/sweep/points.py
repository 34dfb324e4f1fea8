"""One measure at points of a space of rules: what a search and a sensitivity analysis evaluate, each point over the same seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from clients.laboratory.sweep.axes import Cell
from clients.laboratory.sweep.plan import Load, Question, Write, make_tasks
from clients.laboratory.sweep.runner import Runner
from clients.laboratory.sweep.task import Result, Task
from exchange.errors import InputError


@dataclass(frozen=True, slots=True)
class Point:
    """Values of a measure at one set of rules by seed; `reason` says why there are none."""

    overrides: Mapping[str, str]
    values: tuple[float, ...]
    reason: str = ""

    @property
    def mean(self) -> float:
        return fmean(self.values)


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Plays points of a question and reads one measure of each."""

    question: Question
    load: Load
    write: Write
    runner: Runner
    measure: str

    def evaluate(self, points: Sequence[Mapping[str, str]], first_seed: int | None = None) -> list[Point]:
        """Play all points over the seeds of the question, or as many from `first_seed` on; a refused or failing point has its reason."""
        question = self.question if first_seed is None else replace(self.question, first_seed=first_seed)
        planned = [self._tasks(question, overrides) for overrides in points]
        results = self.runner.play([task for tasks in planned for task in tasks])
        return [self._point(overrides, [results[task.key] for task in tasks]) for overrides, tasks in zip(points, planned, strict=True)]

    def _tasks(self, question: Question, overrides: Mapping[str, str]) -> tuple[Task, ...]:
        name = ", ".join(f"{key}={value}" for key, value in overrides.items()) or "as written"
        return make_tasks(question, Cell(name, overrides), self.load, self.write)

    def _point(self, overrides: Mapping[str, str], results: Sequence[Result]) -> Point:
        values = []
        for result in results:
            if not result.is_done:
                return Point(overrides, (), result.reason)
            value = measure_of(result, self.measure)
            if value is None:
                return Point(overrides, (), f"{self.measure} is undefined with seed {result.seed}")
            values.append(float(value))
        return Point(overrides, tuple(values))


def measure_of(result: Result, name: str) -> float | int | None:
    """A measure, or `measure@participant` of one participant. Raises InputError for a name that the run has not."""
    measure, _, participant = name.partition("@")
    if name in result.measures:
        return result.measures[name]
    if participant in result.participants and measure in result.participants[participant]:
        return result.participants[participant][measure]
    known = ", ".join(sorted(result.measures))
    raise InputError(f"no run has the measure {name}; there are: {known}")
