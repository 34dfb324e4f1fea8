"""`parkex report`: runs and sweeps as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from clients.laboratory.report.build import build_report
from clients.laboratory.report.inputs import read_evidence
from exchange.errors import InputError
from exchange.settlement.rendering import Language


def run_report_command(runs: Sequence[Path], out: Path, language: Language = "en") -> None:
    """Write the report of `runs` to `out`, whole or not at all, and say where it is. Raises InputError for bad folders and for a folder as `out`."""
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; name a file such as {out / 'report.html'}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}")
    page = build_report(read_evidence(runs), language).encode()
    writing = out.with_name(out.name + ".writing")
    try:
        writing.write_bytes(page)
        writing.replace(out)
    finally:
        writing.unlink(missing_ok=True)
    print(f"{out}: {len(page) / 1e6:.1f} MB")
