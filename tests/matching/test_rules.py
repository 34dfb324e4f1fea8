"""The rules of matching as a table of cases: what rests, one order that comes in, the events that follow. Core and oracle both run it."""

import pytest

from matching.records import EntryFlag, EntryKind, EventKind, Reason, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry
from tests.matching.books import Pair

BUY, SELL = Side.BUY, Side.SELL
ME, OTHER, THIRD = 1, 2, 3
TAKER = 99
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, DECREMENT = SelfTrade
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
POST_ONLY = EntryFlag.POST_ONLY


def place(order_id, owner, side, price, lots, time_in_force=GTC, policy=CANCEL_NEWEST, flags=EntryFlag.NONE):
    return ReferenceEntry(EntryKind.PLACE, order_id, 0, owner, side, price, lots, time_in_force, policy, flags)


def taker(side, price, lots, **terms):
    return place(TAKER, ME, side, price, lots, **terms)


def rested(lots, order_id=TAKER):
    return (EventKind.RESTED, order_id, 0, lots, lots, 0, Reason.NONE)


def filled(maker, lots, taker_left, maker_left):
    return (EventKind.FILLED, TAKER, maker, lots, taker_left, maker_left, Reason.NONE)


def cancelled(order_id, lots, reason):
    return (EventKind.CANCELLED, order_id, 0, lots, 0, 0, reason)


def reduced(order_id, lots, left, reason=Reason.SELF_TRADE):
    return (EventKind.REDUCED, order_id, 0, lots, left, 0, reason)


# Asks of others at 10 (ids 1, 2) and 11 (id 3), five lots each.
ASKS = [place(1, OTHER, SELL, 10, 5), place(2, THIRD, SELL, 10, 5), place(3, OTHER, SELL, 11, 5)]
# The same, but the second in the queue is mine.
WITH_MINE = [ASKS[0], place(2, ME, SELL, 10, 5), ASKS[2]]

CASES = {
    "rests in an empty book": ([], taker(BUY, 10, 5), [rested(5)]),
    "rests below the best ask": (ASKS, taker(BUY, 9, 5), [rested(5)]),
    "trades with the first in the queue": (ASKS, taker(BUY, 10, 3), [filled(1, 3, 0, 2)]),
    "trades at the maker's price, not its own": (ASKS, taker(BUY, 12, 11), [filled(1, 5, 6, 0), filled(2, 5, 1, 0), filled(3, 1, 0, 4)]),
    "fills exactly": (ASKS, taker(BUY, 10, 5), [filled(1, 5, 0, 0)]),
    "rests what its limit does not reach": (ASKS, taker(BUY, 10, 12), [filled(1, 5, 7, 0), filled(2, 5, 2, 0), rested(2)]),
    "a sell trades with bids from the highest": (
        [place(1, OTHER, BUY, 8, 5), place(2, OTHER, BUY, 9, 5)],
        taker(SELL, 8, 7),
        [filled(2, 5, 2, 0), filled(1, 2, 0, 3)],
    ),
    "prices may be negative": ([place(1, OTHER, SELL, -7, 5)], taker(BUY, -7, 5), [filled(1, 5, 0, 0)]),
    "prices reach over all of int32": ([place(1, OTHER, SELL, -(2**31), 5)], taker(BUY, 2**31 - 1, 9), [filled(1, 5, 4, 0), rested(4)]),
    "ioc drops the rest": (
        ASKS,
        taker(BUY, 10, 12, time_in_force=IOC),
        [filled(1, 5, 7, 0), filled(2, 5, 2, 0), cancelled(TAKER, 2, Reason.IMMEDIATE_REMAINDER)],
    ),
    "ioc with nothing to meet": (ASKS, taker(BUY, 9, 4, time_in_force=IOC), [cancelled(TAKER, 4, Reason.IMMEDIATE_REMAINDER)]),
    "fok fills whole": (ASKS, taker(BUY, 10, 10, time_in_force=FOK), [filled(1, 5, 5, 0), filled(2, 5, 0, 0)]),
    "fok fills whole over two prices": (
        ASKS,
        taker(BUY, 11, 12, time_in_force=FOK),
        [filled(1, 5, 7, 0), filled(2, 5, 2, 0), filled(3, 2, 0, 3)],
    ),
    "fok one lot short": (ASKS, taker(BUY, 10, 11, time_in_force=FOK), [cancelled(TAKER, 11, Reason.FILL_OR_KILL_UNFILLABLE)]),
    "fok stops at an own order": (WITH_MINE, taker(BUY, 11, 6, time_in_force=FOK), [cancelled(TAKER, 6, Reason.FILL_OR_KILL_UNFILLABLE)]),
    "fok done before the own order": (WITH_MINE, taker(BUY, 11, 5, time_in_force=FOK), [filled(1, 5, 0, 0)]),
    "fok over an own order that is cancelled": (
        WITH_MINE,
        taker(BUY, 11, 10, time_in_force=FOK, policy=CANCEL_OLDEST),
        [filled(1, 5, 5, 0), cancelled(2, 5, Reason.SELF_TRADE), filled(3, 5, 0, 0)],
    ),
    "fok does not count own lots": (
        WITH_MINE,
        taker(BUY, 11, 11, time_in_force=FOK, policy=CANCEL_OLDEST),
        [cancelled(TAKER, 11, Reason.FILL_OR_KILL_UNFILLABLE)],
    ),
    "fok does not let decrement fill it": (
        WITH_MINE,
        taker(BUY, 11, 6, time_in_force=FOK, policy=DECREMENT),
        [cancelled(TAKER, 6, Reason.FILL_OR_KILL_UNFILLABLE)],
    ),
    "fok with cancel both": (
        WITH_MINE,
        taker(BUY, 11, 6, time_in_force=FOK, policy=CANCEL_BOTH),
        [cancelled(TAKER, 6, Reason.FILL_OR_KILL_UNFILLABLE)],
    ),
    "post-only rests": (ASKS, taker(BUY, 9, 5, flags=POST_ONLY), [rested(5)]),
    "post-only would trade": (ASKS, taker(BUY, 10, 5, flags=POST_ONLY), [cancelled(TAKER, 5, Reason.POST_ONLY_WOULD_CROSS)]),
    "post-only does not ask whose order it would meet": (
        [place(1, ME, SELL, 10, 5)],
        taker(BUY, 10, 5, flags=POST_ONLY, policy=CANCEL_OLDEST),
        [cancelled(TAKER, 5, Reason.POST_ONLY_WOULD_CROSS)],
    ),
    "cancel newest": (WITH_MINE, taker(BUY, 11, 12), [filled(1, 5, 7, 0), cancelled(TAKER, 7, Reason.SELF_TRADE)]),
    "cancel oldest": (
        WITH_MINE,
        taker(BUY, 11, 12, policy=CANCEL_OLDEST),
        [filled(1, 5, 7, 0), cancelled(2, 5, Reason.SELF_TRADE), filled(3, 5, 2, 0), rested(2)],
    ),
    "cancel both": (
        WITH_MINE,
        taker(BUY, 11, 12, policy=CANCEL_BOTH),
        [filled(1, 5, 7, 0), cancelled(2, 5, Reason.SELF_TRADE), cancelled(TAKER, 7, Reason.SELF_TRADE)],
    ),
    "decrement, the maker is smaller": (
        WITH_MINE,
        taker(BUY, 11, 12, policy=DECREMENT),
        [filled(1, 5, 7, 0), cancelled(2, 5, Reason.SELF_TRADE), reduced(TAKER, 5, 2), filled(3, 2, 0, 3)],
    ),
    "decrement, the maker is larger": (
        WITH_MINE,
        taker(BUY, 11, 8, policy=DECREMENT),
        [filled(1, 5, 3, 0), reduced(2, 3, 2), cancelled(TAKER, 3, Reason.SELF_TRADE)],
    ),
    "decrement, both are the same": (
        WITH_MINE,
        taker(BUY, 11, 10, policy=DECREMENT),
        [filled(1, 5, 5, 0), cancelled(2, 5, Reason.SELF_TRADE), cancelled(TAKER, 5, Reason.SELF_TRADE)],
    ),
    "ioc with cancel oldest": (
        [place(1, ME, SELL, 10, 5)],
        taker(BUY, 10, 4, time_in_force=IOC, policy=CANCEL_OLDEST),
        [cancelled(1, 5, Reason.SELF_TRADE), cancelled(TAKER, 4, Reason.IMMEDIATE_REMAINDER)],
    ),
}


def logical(events):
    return [(e.kind, e.order_id, e.counter_id, e.quantity_lots, e.remaining_lots, e.counter_remaining_lots, e.reason) for e in events]


@pytest.mark.parametrize("name", CASES)
def test_new_order(name):
    resting, entry, expected = CASES[name]
    pair = Pair()
    for order in resting:
        pair.apply(order)
    events = pair.apply(entry)
    assert logical(events) == expected
    makers = {order.order_id: order.price_ticks for order in resting}
    for event in events:
        if event.kind == EventKind.FILLED:
            assert event.price_ticks == makers[event.counter_id]
            assert (event.owner, event.side) == (ME, entry.side)
    # Every lot of the entry leaves through exactly one event, or rests.
    assert sum(event.quantity_lots for event in events if event.order_id == TAKER) == entry.quantity_lots


# Bids of three owners at 10 in the sequence 1, 2, 3; an ask of mine (4) at 12.
QUEUE = [place(1, ME, BUY, 10, 5), place(2, OTHER, BUY, 10, 5), place(3, THIRD, BUY, 10, 5), place(4, ME, SELL, 12, 5)]


def amend(order_id, price, lots, owner=ME, side=BUY, **terms):
    return place(order_id, owner, side, price, lots, **terms)._replace(kind=EntryKind.AMEND)


REPRICED_1 = (EventKind.REPRICED, 1, 0, 5, 0, 0, Reason.AMENDED)
AMENDS = {
    "less keeps the priority": (amend(1, 10, 2), [reduced(1, 3, 2, Reason.AMENDED)], [1, 2, 3, 4]),
    "nothing changed keeps the priority": (amend(1, 10, 5), [reduced(1, 0, 5, Reason.AMENDED)], [1, 2, 3, 4]),
    "more loses the priority": (amend(1, 10, 6), [REPRICED_1, rested(6, 1)], [2, 3, 1, 4]),
    "another price loses the priority": (amend(1, 9, 5), [REPRICED_1, rested(5, 1)], [2, 3, 1, 4]),
    "a better price goes first": (amend(1, 11, 2), [REPRICED_1, rested(2, 1)], [1, 2, 3, 4]),
    "into the other side trades": (
        amend(2, 12, 7, owner=OTHER),
        [
            (EventKind.REPRICED, 2, 0, 5, 0, 0, Reason.AMENDED),
            (EventKind.FILLED, 2, 4, 5, 2, 0, Reason.NONE),
            rested(2, 2),
        ],
        [2, 1, 3],
    ),
    "into the other side and filled": (
        amend(2, 12, 4, owner=OTHER),
        [(EventKind.REPRICED, 2, 0, 5, 0, 0, Reason.AMENDED), (EventKind.FILLED, 2, 4, 4, 0, 1, Reason.NONE)],
        [1, 3, 4],
    ),
    "into an own order": (amend(1, 12, 5), [REPRICED_1, cancelled(1, 5, Reason.SELF_TRADE)], [2, 3, 4]),
    "post-only into the other side": (
        amend(1, 12, 5, flags=POST_ONLY),
        [REPRICED_1, cancelled(1, 5, Reason.POST_ONLY_WOULD_CROSS)],
        [2, 3, 4],
    ),
    "of an unknown id does nothing": (amend(77, 10, 5), [], [1, 2, 3, 4]),
    "cancel": (amend(2, 0, 0)._replace(kind=EntryKind.CANCEL), [cancelled(2, 5, Reason.REQUESTED)], [1, 3, 4]),
    "expire": (amend(3, 0, 0)._replace(kind=EntryKind.EXPIRE), [cancelled(3, 5, Reason.EXPIRED)], [1, 2, 4]),
    "cancel of an unknown id does nothing": (amend(77, 0, 0)._replace(kind=EntryKind.CANCEL), [], [1, 2, 3, 4]),
}


@pytest.mark.parametrize("name", AMENDS)
def test_change_of_an_order(name):
    entry, expected, left = AMENDS[name]
    pair = Pair()
    for order in QUEUE:
        pair.apply(order)
    assert logical(pair.apply(entry)) == expected
    assert pair.core.dump_orders(0)["order_id"].tolist() == left


@pytest.mark.parametrize(("book", "left"), [(0, {2, 3, 5, 6}), (1, {1, 2, 3, 4}), (None, {2, 3})])
def test_mass_cancel_takes_one_owner_by_ascending_id(book, left):
    pair = Pair(n_books=2)
    for order in (*QUEUE[:3], place(4, ME, SELL, 12, 5), place(5, ME, SELL, 3, 1)._replace(book=1), place(6, ME, BUY, 2, 1)._replace(book=1)):
        pair.apply(order)
    pair.apply(amend(1, 9, 7))  # last in the queue, still first by id
    events = pair.cancel_owner(ME, book)
    ids = [event.order_id for event in events]
    assert ids == sorted(ids)
    assert all(event.kind == EventKind.CANCELLED and event.reason == Reason.REQUESTED for event in events)
    assert {order_id for each in pair.books for order_id in pair.core.dump_orders(each)["order_id"].tolist()} == left
    assert pair.cancel_owner(ME, book) == []


def test_book_ends_from_the_best_by_priority():
    pair = Pair()
    for order in QUEUE:
        pair.apply(order)
    pair.apply(place(5, OTHER, BUY, 11, 1))
    assert [event.order_id for event in pair.cancel_book(0)] == [5, 1, 2, 3, 4]
    assert pair.core.best(0, BUY) is None
