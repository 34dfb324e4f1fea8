"""What the tests of offline matching share: order files from short texts, and a run of one with all of its results."""

import csv
from pathlib import Path
from typing import NamedTuple

from clients.offline.columns import COLUMNS
from clients.offline.match import MatchOptions, match_file
from clients.offline.summary import Summary

Row = dict[str, str]


class Results(NamedTuple):
    summary: Summary
    trades: list[Row]
    book: list[Row]
    events: list[Row]


def row(text: str) -> Row:
    """`column=value ...`; what has no column is the action."""
    values = dict(part.split("=", 1) if "=" in part else ("action", part) for part in text.split())
    assert set(values) <= set(COLUMNS)
    return values


def write_rows(path: Path, rows: list[Row]) -> Path:
    """A file with the columns that the rows have."""
    columns = [column for column in COLUMNS if any(column in values for values in rows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def match_rows(folder: Path, rows: list[Row], *, tick: str = "1", lot: str = "1") -> Results:
    orders = write_rows(folder / "orders.csv", rows)
    trades, book, events = (folder / name for name in ("trades.csv", "book.csv", "events.csv"))
    summary = match_file(MatchOptions(orders, trades, book, events, tick=tick, lot=lot))
    return Results(summary, read_rows(trades), read_rows(book), read_rows(events))


def match_texts(folder: Path, *texts: str) -> Results:
    return match_rows(folder, [row(text) for text in texts])
