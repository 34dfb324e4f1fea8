"""The Python face: books, room, preconditions, views, hashes."""

import numpy as np
import pytest

from matching import kernels, orders
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, QUANTITY_LOTS_MAX, EntryKind, Need, Side
from matching.reference import ReferenceEntry
from matching.state import CHUNK, Sizes, make_records
from tests.matching.books import TINY, Pair, orders_of, to_array, to_events

BUY, SELL = Side.BUY, Side.SELL
PLACE = EntryKind.PLACE


def opened(n_books=1, sizes=TINY):
    core = MatchingCore(sizes)
    for _ in range(n_books):
        core.open_book()
    return core


def place(order_id, **fields):
    return ReferenceEntry(PLACE, order_id, **({"quantity_lots": 5, "price_ticks": 10} | fields))


def test_books_are_numbered_from_the_lowest_free():
    core = opened(5)
    assert core.open_books == [0, 1, 2, 3, 4]
    core.close_book(3)
    core.close_book(1)
    assert [core.open_book(), core.open_book(), core.open_book()] == [1, 3, 5]


def test_only_an_empty_open_book_closes():
    core = opened(2)
    core.submit(to_array([place(1, book=1)]))
    with pytest.raises(ValueError, match="still holds"):
        core.close_book(1)
    core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, 1)]))
    core.close_book(1)
    for use in (core.close_book, core.dump_orders, core.check_book, lambda book: core.best(book, BUY), lambda book: core.depth(book, BUY, 1)):
        with pytest.raises(ValueError, match="not open"):
            use(1)


BROKEN = {
    "kind": {"kind": 5},
    "kind of nothing": {"kind": 0},
    "side": {"side": 2},
    "time in force": {"time_in_force": 5},
    "self-trade": {"self_trade": 4},
    "book": {"book": 1},
    "book below": {"book": -1},
    "no quantity": {"quantity_lots": 0},
    "negative quantity": {"quantity_lots": -1},
    "too much": {"quantity_lots": QUANTITY_LOTS_MAX + 1},
    "owner": {"owner": -1},
    "id again": {"order_id": 1},
    "id before": {"order_id": 0},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_precondition_applies_nothing(name):
    core = opened()
    core.submit(to_array([place(1)]))
    before = core.state_hash()
    entries = to_array([place(2), place(3)])
    for field, value in BROKEN[name].items():
        entries[field][1] = value
    with pytest.raises(ValueError, match=r"entry 1|ascend"):
        core.submit(entries)
    assert core.state_hash() == before
    core.submit(to_array([place(2)]))


def test_entries_of_another_dtype_are_refused():
    with pytest.raises(ValueError, match="ENTRY"):
        opened().submit(np.zeros(1, np.int64))


def test_no_entries_no_events():
    assert len(opened().submit(make_records(ENTRY, 0))) == 0


def test_largest_quantities_add_up():
    core = opened()
    core.submit(to_array([place(i, quantity_lots=QUANTITY_LOTS_MAX) for i in range(1, 5)]))
    assert core.depth(0, BUY, 1)["quantity_lots"].tolist() == [4 * QUANTITY_LOTS_MAX]


NEEDS = [
    (place(1, quantity_lots=1), 0, (Need.EVENTS, 2)),
    (place(1), 9, (Need.ORDERS, 1)),
    (ReferenceEntry(EntryKind.CANCEL, 1), 0, (Need.EVENTS, 1)),
    (ReferenceEntry(EntryKind.CANCEL, 1), 1, (Need.NOTHING, 0)),
]


@pytest.mark.parametrize(("entry", "events_free", "expected"), NEEDS)
def test_needs_of_a_core_without_room(entry, events_free, expected):
    core = MatchingCore(Sizes(books=1, orders=1, pages=1, nodes=1, id_pages=1, id_span=1, owners=1, chunks=1))
    core.open_book()
    core.submit(to_array([place(0)]))  # takes the only order
    entries = to_array([entry])
    _, _, need, at_least = kernels.run_batch(core.state, entries, 0, make_records(EVENT, events_free), 0)
    assert (need, at_least) == expected


def test_events_are_asked_for_exactly_when_the_bound_does_not_fit():
    """Ten makers rest, two would fill; four events suffice (two fills and the bound's two), three do not."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, side=SELL, owner=1 + i // 10, quantity_lots=5) for i in range(1, 11)]))
    entries = to_array([place(11, owner=0, quantity_lots=10)])
    for events_free, expected in ((3, (0, 0, Need.EVENTS, 4)), (4, (1, 2, Need.NOTHING, 0))):
        assert kernels.run_batch(core.state, entries, 0, make_records(EVENT, events_free), 0) == expected


def test_every_kind_of_room_is_asked_for():
    """A stream over tiny pools meets every need; what is asked for is enough (nothing is asked for twice in a row)."""
    core = MatchingCore(TINY)
    for _ in range(2):
        core.open_book()
    entries = to_array([place(1 + 5000 * i, owner=i // 40, price_ticks=1 - i * 5000, book=i % 2) for i in range(200)])
    seen = set()
    index = n_events = 0
    previous = None
    events = make_records(EVENT, 1)
    while index < len(entries):
        index, n_events, need, at_least = kernels.run_batch(core.state, entries, index, events, n_events)
        if need == Need.NOTHING:
            break
        assert (index, need) != previous
        previous = (index, need)
        seen.add(Need(need))
        if need == Need.EVENTS:
            events = make_records(EVENT, max(at_least, len(events)))
            n_events = 0
        else:
            core.grow(need, at_least)
    assert seen == set(Need) - {Need.NOTHING}
    core.check_all()


def test_room_goes_back_when_orders_end():
    """Pages, nodes, id pages, log chunks and orders are all free again, and a flood of short-lived orders takes no more than a few."""
    core = opened()
    capacity = None
    order_id = 0
    for turn in range(60):
        ids = range(order_id + 1, order_id + 201)
        order_id = ids[-1]
        core.submit(to_array([place(i, price_ticks=i % 7 * 5000, owner=3) for i in ids]))
        core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in ids]))
        sizes = [len(core.state.orders), len(core.state.pages), len(core.state.nodes), len(core.state.id_pages), len(core.state.chunks)]
        if turn == 30:
            capacity = sizes
    core.check_all()
    assert sizes == capacity
    assert int(core.state.owners["entries"][3]) <= 8 * 200 + CHUNK
    kernels.cancel_owner(core.state, make_records(EVENT, 1), 0, -1, 3, 1)
    assert (core.state.pools["free"] == sizes).all()


def test_long_lived_order_keeps_its_id_page_only():
    core = opened()
    core.submit(to_array([place(1)]))
    for i in range(2, 200_000, 5_000):
        core.submit(to_array([place(i, side=SELL, price_ticks=99), ReferenceEntry(EntryKind.CANCEL, i)]))
    assert core.find_slot(1) >= 0
    assert len(core.state.id_pages) == 2
    core.check_all()


@pytest.mark.parametrize("order_id", [0, 2, 4095, 4096, 10**12, -1, -(2**40)])
def test_unknown_ids_have_no_slot(order_id):
    core = opened()
    core.submit(to_array([place(1), place(10**6)]))
    assert core.find_slot(order_id) == -1


def test_order_by_slot_and_walk():
    pair = Pair(n_books=2)
    for entry in (
        place(1, book=1),
        place(2, book=1, price_ticks=11),
        place(3, book=1, price_ticks=-70_000),
        place(4, book=1, side=SELL, price_ticks=12, owner=9),
    ):
        pair.apply(entry)
    state = pair.core.state
    view = orders.order_at(state, pair.core.find_slot(4))
    assert view == (4, 9, SELL, 1, 12, 5)
    slot = kernels.first_order(state, 1, BUY)
    walked = []
    while slot >= 0:
        walked.append(orders.order_at(state, slot).order_id)
        slot = kernels.order_after(state, slot)
    assert walked == [2, 1, 3]
    assert kernels.first_order(state, 0, BUY) == -1


def test_orders_of_an_owner():
    core = opened(2)
    core.submit(to_array([place(i, book=i % 2, owner=i % 3, side=SELL) for i in range(1, 13)]))
    room = np.full(3, -1, np.int64)
    assert kernels.owner_orders(core.state, 1, -1, room) == 4
    assert [orders.order_at(core.state, slot).order_id for slot in room] == [1, 4, 7]
    assert kernels.owner_orders(core.state, 1, 0, room) == 2
    assert kernels.owner_orders(core.state, 10_000, -1, room) == 0


def test_depth_is_cut():
    core = opened()
    core.submit(to_array([place(i, price_ticks=i) for i in range(1, 9)]))
    assert core.depth(0, BUY, 3)["price_ticks"].tolist() == [8, 7, 6]
    assert len(core.depth(0, SELL, 3)) == 0


def test_state_hash_sees_every_logical_field_and_no_slot():
    base = [place(1, owner=1), place(2, owner=2)]
    hashes = set()
    changes = ({}, {"owner": 3}, {"price_ticks": 9}, {"quantity_lots": 4}, {"side": SELL, "price_ticks": 11}, {"order_id": 3}, {"book": 1})
    for change in changes:
        core = opened(2)
        core.submit(to_array([base[0], base[1]._replace(**change)]))
        hashes.add(core.state_hash())
    assert len(hashes) == len(changes)
    swapped = opened(2)
    swapped.submit(to_array([base[1]._replace(order_id=0), place(1, owner=1), ReferenceEntry(EntryKind.CANCEL, 0), base[1]]))
    straight = opened(2)
    straight.submit(to_array(base))
    assert orders_of(swapped, 0) == orders_of(straight, 0)
    assert swapped.dump_orders(0)["slot"].tolist() != straight.dump_orders(0)["slot"].tolist()
    assert swapped.state_hash() == straight.state_hash()


def test_state_hash_of_named_books():
    """The caller's own sequence of books decides, not their numbers."""
    one, two = opened(2), opened(2)
    one.submit(to_array([place(1, book=0), place(2, book=1, side=SELL)]))
    two.submit(to_array([place(1, book=1), place(2, book=0, side=SELL)]))
    assert one.state_hash() != two.state_hash()
    assert one.state_hash([0, 1]) == two.state_hash([1, 0])


def test_priority_is_in_the_hash():
    one, two = opened(), opened()
    one.submit(to_array([place(1), place(2)]))
    two.submit(to_array([place(1), place(2)]))
    two.submit(to_array([ReferenceEntry(EntryKind.AMEND, 1, price_ticks=10, quantity_lots=6)]))
    two.submit(to_array([ReferenceEntry(EntryKind.AMEND, 1, price_ticks=10, quantity_lots=5)]))
    assert sorted(orders_of(one, 0)) == sorted(orders_of(two, 0))
    assert one.state_hash() != two.state_hash()


def test_events_carry_the_slots():
    core = opened()
    core.submit(to_array([place(1, side=SELL, owner=1)]))
    maker = core.find_slot(1)
    filled, rested = core.submit(to_array([place(2, quantity_lots=6, owner=2)]))
    assert (filled["slot"], filled["counter_slot"]) == (-1, maker)
    assert rested["slot"] == core.find_slot(2)
    amended = core.submit(to_array([ReferenceEntry(EntryKind.AMEND, 2, owner=2, price_ticks=9, quantity_lots=8)]))
    assert set(amended["slot"].tolist()) == {core.find_slot(2)}
    assert [event.order_id for event in to_events(amended)] == [2, 2]
