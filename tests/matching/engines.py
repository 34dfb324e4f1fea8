"""The core and the oracle behind one face, for tests that run against both."""

from typing import Protocol

import numpy as np

from matching.core import MatchingCore
from matching.records import ENTRY
from matching.reference import ReferenceBooks, ReferenceEntry, ReferenceEvent, ReferenceOrder
from matching.state import Sizes, make_records

TINY = Sizes(books=1, orders=1, pages=1, nodes=1, id_pages=1, id_span=1, owners=1, chunks=1)


def to_array(entries: list[ReferenceEntry]) -> np.ndarray:
    array = make_records(ENTRY, len(entries))
    for name in ReferenceEntry._fields:
        array[name] = [getattr(entry, name) for entry in entries]
    return array


def to_events(array: np.ndarray) -> list[ReferenceEvent]:
    """EVENT records as the oracle's tuples: everything logical, no slots."""
    columns = [array[name].tolist() for name in ReferenceEvent._fields]
    return [ReferenceEvent(*row) for row in zip(*columns, strict=True)]


def to_orders(array: np.ndarray) -> list[ReferenceOrder]:
    """ORDER_VIEW records as the oracle's tuples, no slots."""
    columns = [array[name].tolist() for name in ReferenceOrder._fields]
    return [ReferenceOrder(*row) for row in zip(*columns, strict=True)]


class Engine(Protocol):
    def submit(self, entries: list[ReferenceEntry]) -> list[ReferenceEvent]: ...

    def orders(self, book: int) -> list[ReferenceOrder]: ...

    def phase(self, book: int) -> int: ...


class OracleEngine:
    def __init__(self, n_books: int) -> None:
        self.books = ReferenceBooks(n_books)

    def submit(self, entries: list[ReferenceEntry]) -> list[ReferenceEvent]:
        return self.books.apply_batch(entries)

    def orders(self, book: int) -> list[ReferenceOrder]:
        return self.books.orders(book)

    def phase(self, book: int) -> int:
        return self.books.phase(book)


class CoreEngine:
    """The compiled core, with pools of size one, so that every scenario also lets them grow; checked after every submit."""

    def __init__(self, n_books: int) -> None:
        self.core = MatchingCore(TINY, events_capacity=1)
        for _ in range(n_books):
            self.core.open_book()

    def submit(self, entries: list[ReferenceEntry]) -> list[ReferenceEvent]:
        events = to_events(self.core.submit(to_array(entries)))
        self.core.check_all()
        return events

    def orders(self, book: int) -> list[ReferenceOrder]:
        return to_orders(self.core.dump_orders(book))

    def phase(self, book: int) -> int:
        return self.core.phase(book)
