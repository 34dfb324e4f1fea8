"""`parkex scenario`: the options. The work is in scenario_command.py, imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

scenario = typer.Typer(
    help="Scenarios: the ready ones, a file of your own, its check, and all that it resolves to. Keys: docs/scenarios.md.",
    short_help="Ready scenarios, your own, their check.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name of a ready scenario, or a scenario file.")]
Assign = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, such as market.gate_closure=15; repeatable.")]


@scenario.command("list")
def listing() -> None:
    """Print the ready scenarios."""
    from clients.cli.scenario_command import run_scenario_list

    run_scenario_list()


@scenario.command("new", short_help="Write a commented file of your own.")
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; must not be there yet.")],
    base: Annotated[str, typer.Option(help="Scenario that the file says the difference to.")] = "park",
) -> None:
    """Write a commented scenario file over another scenario, with its values to start from. Nothing is overwritten.

    \b
    Example:
      parkex scenario new mine.toml --base solar
    """
    from clients.cli.scenario_command import run_scenario_new

    run_scenario_new(file, base)


@scenario.command("check", short_help="Name everything wrong, or say what it is.")
def check(name: Name, assign: Assign = None) -> None:
    """Read a scenario: everything that is wrong with file, line and reason, or what the scenario is.

    \b
    Examples:
      parkex scenario check mine.toml
      parkex scenario check solar --set market.mechanism=uniform
    """
    from clients.cli.scenario_command import run_scenario_check

    run_scenario_check(name, assign or ())


@scenario.command("show", short_help="Print the complete resolved scenario.")
def show(
    name: Name,
    key: Annotated[str, typer.Option(help="Only this part, such as market or member.PV01.")] = "",
    assign: Assign = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of printing; must not be there yet.")] = None,
) -> None:
    """Print a scenario as one file that needs no other and loads to the same, or a part of it.

    \b
    Examples:
      parkex scenario show stress --key outage
      parkex scenario show park --set market.gate_closure=15 --out whole.toml
    """
    from clients.cli.scenario_command import run_scenario_show

    run_scenario_show(name, key, assign or (), out)
