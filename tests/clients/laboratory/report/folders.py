"""Folders of hand-made runs and sweeps, as a report reads them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from clients.laboratory.measures.measures import measure
from clients.laboratory.run.output import Measure, write_run
from clients.laboratory.run.record import RunRecord
from clients.laboratory.scenario.write import scenario_text
from clients.laboratory.sweep.axes import parse_axes
from clients.laboratory.sweep.folder import write_plan
from clients.laboratory.sweep.plan import Plan, Question, make_plan
from clients.laboratory.sweep.results import ResultFile
from clients.laboratory.sweep.task import Result, done
from tests.clients.laboratory.report.park_day import park_record, park_scenario


def run_folder(directory: Path, record: RunRecord | None = None, **changed: Measure) -> Path:
    """A run with its measures, some of them changed."""
    record = park_record() if record is None else record
    write_run(record, directory, {**measure(record), **changed})
    return directory


def renamed(record: RunRecord, name: str) -> RunRecord:
    """The first participant and the scenario under another name."""
    first, *others = record.scenario.participants
    people = (replace(first, name_en=name, name_zh=name), *others)
    return replace(record, scenario=replace(record.scenario, participants=people, name_en=name, name_zh=name))


def sweep_plan(seeds: int = 3, populations: tuple[str, ...] = ()) -> Plan:
    question = Question(scenario="park", axes=parse_axes(["market.gate_closure_minutes=5,15"]), seeds=seeds, first_seed=1, populations=populations)
    return make_plan(question, lambda _, overrides: park_scenario(overrides=dict(overrides)), scenario_text)


def sweep_folder(directory: Path, plan: Plan, measures: Mapping[tuple[str, str, int], dict[str, Measure]]) -> dict[str, Result]:
    """A sweep without analysis; `measures` by (cell, population, seed). Results by key."""
    directory.mkdir()
    write_plan(directory, plan, scenario_text)
    with ResultFile(directory) as file:
        for task in plan.tasks:
            place = (task.cell, task.population, task.seed)
            if place in measures:
                file.append(done(task, measures[place], {}, "hash"))
        return dict(file.by_key)
