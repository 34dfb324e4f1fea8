"""The Python face of the matching core: many books in one set of arrays."""

import hashlib
import heapq
from collections.abc import Sequence
from typing import Final

import numpy as np

from matching import auction, batch, ids, queries, restore
from matching.check import check_state
from matching.records import ENTRY, EVENT, LEVEL_VIEW, ORDER_VIEW, BookPhase, Need
from matching.state import (
    LADDERS,
    BookState,
    Pool,
    Sizes,
    cover_id,
    empty_id_table,
    empty_state,
    grow_books,
    grow_owners,
    grow_pool,
    grow_queue,
    make_records,
    pool_records,
)

POOL_OF_NEED: Final = {
    Need.ORDERS: Pool.ORDERS,
    Need.PAGES: Pool.PAGES,
    Need.DIRECTORIES: Pool.NODES,
    Need.ID_PAGES: Pool.ID_PAGES,
    Need.OWNER_CHUNKS: Pool.CHUNKS,
}
# What of an order is logical, in the sequence in which it is hashed.
HASHED_FIELDS: Final = (
    "order_id", "remaining_lots", "shown_lots", "display_lots", "min_lots", "label", "owner", "price_ticks", "stop_ticks", "flags", "side",
    "time_in_force", "self_trade",
)  # fmt: skip
HASHED: Final = np.dtype([(name, ORDER_VIEW.fields[name][0]) for name in HASHED_FIELDS])  # type: ignore[index]
# A closed book's record, and an open one's before anything has happened.
_BOOK_FIELDS: Final = ("last_ticks", "band_low_ticks", "band_high_ticks", "has_traded", "has_band", "phase")


class MatchingCore:
    """Order books by number, sharing their memory. docs/matching.md has the rules.

    Standalone use: `open_book`, then `submit` arrays of ENTRY and read the EVENT array that comes back. A caller with a compiled loop of
    its own passes `state` to the functions of `matching.commands` and calls `grow` for what `matching.room` names; `state` is replaced
    whenever something grows, so it is read anew for every call.

    `callers_ids`: order ids are any 64 bits that no living order has, found by hash, instead of ascending ones. Sizes decide memory, never
    an outcome.
    """

    def __init__(self, sizes: Sizes | None = None, events_capacity: int = 4096, *, callers_ids: bool = False) -> None:
        sizes = Sizes() if sizes is None else sizes
        state = grow_books(empty_state(callers_ids=callers_ids), sizes.books)
        for pool, capacity in (
            (Pool.ORDERS, sizes.orders),
            (Pool.PAGES, sizes.pages),
            (Pool.NODES, sizes.nodes),
            (Pool.ID_PAGES, sizes.id_pages),
            (Pool.CHUNKS, sizes.chunks),
        ):
            state = grow_pool(state, pool, capacity)
        state.orders["log_at"] = ids.DEAD
        self.state: BookState = grow_owners(state, sizes.owners)
        if callers_ids:
            self.state = empty_id_table(self.state, max(2, (2 * sizes.callers_ids - 1).bit_length()))
        self._events = make_records(EVENT, events_capacity)
        self._free_books = list(range(sizes.books))
        self._open_books: set[int] = set()

    # Books and room

    def open_book(self) -> int:
        """Number of a new empty book, continuous and without a band: the lowest that is free."""
        if not self._free_books:
            n_books = len(self.state.books)
            self.state = grow_books(self.state, max(2 * n_books, 1))
            self._free_books = list(range(n_books, len(self.state.books)))
        book = heapq.heappop(self._free_books)
        self._open_books.add(book)
        record = self.state.books[book]
        for name in _BOOK_FIELDS:
            record[name] = 0
        self._set_open(book, is_open=True)
        return book

    def close_book(self, book: int) -> None:
        """Give a book's number back. ValueError if it is not open or not empty."""
        self._require_open(book)
        if any(int(self.state.sides[LADDERS * book + ladder]["best_level"]) >= 0 for ladder in queries.CANONICAL):
            raise ValueError(f"book {book} still holds orders")
        self._open_books.remove(book)
        heapq.heappush(self._free_books, book)
        self._set_open(book, is_open=False)

    def _set_open(self, book: int, *, is_open: bool) -> None:
        self.state.books[book]["is_open"] = is_open
        record = self.state.books[book]
        restore.refresh(self.state, book, int(record["phase"]))

    @property
    def open_books(self) -> list[int]:
        """Numbers of the open books, ascending."""
        return sorted(self._open_books)

    @property
    def order_capacity(self) -> int:
        """Slots of the order pool. Every slot in events and views is below it; it grows by `grow(Need.ORDERS, ...)` only."""
        return len(self.state.orders)

    @property
    def live_orders(self) -> int:
        """Orders in all books."""
        return len(self.state.orders) - int(self.state.pools["free"][Pool.ORDERS])

    def grow(self, need: Need | int, at_least: int) -> None:
        """Make room: `at_least` free records of a pool, for Need.OWNERS that many owners, for Need.ID_SPAN the id `at_least`, for
        Need.QUEUE that many stops, for Need.ID_TABLE that many ids. Need.EVENTS enlarges the buffer of `submit`. Replaces `state`.
        """
        need = Need(need)
        at_least = int(at_least)
        if need == Need.NOTHING:
            return
        if need == Need.EVENTS:
            self._events = make_records(EVENT, max(2 * len(self._events), at_least))
        elif need == Need.OWNERS:
            self.state = grow_owners(self.state, max(2 * len(self.state.owners), at_least))
        elif need == Need.ID_SPAN:
            self.state = cover_id(self.state, at_least)
        elif need == Need.QUEUE:
            self.state = grow_queue(self.state, max(2 * len(self.state.queue), at_least))
        elif need == Need.ID_TABLE:
            self.state = empty_id_table(self.state, (4 * at_least - 1).bit_length())
            ids.fill_table(self.state)
        else:
            pool = POOL_OF_NEED[need]
            free = int(self.state.pools["free"][pool])
            if free < at_least:
                capacity = len(pool_records(self.state, pool))
                self.state = grow_pool(self.state, pool, max(2 * capacity, capacity + at_least - free))
                if pool == Pool.ORDERS:
                    self.state.orders["log_at"][capacity:] = ids.DEAD

    # Entries

    def submit(self, entries: np.ndarray) -> np.ndarray:
        """Apply an array of ENTRY in sequence and return what happened (EVENT), whatever the sizes of the pools are.

        An entry that breaks a rule is refused by an event of its own. ValueError, before anything is applied, for another dtype.
        """
        if entries.dtype != ENTRY:
            raise ValueError("entries have the dtype ENTRY")
        entries = np.ascontiguousarray(entries).view(type(self.state.orders))
        pieces = []
        index = n_events = 0
        while True:
            index, n_events, need, at_least = batch.run_batch(self.state, entries, index, self._events, n_events)
            if need == Need.EVENTS or index == len(entries):
                pieces.append(self._events[:n_events].copy())
                n_events = 0
            if index == len(entries):
                return np.concatenate(pieces)
            if need != Need.EVENTS or at_least > len(self._events):
                self.grow(need, at_least)

    def restore_order(self, book: int, view: np.void) -> int:
        """Put an order (ORDER_VIEW) back where it hung, behind what is there already, for snapshots in the sequence of `dump_orders`.

        Returns its slot.
        """
        self._require_open(book)
        while True:
            slot, need, at_least = restore.restore_order(self.state, book, view)
            if need == Need.NOTHING:
                return int(slot)
            self.grow(need, at_least)

    def restore_book(self, book: int, facts: Sequence[int]) -> None:
        """What `book_facts` told, after the orders."""
        self._require_open(book)
        for name, value in zip(_BOOK_FIELDS, facts, strict=True):
            self.state.books[book][name] = value
        restore.refresh(self.state, book, int(self.state.books[book]["phase"]))

    # Views

    def find_slot(self, order_id: int) -> int:
        """Slot of an order, -1 for any id without one."""
        return int(ids.look_up(self.state, order_id))

    def book_facts(self, book: int) -> tuple[int, ...]:
        """What a book is beyond its orders: last price, band, whether it has either, phase; for snapshots."""
        self._require_open(book)
        return tuple(int(self.state.books[book][name]) for name in _BOOK_FIELDS)

    def phase(self, book: int) -> BookPhase:
        """Phase of a book."""
        self._require_open(book)
        return BookPhase(int(self.state.books[book]["phase"]))

    def band(self, book: int) -> tuple[int, int] | None:
        """Prices in ticks between which trading goes on without interruption, None without a band."""
        self._require_open(book)
        record = self.state.books[book]
        return (int(record["band_low_ticks"]), int(record["band_high_ticks"])) if record["has_band"] else None

    def last_trade(self, book: int) -> int | None:
        """Price of the last trade in ticks, None before the first."""
        self._require_open(book)
        record = self.state.books[book]
        return int(record["last_ticks"]) if record["has_traded"] else None

    def indicative(self, book: int, reference_ticks: int, k_ppm: int | None = None) -> tuple[int, int]:
        """(price in ticks, lots) of an auction held now: nearest to the reference, or by k in millionths (0 to K_ONE)."""
        self._require_open(book)
        price, lots = auction.find_auction(self.state, book, reference_ticks, auction.NO_K if k_ppm is None else k_ppm)
        return int(price), int(lots)

    def queue_position(self, order_id: int) -> tuple[int, int] | None:
        """(orders, shown lots) before an order at its price, None for one that is not in a ladder."""
        slot = self.find_slot(order_id)
        if slot < 0:
            return None
        n_orders, lots = queries.queue_position(self.state, slot)
        return (int(n_orders), int(lots)) if n_orders >= 0 else None

    def owner_orders(self, owner: int, book: int | None = None) -> np.ndarray:
        """Slots of an owner's orders, of one book or of all, in the order in which they first came to rest. int64, shape (orders,)."""
        number = -1 if book is None else book
        slots = np.zeros(int(queries.owner_orders(self.state, owner, number, np.zeros(0, np.int64))), np.int64)
        queries.owner_orders(self.state, owner, number, slots)
        return slots

    def dump_orders(self, book: int) -> np.ndarray:
        """Orders of a book in canonical order: bids from the best by priority, asks, waiting buys and sells, buy stops, sell stops.

        ORDER_VIEW, shape (orders,).
        """
        self._require_open(book)
        counts = [int(queries.count_ladder_orders(self.state, book, int(ladder))) for ladder in queries.CANONICAL]
        views = make_records(ORDER_VIEW, sum(counts))
        n = 0
        for ladder in queries.CANONICAL:
            n = queries.dump_ladder(self.state, book, int(ladder), views, n)
        return views

    def depth(self, book: int, side: int, n_levels: int) -> np.ndarray:
        """The best `n_levels` prices of one side, best first, as shown. LEVEL_VIEW, shape (at most n_levels,)."""
        self._require_open(book)
        views = make_records(LEVEL_VIEW, n_levels)
        return views[: int(queries.dump_levels(self.state, book, side, views))]

    def best(self, book: int, side: int) -> int | None:
        """Best price of one side in ticks, None when it is empty."""
        self._require_open(book)
        record = self.state.sides[LADDERS * book + side]
        return int(record["best_ticks"]) if record["best_level"] >= 0 else None

    def hash_book(self, book: int) -> bytes:
        """SHA-256 over a book's facts and its orders in canonical order; slots, the book's number and memory sizes do not enter."""
        views = self.dump_orders(book)
        content = np.empty(len(views), HASHED)
        for name in HASHED_FIELDS:
            content[name] = views[name]
        return hashlib.sha256(np.array(self.book_facts(book), "<i8").tobytes() + content.tobytes()).digest()

    def state_hash(self, books: Sequence[int] | None = None) -> bytes:
        """SHA-256 over the books in the given sequence; by default over the open ones, ascending by number."""
        digest = hashlib.sha256()
        for book in self.open_books if books is None else books:
            digest.update(self.hash_book(book))
        return digest.digest()

    # Checks

    def check_book(self, book: int) -> None:
        """Raise CheckError with a reason if an invariant of the book does not hold."""
        self._require_open(book)
        check_state(self.state, [book])

    def check_all(self) -> None:
        """Raise CheckError with a reason if an invariant of any book, of the pools or of the indexes does not hold."""
        check_state(self.state, None)

    def _require_open(self, book: int) -> None:
        if book not in self._open_books:
            raise ValueError(f"book {book} is not open")
