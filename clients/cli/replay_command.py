"""`parkex replay`: verify, fold, print the hash."""

from pathlib import Path

import typer

from exchange.journal.verify import verify


def run_replay_command(journal: Path, head: str | None, archive: Path | None) -> None:
    """Raises InputError, CorruptionError (damage, or a head that is not there) and CheckFailedError (a checkpoint that does not hold)."""
    report = verify(journal, head, archive)
    if report.torn_tail is not None:
        typer.echo(f"torn tail: {report.torn_tail}; what follows is the state before it")
    typer.echo(f"journal of {report.park_id}: {report.records} commands in {report.groups} groups, head {report.head.chain_hash}")
    if head is not None:
        typer.echo(f"known head found as of command {report.known_head_sequence}")
    from exchange.order_path.check import check_exchange
    from exchange.replay import replay_directory, state_hash_hex

    exchange, _ = replay_directory(journal, archive)
    check_exchange(exchange)
    typer.echo(f"replayed to command {exchange.last_sequence}, event hash {exchange.event_hash}")
    typer.echo(state_hash_hex(exchange))
