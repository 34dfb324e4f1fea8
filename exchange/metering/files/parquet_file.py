"""Parquet files of readings, with the columns of the CSV files or with whole Wh (`import_wh`, `export_wh`).

Times are timestamps (with a zone: instants; without: local), whole nanoseconds, or text. A line is the number of a row, from 1 on.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Final

import numpy as np

from exchange.errors import InputError
from exchange.metering.files.cells import CellReader, resolve_ambiguous
from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.rows import FLAGS, FileRows, OnProgress, Park, joined
from exchange.metering.validation import Int64Array

BATCH_ROWS: Final = 131_072
MAGIC: Final = b"PAR1"
_REGISTER_SUFFIX: Final = "_register"


def read_parquet(file: BinaryIO, park: Park, findings: Findings, on_progress: OnProgress = lambda _n_rows: None) -> tuple[FileRows, bool]:
    """As `read_csv`; `on_progress` is told the number of rows read. Raises InputError for a file that is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(file)
        names = set(source.schema_arrow.names)
        is_register = "read_at" in names
        suffix = _REGISTER_SUFFIX if is_register else ""
        at = "read_at" if is_register else "period_start"
        unit = "wh" if f"import{suffix}_wh" in names else "kwh"
        required = {"device", at, f"import{suffix}_{unit}", f"export{suffix}_{unit}"}
        if not required <= names <= required | {"flag", f"losses_{unit}"}:
            words = f"expected device, {at}, import{suffix}_{unit}, export{suffix}_{unit} and flag, losses_{unit} if wanted"
            findings.add(Finding.HEADER_UNKNOWN, 0, f"{words}; found {', '.join(sorted(names))[:120]}")
            return joined([]), is_register
        reader = CellReader(park, findings)
        parts: list[FileRows] = []
        n_rows = 0
        for batch in source.iter_batches(BATCH_ROWS):
            lines = np.arange(n_rows + 1, n_rows + 1 + batch.num_rows)
            n_rows += batch.num_rows

            def column(name: str, batch: Any = batch) -> Any:
                return batch.column(name) if name in names else None

            parts.append(
                FileRows(
                    device=_by_value(column("device"), park.ids, reader.devices, lines),
                    at_ns=_times(column(at), lines, reader),
                    import_wh=_energies(column(f"import{suffix}_{unit}"), lines, f"import{suffix}", reader, unit),
                    export_wh=_energies(column(f"export{suffix}_{unit}"), lines, f"export{suffix}", reader, unit),
                    losses_wh=_energies(column(f"losses_{unit}"), lines, "losses", reader, unit),
                    flag=_by_value(column("flag"), FLAGS, reader.flags, lines).astype(np.int8),
                    line=lines,
                )
            )
            on_progress(n_rows)
    except pa.ArrowException as error:
        raise InputError(f"{findings.source} is no Parquet file that can be read: {' '.join(str(error).split())[:200]}") from error
    rows = joined(parts)
    resolve_ambiguous(reader.ambiguous, rows.device, rows.at_ns, rows.line, findings)
    if not len(rows.device):
        findings.add(Finding.NO_READINGS, 0, "no rows")
    return rows, is_register


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _by_value(
    column: Any, known: Mapping[str, int], read: Callable[[Sequence[str], Int64Array], Int64Array], lines: Int64Array
) -> Int64Array:
    """A column of few different values, each looked up once; row by row where one is not known."""
    if column is None:
        return np.zeros(len(lines), np.int64)
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    names = _texts(encoded.dictionary)
    if encoded.null_count or not all(name in known for name in names):
        return read(_texts(column), lines)
    places = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)
    return np.array([known[name] for name in names], np.int64)[places]


def _energies(column: Any, lines: Int64Array, name: str, reader: CellReader, unit: str) -> Int64Array:
    """Wh of a column of integers, floats, decimals or text."""
    import pyarrow as pa

    if column is None:
        return np.zeros(len(lines), np.int64)
    if column.null_count == 0 and pa.types.is_integer(column.type):
        values: Int64Array = column.to_numpy(zero_copy_only=False).astype(np.int64) * (1 if unit == "wh" else 1_000)
        if not (values < 0).any():
            return values
    if column.null_count == 0 and pa.types.is_floating(column.type) and unit == "kwh":
        scaled = column.to_numpy(zero_copy_only=False).astype(np.float64) * 1_000
        whole = np.rint(scaled)
        if np.isfinite(scaled).all() and scaled.min(initial=0.0) >= 0 and scaled.max(initial=0.0) < 2**40 and (np.abs(scaled - whole) < 1e-3).all():
            exact: Int64Array = whole.astype(np.int64)
            return exact
    texts = _texts(column)
    if unit == "wh":
        texts = [f"{text[:-3] or '0'}.{text[-3:].rjust(3, '0')}" if text.isdigit() else text for text in texts]
    return reader.energies(texts, lines, name, may_be_blank=False)


def _times(column: Any, lines: Int64Array, reader: CellReader) -> Int64Array:
    import pyarrow as pa

    if column.null_count == 0 and pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
    if column.null_count == 0 and pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return np.asarray(column.cast(pa.timestamp("ns", column.type.tz)).to_numpy(zero_copy_only=False)).astype("datetime64[ns]").astype(np.int64)
    if column.null_count == 0 and pa.types.is_timestamp(column.type):
        seconds = np.asarray(column.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False)).astype("datetime64[s]").astype(np.int64)
        different, place = np.unique(seconds, return_inverse=True)
        epoch = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock time of the park's zone
        names = [(epoch + datetime.timedelta(seconds=second)).isoformat(" ") for second in different.tolist()]
        return reader.times([names[index] for index in place.tolist()], lines)
    return reader.times(_texts(column), lines)
