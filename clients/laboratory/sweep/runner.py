"""Playing the tasks of a plan: those without a result are spread over processes or a cluster, and every result is on disk before it is told."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clients.laboratory.sweep.results import ResultFile
from clients.laboratory.sweep.task import Played, Result, Task

# The function of a task as processes and clusters find it.
PLAY: Final = "clients.laboratory.sweep.worker:play"

_LINE_EVERY_S: Final = 30.0


class Executor(Protocol):
    """Something that plays tasks: processes of this machine, or a cluster. A context; what it starts ends with it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[Played]:
        """What came of each task, in the sequence in which they ended."""
        ...


@dataclass(slots=True)
class Effort:
    """What playing took: tasks played and failed now, results that were there already, seconds of the workers and of the wall."""

    played: int = 0
    failed: int = 0
    found: int = 0
    worker_s: float = 0.0
    wall_s: float = 0.0

    def line(self) -> str:
        """For people."""
        found = f"{self.found} results were there, " if self.found else ""
        failed = f", {self.failed} of them failed" if self.failed else ""
        return f"{found}{self.played} runs played in {self.wall_s:.1f} s{failed}"


@dataclass(slots=True)
class Runner:
    """Plays tasks by an executor into a file of results. `on_played` is told of each, `effort` sums up."""

    executor: Executor
    file: ResultFile
    on_played: Callable[[Played], None] = lambda _: None
    effort: Effort = field(default_factory=Effort)

    def play(self, tasks: Sequence[Task]) -> dict[str, Result]:
        """Results of all tasks by key. Tasks that failed before are tried again; equal keys are played once."""
        began_s = time.monotonic()
        missing = self.missing(tasks)
        self.effort.found += len({task.key for task in tasks}) - len(missing)
        for played in self.executor.run(missing):
            self.file.append(played.result)
            self.effort.played += 1
            self.effort.failed += not played.result.is_done
            self.effort.worker_s += played.seconds
            self.on_played(played)
        self.effort.wall_s += time.monotonic() - began_s
        return {task.key: self.file.by_key[task.key] for task in tasks}

    def missing(self, tasks: Sequence[Task]) -> list[Task]:
        """Tasks without a finished result, each key once."""
        distinct = {task.key: task for task in tasks}
        return [task for key, task in distinct.items() if key not in self.file.by_key or not self.file.by_key[key].is_done]


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A bar with the time left on a terminal, a plain line now and then elsewhere. `total` None: not known beforehand."""

    def __init__(self, console: Console, what: str, total: int | None) -> None:
        self._console, self._what, self._total = console, what, total
        counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        timed = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._bar = Progress(*counted, *timed, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task(what, total=total)
        self._began_s = self._said_s = time.monotonic()
        self._done = self._failed = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._bar.stop()

    def count(self, played: Played) -> None:
        """One more is done."""
        self._done += 1
        self._failed += not played.result.is_done
        note = f"{self._what}, {self._failed} failed" if self._failed else self._what
        self._bar.update(self._task, advance=1, description=note)
        now_s = time.monotonic()
        if not self._console.is_terminal and now_s - self._said_s >= _LINE_EVERY_S:
            self._said_s = now_s
            self._console.print(f"{note}: {self._done}{self._rest(now_s)}", highlight=False, markup=False)

    def _rest(self, now_s: float) -> str:
        if self._total is None:
            return ""
        left_s = (now_s - self._began_s) / self._done * (self._total - self._done)
        return f" of {self._total}, about {left_s:.0f} s left"
