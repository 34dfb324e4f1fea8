"""Which runs a question needs: cells of rules, each with the same seeds, once for each population and each response that is tried."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clients.laboratory.scenario.model import AgentChoice, Scenario
from clients.laboratory.sweep.axes import Axis, Cell, default_axes, grid, star
from clients.laboratory.sweep.populations import AS_WRITTEN, Response, responses_of, with_population
from clients.laboratory.sweep.task import Task
from clients.laboratory.sweep.version import code_version
from exchange.errors import InputError

# Reads a scenario by name or file with overrides, and writes it as text.
Load = Callable[[str, Mapping[str, str]], Scenario]
Write = Callable[[Scenario], str]



@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. `axes` empty: the default axes, each alone. `populations` empty: as the scenario says.

    `days` None: as the scenario says. Seeds are `first_seed` (None: the scenario's own) and those after it, the same for every cell; the first
    `response_seeds` of them are also played with one participant of each role acting otherwise, with the scenario's own population (0: not at all).
    `welfare`: each run is also measured against the linear program of the greatest welfare.
    """

    scenario: str
    axes: tuple[Axis, ...] = ()
    one_at_a_time: bool = False
    days: int | None = None
    seeds: int = 30
    first_seed: int | None = None
    populations: tuple[str, ...] = ()
    response_seeds: int = 0
    welfare: bool = False

    def cells(self, load: Load) -> tuple[Cell, ...]:
        """The baseline first. Raises InputError for too many, or for a scenario that is refused where its own rules are asked for."""
        if not self.axes:
            return star(default_axes(load(self.scenario, {}).market))
        return star(self.axes) if self.one_at_a_time else grid(self.axes)


@dataclass(frozen=True, slots=True)
class Plan:
    """All tasks of a question, seed by seed, so that what is there after an interruption is paired.

    `scenarios`: of each cell by name, with the scenario's own population; the reason where it was refused. `responses`: what one participant tries.
    """

    question: Question
    cells: tuple[Cell, ...]
    scenarios: Mapping[str, Scenario | InputError]
    populations: tuple[str, ...]
    responses: tuple[Response, ...]
    tasks: tuple[Task, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(task.seed for task in self.tasks))


def make_plan(question: Question, load: Load, write: Write) -> Plan:
    """Resolve every cell. A refused one has tasks that fail with the reason. Raises InputError where the baseline, or every other cell, is."""
    if question.seeds < 1 or not 0 <= question.response_seeds <= question.seeds:
        asked = f"--seeds {question.seeds}, --response-seeds {question.response_seeds}"
        raise InputError(f"{asked}: expected at least one seed, and no more for responses than in all")
    cells = question.cells(load)
    resolved = [_resolve(question, cell, load) for cell in cells]
    baseline = resolved[0]
    refusals = [found for found in resolved if isinstance(found, InputError)]
    if isinstance(baseline, InputError):
        raise baseline
    if refusals and len(refusals) == len(cells) - 1:
        raise refusals[0]
    populations = question.populations or (AS_WRITTEN,)
    responses = responses_of(baseline) if question.response_seeds else ()
    first = baseline.seed if question.first_seed is None else question.first_seed
    build = _TaskBuilder(write, welfare=question.welfare)
    tasks: list[Task] = []
    for offset in range(question.seeds):
        for cell, scenario in zip(cells, resolved, strict=True):
            tasks.extend(build.task(cell, scenario, population, None, first + offset) for population in populations)
            if offset < question.response_seeds:
                tasks.extend(build.task(cell, scenario, AS_WRITTEN, response, first + offset) for response in (None, *responses))
    scenarios = {cell.name: scenario for cell, scenario in zip(cells, resolved, strict=True)}
    distinct = {(task.cell, task.population, task.response, task.seed): task for task in tasks}
    return Plan(question, cells, scenarios, populations, responses, tuple(distinct.values()))


def make_tasks(question: Question, cell: Cell, load: Load, write: Write) -> tuple[Task, ...]:
    """One cell over all seeds of a question, with the scenario's own population. Where the scenario itself is refused, raises InputError."""
    first = load(question.scenario, {}).seed if question.first_seed is None else question.first_seed
    scenario, build = _resolve(question, cell, load), _TaskBuilder(write, welfare=question.welfare)
    return tuple(build.task(cell, scenario, AS_WRITTEN, None, first + offset) for offset in range(question.seeds))


def _resolve(question: Question, cell: Cell, load: Load) -> Scenario | InputError:
    try:
        scenario = load(question.scenario, cell.overrides)
    except InputError as error:
        return error
    return scenario if question.days is None else replace(scenario, days=question.days)


class _TaskBuilder:
    """Makes tasks; texts and digests of a variant are made once for all its seeds."""

    def __init__(self, write: Write, *, welfare: bool) -> None:
        self._write = write
        self._welfare = welfare
        self._made: dict[tuple[str, str, str], tuple[Scenario, str]] = {}

    def task(self, cell: Cell, scenario: Scenario | InputError, population: str, response: Response | None, seed: int) -> Task:
        name = response.name if response else ""
        if isinstance(scenario, InputError):
            key = _digest(code_version(), "refused", cell.name, str(scenario), population, name, str(seed))
            return Task(key, cell.name, population, name, seed, code_version(), None, str(scenario))
        played, digest = self._variant(cell, scenario, population, response)
        key = _digest(digest, str(seed), *(["welfare"] if self._welfare else []))
        return Task(key, cell.name, population, name, seed, code_version(), played, welfare=self._welfare)

    def _variant(self, cell: Cell, scenario: Scenario, population: str, response: Response | None) -> tuple[Scenario, str]:
        at = (cell.name, population, response.name if response else "")
        if at not in self._made:
            played = with_population(scenario, population)
            played = response.applied(played) if response else played
            self._made[at] = played, scenario_digest(played, self._write)
        return self._made[at]


def scenario_digest(scenario: Scenario, write: Write) -> str:
    """Hex digest of a resolved scenario, the strategies of the user that it names, and the code that plays it."""
    return _digest(code_version(), write(scenario), *_strategy_sources(agent for agent in (p.agent for p in scenario.participants)))


def _strategy_sources(agents: Iterable[AgentChoice]) -> Sequence[str]:
    """Content digests of the files behind `file.py:ClassName`; a missing file is told by the run."""
    files = sorted({agent.name.rpartition(":")[0] for agent in agents if ".py:" in agent.name})
    return [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files if Path(file).is_file()]


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:32]
