"""`parkex compare`: mechanisms side by side over the same agents and seeds, in one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from clients.cli.misreporting_command import run_misreporting_command
from clients.cli.sweep_command import scenario_name, tell
from clients.laboratory.scenario.names import MECHANISMS
from clients.laboratory.statistics.intervals import LEVEL
from clients.laboratory.sweep.axes import Axis, parse_axes
from clients.laboratory.sweep.folder import write_plan
from clients.laboratory.sweep.outcome import judge
from clients.laboratory.sweep.plan import Question
from clients.laboratory.sweep.populations import AS_WRITTEN
from clients.laboratory.sweep.session import Session, Workers, raise_if_failed
from clients.laboratory.sweep.tables import compare_table, differences_table
from exchange.errors import InputError

_KEY: Final = "market.mechanism"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """What the command line says. `mechanisms` empty: all."""

    scenario: str
    mechanisms: str = ""
    assign: Sequence[str] = ()
    seeds: int = 5
    first_seed: int | None = None
    days: int | None = None
    measures: str = ""
    level: float = LEVEL
    workers: Workers = field(default_factory=Workers)
    welfare: bool = False
    out: Path | None = None
    as_json: bool = False
    misreporting: bool = False


def run_compare_command(options: CompareOptions) -> None:
    """Without a folder the results are only printed. Raises InputError for bad options, CheckFailedError where runs failed."""
    if options.misreporting:
        _misreporting(options)
        return
    if options.out is not None:
        _compare(options, options.out)
        return
    with TemporaryDirectory(prefix="parkex-compare-") as directory:
        _compare(options, Path(directory))


def _misreporting(options: CompareOptions) -> None:
    given = [name for name in ("days", "measures", "welfare", "out") if getattr(options, name)] + ["dask"] * bool(options.workers.dask)
    if given:
        raise InputError(f"--{given[0]} says nothing with --misreporting, which plays days of traders of its own")
    run_misreporting_command(
        scenario_name(options.scenario), _mechanisms(options.mechanisms, at_least=1), options.seeds, options.first_seed, options.assign,
        options.level, as_json=options.as_json,
    )  # fmt: skip


def _compare(options: CompareOptions, directory: Path) -> None:
    question = Question(
        scenario=scenario_name(options.scenario), axes=(*_fixed(options.assign), Axis(_KEY, _mechanisms(options.mechanisms))), days=options.days,
        seeds=options.seeds, first_seed=options.first_seed, welfare=options.welfare,
    )  # fmt: skip
    with Session(directory, options.workers, Console(stderr=True)) as session:
        plan = session.plan(question)
        write_plan(directory, plan, session.write)
        results = session.play(plan.tasks, "compare")
    analysis = judge(directory, plan, results, options.measures, options.level)
    mechanisms = {cell.name: cell.overrides[_KEY] for cell in plan.cells}
    tables = [compare_table(analysis, mechanisms), differences_table(analysis, AS_WRITTEN)]
    tell(analysis, tables, as_json=options.as_json)
    raise_if_failed(results)


def _mechanisms(text: str, at_least: int = 2) -> tuple[str, ...]:
    """Raises InputError for an unknown or repeated one, and for fewer than `at_least`."""
    names = tuple(name.strip() for name in text.split(",")) if text else MECHANISMS
    unknown = [name for name in names if name not in MECHANISMS]
    if unknown or len(set(names)) < len(names) or len(names) < at_least:
        raise InputError(f"--mechanisms {text}: expected at least {'two' if at_least == 2 else 'one'} of {', '.join(MECHANISMS)}, each once")
    return names


def _fixed(assign: Sequence[str]) -> tuple[Axis, ...]:
    axes = parse_axes(assign)
    for axis in axes:
        if len(axis.values) > 1 or axis.key == _KEY:
            raise InputError(f"--set {axis.key}={','.join(axis.values)}: compare varies mechanisms only, all else has one value; see parkex sweep")
    return axes
