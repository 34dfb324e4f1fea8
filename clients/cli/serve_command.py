"""`parkex serve`: an exchange on the wall clock."""

import base64
import os
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.sdk.credentials import public_key_of
from clients.web import PAGE_DIRECTORY, static_files
from exchange.clock import SystemClock
from exchange.errors import InputError

OPERATOR_KEY_FILE = "operator.key"


def run_serve_command(
    directory: Path,
    host: str,
    port: int | None,
    park: str,
    read_model: str,
    public_names: tuple[str, ...],
    simulation: bool,
    internal_approval: str,
    backend: str,
) -> None:
    """Serve until interrupted; a journal that is there is recovered, and its settings hold."""
    typer.echo("loading the order path; the first run on a machine compiles it, which takes up to a minute")
    from exchange.order_path.settings import ExchangeSettings
    from exchange.service import ServiceOptions, new_genesis, run_exchange

    settings = ExchangeSettings(simulation=simulation, internal_trading_approval=internal_approval)
    journal = directory / "journal"
    is_new = not (journal.is_dir() and any(journal.iterdir()))
    genesis = new_genesis(park, (_operator_key(directory),), settings) if is_new else None
    options = ServiceOptions(
        journal_directory=journal,
        clock=SystemClock(),
        genesis=genesis,
        read_model_url=read_model or f"sqlite:///{directory / 'readmodel.sqlite'}",
        host=host,
        port=port,
        backend=backend,
        public_names=public_names,
        web_directory=PAGE_DIRECTORY,
        static_files=static_files(),
    )
    try:
        run_exchange(options, lambda url: typer.echo(f"serving {url} (operator key: {directory / OPERATOR_KEY_FILE}, key id: operator)"))
    finally:
        # A key without a journal, as after a taken port, would only stand in the way of the next start.
        if is_new and not journal.is_dir():
            (directory / OPERATOR_KEY_FILE).unlink(missing_ok=True)


def _operator_key(directory: Path) -> bytes:
    """Public key of the operator of a new journal; the private one goes to a file that only its owner reads, and is never overwritten."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / OPERATOR_KEY_FILE
    key = Ed25519PrivateKey.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(base64.b64encode(key.private_bytes_raw()).decode() + "\n")
    except FileExistsError as error:
        raise InputError(f"{path} is there but no journal beside it; move the key away or restore the journal") from error
    return public_key_of(key)
