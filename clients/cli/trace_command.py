"""`parkex trace`: the chain of one certificate, trade or line of a statement, both ways."""

from pathlib import Path

import msgspec
import typer

from exchange.errors import InputError


def run_trace_command(data: Path, what: str, archive: Path | None, language: str, *, as_json: bool) -> None:
    """Fold the journal and print the chain. Raises InputError for what is not there, CorruptionError for a damaged journal."""
    from exchange.maintenance.trace import trace

    if language not in {"en", "zh"}:
        raise InputError("lang is en or zh")
    found = trace(data, what, archive)
    typer.echo(msgspec.json.format(msgspec.json.encode(found.to_dict())).decode() if as_json else found.to_text("zh" if language == "zh" else "en"))
