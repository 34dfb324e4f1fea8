"""What must not matter: which side is called buy, what happens in other books, and in an auction who came first at another price.

Mirrored, a buy at p is a sell at -1 - p, which maps int32 onto itself. Two rules of docs/matching.md know the sides: waiting orders are
tried "first the buy orders", so only one side may wait in these streams; half a tick goes to the even one, which the mirror makes odd, so the
k rule is left out of them; and a fill of an auction names the buyer first, so its two
orders change places in the mirror, as do the new peaks that follow.
"""

from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

from matching.records import BookPhase, EntryKind, EventKind, Reason, Side
from matching.reference import ReferenceEntry, ReferenceEvent, ReferenceOrder
from tests.differential.streams import PROFILES, draw_stream
from tests.matching.books import ENGINES

N_BOOKS = 3
BY_ENGINE = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)


def mirrored_entry(entry: ReferenceEntry) -> ReferenceEntry:
    if entry.kind == EntryKind.SET_BAND:
        return entry._replace(price_ticks=~entry.stop_ticks, stop_ticks=~entry.price_ticks)
    return entry._replace(side=1 - entry.side, price_ticks=~entry.price_ticks, stop_ticks=~entry.stop_ticks)


def mirrored_event(event: ReferenceEvent) -> ReferenceEvent:
    if event.kind == EventKind.PHASE_CHANGED:
        return event
    event = event._replace(price_ticks=~event.price_ticks)
    if event.kind == EventKind.UNCROSSED:
        return event
    if event.reason == Reason.AUCTION:
        return event._replace(
            order_id=event.counter_id,
            counter_id=event.order_id,
            remaining_lots=event.counter_remaining_lots,
            counter_remaining_lots=event.remaining_lots,
            owner=event.counter_owner,
            counter_owner=event.owner,
        )
    return event._replace(side=1 - event.side)


def with_new_peaks_by_id(events: list[ReferenceEvent]) -> list[ReferenceEvent]:
    """Two new peaks after one fill in a fixed sequence, since buyer and seller change places in the mirror."""
    events = list(events)
    for index in range(len(events) - 1):
        if events[index].kind == events[index + 1].kind == EventKind.REFILLED:
            events[index : index + 2] = sorted(events[index : index + 2], key=lambda event: event.order_id)
    return events


def by_place(orders: list[ReferenceOrder]) -> dict[tuple[bool, bool, int], list[ReferenceOrder]]:
    """Orders of a book by where and on which side they stand, each place in its own sequence."""
    places: dict[tuple[bool, bool, int], list[ReferenceOrder]] = {}
    for order in orders:
        places.setdefault((order.shown_lots > 0, bool(order.flags & 32), order.side), []).append(order)
    return places


def mirrored_orders(orders: list[ReferenceOrder]) -> list[ReferenceOrder]:
    return [
        order._replace(side=1 - order.side, price_ticks=~order.price_ticks, stop_ticks=~order.stop_ticks if order.flags & 32 else order.stop_ticks)
        for order in orders
    ]


@pytest.mark.parametrize("waiting_side", Side, ids=lambda side: side.name)
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"bad input"}))
@BY_ENGINE
def test_mirrored_streams_have_mirrored_events(engine, profile, waiting_side):
    straight, mirror = engine(N_BOOKS), engine(N_BOOKS)
    profile = PROFILES[profile]._replace(odd=0.0, by_k=0.0, waiting_sides=(waiting_side,))
    for command in draw_stream(7, 250, profile, N_BOOKS):
        events = straight.submit(command)
        mirrored = mirror.submit([mirrored_entry(entry) for entry in command])
        assert with_new_peaks_by_id(mirrored) == with_new_peaks_by_id([mirrored_event(event) for event in events]), command
    for book in range(N_BOOKS):
        assert by_place(mirrored_orders(straight.orders(book))) == by_place(mirror.orders(book))


@pytest.mark.parametrize("profile", ["mixed", "bands", "minimums"])
@BY_ENGINE
def test_books_do_not_know_of_each_other(engine, profile):
    """Each book alone does what it does among others, baskets and mass cancels over several books left out."""
    together = engine(N_BOOKS)
    of_book: dict[int, list[tuple[list[ReferenceEntry], list[ReferenceEvent]]]] = {book: [] for book in range(N_BOOKS)}
    for command in draw_stream(3, 400, PROFILES[profile]._replace(basket=0, mass_cancel=0, odd=0.0), N_BOOKS):
        events = together.submit(command)
        if events and events[0].reason != Reason.UNKNOWN_ORDER:
            by_order = command[0].kind in (EntryKind.CANCEL, EntryKind.EXPIRE, EntryKind.AMEND) and events[0].kind == EventKind.REJECTED
            if not by_order:
                of_book[events[0].book].append((command, events))
        elif not events:
            of_book[command[0].book].append((command, events))
    for book, commands in of_book.items():
        alone = engine(N_BOOKS)
        for command, events in commands:
            assert alone.submit(command) == events
        assert alone.orders(book) == together.orders(book)


# Sides, prices and lots of orders that gather for an auction.
GATHERED = st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(0, 12), st.integers(1, 9)), min_size=1, max_size=14)


def auction(engine, orders, reference_ticks):
    """Events of an auction of these orders, and (side, price) by order id."""
    books = engine(1)
    books.submit([ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.AUCTION)])
    for order_id, (side, price, lots) in enumerate(orders):
        books.submit([ReferenceEntry(EntryKind.PLACE, order_id, 0, order_id % 3, side, price, lots)])
    events = books.submit([ReferenceEntry(EntryKind.UNCROSS, price_ticks=reference_ticks)])
    return events, {order_id: order[:2] for order_id, order in enumerate(orders)}


@given(GATHERED, st.integers(-2, 14))
@BY_ENGINE
def test_the_price_of_an_auction_is_that_of_a_search_over_all_ticks(engine, orders, reference_ticks):
    events, _ = auction(engine, orders, reference_ticks)
    bids, asks = ([order for order in orders if order[0] == side] for side in Side)
    best_bid, best_ask = max((price for _, price, _ in bids), default=-1), min((price for _, price, _ in asks), default=99)
    found = (events[0].price_ticks, events[0].quantity_lots)
    if best_bid < best_ask:
        assert found == (reference_ticks, 0)
        return
    bid = {tick: sum(lots for _, price, lots in bids if price >= tick) for tick in range(best_ask, best_bid + 1)}
    asked = {tick: sum(lots for _, price, lots in asks if price <= tick) for tick in bid}
    volume = max(min(bid[tick], asked[tick]) for tick in bid)
    ticks = [tick for tick in bid if min(bid[tick], asked[tick]) == volume]
    least = min(abs(bid[tick] - asked[tick]) for tick in ticks)
    ticks = [tick for tick in ticks if abs(bid[tick] - asked[tick]) == least]
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
    if all(bid[tick] > asked[tick] for tick in ticks):
        expected = ticks[-1]
    elif all(bid[tick] < asked[tick] for tick in ticks):
        expected = ticks[0]
    else:
        expected = min(max(reference_ticks, ticks[0]), ticks[-1])
    assert found == (expected, volume)


@given(GATHERED, st.integers(-2, 14), st.randoms(use_true_random=False))
@BY_ENGINE
def test_who_came_first_does_not_matter_to_other_prices_in_an_auction(engine, orders, reference_ticks, rng):
    """The same orders in another sequence: the same price, and at each price of each side the same lots trade."""

    def outcome(sequence):
        events, place = auction(engine, sequence, reference_ticks)
        lots = Counter()
        for event in events[1:]:
            lots[place[event.order_id]] += event.quantity_lots
            lots[place[event.counter_id]] += event.quantity_lots
        return events[0], lots

    shuffled = list(orders)
    rng.shuffle(shuffled)
    assert outcome(shuffled) == outcome(orders)
