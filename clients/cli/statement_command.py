"""`parkex statement`: a statement of a data directory from its journal, to read, to print or to take away."""

from pathlib import Path
from typing import Final

import typer

from exchange.errors import InputError

FORMATS: Final = ("text", "json", "csv", "html")
LANGUAGES: Final = ("en", "zh")


def run_statement_command(directory: Path, account: int, day: str, *, run: int, form: str, language: str, out: Path | None) -> None:
    """Fold the journal and write one statement. Raises InputError where there is none, and CorruptionError."""
    import msgspec

    from exchange.replay import replay_directory
    from exchange.settlement.export import statement_to_csv, statement_to_html
    from exchange.settlement.rendering import Language, statement_to_dict, statement_to_text

    if form not in FORMATS or language not in LANGUAGES:
        raise InputError(f"a format is one of {', '.join(FORMATS)}, a language one of {', '.join(LANGUAGES)}")
    journal = directory / "journal" if (directory / "journal").is_dir() else directory
    exchange, head = replay_directory(journal)
    statement = exchange.statement(account, day, run)
    if statement is None:
        raise InputError(f"account {account} has no statement of {day}" + (f" by run {run}" if run else ""))
    words: Language = "zh" if language == "zh" else "en"
    if form == "html":
        text = statement_to_html(statement, words, head)
    elif form == "csv":
        text = statement_to_csv(statement)
    elif form == "json":
        text = msgspec.json.format(msgspec.json.encode(statement_to_dict(statement))).decode() + "\n"
    else:
        text = statement_to_text(statement, words, head)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
