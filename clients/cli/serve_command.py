"""`parkex serve`: an exchange on the wall clock. `parkex config`: what it would be told by file, environment and options."""

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.cli.configuration import Configuration, resolve
from clients.cli.settings import Value, limits_from
from clients.sdk.credentials import public_key_of
from clients.web import PAGE_DIRECTORY, static_files
from exchange.clock import SystemClock
from exchange.errors import InputError
from exchange.gateway.server import own_hosts
from exchange.gateway.tls import TlsFiles
from exchange.logs import LogFormat, LogLevel, configure_logging
from exchange.units import NS_PER_SECOND

OPERATOR_KEY_FILE = "operator.key"
_MIB = 1024 * 1024


def run_config_command(file: Path | None, assignments: Sequence[str]) -> None:
    """Print the configuration as it would be. Raises InputError naming everything wrong."""
    typer.echo(resolve(file, os.environ, {}, assignments).describe())


def run_serve_command(file: Path | None, options: Mapping[str, Value], assignments: Sequence[str]) -> None:
    """Serve until SIGTERM or interrupted; a journal that is there is recovered, and its settings hold. `options` are by the key of their setting."""
    configuration = resolve(file, os.environ, options, assignments)
    tls = tls_of(configuration)
    log = configure_logging(LogFormat(configuration["log.format"]), LogLevel(configuration["log.level"]))
    try:
        _serve(configuration, tls)
    finally:
        log.close()


def _serve(configuration: Configuration, tls: TlsFiles | None) -> None:
    typer.echo("loading the order path; the first run on a machine compiles it, which takes up to a minute")
    from exchange.order_path.settings import ExchangeSettings
    from exchange.service import ServiceOptions, new_genesis, run_exchange

    directory, recovery_s = Path(configuration["exchange.directory"]), configuration["exchange.recovery_s"]
    settings = ExchangeSettings(
        simulation=configuration["exchange.simulation"],
        internal_trading_approval=configuration["exchange.internal_approval"],
        recovery_ns=(recovery_s or 0) * NS_PER_SECOND,
    )
    journal = directory / "journal"
    is_new = not (journal.is_dir() and any(journal.iterdir()))
    genesis = new_genesis(configuration["exchange.park"], (_operator_key(directory),), settings) if is_new else None
    service = ServiceOptions(
        journal_directory=journal,
        clock=SystemClock(),
        genesis=genesis,
        read_model_url=configuration["read_model.url"] or f"sqlite:///{directory / 'readmodel.sqlite'}",
        read_model_lag_max=configuration["read_model.lag_max"],
        limits=limits_from(configuration.values()),
        host=configuration["server.host"],
        port=configuration["server.port"],
        public_names=configuration["server.public_names"],
        origins=configuration["server.origins"],
        tls=tls,
        metrics_networks=configuration["server.metrics_allow"],
        shutdown_timeout_s=configuration["server.shutdown_timeout_s"],
        recovery_ns=None if recovery_s is None else recovery_s * NS_PER_SECOND,
        snapshot_interval_s=configuration["exchange.snapshot_interval_s"],
        disk_free_min_bytes=configuration["server.disk_free_min_mib"] * _MIB,
        web_directory=PAGE_DIRECTORY,
        static_files=static_files(),
    )
    try:
        run_exchange(service, lambda url: typer.echo(f"serving {url} (operator key: {directory / OPERATOR_KEY_FILE}, key id: operator)"))
    finally:
        # A key without a journal, as after a taken port, would only stand in the way of the next start.
        if is_new and not journal.is_dir():
            (directory / OPERATOR_KEY_FILE).unlink(missing_ok=True)


def tls_of(configuration: Configuration) -> TlsFiles | None:
    """Certificate and key, the operator's or ones for development; None without either. Raises InputError for half of a pair or for both."""
    certificate, key, development = (configuration[f"tls.{name}"] for name in ("certificate", "key", "development_directory"))
    if development and (certificate or key):
        raise InputError("tls: either a certificate and its key, or a folder for development ones, not both")
    if bool(certificate) != bool(key):
        raise InputError(f"tls: a certificate and its private key belong together; {'the key' if certificate else 'the certificate'} is missing")
    if development:
        from clients.cli.development_tls import development_tls

        names = configuration["server.public_names"] or own_hosts(configuration["server.host"], configuration["server.port"] or 0)
        made = development_tls(Path(development), names)
        typer.echo(f"TLS for development: clients trust {made.ca} (parkex bot --ca {made.ca})")
        return made.server
    return TlsFiles(Path(certificate), Path(key)) if certificate else None


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
