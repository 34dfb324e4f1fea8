"""`parkex gaming`: manipulations tried on the rules of a scenario, and what each gains."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from exchange.errors import CheckFailedError, InputError

if TYPE_CHECKING:
    from clients.laboratory.gaming.verdicts import Gain

# What was traded on one day is what others plan with on the next.
DAYS = 2
SEEDS = 10
# The table is not cut where output is no terminal.
_WIDTH_MIN = 126
_STYLES = {"gains": "bold red", "prevented": "green", "does not gain": "green", "cannot be told": "yellow"}


def run_gaming_command(
    scenario: str, days: int | None = None, seeds: int = SEEDS, out: Path | None = None, *, first_seed: int | None = None, assign: Sequence[str] = (),
    only: str = "", workers: int = 0, as_json: bool = False,
) -> None:  # fmt: skip
    """Raises InputError for what cannot be played, before anything is; CheckFailedError where a certificate was issued for what is not green."""
    from dataclasses import replace

    from clients.laboratory.gaming.output import content_of, write_gaming
    from clients.laboratory.gaming.play import Task, reason_against
    from clients.laboratory.gaming.session import cores, play_all
    from clients.laboratory.gaming.suite import SUITE
    from clients.laboratory.gaming.verdicts import judge
    from clients.laboratory.scenario.overrides import assignments
    from clients.laboratory.scenario.resolve import load_scenario
    from clients.simulator.output import check_empty

    if seeds < 1:
        raise InputError(f"--seeds {seeds}: expected at least 1")
    overrides = assignments(assign)
    resolved = replace(load_scenario(scenario, overrides), days=DAYS if days is None else days)
    if out is not None:
        check_empty(out)
    reason, names = reason_against(resolved), _chosen(only, tuple(SUITE))
    skipped = {name: why for name in names if (why := reason(SUITE[name]))}
    first = resolved.seed if first_seed is None else first_seed
    played = tuple(name for name in names if name not in skipped)
    tasks = [Task(scenario, overrides, resolved.days, seed, played) for seed in range(first, first + seeds)]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("seeds"), TimeRemainingColumn())
    outcomes = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"gaming {resolved.name}", total=len(tasks))
        for found in play_all(tasks, workers or cores()):
            outcomes += found
            progress.advance(bar)
    outcomes.sort(key=lambda one: (one.seed, names.index(one.name)))
    gains = judge(outcomes)
    content = content_of(resolved, [task.seed for task in tasks], gains, skipped)
    if out is not None:
        write_gaming(out, resolved, content, outcomes)
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print(f"{resolved.name}, {resolved.market.mechanism}, {resolved.days} days, {seeds} seeds from {first}", gains, skipped)
    wrong_wh = sum(gain.wrongly_certified_wh for gain in gains)
    if wrong_wh:
        raise CheckFailedError(f"certificates for {wrong_wh} Wh were issued for energy that is not green")


def _chosen(only: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in only.split(",")) if only else known
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) < len(names):
        raise InputError(f"--only {only}: expected some of {', '.join(known)}, each once")
    return names


def _print(title: str, gains: Sequence["Gain"], skipped: dict[str, str]) -> None:
    table = Table(title=title, title_justify="left")
    for heading in ("manipulation", "verdict", "gain CNY", "95 % interval", "of its bill", "others lose CNY", "came about", "refused"):
        table.add_column(heading, justify="left" if heading in {"manipulation", "verdict"} else "right", no_wrap=True)
    for gain in gains:
        table.add_row(*_cells(gain))
    console = Console()
    console.width = max(console.width, _WIDTH_MIN)
    console.print(table)
    for gain in gains:
        if gain.alerts:
            alerts = ", ".join(f"{rule} {count:.1f}" for rule, count in gain.alerts.items())
            console.print(f"Surveillance names its accounts more often a run under {gain.name}: {alerts}.", markup=False)
    for name, why in skipped.items():
        console.print(f"{name} was not tried: {why}.", markup=False)
    console.print("Gain: what the manipulator's accounts pay less than in the honest run of the same seed. Verdicts: 5 % for the whole table (Holm).")
    console.print(f"Certificates issued for what is not green: {sum(gain.wrongly_certified_wh for gain in gains)} Wh.")


def _cells(gain: "Gain") -> tuple[str, ...]:
    interval = gain.gain
    ends = "" if interval.low is None or interval.high is None else f"{interval.low:,.0f} to {interval.high:,.0f}"
    return (
        gain.name,
        f"[{_STYLES[gain.verdict]}]{gain.verdict.value}[/]",
        f"{interval.mean:,.0f}",
        ends,
        "" if gain.gain_percent is None else f"{gain.gain_percent:.1f} %",
        f"{gain.others_lose_cny:,.0f}",
        f"{gain.extent_kwh:,.0f} kWh",
        f"{gain.refused_orders:,.0f}",
    )
