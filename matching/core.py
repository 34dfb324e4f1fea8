"""The Python face of the matching core: many books in one set of arrays."""

import hashlib
import heapq
from collections.abc import Sequence
from typing import Final

import numpy as np

from matching import kernels, orders
from matching.check import check_state
from matching.records import ENTRY, EVENT, LEVEL_VIEW, ORDER_VIEW, QUANTITY_LOTS_MAX, EntryKind, Need, SelfTrade, Side, TimeInForce
from matching.state import BookState, Pool, Sizes, cover_id, empty_state, grow_owners, grow_pool, grow_sides, make_records, pool_records

POOL_OF_NEED: Final = {
    Need.ORDERS: Pool.ORDERS,
    Need.PAGES: Pool.PAGES,
    Need.DIRECTORIES: Pool.NODES,
    Need.ID_PAGES: Pool.ID_PAGES,
    Need.OWNER_CHUNKS: Pool.CHUNKS,
}
HASHED_FIELDS: Final = ("order_id", "remaining_lots", "owner", "price_ticks", "side")
HASHED: Final = np.dtype([(name, ORDER_VIEW.fields[name][0]) for name in HASHED_FIELDS])  # type: ignore[index]


class MatchingCore:
    """Order books by number, each with price-time priority, sharing their memory.

    Standalone use: `open_book`, then `submit` arrays of ENTRY and read the EVENT array that comes back. A caller with a compiled loop of
    its own passes `state` to the functions of `matching.kernels` and calls `grow` for what `kernels.needs` names; `state` is replaced
    whenever something grows, so it is read anew for every call.

    Order ids ascend and are never reused. Sizes decide memory, never an outcome.
    """

    def __init__(self, sizes: Sizes | None = None, events_capacity: int = 4096) -> None:
        sizes = Sizes() if sizes is None else sizes
        state = grow_sides(empty_state(), sizes.books)
        for pool, capacity in (
            (Pool.ORDERS, sizes.orders),
            (Pool.PAGES, sizes.pages),
            (Pool.NODES, sizes.nodes),
            (Pool.ID_PAGES, sizes.id_pages),
            (Pool.CHUNKS, sizes.chunks),
        ):
            state = grow_pool(state, pool, capacity)
        self.state: BookState = grow_owners(state, sizes.owners)
        self._events = make_records(EVENT, events_capacity)
        self._free_books = list(range(sizes.books))
        self._open_books: set[int] = set()
        self._last_order_id = -1

    # Books and room

    def open_book(self) -> int:
        """Number of a new empty book: the lowest that is free."""
        if not self._free_books:
            n_books = len(self.state.sides) // 2
            self.state = grow_sides(self.state, max(2 * n_books, 1))
            self._free_books = list(range(n_books, len(self.state.sides) // 2))
        book = heapq.heappop(self._free_books)
        self._open_books.add(book)
        return book

    def close_book(self, book: int) -> None:
        """Give a book's number back. ValueError if it is not open or not empty."""
        self._require_open(book)
        if kernels.count_book_orders(self.state, book):
            raise ValueError(f"book {book} still holds orders")
        self._open_books.remove(book)
        heapq.heappush(self._free_books, book)

    @property
    def open_books(self) -> list[int]:
        """Numbers of the open books, ascending."""
        return sorted(self._open_books)

    @property
    def order_capacity(self) -> int:
        """Slots of the order pool. Every slot in events and views is below it; it grows by `grow(Need.ORDERS, ...)` only."""
        return len(self.state.orders)

    def grow(self, need: Need | int, at_least: int) -> None:
        """Make room: `at_least` free records of a pool, for Need.OWNERS that many owners, for Need.ID_SPAN the id `at_least`.

        Need.EVENTS enlarges the buffer of `submit`. Replaces `state`.
        """
        need = Need(need)
        if need == Need.NOTHING:
            return
        if need == Need.EVENTS:
            self._events = make_records(EVENT, max(2 * len(self._events), at_least))
        elif need == Need.OWNERS:
            self.state = grow_owners(self.state, max(2 * len(self.state.owners), at_least))
        elif need == Need.ID_SPAN:
            self.state = cover_id(self.state, at_least)
        else:
            pool = POOL_OF_NEED[need]
            free = int(self.state.pools["free"][pool])
            if free < at_least:
                capacity = len(pool_records(self.state, pool))
                self.state = grow_pool(self.state, pool, max(2 * capacity, capacity + at_least - free))

    # Entries

    def submit(self, entries: np.ndarray) -> np.ndarray:
        """Apply an array of ENTRY in sequence and return what happened (EVENT), whatever the sizes of the pools are.

        Raises ValueError, before anything is applied, for an entry that breaks a precondition: an unknown kind or policy, a book that is
        not open, a quantity outside 1 to QUANTITY_LOTS_MAX, a negative owner, a new order id that does not ascend. Cancels, expiries and
        amends of ids that do not rest do nothing.
        """
        entries = np.ascontiguousarray(entries)
        self._check_entries(entries)
        entries = entries.view(type(self.state.orders))
        pieces = []
        index = n_events = 0
        while True:
            index, n_events, need, at_least = kernels.run_batch(self.state, entries, index, self._events, n_events)
            if need == Need.EVENTS or index == len(entries):
                pieces.append(self._events[:n_events].copy())
                n_events = 0
            if index == len(entries):
                return np.concatenate(pieces)
            if need != Need.EVENTS or at_least > len(self._events):
                self.grow(need, at_least)

    def _check_entries(self, entries: np.ndarray) -> None:
        if entries.dtype != ENTRY:
            raise ValueError("entries have the dtype ENTRY")
        kind = entries["kind"]
        new = kind == EntryKind.PLACE
        sized = new | (kind == EntryKind.AMEND)
        quantity = entries["quantity_lots"]
        rules = {
            "kind is not known": (kind < min(EntryKind)) | (kind > max(EntryKind)),
            "side is not known": sized & (entries["side"] > max(Side)),
            "time in force is not known": sized & (entries["time_in_force"] > max(TimeInForce)),
            "self-trade policy is not known": sized & (entries["self_trade"] > max(SelfTrade)),
            "book is not open": sized & ~np.isin(entries["book"], list(self._open_books)),
            "quantity is out of range": sized & ((quantity < 1) | (quantity > QUANTITY_LOTS_MAX)),
            "owner is negative": sized & (entries["owner"] < 0),
        }
        for rule, broken in rules.items():
            if broken.any():
                raise ValueError(f"entry {int(np.argmax(broken))}: {rule}")
        ids = entries["order_id"][new]
        if len(ids):
            if (np.diff(ids, prepend=self._last_order_id) <= 0).any():
                raise ValueError("ids of new orders ascend and are never reused")
            self._last_order_id = int(ids[-1])

    def restore_order(self, book: int, order_id: int, owner: int, side: int, price_ticks: int, remaining_lots: int) -> int:
        """Put an order at the tail of its level without matching, for snapshots in the sequence of `dump_orders`. Returns its slot."""
        self._require_open(book)
        entry = make_records(ENTRY, 1)
        values = (EntryKind.PLACE, order_id, book, owner, side, price_ticks, remaining_lots)
        for name, value in zip(("kind", "order_id", "book", "owner", "side", "price_ticks", "quantity_lots"), values, strict=True):
            entry[name] = value
        self._last_order_id = max(self._last_order_id, order_id)
        while True:
            slot, need, at_least = kernels.restore_order(self.state, entry[0])
            if need == Need.NOTHING:
                return int(slot)
            self.grow(need, at_least)

    # Views

    def find_slot(self, order_id: int) -> int:
        """Slot of a resting order, -1 for any other id."""
        return int(orders.look_up(self.state, order_id))

    def dump_orders(self, book: int) -> np.ndarray:
        """Resting orders of a book in canonical order: bids from the best by priority, then asks. ORDER_VIEW, shape (orders,)."""
        self._require_open(book)
        views = make_records(ORDER_VIEW, int(kernels.count_book_orders(self.state, book)))
        orders.dump_book(self.state, book, views)
        return views

    def depth(self, book: int, side: int, n_levels: int) -> np.ndarray:
        """The best `n_levels` prices of one side, best first. LEVEL_VIEW, shape (at most n_levels,)."""
        self._require_open(book)
        views = make_records(LEVEL_VIEW, n_levels)
        return views[: int(orders.dump_levels(self.state, book, side, views))]

    def best(self, book: int, side: int) -> int | None:
        """Best price of one side in ticks, None when it is empty."""
        self._require_open(book)
        record = self.state.sides[2 * book + side]
        return int(record["best_ticks"]) if record["best_level"] >= 0 else None

    def hash_book(self, book: int) -> bytes:
        """SHA-256 over the resting orders of one book in canonical order; slots, ids of the book and memory sizes do not enter."""
        views = self.dump_orders(book)
        content = np.empty(len(views), HASHED)
        for name in HASHED_FIELDS:
            content[name] = views[name]
        return hashlib.sha256(content.tobytes()).digest()

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
