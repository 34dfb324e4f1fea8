"""`parkex match`: read the options, match the file, tell what became of it."""

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from exchange.errors import InputError


def run_match_command(
    orders: Path | None,
    trades: Path | None,
    book: Path | None,
    events: Path | None,
    bars: Path | None,
    interval: int,
    tick: str,
    lot: str,
    *,
    template: bool,
) -> None:
    """Raises InputError for a bad option or bad lines."""
    if template:
        from clients.offline.template import TEMPLATE

        typer.echo(TEMPLATE, nl=False)
        return
    if orders is None:
        raise InputError("match: expected a file of orders; parkex match --template prints one")
    from clients.offline.match import MatchOptions, match_file

    options = MatchOptions(orders, trades, book, events, bars, interval, tick, lot)
    console = Console(stderr=True)
    # The bar is for people: a log of it in a file would help nobody.
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("compiling at the first run (up to a minute)", total=orders.stat().st_size)
        summary = match_file(options, lambda n_bytes: progress.update(task, completed=n_bytes, description="matching"))
    typer.echo(summary.text())
