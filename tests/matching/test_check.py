"""The checker finds every kind of damage: each row breaks one thing in a sound state."""

import pytest

from matching.check import CheckError
from matching.core import MatchingCore
from matching.records import EntryKind, Side
from matching.reference import ReferenceEntry
from matching.state import FANOUT, NIL, Pool, Sizes
from tests.matching.books import to_array


@pytest.fixture
def core():
    core = MatchingCore(Sizes(books=1, orders=8, pages=8, nodes=16, id_pages=2, id_span=2, owners=4, chunks=4))
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
    "count of a side": (lambda c: put(c.state.sides, "orders", 0, 4), "4 orders counted"),
    "hot directory": (lambda c: put(c.state.sides, "hot_key", 1, int(c.state.sides["hot_key"][1]) - 2500), "hot directory"),
    "lost root": (lambda c: put(c.state.sides, "root", 0, NIL), "not all of it"),
}
BESIDE = {
    "forgotten id": (lambda c: c.state.id_slots.__setitem__(c.state.id_slots == slot(c, 1), NIL), "id page"),
    "id of another slot": (lambda c: c.state.id_slots.__setitem__(c.state.id_slots == slot(c, 1), slot(c, 2)), "exactly the resting orders"),
    "count of an id page": (lambda c: put(c.state.id_pages, "live", 0, 4), "id page"),
    "id in the log of another": (lambda c: put(c.state.orders, "owner", slot(c, 1), 2), "another's order"),
    "id missing in the log": (lambda c: c.state.chunk_ids.__setitem__(c.state.chunk_ids == 3, 100), "missing"),
    "log out of sequence": (lambda c: c.state.chunk_ids.__setitem__(c.state.chunk_ids == 2, 0), "does not ascend"),
    "count of a log": (lambda c: put(c.state.owners, "entries", 1, 4), "counts 4"),
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
    core.restore_order(0, 6, 1, Side.SELL, 10, 1)
    with pytest.raises(CheckError, match="crossed"):
        core.check_book(0)
