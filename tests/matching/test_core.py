"""The Python face: books, room, preconditions, views, hashes."""

import numpy as np
import pytest

from matching import batch, commands, orders, queries
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, QUANTITY_LOTS_MAX, EntryFlag, EntryKind, EventKind, Need, Reason, Side, TimeInForce
from matching.reference import ReferenceEntry
from matching.state import CHUNK, Pool, Sizes, make_records
from tests.matching.books import TINY, Pair, to_array, to_events, to_orders

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


def test_entries_of_another_dtype_are_refused():
    with pytest.raises(ValueError, match="ENTRY"):
        opened().submit(np.zeros(1, np.int64))


def test_no_entries_no_events():
    assert len(opened().submit(make_records(ENTRY, 0))) == 0


def test_largest_quantities_add_up():
    core = opened()
    core.submit(to_array([place(i, quantity_lots=QUANTITY_LOTS_MAX) for i in range(1, 5)]))
    assert core.depth(0, BUY, 1)["quantity_lots"].tolist() == [4 * QUANTITY_LOTS_MAX]


# entry, events free, what is asked for; the core has one slot for an order, which is taken
NEEDS = [
    (place(1, quantity_lots=1, price_ticks=9), 0, (Need.ORDERS, 1)),
    (ReferenceEntry(EntryKind.MASS_CANCEL, owner=0), 9, (Need.ORDERS, 1)),
]


@pytest.mark.parametrize(("entry", "events_free", "expected"), NEEDS)
def test_needs_of_a_core_without_room(entry, events_free, expected):
    core = MatchingCore(Sizes(books=1, orders=1, pages=1, nodes=1, id_pages=1, owners=1, chunks=1))
    core.open_book()
    core.submit(to_array([place(0)]))  # takes the only order
    before = core.state_hash()
    _, n_events, need, at_least = batch.run_batch(core.state, to_array([entry]), 0, make_records(EVENT, events_free), 0)
    assert (need, at_least) == expected
    assert n_events == 0
    assert core.state_hash() == before


def test_events_are_asked_for_before_anything_happens():
    """Ten makers rest and an entry could meet as many: without room for that nothing happens, with it two fill."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, side=SELL, owner=1 + i // 10, quantity_lots=5) for i in range(1, 11)]))
    entries = to_array([place(11, owner=0, quantity_lots=10)])
    before = core.state_hash()
    index, n_events, need, at_least = batch.run_batch(core.state, entries, 0, make_records(EVENT, 5), 0)
    assert (index, n_events, need) == (0, 0, Need.EVENTS)
    assert at_least > 5
    assert core.state_hash() == before
    assert batch.run_batch(core.state, entries, 0, make_records(EVENT, at_least), 0) == (1, 2, Need.NOTHING, 0)


def test_an_iceberg_that_grows_asks_for_all_its_peaks():
    """The room is that of the order's own display: an amend says nothing of it."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(1, owner=1, quantity_lots=1, flags=EntryFlag.ICEBERG, display_lots=1)]))
    core.submit(to_array([place(2, owner=2, side=SELL, price_ticks=30, flags=EntryFlag.STOP, stop_ticks=1)]))
    amend = to_array([ReferenceEntry(EntryKind.AMEND, 1, price_ticks=11, quantity_lots=900, display_lots=900)])
    _, _, need, at_least = batch.run_batch(core.state, amend, 0, make_records(EVENT, 20), 0)
    assert need == Need.EVENTS
    assert at_least > 900


def test_a_stop_out_of_reach_asks_for_no_room():
    """With hundreds of orders in the book, one that cannot reach the stop needs room for its own lots only; one that can, for all."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, side=SELL, owner=1, price_ticks=20 + i) for i in range(1, 301)]))
    core.submit(to_array([place(301, owner=2, flags=EntryFlag.STOP, stop_ticks=25)]))
    for order_id, limit, need in ((302, 9, Need.NOTHING), (303, 22, Need.NOTHING), (304, 25, Need.EVENTS)):
        entry = to_array([place(order_id, owner=3, price_ticks=limit, quantity_lots=5)])
        assert batch.run_batch(core.state, entry, 0, make_records(EVENT, 40), 0)[2] == need


@pytest.mark.parametrize("n_orders", [batch.SOME_ORDERS, batch.MANY_ORDERS])
@pytest.mark.parametrize("callers_ids", [False, True])
def test_asking_ahead_changes_nothing(callers_ids, n_orders):
    """With many orders a batch asks for memory ahead of its turn; entry by entry it cannot. Ids that never were or are far off are no harm."""
    cores = [MatchingCore(Sizes(orders=40_000, id_pages=16), callers_ids=callers_ids) for _ in range(2)]
    orders_at_rest = make_records(ENTRY, n_orders)
    orders_at_rest["kind"], orders_at_rest["quantity_lots"] = PLACE, 5
    orders_at_rest["order_id"] = np.arange(1, len(orders_at_rest) + 1)
    orders_at_rest["price_ticks"] = orders_at_rest["order_id"] % 997
    for core in cores:
        core.open_book()
        core.submit(orders_at_rest)
    assert cores[0].live_orders == n_orders
    ids = [1, 5_000, 5_000, 30_000, 10**9, 2**63 - 1, -(2**63), -1, 0, *range(7_000, 7_040)]
    entries = [ReferenceEntry(EntryKind.CANCEL, order_id) for order_id in ids]
    entries += [ReferenceEntry(EntryKind.AMEND, order_id, price_ticks=order_id % 900, quantity_lots=7) for order_id in ids]
    whole = to_events(cores[0].submit(to_array(entries)))
    assert whole == [event for entry in entries for event in to_events(cores[1].submit(to_array([entry])))]
    assert cores[0].state_hash() == cores[1].state_hash()


def test_the_bound_of_events_does_not_grow_with_the_lots():
    core = opened(sizes=Sizes())
    core.submit(to_array([place(1, side=SELL, owner=1)]))
    entries = to_array([place(2, quantity_lots=QUANTITY_LOTS_MAX)])
    assert batch.run_batch(core.state, entries, 0, make_records(EVENT, 20), 0) == (1, 2, Need.NOTHING, 0)


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
        index, n_events, need, at_least = batch.run_batch(core.state, entries, index, events, n_events)
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
    assert seen == set(Need) - {Need.NOTHING, Need.QUEUE, Need.ID_TABLE}
    core.check_all()


def test_stops_ask_for_room_in_their_queue():
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, owner=1, flags=EntryFlag.STOP, stop_ticks=20) for i in range(1, 4)]))
    entries = to_array([place(4, owner=2, side=SELL, price_ticks=20), place(5, owner=3, price_ticks=20)])
    assert batch.run_batch(core.state, entries, 0, make_records(EVENT, 500), 0)[2:] == (Need.QUEUE, 3)
    kinds = [event.kind for event in to_events(core.submit(entries))]
    assert kinds.count(EventKind.TRIGGERED) == 3


def test_the_legs_of_a_basket_ask_for_room_together():
    """Each leg triggers a stop that needs a page of the pool for its limit, and frees none: together more than any of them alone."""
    legs = 30
    core = opened(legs)
    entries = []
    for book in range(legs):
        first = 10 * book
        entries.append(place(first + 1, book=book, side=SELL, quantity_lots=2, price_ticks=1_000))
        for n in range(2):
            fields = {"price_ticks": 100 * n, "stop_ticks": 1_000, "flags": EntryFlag.STOP, "owner": 2}
            entries.append(place(first + 2 + n, book=book, side=BUY, **fields))
    core.submit(to_array(entries))
    basket = [
        ReferenceEntry(EntryKind.BASKET, 1_000 + i, book=i, owner=1, quantity_lots=1, price_ticks=1_000, time_in_force=TimeInForce.FOK,
                       legs=legs if i == 0 else 0)
        for i in range(legs)
    ]  # fmt: skip
    events = to_events(core.submit(to_array(basket)))
    assert [event.kind for event in events].count(EventKind.TRIGGERED) == 2 * legs
    assert int(core.state.pools[Pool.PAGES]["free"]) >= 0
    core.check_all()


def test_the_table_of_ids_grows_and_finds_any_64_bits():
    core = MatchingCore(TINY, callers_ids=True)
    core.open_book()
    ids = [-(2**63), 2**63 - 1, 0, -1, *(i * 2**40 for i in range(1, 50))]
    core.submit(to_array([place(i, price_ticks=1) for i in ids]))
    core.check_all()
    assert len({core.find_slot(i) for i in ids}) == len(ids)
    core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in ids[::2]]))
    core.check_all()
    assert [core.find_slot(i) >= 0 for i in ids] == [n % 2 == 1 for n in range(len(ids))]
    again = core.submit(to_array([place(ids[0]), place(ids[1])]))
    assert [event.reason for event in to_events(again)] == [Reason.NONE, Reason.ORDER_ID_OUT_OF_SEQUENCE]


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
    assert int(core.state.owners["chunks"][3]) * CHUNK <= 8 * 200 + 2 * CHUNK
    commands.mass_cancel(core.state, make_records(EVENT, 1), 0, 3, 0, 0, 0, 0, 1)
    assert (core.state.pools["free"] == sizes).all()


def test_a_chunk_of_a_log_goes_back_with_its_last_order():
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, owner=2) for i in range(1, 4 * CHUNK + 1)]))
    assert int(core.state.owners["chunks"][2]) == 4
    for ended, left in ((range(CHUNK + 1, 2 * CHUNK + 1), 3), (range(1, CHUNK + 1), 2), (range(3 * CHUNK + 1, 4 * CHUNK + 1), 2)):
        core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in ended]))
        core.check_all()
        assert int(core.state.owners["chunks"][2]) == left  # the newest stays, to be written again
    core.submit(to_array([place(500, owner=2)]))
    core.check_all()
    assert int(core.state.owners["chunks"][2]) == 2
    views = core.state.orders["order_id"][core.owner_orders(2)]
    assert views.tolist() == [*range(2 * CHUNK + 1, 3 * CHUNK + 1), 500]


def test_a_mass_cancel_goes_on_behind_a_chunk_that_it_empties():
    """The last order of the first chunk is not its last entry."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, owner=2) for i in range(1, 2 * CHUNK + 1)]))
    core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in range(4, CHUNK + 1)]))
    ended = to_events(core.submit(to_array([ReferenceEntry(EntryKind.MASS_CANCEL, 0, owner=2)])))
    assert [event.order_id for event in ended] == [1, 2, 3, *range(CHUNK + 1, 2 * CHUNK + 1)]
    core.check_all()
    assert int(core.state.owners["chunks"][2]) == 0


def test_a_log_held_by_a_few_old_orders_is_written_anew():
    """One order in each chunk stays, so none goes back by itself; the owner's orders keep their order."""
    core = opened(sizes=Sizes())
    kept = []
    for turn in range(60):
        ids = range(turn * CHUNK + 1, (turn + 1) * CHUNK + 1)
        core.submit(to_array([place(i, owner=2) for i in ids]))
        kept.append(ids[turn % CHUNK])
        core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in ids if i != kept[-1]]))
        core.check_all()
    assert int(core.state.owners["chunks"][2]) <= 8 * 60 // CHUNK + 8
    assert core.state.orders["order_id"][core.owner_orders(2)].tolist() == kept


def test_a_buffer_with_events_is_emptied_before_the_book_is_walked():
    """More lots than events are free: with events in the buffer it asks to be emptied, no larger; empty, the orders there are bound it."""
    core = opened(sizes=Sizes())
    core.submit(to_array([place(i, side=SELL, owner=1) for i in range(1, 4)]))
    entries = to_array([place(4, owner=2, quantity_lots=900)])
    events = make_records(EVENT, 40)
    before = core.state_hash()
    assert batch.run_batch(core.state, entries, 0, events, 1) == (0, 1, Need.EVENTS, 40)
    assert core.state_hash() == before
    assert batch.run_batch(core.state, entries, 0, events, 0) == (1, 4, Need.NOTHING, 0)


def test_ids_with_the_same_hash_are_told_apart():
    """The table keeps the upper half of the hash only; the id itself stands in the order."""
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    wrapped = [(0xABCD << 32 | low) * inverse % 2**64 for low in range(6)]  # the same upper half
    ids = [i - 2**64 if i >= 2**63 else i for i in wrapped]
    core = MatchingCore(TINY, callers_ids=True)
    core.open_book()
    core.submit(to_array([place(i) for i in ids[:5]]))
    core.check_all()
    assert len(set(core.state.id_table["id_hash"][core.state.id_table["slot"] >= 0].tolist())) == 1
    assert core.find_slot(ids[5]) < 0
    assert [int(core.state.orders["order_id"][core.find_slot(i)]) for i in ids[:5]] == ids[:5]
    core.submit(to_array([ReferenceEntry(EntryKind.CANCEL, i) for i in ids[1:4]]))
    core.check_all()
    assert [core.find_slot(i) >= 0 for i in ids] == [True, False, False, False, True, False]


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
    assert pair.core.dump_orders(1)["order_id"].tolist() == [2, 1, 3, 4]
    assert len(pair.core.dump_orders(0)) == 0


def test_orders_of_an_owner():
    core = opened(2)
    core.submit(to_array([place(i, book=i % 2, owner=i % 3, side=SELL) for i in range(1, 13)]))
    room = np.full(3, -1, np.int64)
    assert queries.owner_orders(core.state, 1, -1, room) == 4
    assert [orders.order_at(core.state, slot).order_id for slot in room] == [1, 4, 7]
    assert queries.owner_orders(core.state, 1, 0, room) == 2
    assert queries.owner_orders(core.state, 10_000, -1, room) == 0


def test_slots_of_an_owner_and_what_stands_before_an_order():
    core = opened(2)
    core.submit(to_array([place(i, owner=i % 2) for i in range(1, 6)]))
    assert [orders.order_at(core.state, slot).order_id for slot in core.owner_orders(1)] == [1, 3, 5]
    assert core.owner_orders(1, 1).tolist() == []
    assert [core.queue_position(i) for i in (1, 4, 9)] == [(0, 0), (3, 15), None]
    core.submit(to_array([place(6, flags=EntryFlag.STOP, stop_ticks=50)]))
    assert core.queue_position(6) is None


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
    assert to_orders(swapped.dump_orders(0)) == to_orders(straight.dump_orders(0))
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
    assert sorted(to_orders(one.dump_orders(0))) == sorted(to_orders(two.dump_orders(0)))
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
