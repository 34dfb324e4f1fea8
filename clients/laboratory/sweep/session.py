"""One sitting over a folder: who plays, where results go, how a scenario is read, and the bar that tells how far it is."""

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.write import scenario_text
from clients.laboratory.sweep.dask_runner import DaskCluster
from clients.laboratory.sweep.plan import Load, Plan, Question, Write, make_plan
from clients.laboratory.sweep.points import Evaluator
from clients.laboratory.sweep.processes import Processes, cores
from clients.laboratory.sweep.results import ResultFile, failures
from clients.laboratory.sweep.runner import PLAY, Executor, ProgressBar, Runner
from clients.laboratory.sweep.task import Played, Result, Task
from exchange.errors import CheckFailedError, InputError


@dataclass(frozen=True, slots=True)
class Workers:
    """Who plays: processes of this machine (0: one a core), or the cluster at an address."""

    processes: int = 0
    dask: str = ""
    function: str = PLAY

    def executor(self) -> Executor:
        """Raises InputError for a number of processes that is none."""
        if self.dask:
            return DaskCluster(self.function, self.dask)
        if not 0 <= self.processes <= 1024:
            raise InputError(f"--workers {self.processes}: expected 1 to 1024, or 0 for one a core")
        return Processes(self.function, self.processes or cores())


class Session:
    """A context. Results that the folder has already are used; tasks are played as they are asked for."""

    def __init__(self, directory: Path, workers: Workers, console: Console) -> None:
        self._directory = directory
        self._workers = workers
        self._console = console
        self._stack = ExitStack()
        self.load: Load = _remembering(load_scenario)
        self.write: Write = scenario_text

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            file = stack.enter_context(ResultFile(self._directory))
            if file.cut_bytes:
                self.say(f"{file.path}: an unfinished last line ({file.cut_bytes} bytes) was cut; its run is played again")
            self._runner = Runner(stack.enter_context(self._workers.executor()), file)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self.say(f"what was played is kept; the same command goes on with {self._directory}")

    def say(self, line: str) -> None:
        """One line for people."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def plan(self, question: Question) -> Plan:
        return make_plan(question, self.load, self.write)

    def play(self, tasks: Sequence[Task], what: str) -> dict[str, Result]:
        """Results by key, with a bar for those that have to be played."""
        with ProgressBar(self._console, what, len(self._runner.missing(tasks))) as bar:
            self._runner.on_played = bar.count
            results = self._runner.play(tasks)
        self.say(self._runner.effort.line())
        return results

    def evaluator(self, question: Question, measure: str, on_played: Callable[[Played], None]) -> Evaluator:
        """For a study that asks for its points as it goes."""
        self._runner.on_played = on_played
        return Evaluator(question, self.load, self.write, self._runner, measure)

    def bar(self, what: str, total: int | None) -> ProgressBar:
        return ProgressBar(self._console, what, total)


def raise_if_failed(results: Mapping[str, Result]) -> None:
    """Raises CheckFailedError that says how many runs failed and why, the most frequent reasons first."""
    failed = failures(results.values())
    if failed:
        reasons = "\n".join(f"  {count} times: {reason}" for reason, count in list(failed.items())[:5])
        raise CheckFailedError(f"{sum(failed.values())} of {len(results)} runs failed:\n{reasons}")


def _remembering(load: Callable[[str, Mapping[str, str]], Scenario]) -> Load:
    """`load`, each scenario once. What was refused is read again, and refused again."""

    @functools.cache
    def remembered(name: str, overrides: tuple[tuple[str, str], ...]) -> Scenario:
        return load(name, dict(overrides))

    return lambda name, overrides: remembered(name, tuple(overrides.items()))
