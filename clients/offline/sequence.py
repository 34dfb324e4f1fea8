"""Pieces of a file through the core: ids are given, batches are cut, and every event finds its line.

A batch is cut only where it must be: where the id of an order is used again, the core is asked whether the order before has ended.

Events do not tell which entry they came from. Each entry (each basket) is therefore led by an entry of no kind, which the core refuses with
an event of its own; the events up to the next of those are the entry's. It costs some nanoseconds and needs nothing but the rules of the core.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from clients.offline.decode import Piece
from clients.offline.order_ids import OrderIds
from clients.offline.texts import Integers
from clients.scenarios.problems import Problems
from matching.core import MatchingCore
from matching.records import ENTRY, EventKind, Reason
from matching.records import EntryKind as Kind
from matching.state import make_records

_NEW: Final = (Kind.PLACE, Kind.BASKET)
_NAMING: Final = (Kind.AMEND, Kind.CANCEL, Kind.EXPIRE)


class Happened(NamedTuple):
    """Events (EVENT) and for each the index in its piece of the entry, or of the first leg of the basket, that it came from. Shape (events,)."""

    events: np.ndarray
    rows: Integers


class Sequencer:
    """Gives a file's entries to a core."""

    def __init__(self, core: MatchingCore, ids: OrderIds, instruments: list[str], problems: Problems) -> None:
        """`instruments`: names by book; it grows while the file is read, and a book is opened for each."""
        self._core = core
        self._ids = ids
        self._instruments = instruments
        self._problems = problems
        self._books = 0

    def apply(self, piece: Piece) -> Iterator[Happened]:
        """What the entries of a piece lead to, in order. Sets their order ids.

        Adds a problem for an order that is named with another instrument than its own.
        """
        for _ in range(self._books, len(self._instruments)):
            self._core.open_book()
        self._books = len(self._instruments)
        self._ids.take_back(self._last_number() + 1)
        begin = 0
        for unit in self._cuts(piece):
            if unit > begin:
                yield self._submit(piece, begin, unit)
                begin = unit
        if begin < len(piece.entries):
            yield self._submit(piece, begin, len(piece.entries))

    def _cuts(self, piece: Piece) -> Iterator[int]:
        """Sets order ids one entry after the other, and yields an index where what comes before it has to be submitted first."""
        ids = self._ids
        numbers = np.zeros(len(piece.entries), np.int64)
        piece.entries["order_id"] = 0
        unsubmitted = first_of_unit = ids.next_number
        kinds, books, starts = piece.entries["kind"].tolist(), piece.entries["book"].tolist(), piece.unit_starts.tolist()
        for row, (kind, book, start, text) in enumerate(zip(kinds, books, starts, piece.order_ids, strict=True)):
            if kind in _NEW:
                if row == start:
                    first_of_unit = ids.next_number
                known = ids.known(text)
                if known < 0:
                    numbers[row] = ids.add(text, book)
                    continue
                if unsubmitted <= known < first_of_unit or self._lives(known):
                    piece.entries["order_id"][:row] = numbers[:row]
                    yield start
                    unsubmitted = first_of_unit
                # The number of an order that lives, or of a leg before in the same basket, is one that the core refuses.
                numbers[row] = known if known >= first_of_unit or self._lives(known) else ids.add(text, book)
            elif kind in _NAMING:
                number = numbers[row] = ids.named(text)
                if 0 <= book != ids.book_of(number) and number >= 0:
                    self._note_instrument(piece, row, book, ids.book_of(number))
        piece.entries["order_id"] = numbers

    def _note_instrument(self, piece: Piece, row: int, named: int, own: int) -> None:
        reason = f"column instrument: {self._instruments[named]!r}; expected {self._instruments[own]!r} of that order, or nothing"
        self._problems.add(reason, int(piece.lines[row]))

    def _lives(self, number: int) -> bool:
        return self._core.find_slot(number) >= 0

    def _last_number(self) -> int:
        return int(self._core.state.core[0]["last_order_id"])

    def _submit(self, piece: Piece, begin: int, end: int) -> Happened:
        rows = np.arange(begin, end)
        is_led = piece.unit_starts[begin:end] == rows
        places = rows - begin + np.cumsum(is_led)
        batch = make_records(ENTRY, end - begin + int(is_led.sum()))
        batch[places] = piece.entries[begin:end]
        events = self._core.submit(batch)
        is_leader = (events["kind"] == EventKind.REJECTED) & (events["reason"] == Reason.UNKNOWN_KIND)
        led = rows[is_led][np.cumsum(is_leader) - 1]
        return Happened(events[~is_leader], led[~is_leader])
