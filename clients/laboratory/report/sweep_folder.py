"""The folder of a sweep as a report reads it: what was asked, results, and what the sweep itself concluded."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from clients.laboratory.sweep.findings import Analysis
from clients.laboratory.sweep.folder import ANALYSIS_NAME, SweepFile, read_sweep, results_path
from clients.laboratory.sweep.results import read_results
from clients.laboratory.sweep.task import Result
from exchange.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class SweepOutput:
    """A sweep that has ended or not. `results`: the newest of each run without a tried response; `analysis` is None before its end."""

    directory: Path
    file: SweepFile
    results: Sequence[Result]
    analysis: Analysis | None

    @property
    def cells(self) -> Mapping[str, Mapping[str, str]]:
        """Name of each set of rules that could be played -> what it sets, the baseline first."""
        return {cell.name: cell.overrides for cell in self.file.cells if not cell.refused}

    @property
    def n_planned(self) -> int:
        return len(self.cells) * len(self.file.populations) * len(self.file.seeds)

    def scenario_toml(self, cell: str) -> str:
        """Raises InputError where the file of the cell is not there."""
        name = next(entry.scenario for entry in self.file.cells if entry.name == cell)
        path = self.directory / name
        if path.resolve().parent.parent != self.directory.resolve():
            raise InputError(f"{self.directory}: names a scenario outside of the folder: {name}")
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the scenario of a cell cannot be read: {error}") from error

    @property
    def command(self) -> str:
        """The command that asks the same again."""
        asked = self.file.question
        words = ["parkex", "sweep", asked.scenario]
        for key, values in asked.axes.items():
            words += ["--set", f"{key}={','.join(values)}"]
        words += ["--seeds", str(asked.seeds)]
        if asked.first_seed is not None:
            words += ["--first-seed", str(asked.first_seed)]
        if asked.days is not None:
            words += ["--days", str(asked.days)]
        if asked.one_at_a_time:
            words.append("--one-at-a-time")
        if asked.populations:
            words += ["--populations", ",".join(asked.populations)]
        if asked.response_seeds:
            words += ["--response-seeds", str(asked.response_seeds)]
        return shlex.join(words)


def load_sweep(directory: Path) -> SweepOutput:
    """Raises InputError for a damaged or foreign folder, naming the file."""
    file = read_sweep(directory)
    path = results_path(directory)
    if not path.is_file():
        raise InputError(f"{path}: is missing; no run of the sweep has ended")
    names, seeds = {cell.name for cell in file.cells}, set(file.seeds)
    newest = {(r.cell, r.population, r.seed): r for r in read_results(path) if not r.response and r.population in file.populations}
    results = [result for result in newest.values() if result.cell in names and result.seed in seeds]
    return SweepOutput(directory, file, results, _analysis(directory / ANALYSIS_NAME))


def _analysis(path: Path) -> Analysis | None:
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Analysis)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not the analysis of a sweep ({error})") from None
