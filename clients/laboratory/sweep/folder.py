"""The folder of a sweep: what was asked (sweep.json), the rules of each cell as whole scenarios, results, and what they come to (analysis.json).

    sweep.json          question, code, cells, populations, responses, seeds: the struct SweepFile
    scenarios/0000.toml the resolved scenario of a cell, in their sequence; none for a refused one
    results.jsonl       one line a run: the struct task.Result
    analysis.json       the struct findings.Analysis; cells.csv and differences.csv have its tables

sweep.json is written before the first run, so an interrupted sweep can be gone on with and read.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from clients.laboratory.sweep.axes import Axis
from clients.laboratory.sweep.plan import Plan, Question, Write
from clients.laboratory.sweep.populations import AS_WRITTEN
from clients.laboratory.sweep.results import RESULTS_NAME, write_json
from clients.laboratory.sweep.version import code_version
from exchange.errors import InputError

FORMAT: Final = "parkex-sweep-1"
SWEEP_NAME: Final = "sweep.json"
ANALYSIS_NAME: Final = "analysis.json"
SCENARIOS: Final = "scenarios"


class CellEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scenario`: its file in the folder, empty where `refused` has the reason why there is none."""

    name: str
    overrides: dict[str, str]
    scenario: str = ""
    refused: str = ""


class ResponseEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one participant was tried with, the others unchanged; `name` is what results call it."""

    name: str
    participant: str
    role: str
    alternative: str


class QuestionEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of plan.Question."""

    scenario: str
    axes: dict[str, list[str]]
    one_at_a_time: bool
    days: int | None
    seeds: int
    first_seed: int | None
    populations: list[str]
    response_seeds: int
    welfare: bool


class SweepFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """sweep.json. The baseline is the first cell; `populations` has "" for the scenario's own."""

    format: str
    version: str
    question: QuestionEntry
    cells: list[CellEntry]
    populations: list[str]
    responses: list[ResponseEntry]
    seeds: list[int]

    def asked(self) -> Question:
        """The question again."""
        asked = self.question
        return Question(
            scenario=asked.scenario,
            axes=tuple(Axis(key, tuple(values)) for key, values in asked.axes.items()),
            one_at_a_time=asked.one_at_a_time,
            days=asked.days,
            seeds=asked.seeds,
            first_seed=asked.first_seed,
            populations=tuple(asked.populations),
            response_seeds=asked.response_seeds,
            welfare=asked.welfare,
        )


def is_sweep(directory: Path) -> bool:
    """Whether a folder says of itself that it is a sweep."""
    return (directory / SWEEP_NAME).is_file()


def read_sweep(directory: Path) -> SweepFile:
    """Raises InputError where there is no sweep, or one of another format."""
    path = directory / SWEEP_NAME
    if not path.is_file():
        raise InputError(f"{directory}: has no {SWEEP_NAME}; expected the folder of a sweep (parkex sweep --out)")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=SweepFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not a sweep ({error})") from None
    if found.format != FORMAT:
        raise InputError(f"{path}: is of the format {found.format[:40]}; this version of parkex reads {FORMAT}")
    return found


def write_plan(directory: Path, plan: Plan, write: Write) -> None:
    """Write sweep.json and the scenarios of the cells."""
    (directory / SCENARIOS).mkdir(parents=True, exist_ok=True)
    question = plan.question
    asked = QuestionEntry(
        scenario=question.scenario, axes={axis.key: list(axis.values) for axis in question.axes}, one_at_a_time=question.one_at_a_time,
        days=question.days, seeds=question.seeds, first_seed=question.first_seed, populations=list(question.populations),
        response_seeds=question.response_seeds, welfare=question.welfare,
    )  # fmt: skip
    responses = [ResponseEntry(name=r.name, participant=r.participant, role=r.role, alternative=r.alternative) for r in plan.responses]
    sweep = SweepFile(
        format=FORMAT, version=code_version(), question=asked, cells=_cells(directory, plan, write), populations=list(plan.populations),
        responses=responses, seeds=list(plan.seeds),
    )  # fmt: skip
    write_json(directory / SWEEP_NAME, sweep)


def _cells(directory: Path, plan: Plan, write: Write) -> list[CellEntry]:
    """Each cell with its scenario as the plan resolved it (the scenario's own population, where it is played)."""
    entries = []
    for number, cell in enumerate(plan.cells):
        scenario = plan.scenarios[cell.name]
        if isinstance(scenario, InputError):
            entries.append(CellEntry(name=cell.name, overrides=dict(cell.overrides), refused=str(scenario)))
            continue
        name = f"{SCENARIOS}/{number:04d}.toml"
        (directory / name).write_text(write(scenario), "utf-8")
        entries.append(CellEntry(name=cell.name, overrides=dict(cell.overrides), scenario=name))
    return entries


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that all have the same keys, an empty cell for None."""
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    unfinished.replace(path)


def population_name(population: str) -> str:
    """For people."""
    return "as written" if population == AS_WRITTEN else population


def results_path(directory: Path) -> Path:
    return directory / RESULTS_NAME
