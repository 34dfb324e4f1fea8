"""Match a file of orders: read, decode, give to the core, write."""

import gc
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

import numpy as np

from clients.offline.bars import BarTable
from clients.offline.decode import Decoder, Piece
from clients.offline.files import whole_files
from clients.offline.order_ids import OrderIds
from clients.offline.rows import RowReader
from clients.offline.sequence import Happened, Sequencer
from clients.offline.summary import Summary
from clients.offline.tables import EventTable, TradeTable, Vocabulary, vocabulary, write_book
from clients.offline.texts import Scale
from clients.scenarios.problems import Problems
from exchange.errors import InputError
from matching.core import MatchingCore
from matching.records import ENTRY, EntryKind
from matching.state import Sizes, make_records

EVENTS_CAPACITY: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """Where the orders are, where the results go, and the steps of prices and quantities."""

    orders: Path
    trades: Path | None = None
    book: Path | None = None
    events: Path | None = None
    bars: Path | None = None
    interval_s: int = 900
    tick: str = "0.0001"
    lot: str = "0.1"


class _Sink(Protocol):
    def add(self, piece: Piece, happened: Happened) -> None: ...


def match_file(options: MatchOptions, advance: Callable[[int], None] = lambda _: None) -> Summary:
    """Match a file from empty books. `advance` is told now and then how many bytes of it have been read.

    Raises InputError with every bad line; no file is written then.
    """
    tick, lot = Scale("--tick", options.tick), Scale("--lot", options.lot)
    core = MatchingCore(Sizes(books=0), EVENTS_CAPACITY)
    # Compiles or loads the core, which is no part of what a line costs.
    core.submit(make_records(ENTRY, 0))
    paths = {"--trades": options.trades, "--book": options.book, "--events": options.events, "--bars": options.bars}
    problems = Problems(str(options.orders), "nothing was written")
    with options.orders.open("rb") as raw, whole_files(paths, options.orders) as files:
        reader = RowReader(options.orders, io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), problems)
        if options.bars is not None and "time" not in reader.header:
            raise InputError(f"{options.orders}: line 1: --bars needs the column time")
        run = _Run(core, Decoder(reader.header, tick, lot, problems), lot, tick, problems, files, options.interval_s)
        began_s = time.perf_counter()
        with _no_cycle_collection():
            run.read(reader, lambda: advance(raw.tell()))
        problems.raise_if_any()
        summary = run.finish()
    summary.seconds = time.perf_counter() - began_s
    return summary


@contextmanager
def _no_cycle_collection() -> Iterator[None]:
    """Rows and names are in no cycles, and looking for some in all of them time and again takes a third of the whole run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Run:
    """One file on its way through the core."""

    def __init__(
        self, core: MatchingCore, decoder: Decoder, lot: Scale, tick: Scale, problems: Problems, files: dict[str, IO[str]], interval_s: int
    ) -> None:
        self._core = core
        ids = OrderIds()
        words = vocabulary(decoder, ids, tick, lot)
        self._decoder = decoder
        self._summary = Summary(lot)
        self._problems = problems
        self._files = files
        self._words: Vocabulary = words
        self._sequencer = Sequencer(self._core, ids, decoder.instruments.names, problems)
        self._bars = BarTable(files["--bars"], words, tick, lot, interval_s) if "--bars" in files else None
        self._sinks: list[_Sink] = [self._bars] if self._bars is not None else []
        if "--trades" in files:
            self._sinks.append(TradeTable(files["--trades"], words))
        if "--events" in files:
            self._sinks.append(EventTable(files["--events"], words))

    def read(self, reader: RowReader, advance: Callable[[], None]) -> None:
        """Match the whole file. After the first bad line the rest is only checked."""
        for rows, is_last in reader.pieces():
            piece = self._decoder.decode(rows, is_last=is_last)
            if piece is not None and not self._problems.count:
                self._apply(piece)
            advance()

    def _apply(self, piece: Piece) -> None:
        self._summary.lines += len(piece.entries)
        self._summary.orders += int(np.isin(piece.entries["kind"], (EntryKind.PLACE, EntryKind.BASKET)).sum())
        for happened in self._sequencer.apply(piece):
            self._summary.add(happened.events)
            for sink in self._sinks:
                sink.add(piece, happened)

    def finish(self) -> Summary:
        """Write what is left at the end."""
        if self._bars is not None:
            self._bars.finish()
        if "--book" in self._files:
            write_book(self._files["--book"], self._core, self._words)
        self._summary.rests = self._core.live_orders
        return self._summary
