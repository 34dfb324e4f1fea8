"""Bars of the trades by the time column of an order file."""

from fractions import Fraction
from typing import IO, Final

import numpy as np

from clients.offline.decode import Piece
from clients.offline.sequence import Happened
from clients.offline.tables import Table, Vocabulary
from clients.offline.texts import TIME_DECIMALS, Scale
from exchange.errors import InputError
from exchange.protocol.decimals import format_decimal
from matching.records import EVENT, EventKind
from matching.state import make_records
from matching.statistics import BAR, fold_events, vwap_ticks

BAR_COLUMNS: Final = ("time", "instrument", "open", "high", "low", "close", "vwap", "volume", "turnover", "trades")
# Of an average, beyond those of a price.
VWAP_DECIMALS: Final = 4


class BarTable:
    """One row for each instrument and interval with trades; `time` is where the interval begins."""

    def __init__(self, file: IO[str], words: Vocabulary, tick: Scale, lot: Scale, interval_s: int) -> None:
        self._table = Table(file, BAR_COLUMNS)
        self._words = words
        self._tick = tick
        self._lot = lot
        self._interval_s = interval_s
        self._interval = 0
        self._bars = make_records(BAR, 0)
        fold_events(make_records(EVENT, 0), self._bars, 0)  # compiles or loads it

    def add(self, piece: Piece, happened: Happened) -> None:
        """Fold the trades among what happened; bars that are complete are written. Raises InputError for a turnover beyond 64 bits."""
        is_fill = happened.events["kind"] == EventKind.FILLED
        if not is_fill.any():
            return
        fills = happened.events[is_fill]
        intervals = piece.times_ns[happened.rows[is_fill]] // (self._interval_s * 10**TIME_DECIMALS)
        self._make_room(len(self._words.instruments))
        begins = np.flatnonzero(np.diff(intervals, prepend=intervals[0] - 1)).tolist()
        for begin, end in zip(begins, [*begins[1:], len(fills)], strict=True):
            if intervals[begin] != self._interval:
                self.finish()
                self._interval = int(intervals[begin])
            try:
                fold_events(fills[begin:end], self._bars, self._interval)
            except OverflowError as error:
                raise InputError(f"--bars: {error}; choose a shorter --interval") from None

    def finish(self) -> None:
        """Write the bars under way and begin anew."""
        for book in np.flatnonzero(self._bars["trades"]).tolist():
            self._write(book, self._bars[book])
        self._bars["trades"] = 0

    def _write(self, book: int, bar: np.void) -> None:
        price, turnover_decimals = self._words.price, self._tick.decimals + self._lot.decimals
        average = vwap_ticks(bar)
        assert average is not None
        row = (
            str(self._interval * self._interval_s),
            self._words.instruments[book],
            *(price[int(bar[name])] for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks")),
            _rounded(average * self._tick.step, self._tick.decimals + VWAP_DECIMALS, self._tick.decimals),
            self._lot.text_of(int(bar["volume_lots"])),
            format_decimal(int(bar["turnover"]) * self._tick.step * self._lot.step, turnover_decimals),
            int(bar["trades"]),
        )
        self._table.write_rows([row])

    def _make_room(self, n_books: int) -> None:
        if n_books > len(self._bars):
            larger = make_records(BAR, max(n_books, 2 * len(self._bars)))
            larger[: len(self._bars)] = self._bars
            self._bars = larger


def _rounded(value: Fraction, decimals: int, value_decimals: int) -> str:
    """A number in units of 10**-value_decimals as a decimal, half to even."""
    return format_decimal(round(value * 10 ** (decimals - value_decimals)), decimals)
