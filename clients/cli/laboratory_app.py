"""Commands of the market designer's laboratory: the options. Each one's work is in a module of its own, imported when it runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from exchange.errors import InputError

Scenario = Annotated[str, typer.Argument(help="Name of a shipped scenario, such as park, or a scenario file.")]
Days = Annotated[int | None, typer.Option(min=1, help="Days to play. Default: as the scenario says.")]
FirstSeed = Annotated[int | None, typer.Option(min=0, help="First seed; the others follow it. Default: the scenario's own.")]
Measures = Annotated[
    str, typer.Option("--measures", help="Measures to show, with commas between; NAME@ROLE or NAME@ID for a part. Default: a few of each kind.")
]
Level = Annotated[float, typer.Option(help="Level of the intervals.")]
ProcessCount = Annotated[int, typer.Option("--workers", min=0, help="Processes that play. 0: one for each core.")]
Dask = Annotated[str, typer.Option(help="Play on the Dask cluster whose scheduler is at this address, such as tcp://host:8786.")]
Welfare = Annotated[bool, typer.Option("--welfare", help="Measure each run against the linear program of the greatest welfare too: slower.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Assign = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the scenario; repeatable.")]


def add_laboratory(app: typer.Typer) -> None:
    """Add the laboratory's commands to the command line."""
    app.command(short_help="Play a scenario on a virtual clock.")(simulate)
    app.command(short_help="Mechanisms side by side: same agents, same seeds.")(compare)
    app.command(short_help="A question over many seeds, or a search for the best rules.")(sweep)
    app.command(short_help="Manipulations of the market, and what each gains.")(gaming)
    app.command(short_help="Runs or a sweep as one HTML file.")(report)
    app.command(short_help="A published experiment again, its figures beside ours.")(reproduce)


def simulate(
    scenario: Scenario,
    days: Days = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all draws. Default: the scenario's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for summary.json, the scenario and the tables; new or empty.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Folder to keep the journal in, for parkex verify and replay; new or empty.")] = None,
    assign: Assign = None,
    check: Annotated[bool, typer.Option("--check", help="Test every invariant of the exchange at every moment: slow.")] = False,
    welfare: Annotated[
        bool | None,
        typer.Option("--welfare/--no-welfare", help="Measure against the linear program of the greatest welfare. Default: runs of at most 2 days."),
    ] = None,
) -> None:
    """Play a scenario day by day on the exchange itself, with its clock run ahead, and print what it came to.

    \b
    Examples:
      parkex simulate park --seed 7 --out base
      parkex simulate park --days 7 --set market.mechanism=uniform --out uniform
      parkex simulate base/scenario.toml --seed 7 --out again
    """
    from clients.cli.simulate_command import run_simulate_command

    run_simulate_command(scenario, days, seed, out, journal, assign or (), check=check, welfare=welfare)


def compare(
    scenario: Scenario,
    mechanisms: Annotated[str, typer.Option(help="Mechanisms, with commas between; the first is compared with. Default: all.")] = "",
    days: Days = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that each mechanism is played with.")] = 5,
    first_seed: FirstSeed = None,
    assign: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the scenario, for all mechanisms; repeatable.")] = None,
    measures: Measures = "",
    level: Level = 0.95,
    welfare: Welfare = False,
    workers: ProcessCount = 0,
    dask: Dask = "",
    out: Annotated[Path | None, typer.Option(help="Folder to keep the results in, and to go on with.")] = None,
    as_json: AsJson = False,
    misreporting: Annotated[
        bool, typer.Option("--misreporting", help="What a lie about one's limit gains instead, among traders of one lot at the scenario's prices.")
    ] = False,
) -> None:
    """Play a scenario under several mechanisms, with the same agents and seeds, and print one table.

    \b
    Examples:
      parkex compare park --misreporting --mechanisms uniform,mcafee,vcg --seeds 10
      parkex compare park --mechanisms cda,uniform,mcafee --seeds 10
      parkex compare park --days 3 --measures traded_kwh,bill_market_cny@enterprise
    """
    from clients.cli.compare_command import CompareOptions, run_compare_command
    from clients.laboratory.sweep.session import Workers

    run_compare_command(
        CompareOptions(
            scenario=scenario, mechanisms=mechanisms, assign=assign or (), seeds=seeds, first_seed=first_seed, days=days, measures=measures,
            level=level, workers=Workers(workers, dask), out=out, as_json=as_json, welfare=welfare, misreporting=misreporting,
        )
    )  # fmt: skip


def sweep(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, such as park, or a scenario file.")] = "",
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE,VALUE,...: rules to try, the first is the baseline; repeatable. Default: gate, tick, lot, mechanism."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that each set of rules is played with, the same for all.")] = 30,
    first_seed: FirstSeed = None,
    days: Days = None,
    one_at_a_time: Annotated[bool, typer.Option("--one-at-a-time", help="Change one rule at a time instead of playing every combination.")] = False,
    robust: Annotated[bool, typer.Option("--robust", help="Play zi_c, zip and aa too, and what one participant gains by acting otherwise.")] = False,
    populations: Annotated[str, typer.Option(help="Populations to play instead of the scenario's own, with commas between.")] = "",
    response_seeds: Annotated[
        int | None, typer.Option(min=0, help="Seeds that other ways to act are tried with. Default: 10 with --robust, else 0.")
    ] = None,
    measures: Measures = "",
    level: Level = 0.95,
    welfare: Welfare = False,
    search: Annotated[
        list[str] | None, typer.Option(help="KEY=LOW..HIGH[:STEP] or KEY=VALUE,VALUE: a rule to choose by --objective; repeatable.")
    ] = None,
    objective: Annotated[str, typer.Option(help="maximise:MEASURE or minimise:MEASURE, what --search is for.")] = "",
    trials: Annotated[int, typer.Option(min=1, help="Sets of rules that --search tries.")] = 50,
    sensitivity: Annotated[str, typer.Option(help="morris or sobol: which of the --search rules matters most for --measures.")] = "",
    samples: Annotated[int, typer.Option(min=2, help="Trajectories of morris, or base samples of sobol (a power of two).")] = 16,
    null: Annotated[bool, typer.Option("--null", help="Test that equal rules do not differ.")] = False,
    workers: ProcessCount = 0,
    dask: Dask = "",
    out: Annotated[Path | None, typer.Option(help="Folder of the results; one with results goes on. Default: out/sweep-SCENARIO.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of an interrupted sweep: go on with its question.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play rules over many seeds, all cores at work, and say what differs, how surely, and for whom it holds.

    Every set of rules gets the same seeds, so differences are paired. Results are kept one by one: an interrupted sweep goes on where it was.
    Exit code 1 says that runs failed; the others count all the same. Studies of the same folder share their runs.

    \b
    Examples:
      parkex sweep park --set market.gate_closure_minutes=5,15,60 --seeds 30 --out gate
      parkex sweep --resume gate
      parkex sweep park --search market.gate_closure_minutes=5..120:5 --objective maximise:traded_kwh --trials 40
      parkex sweep park --sensitivity morris --search market.gate_closure_minutes=5..120 --search market.lot_kwh=0.1..10 --measures traded_kwh
    """
    from clients.cli.sweep_command import SweepOptions, run_sweep_command
    from clients.laboratory.sweep.session import Workers

    run_sweep_command(
        SweepOptions(
            scenario=scenario, assign=assign or (), seeds=seeds, first_seed=first_seed, days=days, populations=populations, robust=robust,
            response_seeds=response_seeds, measures=measures, level=level, one_at_a_time=one_at_a_time, workers=Workers(workers, dask), out=out,
            resume=resume, search=search or (), objective=objective, trials=trials, sensitivity=sensitivity, samples=samples, null=null,
            as_json=as_json, welfare=welfare,
        )
    )  # fmt: skip


def gaming(
    scenario: Scenario,
    days: Annotated[int | None, typer.Option(min=1, help="Days to play. Default: 2, so that a day is planned with the trades of another.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds that each manipulation and its honest twin are played with.")] = 10,
    first_seed: FirstSeed = None,
    assign: Assign = None,
    only: Annotated[str, typer.Option(help="Manipulations to try, with commas between. Default: all.")] = "",
    workers: ProcessCount = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for gaming.json, gains.csv and the scenario; new or empty.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try manipulations on the rules of a scenario, each beside an honest run of the same seed, and print what each gains its maker.

    Exit code 1 says that a certificate was issued for energy that is not green.

    \b
    Examples:
      parkex gaming park --seeds 10
      parkex gaming park --set market.mechanism=uniform --set population.default=zip --only wash-pairs,squeeze
    """
    from clients.cli.gaming_command import run_gaming_command

    run_gaming_command(
        scenario, days, seeds, out, first_seed=first_seed, assign=assign or (), only=only, workers=workers, as_json=as_json
    )  # fmt: skip


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs (parkex simulate --out), or one of a sweep and runs.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    lang: Annotated[str, typer.Option(help="Language that opens first: en or zh; the page has both.")] = "en",
) -> None:
    """Write one self-contained page: what was asked, the answer with its intervals, charts, tables, the scenario. It opens without a network.

    \b
    Examples:
      parkex report gate --out gate.html
      parkex report base uniform --lang zh
    """
    from clients.cli.report_command import run_report_command

    run_report_command(runs, out, _language(lang))


def _language(lang: str) -> Literal["en", "zh"]:
    if lang == "en":
        return "en"
    if lang == "zh":
        return "zh"
    raise InputError(f"--lang is en or zh, not {lang}")


def reproduce(
    name: Annotated[str, typer.Argument(help="gode-sunder, mcafee, zip or smith.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of all draws.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions, wider gates.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a published experiment again and print its figures beside ours, with a verdict. Exit code 1: a figure was not reproduced.

    \b
    Examples:
      parkex reproduce gode-sunder
      parkex reproduce mcafee --json
    """
    from clients.cli.reproduce_command import run_reproduce_command

    raise typer.Exit(run_reproduce_command(name, seed, quick=quick, as_json=as_json))
