"""`parkex scenario`: the ready scenarios, a file of one's own over one of them, its check, and what it resolves to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from clients.laboratory.scenario.overrides import assignments
from clients.laboratory.scenario.resolve import load_scenario
from clients.laboratory.scenario.starter import starter_text
from clients.laboratory.scenario.summary import summary_lines
from clients.laboratory.scenario.toml_text import quoted_key, toml_text
from clients.laboratory.scenario.write import scenario_content, scenario_text
from clients.scenarios.layers import SHIPPED
from exchange.errors import InputError


def run_scenario_list() -> None:
    """Print the scenarios that ship, a line each."""
    for name in SHIPPED:
        scenario = load_scenario(name)
        typer.echo(f"{name:<16}{scenario.name_en} ({scenario.name_zh}): {len(scenario.participants)} participants")


def run_scenario_new(file: Path, base: str) -> None:
    """Write a commented file over `base`. Raises InputError where the file is there already, or the base does not load."""
    if file.suffix.lower() != ".toml":
        raise InputError(f"{file}: expected a file that ends in .toml")
    text = starter_text(base, file)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise InputError(f"{file} is there already; nothing was written") from error
    typer.echo(f"wrote {file}. Next: open it, then  parkex scenario check {file}")


def run_scenario_check(name_or_file: str, settings: Sequence[str] = ()) -> None:
    """Print what the scenario is. Raises InputError that names everything wrong with it."""
    from clients.laboratory.agents.catalogue import check_choice  # late: it compiles

    scenario = load_scenario(name_or_file, assignments(settings))
    wrong = []
    for entry in scenario.participants:
        try:
            check_choice(entry.agent, f"participant {entry.id}")
        except InputError as error:
            wrong.append(f"  {error}")
    if wrong:
        raise InputError("\n".join([f"scenario {scenario.name}: {len(wrong)} problems with agents, it cannot be run", *wrong]))
    for line in summary_lines(scenario):
        typer.echo(line)


def run_scenario_show(name_or_file: str, key: str = "", settings: Sequence[str] = (), out: Path | None = None) -> None:
    """Print the complete resolved scenario as a file that needs no other, or the part under `key` (`market`, `member.PV01`); or write it to `out`.

    Raises InputError for an unknown key, and where `out` is there already.
    """
    scenario = load_scenario(name_or_file, assignments(settings))
    text = _part(scenario_content(scenario), key) if key else scenario_text(scenario)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(f"{out} is there already; nothing was written") from error


def _part(content: Mapping[str, Any], key: str) -> str:
    value: Any = content
    path: list[str] = []
    for part in key.split("."):
        known = _below(value)
        names = [part] if part in known else [name for name in known if name.startswith(part)]
        if len(names) != 1:
            raise InputError(f"--key {key}: {part!r} {'may mean' if names else 'is not there; expected one of'} {', '.join(names or known)}")
        value = known[names[0]]
        path.append(names[0])
    if isinstance(value, Mapping):
        return toml_text({".".join(quoted_key(part) for part in path): value}, is_path=True)
    return toml_text({path[-1]: value})


def _below(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list):
        return {str(entry.get("id", entry.get("symbol", index))): entry for index, entry in enumerate(value) if isinstance(entry, Mapping)}
    return {}
