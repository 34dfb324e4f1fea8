"""`parkex reproduce`: run a published experiment again and print its figures beside ours."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from clients.cli.exits import Exit
from exchange.errors import InputError

if TYPE_CHECKING:
    from clients.laboratory.reproduce.result import Figure, Line, Reproduction

_VERDICTS = {True: "[green]holds[/]", False: "[bold red]fails[/]", None: ""}


def run_reproduce_command(name: str, seed: int, *, quick: bool, as_json: bool) -> int:
    """The exit code: 0 if every gate holds, else 1. Raises InputError for an unknown name or a seed out of range."""
    from clients.laboratory.reproduce.table import REPRODUCTIONS

    if name not in REPRODUCTIONS:
        raise InputError(f"reproduce: expected {', '.join(REPRODUCTIONS)}, not {name!r}")
    if not 0 <= seed < 2**63:
        raise InputError(f"reproduce: --seed is from 0 to {2**63 - 1}, not {seed}")
    found = REPRODUCTIONS[name](seed, is_quick=quick)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "seed": seed, "passed": found.passed}, indent=2))
    else:
        _print(found, seed)
    return Exit.DONE if found.passed else Exit.CHECK_FAILED


def _print(found: "Reproduction", seed: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{found.paper}\n{found.setting}, seed {seed}", title_justify="left")
    has_errors = any(line.standard_error is not None for line in found.lines)
    for heading in ("figure", "published", "here", *(["standard error"] if has_errors else []), "gate", "verdict"):
        table.add_column(heading, justify="left" if heading in {"figure", "gate", "verdict"} else "right")
    for line in found.lines:
        table.add_row(*_cells(line, has_errors=has_errors))
    console = Console()
    console.print(table)
    for note in found.notes:
        console.print(f"Note: {note}", markup=False)
    failed = [line.what for line in found.lines if line.holds is False]
    console.print(f"Not reproduced: {'; '.join(failed)}" if failed else "Reproduced: every gate holds.", markup=False)


def _cells(line: "Line", *, has_errors: bool) -> tuple[str, ...]:
    error = "" if line.standard_error is None else f"{line.standard_error:.4f}"
    return line.what, _text(line.published), _text(line.ours), *([error] if has_errors else []), line.gate, _VERDICTS[line.holds]


def _text(figure: "Figure") -> str:
    return "" if figure is None else figure if isinstance(figure, str) else f"{figure:g}"
