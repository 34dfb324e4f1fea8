"""CSV files of readings: comma-separated UTF-8, a header, one row a device and time; quotation marks only where a name needs them.

About a microsecond a row: chunks of lines are split at once, and only a chunk with something wrong is looked at row by row.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np

from exchange.metering.files.cells import CellReader, resolve_ambiguous
from exchange.metering.files.problems import Finding, Findings
from exchange.metering.files.rows import INTERVAL_COLUMNS, OPTIONAL_COLUMNS, REGISTER_COLUMNS, FileRows, OnProgress, Park, joined
from exchange.metering.validation import Int64Array

CHUNK_BYTES: Final = 4 * 1024 * 1024
LINE_BYTES_MAX: Final = 4_096


def read_csv(file: BinaryIO, park: Park, findings: Findings, on_progress: OnProgress = lambda _n_bytes: None) -> tuple[FileRows, bool]:
    """(rows, whether they are states of registers). Everything wrong is in `findings`; rows that could not be read have zeros in their place.

    `on_progress` is told the number of bytes read so far.
    """
    reader = CellReader(park, findings)
    parts: list[FileRows] = []
    order: dict[str, int] | None = None
    is_register = False
    for first_line, chunk in _chunks(file, findings, on_progress):
        text, line = chunk, first_line
        if order is None:
            header, _, text = chunk.partition("\n")
            order, line = _header(header, first_line, findings), first_line + 1
            if order is None:
                break
            is_register = REGISTER_COLUMNS[1] in order
        part = _rows(text, line, order, reader, findings)
        if part is not None:
            parts.append(part)
    rows = joined(parts)
    resolve_ambiguous(reader.ambiguous, rows.device, rows.at_ns, rows.line, findings)
    if not len(rows.device) and not findings.refusals:
        findings.add(Finding.NO_READINGS, 0, f"expected the header {','.join(INTERVAL_COLUMNS)} and rows below it")
    return rows, is_register


def _chunks(file: BinaryIO, findings: Findings, on_progress: OnProgress) -> Iterator[tuple[int, str]]:
    """(number of the first line, whole lines without the last line break)."""
    rest, line, n_bytes = b"", 1, 0
    while block := file.read(CHUNK_BYTES):
        n_bytes += len(block)
        on_progress(n_bytes)
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            text = _decoded(whole, line, findings)
            if text is None:
                return
            yield line, text
            line += text.count("\n") + 1
        elif len(rest) > LINE_BYTES_MAX:
            findings.add(Finding.NOT_TEXT, line, f"longer than {LINE_BYTES_MAX} bytes: no file of lines")
            return
    text = _decoded(rest, line, findings)
    if text:
        yield line, text


def _decoded(data: bytes, line: int, findings: Findings) -> str | None:
    try:
        text = data.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        findings.add(Finding.NOT_TEXT, line + data[: error.start].count(b"\n"), "is not UTF-8 (Excel: save as CSV UTF-8)")
        return None
    return text.replace("\r", "") if "\r" in text else text


def _header(text: str, line: int, findings: Findings) -> dict[str, int] | None:
    names = [cell.strip().lower() for cell in text.split(",")]
    required = REGISTER_COLUMNS if REGISTER_COLUMNS[1] in names else INTERVAL_COLUMNS
    if set(required) <= set(names) <= {*required, *OPTIONAL_COLUMNS} and len(set(names)) == len(names):
        return {name: place for place, name in enumerate(names)}
    expected = f"{','.join(INTERVAL_COLUMNS)} or {','.join(REGISTER_COLUMNS)}, and flag, losses_kwh if wanted"
    findings.add(Finding.HEADER_UNKNOWN, line, f"expected {expected}; found {text[:120]!r}")
    return None


def _rows(text: str, first_line: int, order: dict[str, int], reader: CellReader, findings: Findings) -> FileRows | None:
    if not text:
        return None
    numbers, columns = np.arange(first_line, first_line + text.count("\n") + 1), None
    if '"' not in text and _is_regular(text, len(order)):
        cells = text.replace("\n", ",").split(",")
        columns = [cells[place :: len(order)] for place in range(len(order))]
    else:
        rows, numbers = _row_by_row(text, first_line, len(order), findings)
        if not rows:
            return None
        columns = [list(column) for column in zip(*rows, strict=True)]
    blank = [""] * len(numbers)

    def column(name: str) -> list[str]:
        return columns[order[name]] if name in order else blank

    _, at, taken, given = REGISTER_COLUMNS if REGISTER_COLUMNS[1] in order else INTERVAL_COLUMNS
    return FileRows(
        device=reader.devices(column("device"), numbers),
        at_ns=reader.times(column(at), numbers),
        import_wh=reader.energies(column(taken), numbers, taken, may_be_blank=False),
        export_wh=reader.energies(column(given), numbers, given, may_be_blank=True),
        losses_wh=reader.energies(column("losses_kwh"), numbers, "losses_kwh", may_be_blank=True),
        flag=reader.flags(column("flag"), numbers).astype(np.int8),
        line=numbers,
    )


def _is_regular(text: str, n_columns: int) -> bool:
    """Whether every line has the right number of commas."""
    data = np.frombuffer(f"{text}\n".encode(), np.uint8)
    commas = np.cumsum(data == ord(","))[data == ord("\n")]
    return bool((np.diff(commas, prepend=0) == n_columns - 1).all())


def _row_by_row(text: str, first_line: int, n_columns: int, findings: Findings) -> tuple[list[list[str]], Int64Array]:
    """Rows with the right number of cells, each line by itself: a quotation mark that is not closed must not swallow the lines behind it."""
    kept, lines_kept = [], []
    for number, line in enumerate(text.split("\n"), first_line):
        if not line.strip():
            continue
        try:
            row = next(csv.reader([line], strict=True), [])
        except csv.Error:
            row = []
        if len(row) == n_columns:
            kept.append(row)
            lines_kept.append(number)
        else:
            findings.add(Finding.COLUMNS_DIFFER, number, f"{len(row)} cells; expected {n_columns}")
    return kept, np.array(lines_kept, np.int64)
