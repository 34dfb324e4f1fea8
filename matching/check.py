"""The invariants of the books as a checker in plain numpy: it walks the arrays by itself and calls no kernel.

1. Every order of a level is linked both ways, names that level and has lots; the level's quantity is their sum; the queue ends at the tail.
2. A level has orders exactly where its page says so; a page or node is never empty and hangs where its parent says it does.
3. A side's cached best level, best price and order count are those of a walk; its hot directory is the one of its key.
4. A book is never crossed: the best bid is below the best ask.
5. The id index finds exactly the resting orders; its pages count their ids.
6. Every owner's log ascends and names each of his resting orders.
7. Every record of every pool is in use once or on the free list once. (5 to 7 speak of all books together.)
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from matching.records import Side
from matching.state import CHUNK, FANOUT, ID_PAGE, ID_PAGE_BITS, NIL, PRICE_BIAS, BookState, Pool


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
        self.owner_of: dict[int, int] = {}  # by order id

    def side(self, side_index: int) -> tuple[list[int], int]:
        """Check one side. Returns its prices, ascending, and the number of its orders."""
        state = self.state
        record = state.sides[side_index]
        name = f"book {side_index >> 1} {Side(side_index & 1).name}"
        if record["root"] == NIL:
            _require(record["best_level"] == NIL and record["orders"] == 0 and record["hot_key"] == NIL, f"{name}: empty, but not all of it")
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
                n_orders += self._level(page * FANOUT + place, name)
        _require(record["orders"] == n_orders, f"{name}: {record['orders']} orders counted, {n_orders} found")
        best = max(levels) if side_index & 1 == Side.BUY else min(levels)
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

    def _level(self, level: int, name: str) -> int:
        """Check the queue of one level. Returns the number of its orders."""
        state = self.state
        record = state.levels[level]
        slot, previous, quantity, n = int(record["head"]), NIL, 0, 0
        while slot != NIL:
            order = state.orders[slot]
            _require(order["prev"] == previous and order["level"] == level, f"{name}: order {order['order_id']} is linked elsewhere")
            _require(order["remaining_lots"] > 0, f"{name}: order {order['order_id']} has no lots")
            self.in_use[Pool.ORDERS].append(slot)
            self.owner_of[int(order["order_id"])] = int(order["owner"])
            quantity += int(order["remaining_lots"])
            previous, slot, n = slot, int(order["next"]), n + 1
        _require(record["tail"] == previous, f"{name}: level {level} ends elsewhere")
        _require(record["quantity_lots"] == quantity, f"{name}: level {level} holds {quantity} lots, not {record['quantity_lots']}")
        return n

    def hot_directory(self, side_index: int) -> None:
        """Check that the hot directory is where a walk with its key ends."""
        state = self.state
        record = state.sides[side_index]
        if record["hot_key"] == NIL:
            return
        key, node = int(record["hot_key"]), int(record["root"])
        for floor in range(int(record["height"]) - 1, -1, -1):
            node = int(state.children[node * FANOUT + (key >> 6 * floor) % FANOUT])
        _require(node == record["hot_node"], f"book {side_index >> 1} side {side_index & 1}: the hot directory is not that of its key")

    def ids(self) -> None:
        """Check the id index against the orders of all books."""
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
        at_slot = {int(state.orders[slot]["order_id"]): slot for slot in self.in_use[Pool.ORDERS]}
        _require(found == at_slot, "the id index does not name exactly the resting orders")

    def owners(self) -> None:
        """Check every owner's log against the orders of all books."""
        state = self.state
        logged = set()
        for owner in np.flatnonzero(state.owners["oldest"] >= 0):
            ids = self._log(int(owner))
            _require(ids == sorted(set(ids)), f"the log of owner {owner} does not ascend")
            mine = [order_id for order_id in ids if order_id in self.owner_of]
            _require(all(self.owner_of[order_id] == owner for order_id in mine), f"the log of owner {owner} names another's order")
            logged.update(mine)
        _require(logged == set(self.owner_of), "an order is missing in its owner's log")

    def _log(self, owner: int) -> list[int]:
        state = self.state
        record = state.owners[owner]
        chunk, older, ids = int(record["oldest"]), NIL, []
        while chunk != NIL:
            _require(state.chunks[chunk]["older"] == older, f"the log of owner {owner} is linked elsewhere")
            self.in_use[Pool.CHUNKS].append(chunk)
            last = chunk == record["newest"]
            ids += state.chunk_ids[chunk * CHUNK : chunk * CHUNK + (int(record["filled"]) if last else CHUNK)].tolist()
            older, chunk = chunk, NIL if last else int(state.chunks[chunk]["next"])
        _require(len(ids) == record["entries"], f"the log of owner {owner} counts {record['entries']}, not {len(ids)}")
        return ids

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


def check_state(state: BookState, books: Iterable[int] | None) -> None:
    """Raise CheckError if an invariant does not hold in the given books, or (None) in any book, the indexes and the pools."""
    walk = _Walk(state)
    for book in range(len(state.sides) // 2) if books is None else books:
        bids, _ = walk.side(2 * book + Side.BUY)
        asks, _ = walk.side(2 * book + Side.SELL)
        _require(not bids or not asks or bids[-1] < asks[0], f"book {book} is crossed")
        walk.hot_directory(2 * book)
        walk.hot_directory(2 * book + 1)
    if books is None:
        walk.ids()
        walk.owners()
        walk.pools()
