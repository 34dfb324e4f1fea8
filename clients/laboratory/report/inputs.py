"""What a report is about: folders of runs, or one of a sweep with runs beside it, sorted by the rules they were played with."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clients.laboratory.report.markup import Text, same
from clients.laboratory.report.sweep_folder import SweepOutput, load_sweep
from clients.laboratory.report.wording import joined, rule_and_value, say
from clients.laboratory.run.output import SCENARIO, Measure, RunOutput, read_run
from clients.laboratory.sweep.axes import BASELINE
from clients.laboratory.sweep.folder import is_sweep
from exchange.errors import InputError

# Which draw of chance a run had and who wrote the file: not by which rules it was played.
_NO_RULE: Final = frozenset({"experiment.seed", "experiment.written_by"})
_IDS: Final = ("id", "symbol", "name")
_KEYS_IN_A_LABEL: Final = 2


@dataclass(frozen=True, slots=True)
class Observation:
    """The measures of one run. `setting` counts in `Evidence.settings`; `population` is empty where the scenario's own was played."""

    setting: int
    population: str
    seed: int
    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One set of rules. `run`: the first run that was played with them and has tables, None of a sweep alone."""

    label: Text
    scenario_toml: str
    run: RunOutput | None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything a report says something about. The first setting is what the others are compared with.

    `differing`: keys of scenarios that are not the same in all settings, with their value in each ("" where it is not set).
    """

    name: Text
    settings: Sequence[Setting]
    observations: Sequence[Observation]
    differing: Mapping[str, Sequence[str]]
    runs: Sequence[RunOutput] = ()
    sweep: SweepOutput | None = None
    _values: dict[tuple[str, int], dict[tuple[str, int], float]] = field(default_factory=dict)

    @property
    def seeds(self) -> list[int]:
        return sorted({observation.seed for observation in self.observations})

    @property
    def populations(self) -> list[str]:
        return sorted({observation.population for observation in self.observations})

    @property
    def measure_names(self) -> list[str]:
        """Names that any run has, in the sequence of the first that has them."""
        return list(dict.fromkeys(name for observation in self.observations for name in observation.measures))

    def values(self, measure: str, setting: int) -> dict[tuple[str, int], float]:
        """(population, seed) -> value, where it is defined."""
        if (measure, setting) not in self._values:
            found = ((o.population, o.seed, o.measures.get(measure)) for o in self.observations if o.setting == setting)
            self._values[measure, setting] = {(population, seed): value for population, seed, value in found if value is not None}
        return self._values[measure, setting]


def read_evidence(folders: Sequence[Path]) -> Evidence:
    """Raises InputError for a folder that is no run or sweep, for two sweeps at once, and where nothing was asked for."""
    if not folders:
        raise InputError("report: name at least one folder of a run or of a sweep")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError("report: the same folder is named twice")
    sweeps = [folder for folder in folders if is_sweep(folder)]
    if len(sweeps) > 1:
        raise InputError(f"report: {sweeps[0]} and {sweeps[1]} are both sweeps; a report shows one")
    runs = [read_run(folder) for folder in folders if folder not in sweeps]
    return _of_sweep(load_sweep(sweeps[0]), runs) if sweeps else _of_runs(runs)


def flat_scenario(text: str, where: Path) -> dict[str, str]:
    """Every key of a scenario with its value as text; entries of a list of tables go by their id, symbol or name.

    Raises InputError where it is no TOML.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: {error}") from error
    return dict(_leaves(tree, ""))


def _rules(text: str, where: Path) -> dict[str, str]:
    return {key: value for key, value in flat_scenario(text, where).items() if key not in _NO_RULE}


def _leaves(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        entries = [(f"{path}.{key}" if path else key, entry) for key, entry in value.items()]
    elif isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        entries = [(f"{path}.{_id(entry, index)}", entry) for index, entry in enumerate(value)]
    else:
        return [(path, _plain(value))]
    return [leaf for name, entry in entries for leaf in _leaves(entry, name)]


def _id(entry: Mapping[str, Any], index: int) -> str:
    return next((str(entry[name]) for name in _IDS if name in entry), str(index))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(_plain(entry) for entry in value) if isinstance(value, list) else str(value)


def _of_runs(runs: Sequence[RunOutput]) -> Evidence:
    rules: list[dict[str, str]] = []
    members: list[list[RunOutput]] = []
    observations = []
    for run in runs:
        flat = _rules(run.scenario_toml, run.directory / SCENARIO)
        if flat not in rules:
            rules.append(flat)
            members.append([])
        setting = rules.index(flat)
        if clash := [other for other in members[setting] if other.facts["seed"] == run.facts["seed"]]:
            raise InputError(f"report: {clash[0].directory} and {run.directory} are the same run: same scenario, same seed")
        members[setting].append(run)
        observations.append(Observation(setting, "", run.facts["seed"], run.measures))
    differing = {key: [flat.get(key, "") for flat in rules] for key in _keys(rules) if len({flat.get(key) for flat in rules}) > 1}
    labels = _labels(differing, [played[0] for played in members])
    settings = [Setting(label, played[0].scenario_toml, played[0]) for label, played in zip(labels, members, strict=True)]
    return Evidence(_name(runs[0]), settings, observations, differing, runs)


def _keys(rules: Sequence[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(key for flat in rules for key in flat))


def _labels(differing: Mapping[str, Sequence[str]], runs: Sequence[RunOutput]) -> list[Text]:
    """By what differs where that is short, else by the name of the folder."""
    if len(runs) == 1:
        return [_name(runs[0])]
    if len(differing) > _KEYS_IN_A_LABEL:
        return [same(run.directory.resolve().name) for run in runs]
    return [joined([rule_and_value(key, values[at]) for key, values in differing.items()]) for at in range(len(runs))]


def _name(run: RunOutput) -> Text:
    return Text(run.facts["scenario_en"] or run.facts["scenario"], run.facts["scenario_zh"] or run.facts["scenario"])


def _of_sweep(sweep: SweepOutput, runs: Sequence[RunOutput]) -> Evidence:
    """Statistics are the sweep's; a run beside it gives the charts of a day to the cell whose rules it has.

    Raises InputError for a run of no cell.
    """
    cells = list(sweep.cells)
    observations = [Observation(cells.index(r.cell), r.population, r.seed, r.measures) for r in sweep.results if r.is_done]
    if not observations:
        raise InputError(f"{sweep.directory}: no run of the sweep has ended; nothing to report")
    texts = [sweep.scenario_toml(cell) for cell in cells]
    rules = [_rules(text, sweep.directory) for text in texts]
    shown: dict[int, RunOutput] = {}
    for run in runs:
        own = _rules(run.scenario_toml, run.directory / SCENARIO)
        if own not in rules:
            raise InputError(f"{run.directory}: was played with rules that are none of the sweep {sweep.directory}")
        shown.setdefault(rules.index(own), run)
    settings = [Setting(cell_label(cell), text, shown.get(at)) for at, (cell, text) in enumerate(zip(cells, texts, strict=True))]
    keys = list(dict.fromkeys(key for overrides in sweep.cells.values() for key in overrides))
    differing = {key: [sweep.cells[cell].get(key, "") for cell in cells] for key in keys}
    head = flat_scenario(texts[0], sweep.directory)
    name = head.get("name", sweep.file.question.scenario)
    return Evidence(Text(name, head.get("name_zh", name)), settings, observations, differing, runs, sweep)


def cell_label(cell: str) -> Text:
    """A cell of a sweep is named by what it changes, `key=value, ...`."""
    if cell == BASELINE:
        return say("baseline")
    parts = [part.partition("=") for part in cell.split(", ")]
    return joined([rule_and_value(key, value) if equals else same(key) for key, equals, value in parts])
