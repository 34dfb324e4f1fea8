"""The checker finds every kind of damage: each row breaks one thing in a sound state."""

import pytest

from matching.check import CheckError
from matching.core import MatchingCore
from matching.records import ORDER_VIEW, EntryKind, Side
from matching.reference import ReferenceEntry
from matching.state import FANOUT, HAS_COLD, NIL, Pool, Sizes, make_records
from tests.matching.books import to_array


@pytest.fixture
def core():
    core = MatchingCore(Sizes(books=1, orders=8, pages=8, nodes=16, id_pages=2, owners=4, chunks=4))
    core.open_book()
    rows = [(1, 1, 10), (2, 1, 10), (3, 2, 9), (4, 1, 70_000_000), (5, 3, 80_000_000)]
    sides = {price: Side.SELL if price > 100 else Side.BUY for _, _, price in rows}
    core.submit(to_array([ReferenceEntry(EntryKind.PLACE, i, 0, owner, sides[price], price, 5) for i, owner, price in rows]))
    core.check_all()
    core.check_book(0)
    return core


def slot(core, order_id):
    return core.find_slot(order_id)


def level_of(core, order_id):
    return int(core.state.orders["level"][slot(core, order_id)])


def page_of(core, order_id):
    return level_of(core, order_id) // FANOUT


def put(array, field, index, value):
    array[field][index] = value


def free_head(core, pool):
    return int(core.state.pools["head"][pool])


def mark_cold(core, order_id, **cold):
    core.state.orders["owner"][slot(core, order_id)] |= HAS_COLD
    for field, value in cold.items():
        core.state.cold[field][slot(core, order_id)] = value


# What breaks, and a word of the message. The first group is found by `check_book`, the second by `check_all` only.
IN_BOOK = {
    "no lots": (lambda c: put(c.state.orders, "remaining_lots", slot(c, 1), 0), "no lots"),
    "back link": (lambda c: put(c.state.orders, "prev", slot(c, 2), slot(c, 3)), "linked elsewhere"),
    "level of an order": (lambda c: put(c.state.orders, "level", slot(c, 2), level_of(c, 3)), "linked elsewhere"),
    "forward link": (lambda c: put(c.state.orders, "next", slot(c, 1), NIL), "ends elsewhere"),
    "a queue that goes round": (lambda c: put(c.state.orders, "next", slot(c, 2), slot(c, 1)), "linked elsewhere"),
    "tail": (lambda c: put(c.state.levels, "tail", level_of(c, 1), slot(c, 1)), "ends elsewhere"),
    "quantity of a level": (lambda c: put(c.state.levels, "quantity_lots", level_of(c, 1), 11), "holds 10 lots"),
    "mark without orders": (lambda c: put(c.state.pages, "occupied", page_of(c, 1), 1 << 63), "marks other levels"),
    "orders without mark": (lambda c: put(c.state.pages, "occupied", page_of(c, 4), 0), "is empty"),
    "first price": (lambda c: put(c.state.pages, "first_ticks", page_of(c, 1), 64), "first price"),
    "side of a page": (lambda c: put(c.state.pages, "side_index", page_of(c, 1), 1), "belongs elsewhere"),
    "parent of a page": (lambda c: put(c.state.pages, "parent", page_of(c, 1), 9), "another parent"),
    "summary": (lambda c: put(c.state.nodes, "summary", int(c.state.sides["root"][0]), 3), "summary of other children"),
    "empty node": (lambda c: put(c.state.nodes, "summary", int(c.state.sides["root"][0]), 0), "is empty"),
    "parent of the root": (lambda c: put(c.state.nodes, "parent", int(c.state.sides["root"][0]), 1), "root has a parent"),
    "digit of a node": (lambda c: put(c.state.nodes, "digit", int(c.state.sides["hot_node"][1]), 63), "hangs elsewhere"),
    "best price": (lambda c: put(c.state.sides, "best_ticks", 0, 9), "best price"),
    "best level": (lambda c: put(c.state.sides, "best_level", 0, level_of(c, 3)), "best price"),
    "waiting counted": (lambda c: put(c.state.books, "waiting", 0, 1), "counted otherwise"),
    "stops counted": (lambda c: put(c.state.books, "stops", 0, 1), "counted otherwise"),
    "taken for unusual": (lambda c: put(c.state.sides, "unusual", 1, 1), "takes it for what it is not"),
    "taken for ordinary": (lambda c: put(c.state.books, "has_band", 0, 1), "takes it for what it is not"),
    "cold half of nothing": (lambda c: mark_cold(c, 1), "has a cold half"),
    "condition in the ladder": (lambda c: mark_cold(c, 1, flags=8, min_lots=1), "the conditions 8"),
    "reserve of no iceberg": (lambda c: mark_cold(c, 1, label=1, reserve_lots=1), "no iceberg's"),
    "iceberg without display": (lambda c: mark_cold(c, 1, flags=4), "without a display"),
    "hot directory": (lambda c: put(c.state.sides, "hot_key", 1, int(c.state.sides["hot_key"][1]) - 2500), "hot directory"),
    "lost root": (lambda c: put(c.state.sides, "root", 0, NIL), "not all of it"),
}
BESIDE = {
    "forgotten id": (lambda c: c.state.id_slots.__setitem__(c.state.id_slots == slot(c, 1), NIL), "id page"),
    "id of another slot": (lambda c: c.state.id_slots.__setitem__(c.state.id_slots == slot(c, 1), slot(c, 2)), "exactly the orders"),
    "count of an id page": (lambda c: put(c.state.id_pages, "live", 0, 4), "id page"),
    "id in the log of another": (lambda c: put(c.state.orders, "owner", slot(c, 1), 2), "another's order"),
    "id of two orders": (lambda c: put(c.state.orders, "order_id", slot(c, 1), 2), "the same id"),
    "order beside its log": (lambda c: put(c.state.orders, "log_at", slot(c, 3), 999), "otherwise than its order"),
    "dead in its log": (lambda c: put(c.state.chunks, "live", int(c.state.owners["newest"][1]), 1), "otherwise than its order"),
    "unwritten in a log": (lambda c: put(c.state.chunks, "live", int(c.state.owners["newest"][1]), 1 << 31), "not written"),
    "free chunk with an order": (lambda c: put(c.state.chunks, "live", free_head(c, Pool.CHUNKS), 1), "free chunk"),
    "count of a log": (lambda c: put(c.state.owners, "chunks", 1, 4), "counts 4"),
    "end of a log": (lambda c: put(c.state.owners, "write_at", 1, 999), "written elsewhere"),
    "peaks to come": (lambda c: put(c.state.core, "refills", 0, 1), "1 peaks to come counted"),
    "free order that seems alive": (lambda c: put(c.state.orders, "log_at", free_head(c, Pool.ORDERS), 7), "not marked as dead"),
    "link of a log": (lambda c: put(c.state.chunks, "older", int(c.state.owners["oldest"][1]), 1), "linked elsewhere"),
    "count of a free list": (lambda c: put(c.state.pools, "free", Pool.ORDERS, 2), "ORDERS"),
    "lost record": (lambda c: (put(c.state.pools, "head", Pool.CHUNKS, NIL), put(c.state.pools, "free", Pool.CHUNKS, 0)), "lost or used twice"),
    "free page with a level": (lambda c: put(c.state.levels, "head", free_head(c, Pool.PAGES) * FANOUT + 3, 1), "free page"),
    "free node with a child": (lambda c: c.state.children.__setitem__(free_head(c, Pool.NODES) * FANOUT, 1), "free node"),
    "free id page with an id": (lambda c: c.state.id_slots.__setitem__(-1, 1), "free id page"),
}


@pytest.mark.parametrize("name", [*IN_BOOK, *BESIDE])
def test_damage_is_found(core, name):
    damage, word = (IN_BOOK | BESIDE)[name]
    damage(core)
    with pytest.raises(CheckError, match=word):
        core.check_all()
    if name in IN_BOOK:
        with pytest.raises(CheckError, match=word):
            core.check_book(0)


def test_crossed_book_is_found(core):
    view = make_records(ORDER_VIEW, 1)
    for field, value in {"order_id": 6, "owner": 1, "side": Side.SELL, "price_ticks": 10, "remaining_lots": 1, "shown_lots": 1}.items():
        view[field] = value
    core.restore_order(0, view[0])
    with pytest.raises(CheckError, match="crossed"):
        core.check_book(0)
