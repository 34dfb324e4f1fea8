"""Reading an order file in pieces: rows of texts with their line numbers, whatever is in the file."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final, NamedTuple

from clients.offline.columns import COLUMNS
from clients.scenarios.problems import Problems
from exchange.errors import InputError

ROWS_PER_PIECE: Final = 32_768


class Rows(NamedTuple):
    """Some rows, each with a text for every column of the header, and the line that each begins on."""

    rows: list[list[str]]
    lines: list[int]


class RowReader:
    """Rows of a CSV file in UTF-8 (a byte order mark is allowed) with a header."""

    def __init__(self, path: Path, file: IO[str], problems: Problems) -> None:
        """`file`: opened with newline="". Raises InputError when the header is not one."""
        self._path = path
        self._problems = problems
        self._rows = csv.reader(file, strict=True)
        header = self._next_rows(1)[0]
        self.header = _checked_header(path, header[0] if header else [])

    def pieces(self) -> Iterator[tuple[Rows, bool]]:
        """The rows of the file in pieces, and whether it is the last. Rows without any text are left out, rows of another length are a problem."""
        while True:
            rows, lines, finished = self._next_piece()
            width = len(self.header)
            if any(len(row) != width for row in rows):
                rows, lines = self._whole_rows(rows, lines)
            yield Rows(rows, lines), finished
            if finished:
                return

    def _next_piece(self) -> tuple[list[list[str]], list[int], bool]:
        before = self._rows.line_num
        rows, finished = self._next_rows(ROWS_PER_PIECE)
        lines = list(range(before + 1, before + 1 + len(rows)))
        if self._rows.line_num - before == len(rows):
            return rows, lines, finished
        # A quoted text may hold line ends; none of ours does, and the numbers of the lines after it would be wrong.
        broken = next((index for index, row in enumerate(rows) if any("\n" in text or "\r" in text for text in row)), len(rows))
        if broken < len(rows):
            self._problems.add("a quoted text goes on in the next line; expected one line a row", before + 1 + broken)
        return rows[:broken], lines[:broken], True

    def _next_rows(self, n: int) -> tuple[list[list[str]], bool]:
        rows: list[list[str]] = []
        try:
            # Extends in place: what came before an error is kept.
            rows.extend(islice(self._rows, n))
        except csv.Error as error:
            self._problems.add(f"{error}; expected comma-separated values", self._rows.line_num)
        except UnicodeDecodeError as error:
            found = f"found byte {error.object[error.start]:#04x}"
            raise InputError(f"{self._path}: after line {self._rows.line_num}: expected text in UTF-8, {found}") from None
        else:
            return rows, len(rows) < n
        return rows, True

    def _whole_rows(self, rows: list[list[str]], lines: list[int]) -> tuple[list[list[str]], list[int]]:
        width = len(self.header)
        for row, line in zip(rows, lines, strict=True):
            if row and len(row) != width:
                self._problems.add(f"{len(row)} values; expected {width}, one for each column of the header", line)
        kept = [index for index, row in enumerate(rows) if len(row) == width]
        return [rows[index] for index in kept], [lines[index] for index in kept]


def _checked_header(path: Path, header: list[str]) -> list[str]:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not header:
        found = f"column {unknown[0][:30]!r}" if unknown else "nothing"
        raise InputError(f"{path}: line 1: {found}; expected a header with columns of {', '.join(COLUMNS)}")
    doubled = [name for name in header if header.count(name) > 1]
    if doubled:
        raise InputError(f"{path}: line 1: column {doubled[0]} is there twice")
    if "action" not in header:
        raise InputError(f"{path}: line 1: no column action; parkex match --template prints a file to start from")
    return header
