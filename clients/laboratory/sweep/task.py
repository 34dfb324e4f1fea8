"""Tasks and results of a sweep: plain values that travel between processes and into files."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

Measure = float | int | None

DONE: Final = "done"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """One run to play. `scenario` is the resolved scenario, or None with the reason in `refused` where its overrides were not accepted.

    `key` names what is played and with which code: equal keys, equal results. `version` is the code that the key was made for. `welfare`: measure
    against the welfare program too.
    """

    key: str
    cell: str
    population: str
    response: str
    seed: int
    version: str
    scenario: Any
    refused: str = ""
    welfare: bool = False


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a task: one line of results.jsonl. Nothing in it depends on when, where or how fast it was played.

    `measures` are the flat names of summary.json; `participants` has the same for each participant by id. Failed: both empty, `reason` says why.
    """

    key: str
    cell: str
    population: str
    response: str
    seed: int
    status: str
    reason: str = ""
    measures: dict[str, Measure] = {}
    participants: dict[str, dict[str, Measure]] = {}
    state_hash: str = ""

    @property
    def is_done(self) -> bool:
        return self.status == DONE


def done(task: Task, measures: dict[str, Measure], participants: dict[str, dict[str, Measure]], state_hash: str) -> Result:
    """The result of a run that ended."""
    return Result(
        key=task.key, cell=task.cell, population=task.population, response=task.response, seed=task.seed, status=DONE,
        measures=measures, participants=participants, state_hash=state_hash,
    )  # fmt: skip


def failed(task: Task, reason: str) -> Result:
    """The result of a run that did not."""
    return Result(key=task.key, cell=task.cell, population=task.population, response=task.response, seed=task.seed, status=FAILED, reason=reason)


@dataclass(frozen=True, slots=True)
class Played:
    """A result and the wall seconds that its worker spent on it."""

    result: Result
    seconds: float
