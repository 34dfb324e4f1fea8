"""The invariants of the books as a checker in plain numpy: it walks the arrays by itself and calls no kernel.

1. Every order of a level is linked both ways, names that level and has lots; the level's quantity is their sum; the queue ends at the tail.
2. A level has orders exactly where its page says so; a page or node is never empty and hangs where its parent says it does.
3. A ladder's cached best level and price are those of a walk; its hot directory is the one of its key.
4. A continuous book is never crossed: the best bid is below the best ask. It counts what waits beside its ladder, and says so there.
5. An order hangs in the ladder that its conditions ask for; a reserve is an iceberg's, and all peaks still to come are counted. Stops of one
   price stand by id.
6. The id index finds exactly the orders; its pages, or its table, count their ids.
7. Every order stands once in its owner's log, where it says.
8. Every record of every pool is in use once or on the free list once. (6 to 8 speak of all books together.)
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from matching.records import BookPhase, EntryFlag
from matching.state import CHUNK, CHUNK_BITS, FANOUT, HAS_COLD, ID_PAGE, ID_PAGE_BITS, LADDERS, NIL, OWNER_MASK, PRICE_BIAS, BookState, Ladder, Pool

_DEAD = 2**32 - 1
# Conditions that an order in a ladder must and may have.
_LADDER_FLAGS = {
    Ladder.BIDS: (0, EntryFlag.ICEBERG),
    Ladder.ASKS: (0, EntryFlag.ICEBERG),
    Ladder.WAITING_BUYS: (EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE, 0),
    Ladder.WAITING_SELLS: (EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE, 0),
    Ladder.SELL_STOPS: (EntryFlag.STOP, EntryFlag.ICEBERG | EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE),
    Ladder.BUY_STOPS: (EntryFlag.STOP, EntryFlag.ICEBERG | EntryFlag.MINIMUM | EntryFlag.ALL_OR_NONE),
}


class CheckError(Exception):
    """An invariant of the matching core does not hold; the message names it and the place."""


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise CheckError(message)


def _digits(word: int) -> list[int]:
    return [place for place in range(FANOUT) if word >> place & 1]


class _Walk:
    """One pass over the given books; collects what is in use as it goes."""

    def __init__(self, state: BookState) -> None:
        self.state = state
        self.in_use: dict[Pool, list[int]] = {pool: [] for pool in Pool}
        self.owner_of: dict[int, int] = {}  # by slot
        self.refills = 0

    def side(self, side_index: int) -> tuple[list[int], int]:
        """Check one side. Returns its prices, ascending, and the number of its orders."""
        state = self.state
        record = state.sides[side_index]
        ladder = Ladder(side_index % LADDERS)
        name = f"book {side_index // LADDERS} {ladder.name}"
        if record["root"] == NIL:
            _require(record["best_level"] == NIL and record["hot_key"] == NIL, f"{name}: empty, but not all of it")
            return [], 0
        _require(state.nodes[record["root"]]["parent"] == NIL, f"{name}: the root has a parent")
        pages = self._pages(int(record["root"]), int(record["height"]), int(record["prefix"]), name)
        levels: dict[int, int] = {}
        n_orders = 0
        for page, first_place in pages:
            _require(state.pages[page]["side_index"] == side_index, f"{name}: page {page} belongs elsewhere")
            _require(state.pages[page]["first_ticks"] == first_place - PRICE_BIAS, f"{name}: page {page} has another first price")
            places = _digits(int(state.pages[page]["occupied"]))
            heads = state.levels["head"][page * FANOUT : (page + 1) * FANOUT]
            _require(places == np.flatnonzero(heads >= 0).tolist(), f"{name}: page {page} marks other levels than those with orders")
            for place in places:
                levels[first_place + place - PRICE_BIAS] = page * FANOUT + place
                n_orders += self._level(page * FANOUT + place, ladder, name)
        best = min(levels) if side_index & 1 else max(levels)
        _require(record["best_ticks"] == best and record["best_level"] == levels[best], f"{name}: the best price is {best}")
        return sorted(levels), n_orders

    def _pages(self, node: int, height: int, key: int, name: str) -> list[tuple[int, int]]:
        """Pages below a node that covers `key` at `height`, with the first place of each."""
        state = self.state
        self.in_use[Pool.NODES].append(node)
        children = state.children[node * FANOUT : (node + 1) * FANOUT]
        digits = _digits(int(state.nodes[node]["summary"]))
        _require(digits, f"{name}: node {node} is empty")
        _require(digits == np.flatnonzero(children >= 0).tolist(), f"{name}: node {node} has a summary of other children")
        found = []
        for digit in digits:
            child = int(children[digit])
            below = key * FANOUT + digit
            if height == 0:
                self.in_use[Pool.PAGES].append(child)
                _require(state.pages[child]["parent"] == node, f"{name}: page {child} has another parent")
                _require(state.pages[child]["occupied"], f"{name}: page {child} is empty")
                found.append((child, below * FANOUT))
            else:
                _require(state.nodes[child]["parent"] == node and state.nodes[child]["digit"] == digit, f"{name}: node {child} hangs elsewhere")
                found += self._pages(child, height - 1, below, name)
        return found

    def _level(self, level: int, ladder: Ladder, name: str) -> int:
        """Check the queue of one level. Returns the number of its orders."""
        state = self.state
        record = state.levels[level]
        slot, previous, quantity, n = int(record["head"]), NIL, 0, 0
        while slot != NIL:
            order = state.orders[slot]
            _require(order["prev"] == previous and order["level"] == level, f"{name}: order {order['order_id']} is linked elsewhere")
            _require(order["remaining_lots"] > 0, f"{name}: order {order['order_id']} has no lots")
            self.in_use[Pool.ORDERS].append(slot)
            self.owner_of[slot] = int(order["owner"]) & OWNER_MASK
            self._conditions(slot, ladder, name)
            _require(
                previous == NIL or ladder < Ladder.SELL_STOPS or state.orders[previous]["order_id"] < order["order_id"], f"{name}: stops not by id"
            )
            quantity += int(order["remaining_lots"])
            previous, slot, n = slot, int(order["next"]), n + 1
        _require(record["tail"] == previous, f"{name}: level {level} ends elsewhere")
        _require(record["quantity_lots"] == quantity, f"{name}: level {level} holds {quantity} lots, not {record['quantity_lots']}")
        return n

    def _conditions(self, slot: int, ladder: Ladder, name: str) -> None:
        """Check the cold half of an order against the ladder it hangs in."""
        cold = self.state.cold[slot]
        counts = int(self.state.orders[slot]["owner"]) & HAS_COLD
        flags, label = (int(cold["flags"]), int(cold["label"])) if counts else (0, 0)
        must, may = _LADDER_FLAGS[ladder]
        _require((not must or flags & must) and not flags & ~(must | may), f"{name}: an order with the conditions {flags}")
        if not counts:
            return
        _require(flags or label, f"{name}: an order without conditions has a cold half")
        reserve, display = int(cold["reserve_lots"]), int(cold["display_lots"])
        _require(not reserve or (flags & EntryFlag.ICEBERG and ladder < Ladder.WAITING_BUYS), f"{name}: a reserve that is no iceberg's")
        _require(not flags & EntryFlag.ICEBERG or display, f"{name}: an iceberg without a display")
        in_range = 0 < cold["min_lots"] <= self.state.orders[slot]["remaining_lots"]
        _require(not flags & EntryFlag.MINIMUM or in_range, f"{name}: a minimum out of range")
        self.refills += -(-reserve // display) if reserve else 0

    def book(self, book: int) -> None:
        """Check all ladders of a book and what its record says of them."""
        state = self.state
        prices, counts = zip(*(self.side(LADDERS * book + ladder) for ladder in Ladder), strict=True)
        bids, asks = prices[Ladder.BIDS], prices[Ladder.ASKS]
        record = state.books[book]
        _require(record["phase"] != BookPhase.CONTINUOUS or not bids or not asks or bids[-1] < asks[0], f"book {book} is crossed")
        waiting = counts[Ladder.WAITING_BUYS] + counts[Ladder.WAITING_SELLS]
        stops = counts[Ladder.BUY_STOPS] + counts[Ladder.SELL_STOPS]
        _require((record["waiting"], record["stops"]) == (waiting, stops), f"book {book}: {waiting} orders wait and {stops} stops, counted otherwise")
        unusual = not record["is_open"] or record["phase"] or record["has_band"] or waiting or stops
        for ladder in (Ladder.BIDS, Ladder.ASKS):
            _require(bool(state.sides[LADDERS * book + ladder]["unusual"]) == bool(unusual), f"book {book}: its ladder takes it for what it is not")
        for ladder in Ladder:
            self.hot_directory(LADDERS * book + ladder)

    def hot_directory(self, side_index: int) -> None:
        """Check that the hot directory is where a walk with its key ends."""
        state = self.state
        record = state.sides[side_index]
        if record["hot_key"] == NIL:
            return
        key, node = int(record["hot_key"]), int(record["root"])
        for floor in range(int(record["height"]) - 1, -1, -1):
            node = int(state.children[node * FANOUT + (key >> 6 * floor) % FANOUT])
        _require(node == record["hot_node"], f"ladder {side_index}: the hot directory is not that of its key")

    def ids(self) -> None:
        """Check the id index against the orders of all books."""
        state = self.state
        found = self._table() if int(state.core[0]["hash_shift"]) else self._pages_of_ids()
        at_slot = {int(state.orders[slot]["order_id"]): slot for slot in self.in_use[Pool.ORDERS]}
        _require(len(at_slot) == len(self.in_use[Pool.ORDERS]), "two orders have the same id")
        _require(found == at_slot, "the id index does not name exactly the orders")

    def _pages_of_ids(self) -> dict[int, int]:
        state = self.state
        found: dict[int, int] = {}
        for index in np.flatnonzero(state.id_directory >= 0):
            page = int(state.id_directory[index])
            self.in_use[Pool.ID_PAGES].append(page)
            slots = state.id_slots[page * ID_PAGE : (page + 1) * ID_PAGE]
            live = np.flatnonzero(slots >= 0)
            _require(
                len(live) and state.id_pages[page]["live"] == len(live), f"id page {page} counts {state.id_pages[page]['live']}, not {len(live)}"
            )
            first = (int(state.pools[Pool.ID_PAGES]["first"]) + int(index)) << ID_PAGE_BITS
            found.update({first + int(place): int(slots[place]) for place in live})
        return found

    def _table(self) -> dict[int, int]:
        state = self.state
        table, shift = state.id_table, int(state.core[0]["hash_shift"])
        used = np.flatnonzero(table["slot"] >= 0)
        _require(len(table) == 1 << (64 - shift) and len(used) == state.core[0]["live_ids"], "the table of ids counts otherwise")
        _require(2 * len(used) <= len(table), "the table of ids is too full")
        taken = set(used.tolist())
        for place in taken:
            order_id = int(state.orders[table[place]["slot"]]["order_id"])
            product = order_id * 0x9E3779B97F4A7C15 & 2**64 - 1
            _require(table[place]["id_hash"] == product >> 32, f"the id {order_id} is entered with the hash of another")
            step = product >> shift
            while step != place:
                _require(step in taken, f"the id {order_id} cannot be reached from its home")
                step = (step + 1) % len(table)
        return {int(state.orders[table[place]["slot"]]["order_id"]): int(table[place]["slot"]) for place in taken}

    def owners(self) -> None:
        """Check every owner's log against the orders of all books."""
        state = self.state
        places: dict[int, int] = {}  # of what is in a log, by place
        for owner in np.flatnonzero(state.owners["oldest"] >= 0):
            for at in self._log(int(owner)):
                slot = int(state.chunk_slots[at])
                live = int(state.chunks[at >> CHUNK_BITS]["live"]) >> (at % CHUNK) & 1
                _require(live == (int(state.orders[slot]["log_at"]) == at), f"the log of owner {owner} counts an entry otherwise than its order")
                if live:
                    _require(self.owner_of.get(slot) == owner, f"the log of owner {owner} names another's order, or a dead one")
                    places[at] = slot
        _require(sorted(places.values()) == sorted(self.owner_of), "an order is missing in its owner's log")

    def _log(self, owner: int) -> list[int]:
        """Places of an owner's log."""
        state = self.state
        record = state.owners[owner]
        places: list[int] = []
        chunk, older, n = int(record["oldest"]), NIL, 0
        while chunk != NIL:
            _require(state.chunks[chunk]["older"] == older, f"the log of owner {owner} is linked elsewhere")
            self.in_use[Pool.CHUNKS].append(chunk)
            end = int(record["write_at"]) if chunk == record["newest"] else (chunk + 1) * CHUNK
            _require(chunk * CHUNK < end <= (chunk + 1) * CHUNK, f"the log of owner {owner} is written elsewhere")
            live = int(state.chunks[chunk]["live"])
            _require(live >> (end - chunk * CHUNK) == 0, f"the log of owner {owner} counts what is not written")
            _require(live or chunk == record["newest"], f"the log of owner {owner} keeps a chunk without orders")
            places += range(chunk * CHUNK, end)
            older, chunk, n = chunk, int(state.chunks[chunk]["next"]), n + 1
        _require(older == record["newest"] and n == record["chunks"], f"the log of owner {owner} counts {record['chunks']} chunks, not {n}")
        return places

    def pools(self) -> None:
        """Check that every record is in use once or free once, and that free pages, nodes and id pages are blank."""
        state = self.state
        records = {
            Pool.ORDERS: state.orders,
            Pool.PAGES: state.pages,
            Pool.NODES: state.nodes,
            Pool.ID_PAGES: state.id_pages,
            Pool.CHUNKS: state.chunks,
        }
        for pool, array in records.items():
            free: list[int] = []
            slot = int(state.pools[pool]["head"])
            while slot != NIL and len(free) <= len(array):
                free.append(slot)
                slot = int(array[slot]["next"])
            _require(len(free) == state.pools[pool]["free"], f"{pool.name}: {state.pools[pool]['free']} free counted, {len(free)} found")
            counts = Counter(free + self.in_use[pool])
            _require(counts == Counter(range(len(array))), f"{pool.name}: a record is lost or used twice")
            _require(pool != Pool.ORDERS or (array["log_at"][free] == _DEAD).all(), "a free order is not marked as dead")
            self._blank(pool, free)

    def _blank(self, pool: Pool, free: list[int]) -> None:
        state = self.state
        if pool == Pool.PAGES:
            levels = state.levels.reshape(-1, FANOUT)[free]
            blank = (levels["head"] == NIL).all() and (levels["tail"] == NIL).all() and not levels["quantity_lots"].any()
            _require(blank and not state.pages["occupied"][free].any(), "a free page is not blank")
        elif pool == Pool.NODES:
            blank = (state.children.reshape(-1, FANOUT)[free] == NIL).all()
            _require(blank and not state.nodes["summary"][free].any(), "a free node is not blank")
        elif pool == Pool.ID_PAGES:
            blank = (state.id_slots.reshape(-1, ID_PAGE)[free] == NIL).all()
            _require(blank and not state.id_pages["live"][free].any(), "a free id page is not blank")
        elif pool == Pool.CHUNKS:
            _require(not state.chunks["live"][free].any(), "a free chunk counts orders")


def check_state(state: BookState, books: Iterable[int] | None) -> None:
    """Raise CheckError if an invariant does not hold in the given books, or (None) in any book, the indexes and the pools."""
    walk = _Walk(state)
    for book in range(len(state.books)) if books is None else books:
        walk.book(book)
    if books is None:
        walk.ids()
        walk.owners()
        walk.pools()
        _require(walk.refills == state.core[0]["refills"], f"{state.core[0]['refills']} peaks to come counted, {walk.refills} found")
