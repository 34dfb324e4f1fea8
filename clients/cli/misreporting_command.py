"""`parkex compare --misreporting`: what a lie about one's own limit gains under each mechanism."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from exchange.errors import InputError

if TYPE_CHECKING:
    from clients.laboratory.gaming.misreports import MisreportGain

_STYLES: Final = {"gains": "bold red", "loses": "green"}
_PPM_A_PERCENT: Final = 10_000


def run_misreporting_command(
    scenario: str, mechanisms: Sequence[str], seeds: int, first_seed: int | None, assign: Sequence[str], level: float, *, as_json: bool
) -> None:
    """Raises InputError for a scenario that cannot be read and a level that is none, before anything is played."""
    from clients.laboratory.gaming.misreports import misreports, runs_of
    from clients.laboratory.scenario.overrides import assignments
    from clients.laboratory.scenario.resolve import load_scenario

    if not 0 < level < 1:
        raise InputError(f"--level {level}: expected a share between 0 and 1")
    resolved = load_scenario(scenario, assignments(assign))
    first = resolved.seed if first_seed is None else first_seed
    chosen = range(first, first + seeds)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("misreporting", total=runs_of(mechanisms, chosen))
        found = list(misreports(resolved, mechanisms, chosen, lambda: progress.advance(bar), level))
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"verdict": one.verdict} for one in found], indent=2))
    else:
        _print(f"{resolved.name}, traders of one lot, {seeds} seeds from {first}, {found[0].gain.n} markets", found, level)


def _print(title: str, found: Sequence["MisreportGain"], level: float) -> None:
    table = Table(title=title, title_justify="left")
    for heading in ("mechanism", "liar", "report", "gain, CNY/MWh", f"{100 * level:g} % interval", "most in a market", "verdict"):
        table.add_column(heading, justify="right" if heading not in {"mechanism", "liar", "report", "verdict"} else "left", no_wrap=True)
    for one in found:
        table.add_row(*_cells(one))
    console = Console()
    console.width = max(console.width, 110)
    console.print(table)
    console.print("Gain: profit at the true limit beside the truthful run of the same draws, for each MWh that the liar wants.")


def _cells(one: "MisreportGain") -> tuple[str, ...]:
    gain = one.gain
    interval = "" if gain.low is None or gain.high is None else f"{gain.low:.2f} to {gain.high:.2f}"
    mean = "" if gain.mean is None else f"{gain.mean:.2f}"
    style = _STYLES.get(one.verdict)
    verdict = f"[{style}]{one.verdict}[/]" if style else one.verdict
    return one.mechanism, one.liar, report_text(one.liar, one.shade_ppm), mean, interval, f"{one.most:.2f}", verdict


def report_text(liar: str, shade_ppm: int) -> str:
    """What is reported, as a share of the limit."""
    is_below = (liar == "buyer") == (shade_ppm > 0)
    return f"{abs(shade_ppm) / _PPM_A_PERCENT:g} % {'below' if is_below else 'above'} its limit"
