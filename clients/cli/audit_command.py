"""`parkex audit`: the audit log of a data directory from its journal, verified; with it the security log and alerts, if asked for."""

import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer


def run_audit_command(directory: Path, *, as_json: bool, alerts: bool, security: bool) -> None:
    """Fold the journal and print. Raises InputError, CorruptionError and CheckFailedError (a chain that does not hold)."""
    from exchange.accounts.audit import AuditEntry, check_chain
    from exchange.gateway.security_log import FOLDER, read_log
    from exchange.order_path.path import BatchResult, Exchange
    from exchange.replay import ChainSource
    from exchange.surveillance.desk import Surveillance

    journal = directory / "journal" if (directory / "journal").is_dir() else directory
    if security:
        _print(read_log(journal / FOLDER), as_json=True)
        return
    source = ChainSource(journal)
    exchange = Exchange(source.genesis)
    watch = Surveillance(exchange)
    entries: list[AuditEntry] = []

    def see(batch: BatchResult) -> None:
        entries.extend(notice.data["entry"] for notice in batch.notices if notice.kind == "audit")
        if alerts:
            watch.on_batch(batch)

    for group in source.groups():
        see(exchange.apply(group.records, group.documents, group.first_sequence))
    count = check_chain(entries, exchange.rooms.audit.head)
    _print(watch.alerts if alerts else entries, as_json=as_json or alerts)
    typer.echo(f"{count} entries, chain verified, head {exchange.rooms.audit.head}", err=True)


def _print(rows: Any, *, as_json: bool) -> None:
    encode = msgspec.json.Encoder(order="sorted").encode
    for row in rows:
        typer.echo(encode(row).decode() if as_json else _line(row))


def _line(entry: Any) -> str:
    """When, who, what, how it ended."""
    moment = datetime.datetime.fromtimestamp(entry.stamp_ns // 1_000_000_000, datetime.UTC).isoformat()
    who = f"{entry.person or '-'} ({entry.key_id or '-'}, account {entry.account})"
    approved = f", proposal {entry.proposal} of {entry.proposer}" if entry.proposal else ""
    ended = f"refused {entry.code}{' ' + entry.rule if entry.rule else ''}" if entry.code else f"{entry.before} -> {entry.after}"
    return f"{entry.number}  {moment}  {who}  {entry.action}{approved}  {ended}"
