"""What the tests of matching share: entries and events as tuples, core and oracle behind one face, and both as a pair."""

import operator
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from matching import batch
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, EventKind, Need, Reason, Side
from matching.reference import ReferenceBooks, ReferenceEntry, ReferenceEvent, ReferenceOrder
from matching.state import Sizes, make_records

TINY = Sizes(books=1, orders=1, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)


# `ReferenceEntry` in the sequence of the fields of ENTRY.
_in_record_order = operator.attrgetter(*ENTRY.names)


def to_array(entries: Sequence[ReferenceEntry]) -> np.ndarray:
    array = make_records(ENTRY, len(entries))
    array[:] = [_in_record_order(entry) for entry in entries]
    return array


def to_events(array: np.ndarray) -> list[ReferenceEvent]:
    """EVENT records as the oracle's tuples: everything logical, no slots."""
    return [ReferenceEvent(EventKind(kind), *rest, Reason(reason)) for kind, *rest, reason in array[list(ReferenceEvent._fields)].tolist()]


def to_orders(array: np.ndarray) -> list[ReferenceOrder]:
    """ORDER_VIEW records as the oracle's tuples, no slots."""
    return [ReferenceOrder(*row) for row in array[list(ReferenceOrder._fields)].tolist()]


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


ENGINES: dict[str, Callable[[int], Engine]] = {"oracle": OracleEngine, "core": CoreEngine}  # made with a number of open books


class Pair:
    """A core and the oracle, fed the same; every step compares events, then state, then runs the checker."""

    def __init__(self, n_books: int = 1, sizes: Sizes = TINY, events_capacity: int = 1, *, callers_ids: bool = False) -> None:
        self.core = MatchingCore(sizes, events_capacity, callers_ids=callers_ids)
        self.reference = ReferenceBooks(n_books, callers_ids=callers_ids)
        self.books = [self.core.open_book() for _ in range(n_books)]

    def apply(self, *entries: ReferenceEntry) -> list[ReferenceEvent]:
        events = self.submit(*entries)
        self.compare_state()
        self.core.check_all()
        return events

    def submit(self, *entries: ReferenceEntry) -> list[ReferenceEvent]:
        """As `apply`, but compares the events only."""
        events = self.core.submit(to_array(entries))
        expected = self.reference.apply_batch(entries)
        assert events[list(ReferenceEvent._fields)].tolist() == expected
        return expected

    def compare_state(self) -> None:
        for book in self.books:
            self.compare_book(book)
            self.compare_views(book)

    def compare_book(self, book: int) -> None:
        """All orders in canonical order, and what the book is beyond them."""
        assert self.core.dump_orders(book)[list(ReferenceOrder._fields)].tolist() == self.reference.orders(book)
        for name in ("phase", "band", "last_trade"):
            assert getattr(self.core, name)(book) == getattr(self.reference, name)(book), name

    def compare_views(self, book: int) -> None:
        """What is told of a book and follows from its orders: depth, best prices, the auction that could be, places in queues."""
        orders = self.reference.orders(book)
        for side in Side:
            levels = levels_of(orders, side)
            depth = self.core.depth(book, side, len(levels) + 1)
            assert depth[["price_ticks", "quantity_lots", "orders"]].tolist() == levels
            assert self.core.best(book, side) == (levels[0][0] if levels else None)
        for reference_ticks in (-(2**31), 0, 3, 2**31 - 1):
            assert self.core.indicative(book, reference_ticks) == self.reference.indicative(book, reference_ticks)
        for k_ppm in (0, 499_999, 500_000, 1_000_000):
            assert self.core.indicative(book, 3, k_ppm) == self.reference.indicative(book, 3, k_ppm)
        for order in orders[::7]:
            assert self.core.queue_position(order.order_id) == self.reference.queue_position(order.order_id)


def levels_of(orders: list[ReferenceOrder], side: int) -> list[tuple[int, int, int]]:
    """Price, shown lots and number of orders of each level of the ladder, from the best."""
    levels: dict[int, tuple[int, int]] = {}
    for order in orders:
        if order.side == side and order.shown_lots:
            lots, n_orders = levels.get(order.price_ticks, (0, 0))
            levels[order.price_ticks] = (lots + order.shown_lots, n_orders + 1)
    return [(price, *level) for price, level in levels.items()]


def run_with_growth(core: MatchingCore, entries: np.ndarray, events_capacity: int) -> list[ReferenceEvent]:
    """`run_batch` driven by hand, with a buffer that is emptied when full: what a caller with its own loop does."""
    found: list[ReferenceEvent] = []
    events = make_records(EVENT, events_capacity)
    index = n_events = 0
    entries = entries.view(type(core.state.orders))  # records with attributes, with the JIT off too
    while index < len(entries):
        index, n_events, need, at_least = batch.run_batch(core.state, entries, index, events, n_events)
        found += to_events(events[:n_events])
        n_events = 0
        if need == Need.EVENTS and at_least > len(events):
            events = make_records(EVENT, at_least)
        elif need not in (Need.NOTHING, Need.EVENTS):
            core.grow(need, at_least)
    return found
