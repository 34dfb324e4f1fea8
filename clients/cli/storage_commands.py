"""`parkex verify`, `backup`, `restore`, `archive`: what an operator does with the files of an exchange."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer


def run_verify_command(path: Path, archive: Path | None, read_model: str) -> None:
    """Raises CheckFailedError with the first breach, InputError when there is nothing to verify."""
    from exchange.maintenance.verify import verify_path

    with _no_collection():
        verify_path(path, typer.echo, archive, read_model or None)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of rows stay until the end and form no cycles: looking for some among them takes a sixth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def run_backup_command(data: Path, target: Path, archive: Path | None) -> None:
    """Raises InputError, and CorruptionError when the journal is damaged."""
    from exchange.maintenance.backup import make_backup

    manifest = make_backup(data, target, archive)
    snapshot = f", snapshot at {manifest.snapshot_sequence}" if manifest.snapshot_sequence else ""
    typer.echo(
        f"backed up sequences {manifest.first_sequence} to {manifest.last_sequence} of {manifest.park_id}{snapshot}: "
        f"{len(manifest.files)} files, {manifest.total_bytes:,} bytes, verified"
    )
    typer.echo(f"head {manifest.chain_hash}")


def run_restore_command(source: Path, target: Path) -> None:
    """Raises InputError, CorruptionError for a damaged backup, CheckFailedError for a copy that does not verify."""
    from exchange.maintenance.backup import restore_backup
    from exchange.maintenance.verify import verify_path

    manifest = restore_backup(source, target)
    verify_path(target, typer.echo)
    typer.echo(f"restored {manifest.park_id} to sequence {manifest.last_sequence}; start it with: parkex serve --journal {target}")


def run_archive_command(data: Path, to: Path, read_model: str) -> None:
    """Raises InputError, CorruptionError, and CheckFailedError when a snapshot is not what the journal gives."""
    from exchange.maintenance.archive import archive_segments

    report = archive_segments(data, to, read_model or None)
    if not report.moved:
        typer.echo(f"nothing to move: no full segment lies before the snapshot at {report.snapshot_sequence}")
        return
    typer.echo(
        f"moved {len(report.moved)} segments, {report.n_bytes:,} bytes, {report.moved[0]} to {report.moved[-1]}, to {to}; "
        f"the journal begins at sequence {report.first_sequence}, its snapshot is at {report.snapshot_sequence}"
    )
