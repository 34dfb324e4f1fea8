"""`parkex sweep`: a question over many seeds, a search, a sensitivity analysis or the null test, into a folder that can be gone on with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import typer
from rich.console import Console, RenderableType

from clients.laboratory.statistics.intervals import LEVEL
from clients.laboratory.sweep.axes import Cell, parse_axes
from clients.laboratory.sweep.folder import read_sweep, write_plan
from clients.laboratory.sweep.null import null_test
from clients.laboratory.sweep.outcome import choose_measures, judge
from clients.laboratory.sweep.parameters import parse_parameters
from clients.laboratory.sweep.plan import Question, make_tasks
from clients.laboratory.sweep.points import Point, measure_of
from clients.laboratory.sweep.populations import ROBUST_POPULATIONS
from clients.laboratory.sweep.results import write_json
from clients.laboratory.sweep.search import parse_objective, search
from clients.laboratory.sweep.sensitivity import points_of, sensitivity
from clients.laboratory.sweep.session import Session, Workers, raise_if_failed
from clients.laboratory.sweep.tables import (
    differences_table,
    means_table,
    null_table,
    regrets_table,
    rules,
    search_table,
    sensitivity_table,
)
from exchange.errors import CheckFailedError, InputError

_RESPONSE_SEEDS: Final = 10
# Tables are read from files too, and a file has no width.
_WIDTH_OF_A_FILE: Final = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """What the command line says; lists as they stand there."""

    scenario: str = ""
    assign: Sequence[str] = ()
    seeds: int = 30
    first_seed: int | None = None
    days: int | None = None
    populations: str = ""
    robust: bool = False
    response_seeds: int | None = None
    measures: str = ""
    level: float = LEVEL
    one_at_a_time: bool = False
    workers: Workers = field(default_factory=Workers)
    out: Path | None = None
    resume: Path | None = None
    search: Sequence[str] = ()
    objective: str = ""
    trials: int = 50
    sensitivity: str = ""
    samples: int = 16
    null: bool = False
    welfare: bool = False
    as_json: bool = False


def run_sweep_command(options: SweepOptions) -> None:
    """Raises InputError for bad options, CheckFailedError where runs failed (after everything was told) or the null test does not hold."""
    question, directory = _asked(options)
    study = _null if options.null else _sensitivity if options.sensitivity else _search if options.search else _sweep
    with Session(directory, options.workers, Console(stderr=True)) as session:
        study(options, question, session, directory)


def _asked(options: SweepOptions) -> tuple[Question, Path]:
    """The question and its folder: of the options, or of the folder to go on with."""
    if options.resume is not None:
        return read_sweep(options.resume).asked(), options.resume
    if not options.scenario:
        raise InputError("sweep: name a scenario, such as park, or a folder to go on with: --resume DIR")
    populations = tuple(name.strip() for name in options.populations.split(",")) if options.populations else ()
    responses = options.response_seeds
    if options.robust:
        populations = populations or ROBUST_POPULATIONS
        responses = min(_RESPONSE_SEEDS, options.seeds) if responses is None else responses
    question = Question(
        scenario=scenario_name(options.scenario), axes=parse_axes(options.assign), one_at_a_time=options.one_at_a_time, days=options.days,
        seeds=options.seeds, first_seed=options.first_seed, populations=populations, response_seeds=responses or 0,
        welfare=options.welfare,
    )  # fmt: skip
    return question, options.out or Path("out") / f"sweep-{Path(options.scenario).stem}"


def scenario_name(text: str) -> str:
    """A file by its whole path, so that a folder can be gone on with from anywhere; a name as it is."""
    return str(Path(text).resolve()) if text.endswith(".toml") and Path(text).is_file() else text


def _sweep(options: SweepOptions, question: Question, session: Session, directory: Path) -> None:
    plan = session.plan(question)
    write_plan(directory, plan, session.write)
    session.say(f"{len(plan.cells)} cells, {len(plan.seeds)} seeds, {len({task.key for task in plan.tasks})} runs in {directory}")
    results = session.play(plan.tasks, "sweep")
    analysis = judge(directory, plan, results, options.measures, options.level)
    tables: list[RenderableType] = [means_table(analysis, population) for population in plan.populations]
    if analysis.differences:
        tables.append(differences_table(analysis, plan.populations[0]))
    if analysis.regrets:
        tables.append(regrets_table(analysis))
    tell(analysis, tables, as_json=options.as_json)
    raise_if_failed(results)


def _search(options: SweepOptions, question: Question, session: Session, directory: Path) -> None:
    space, objective = parse_parameters(options.search), parse_objective(options.objective)
    if options.trials < 1:
        raise InputError(f"--trials {options.trials}: expected at least 1")
    seed = session.load(question.scenario, {}).seed if question.first_seed is None else question.first_seed
    with session.bar("search", (options.trials + 2) * question.seeds) as bar:
        evaluator = session.evaluator(question, objective.measure, bar.count)
        found = search(space, objective, options.trials, seed, seed + question.seeds, evaluator)
    content = {
        "objective": f"{objective.direction}:{objective.measure}", "seed": seed, "seeds": question.seeds,
        "tried": [_point(point) for point in found.tried], "best": _point(found.best), "best_again": _point(found.best_again),
        "written_again": _point(found.written_again),
    }  # fmt: skip
    write_json(directory / "search.json", content)
    tell(content, [search_table(found)], as_json=options.as_json)
    failed = [point for point in found.tried if not point.values]
    if failed:
        raise CheckFailedError(f"{len(failed)} of {len(found.tried)} trials failed, such as {rules(failed[0])}: {failed[0].reason}")


def _point(point: Point) -> dict[str, Any]:
    return {"rules": dict(point.overrides), "mean": point.mean if point.values else None, "values": list(point.values), "reason": point.reason}


def _sensitivity(options: SweepOptions, question: Question, session: Session, directory: Path) -> None:
    space = parse_parameters(options.search)
    measure = options.measures or parse_objective(options.objective).measure
    seed = session.load(question.scenario, {}).seed if question.first_seed is None else question.first_seed
    with session.bar("sensitivity", points_of(options.sensitivity, len(space), options.samples) * question.seeds) as bar:
        evaluator = session.evaluator(question, measure, bar.count)
        effects = sensitivity(options.sensitivity, space, options.samples, seed, evaluator)
    content = {"method": options.sensitivity, "measure": measure, "samples": options.samples, "seeds": question.seeds,
               "effects": [asdict(effect) for effect in effects]}  # fmt: skip
    write_json(directory / "sensitivity.json", content)
    tell(content, [sensitivity_table(options.sensitivity, measure, effects)], as_json=options.as_json)


def _null(options: SweepOptions, question: Question, session: Session, directory: Path) -> None:
    baseline = question.cells(session.load)[0]
    results = session.play(make_tasks(question, Cell("null test", baseline.overrides), session.load, session.write), "null test")
    raise_if_failed(results)
    values: dict[str, Mapping[int, float]] = {}
    for name in choose_measures(options.measures, results.values()):
        found = {result.seed: measure_of(result, name) for result in results.values()}
        values[name] = {seed: float(value) for seed, value in found.items() if value is not None}
    test = null_test(values, options.level)
    write_json(directory / "null.json", asdict(test))
    tell(asdict(test), [null_table(test)], as_json=options.as_json)
    if not test.holds:
        alarms = test.any_measure
        raise CheckFailedError(f"equal rules differ in {alarms.alarms} of {alarms.trials} splits, more than {100 * (1 - test.level):g}% by chance")


def tell(content: object, tables: Sequence[RenderableType], *, as_json: bool) -> None:
    """On standard output: JSON for programs, or tables."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE)
    for table in tables:
        console.print(table)
