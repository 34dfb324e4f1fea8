"""What the tests of matching share: entries and events as tuples, the pair of core and oracle, and random streams."""

import random

import numpy as np

from matching import kernels
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, EntryKind, Need, Reason, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceBooks, ReferenceEntry, ReferenceEvent
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


def orders_of(core: MatchingCore, book: int) -> list[tuple[int, ...]]:
    views = core.dump_orders(book)
    return list(zip(*(views[name].tolist() for name in ("order_id", "owner", "side", "price_ticks", "remaining_lots")), strict=True))


class Pair:
    """A core and the oracle, fed the same; every step compares events, then state, then runs the checker."""

    def __init__(self, n_books: int = 1, sizes: Sizes = TINY, events_capacity: int = 1) -> None:
        self.core = MatchingCore(sizes, events_capacity)
        self.reference = ReferenceBooks()
        self.books = [self.core.open_book() for _ in range(n_books)]

    def apply(self, entry: ReferenceEntry) -> list[ReferenceEvent]:
        events = to_events(self.core.submit(to_array([entry])))
        assert events == self.reference.apply(entry)
        self.compare_state()
        return events

    def cancel_owner(self, owner: int, book: int | None) -> list[ReferenceEvent]:
        room = make_records(EVENT, int(kernels.count_owner_entries(self.core.state, owner)))
        n = kernels.cancel_owner(self.core.state, room, 0, -1 if book is None else book, owner, int(Reason.REQUESTED))
        events = to_events(room[:n])
        assert events == self.reference.cancel_owner(owner, book, Reason.REQUESTED)
        self.compare_state()
        return events

    def cancel_book(self, book: int) -> list[ReferenceEvent]:
        room = make_records(EVENT, int(kernels.count_book_orders(self.core.state, book)))
        n = kernels.cancel_book(self.core.state, room, 0, book, int(Reason.EXPIRED))
        assert n == len(room)
        events = to_events(room)
        assert events == self.reference.cancel_book(book, Reason.EXPIRED)
        self.compare_state()
        return events

    def compare_state(self) -> None:
        for book in self.books:
            expected = self.reference.orders(book)
            assert orders_of(self.core, book) == [(o.order_id, o.owner, o.side, o.price_ticks, o.remaining_lots) for o in expected]
            for side in Side:
                prices: dict[int, tuple[int, int]] = {}
                for order in expected:
                    if order.side == side:
                        lots, n = prices.get(order.price_ticks, (0, 0))
                        prices[order.price_ticks] = (lots + order.remaining_lots, n + 1)
                depth = self.core.depth(book, side, len(prices) + 1)
                assert [(int(v["price_ticks"]), int(v["quantity_lots"]), int(v["orders"])) for v in depth] == [(p, *t) for p, t in prices.items()]
                assert self.core.best(book, side) == next(iter(prices), None)
        self.core.check_all()


PRICE_STEPS = (1, 1, 1, 1, 1, 63, 64, 4096, 2**18, 2**29)


def random_entry(rng: random.Random, reference: ReferenceBooks, last_order_id: int, books: list[int], wide: bool) -> ReferenceEntry:
    """Few prices and owners, so that orders meet, meet their own, and queue; `wide` also spreads prices over all of int32."""
    live = list(reference._orders.values())
    kind = EntryKind(rng.choices([1, 2, 3, 4], [8, 3, 3, 1])[0])
    price = rng.randrange(6)
    if wide and rng.random() < 0.5:
        price = max(-(2**31), min(2**31 - 1, (price - 3) * rng.choice(PRICE_STEPS) + rng.choice((0, 0, 2**31 - 1, -(2**31)))))
    order_id = last_order_id + rng.choice((1, 1, 1, 4097))
    book, owner, side = rng.choice(books), rng.randrange(4), rng.randrange(2)
    if kind != EntryKind.PLACE:
        order_id = rng.randrange(order_id)
        if live and rng.random() < 0.9:
            order = rng.choice(live)
            order_id, book, owner, side = order.order_id, order.book, order.owner, order.side
            price = order.price_ticks if rng.random() < 0.4 else price
        elif order_id in {order.order_id for order in live}:
            order_id = 0
    return ReferenceEntry(
        kind,
        order_id,
        book,
        owner,
        side,
        price,
        rng.randrange(1, 10),
        rng.choices(list(TimeInForce), [5, 1, 1, 2, 2])[0],
        rng.choice(list(SelfTrade)),
        rng.choices([0, 1], [5, 1])[0],
    )


def random_stream(seed: int, n: int, n_books: int = 2, wide: bool = True) -> list[ReferenceEntry]:
    """A stream whose cancels and amends mostly meet live orders: it is drawn along the oracle."""
    rng = random.Random(seed)
    reference = ReferenceBooks()
    entries = []
    last = 0
    for _ in range(n):
        entry = random_entry(rng, reference, last, list(range(n_books)), wide)
        reference.apply(entry)
        last = max(last, entry.order_id)
        entries.append(entry)
    return entries


def run_with_growth(core: MatchingCore, entries: np.ndarray, events_capacity: int) -> list[ReferenceEvent]:
    """`run_batch` driven by hand, with a buffer that is emptied when full: what a caller with its own loop does."""
    found: list[ReferenceEvent] = []
    events = make_records(EVENT, events_capacity)
    index = n_events = 0
    while index < len(entries):
        index, n_events, need, at_least = kernels.run_batch(core.state, entries, index, events, n_events)
        found += to_events(events[:n_events])
        n_events = 0
        if need == Need.EVENTS and at_least > len(events):
            events = make_records(EVENT, at_least)
        elif need not in (Need.NOTHING, Need.EVENTS):
            core.grow(need, at_least)
    return found
