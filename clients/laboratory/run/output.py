"""The folder of a run: summary.json, scenario.toml, tables as Parquet and CSV. Its format is in docs/run-output.md.

Each file is written under another name and renamed; summary.json is the last and holds size and SHA-256 of all others, so a folder without one is
half written and a folder with one is whole or damaged.
"""

import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from clients.laboratory.run.record import RunRecord
from clients.laboratory.run.tables import Source, tables
from clients.laboratory.scenario.write import scenario_text
from clients.simulator.output import check_empty
from exchange.errors import InputError

FORMAT: Final = "parkex-run-1"
SUMMARY: Final = "summary.json"
SCENARIO: Final = "scenario.toml"
TABLES: Final = "tables"
JOURNAL: Final = "journal"
# Nobody opens more in a spreadsheet; the table is in Parquet all the same.
CSV_MAX_ROWS: Final = 1_000_000
_WRITING: Final = ".writing"
# Keys of a summary that are not measures.
FACTS: Final = (
    "format", "scenario", "scenario_en", "scenario_zh", "seed", "days", "n_orders", "state_hash", "event_hash", "journal_hash", "versions", "seconds",
    "files",
)  # fmt: skip
_MUST_BE: Final[dict[str, type | tuple[type, ...]]] = {
    "scenario": str, "scenario_en": str, "scenario_zh": str, "seed": int, "days": int, "n_orders": int, "state_hash": str, "event_hash": str,
    "journal_hash": str, "versions": dict, "seconds": dict, "files": dict,
}  # fmt: skip

Measure = float | int | None


def write_run(record: RunRecord, directory: Path, measures: Mapping[str, Measure]) -> None:
    """Write a run into a new or empty folder, in which its journal may be already.

    Raises InputError where there is anything else, and ValueError where a measure has the name of a fact.
    """
    if taken := set(measures) & set(FACTS):
        raise ValueError(f"names of measures that a summary needs itself: {sorted(taken)}")
    if not directory.is_dir() or {entry.name for entry in directory.iterdir()} - {JOURNAL}:
        check_empty(directory)
    (directory / TABLES).mkdir(parents=True, exist_ok=True)
    _write(directory / SCENARIO, scenario_text(record.scenario).encode())
    for name, source in tables(record).items():
        _write_parquet(directory / TABLES / f"{name}.parquet", source)
        if source.n_rows <= CSV_MAX_ROWS:
            _write_csv(directory / TABLES / f"{name}.csv", source)
    files = {path.relative_to(directory).as_posix(): _seal(path) for path in [directory / SCENARIO, *sorted((directory / TABLES).iterdir())]}
    summary = {**_facts(record), **{name: _finite(value) for name, value in measures.items()}, "files": files}
    _write(directory / SUMMARY, (json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


@dataclass(frozen=True, slots=True)
class RunOutput:
    """A run as it was written. `facts` and `measures` are the two parts of its summary."""

    directory: Path
    facts: Mapping[str, Any]
    measures: Mapping[str, Measure]
    scenario_toml: str

    def has(self, table: str) -> bool:
        return f"{TABLES}/{table}.parquet" in self.facts["files"]

    def table(self, name: str, columns: list[str] | None = None, where: list[tuple[str, str, object]] | None = None) -> pa.Table:
        """A table, or some of its columns; `where` as in pyarrow.parquet.read_table. Raises InputError for a damaged table."""
        path = self.directory / TABLES / f"{name}.parquet"
        try:
            return pa_parquet.read_table(path, columns=columns, filters=where)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


def is_run(directory: Path) -> bool:
    """Whether a folder says of itself that it is a run."""
    return (directory / SUMMARY).is_file()


def read_run(directory: Path) -> RunOutput:
    """A folder of `write_run`, its files compared with their digests. Raises InputError naming what is missing, damaged or foreign."""
    summary = _read_summary(directory)
    for name, seal in summary["files"].items():
        _check_file(directory, name, seal)
    measures = {name: value for name, value in summary.items() if name not in FACTS}
    for name, value in measures.items():
        if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
            raise InputError(f"{directory / SUMMARY}: {name} is {value!r}; expected a number or null")
    text = (directory / SCENARIO).read_text("utf-8")
    return RunOutput(directory, {name: summary[name] for name in FACTS}, measures, text)


def versions() -> dict[str, str]:
    """What a run depends on besides its scenario and seed."""
    libraries = {name: importlib.metadata.version(name) for name in ("parkex", "numpy", "numba")}
    return {**libraries, "python": platform.python_version()}


def _facts(record: RunRecord) -> dict[str, Any]:
    scenario = record.scenario
    return {
        "format": FORMAT,
        "scenario": scenario.name,
        "scenario_en": scenario.name_en,
        "scenario_zh": scenario.name_zh,
        "seed": record.seed,
        "days": record.bill_market_micro.shape[1],
        "n_orders": record.orders,
        "state_hash": record.state_hash,
        "event_hash": record.event_hash,
        "journal_hash": record.journal_hash,
        "versions": versions(),
        "seconds": {part: round(seconds, 6) for part, seconds in record.seconds.items()},
    }


def _finite(value: Measure) -> Measure:
    """A number that JSON can hold; None says that a measure is not defined for this run."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_parquet(path: Path, source: Source) -> None:
    """A row group for each part, so that a reader of one day reads little more than it."""
    with _renamed(path) as writing:
        parts = source.parts()
        first = next(parts)
        with pa_parquet.ParquetWriter(writing, first.schema, compression="zstd") as file:
            file.write_table(first)
            for part in parts:
                file.write_table(part)


def _write_csv(path: Path, source: Source) -> None:
    with _renamed(path) as writing:
        parts = source.parts()
        first = next(parts)
        with pa_csv.CSVWriter(writing, first.schema) as file:
            file.write_table(first)
            for part in parts:
                file.write_table(part)


def _write(path: Path, content: bytes) -> None:
    with _renamed(path) as writing:
        writing.write_bytes(content)


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    """A name to write under, which becomes `path` when the block ends well and is removed when it does not."""
    writing = path.with_name(path.name + _WRITING)
    try:
        yield writing
        writing.replace(path)
    finally:
        writing.unlink(missing_ok=True)


def _seal(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _read_summary(directory: Path) -> dict[str, Any]:
    path = directory / SUMMARY
    if not directory.is_dir():
        raise InputError(f"{directory}: is no folder; expected the folder of a run (parkex simulate --out)")
    if not path.is_file():
        half = (directory / TABLES).is_dir() or any(directory.glob(f"*{_WRITING}"))
        why = "the run was interrupted while it was written; run it again" if half else "expected the folder of a run (parkex simulate --out)"
        raise InputError(f"{directory}: has no {SUMMARY}: {why}")
    try:
        summary = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from error
    if not isinstance(summary, dict) or summary.get("format") != FORMAT:
        raise InputError(f"{path}: is not of the format {FORMAT}; this version of parkex reads no other")
    for name, kind in _MUST_BE.items():
        if not isinstance(summary.get(name), kind):
            raise InputError(f"{path}: {name} is missing or of a wrong type")
    return summary


def _check_file(directory: Path, name: str, seal: object) -> None:
    path = directory / name
    if path.resolve().parent not in {directory.resolve(), (directory / TABLES).resolve()}:
        raise InputError(f"{directory / SUMMARY}: names a file outside of the folder: {name}")
    actual: object = None
    with suppress(OSError):
        actual = _seal(path)
    if actual is None:
        raise InputError(f"{path}: is missing")
    if actual != seal:
        raise InputError(f"{path}: is not what was written; its size or SHA-256 differs from {SUMMARY}")
