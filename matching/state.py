"""The arrays that hold all books, and how they are made and grown.

Every record that lives in a pool begins its life on a free list through its `next` field; a slot on a free list holds nothing else of
meaning. Released pages, nodes and id pages are empty by construction, so taking one needs no clearing.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numba.core import config

from matching.records import ENTRY
from matching.state_block import StateBlock

NIL: Final = -1
ID_PAGE_BITS: Final = 12
ID_PAGE: Final = 1 << ID_PAGE_BITS  # order ids a page
CHUNK_BITS: Final = 5
CHUNK: Final = 1 << CHUNK_BITS  # orders a chunk of an owner's log
CACHE_LINE: Final = 64

# A page is 64 neighbouring prices, a node 64 children: pages below a directory (4,096 ticks), nodes below the others. `place` is the
# price moved into the positive range such that prices around zero lie in the middle of a node on every floor.
FANOUT_BITS: Final = 6
FANOUT: Final = 1 << FANOUT_BITS
PRICE_BIAS: Final = 2**31 + 32 * (2**6 + 2**12 + 2**18 + 2**24)
NODES_MAX_PER_ORDER: Final = 10  # a root raised four floors, then a path of five nodes

# Ladders of a book, by number in the book. An even one is best at its highest price, an odd one at its lowest. What waits beside the
# ladder of bids and asks hangs in ladders of its own: orders with a minimum by limit, stops by stop price.
LADDER_BITS: Final = 3
LADDERS: Final = 1 << LADDER_BITS


class Ladder(IntEnum):
    BIDS = 0
    ASKS = 1
    WAITING_BUYS = 2
    WAITING_SELLS = 3
    SELL_STOPS = 4
    BUY_STOPS = 5


class Pool(IntEnum):
    ORDERS = 0
    PAGES = 1
    NODES = 2
    ID_PAGES = 3
    CHUNKS = 4


# `head` of the free list and how many are on it. `first` (ID_PAGES only): number of the first id page that `id_directory` covers.
POOL: Final = np.dtype([("head", "i4"), ("free", "i4"), ("first", "i8")], align=True)
# What speaks of all books. `last_order_id`: the highest dense id so far. `hash_shift`: 64 less the bits of the table of the caller's ids,
# 0 where ids are dense. `live_ids`: of the caller. `refills`: peaks that all icebergs can still show. `released`: slot of an order that has
# just traded its minimum and is about to enter; NIL between entries.
CORE: Final = np.dtype([("last_order_id", "i8"), ("live_ids", "i8"), ("hash_shift", "i8"), ("refills", "i8"), ("released", "i8")], align=True)
# A book beyond its ladders. `waiting`, `stops`: how many orders wait for each.
BOOK: Final = np.dtype(
    [
        ("last_ticks", "i4"),
        ("band_low_ticks", "i4"),
        ("band_high_ticks", "i4"),
        ("waiting", "i4"),
        ("stops", "i4"),
        ("has_traded", "u1"),
        ("has_band", "u1"),
        ("phase", "u1"),
        ("is_open", "u1"),
    ],
    align=True,
)
# Fields that are never NIL are unsigned where they index on the way of every order: the compiler then leaves out the wrap-around of
# negative indices.
# One ladder; book b has 8b (bids), 8b + 1 (asks) and so on. `height` and `prefix`: the root covers the directories whose key
# shifted right by 6 * height is `prefix`. `hot_node` counts only while `hot_key` is not NIL. `unusual` (bids and asks): the book is not
# open, not continuous, has a band or orders beside the ladder, so an entry takes the long way.
SIDE: Final = np.dtype(
    [
        ("best_level", "i4"),
        ("best_ticks", "i4"),
        ("hot_key", "i4"),
        ("hot_node", "u4"),
        ("root", "i4"),
        ("prefix", "i4"),
        ("height", "i4"),
        ("unusual", "i4"),
    ],
    align=True,
)
# The hot half of an order. `remaining_lots`: in the ladder what is shown, beside it all. `owner` carries the bit HAS_COLD where the cold
# half counts. `log_at`: its place in its owner's log.
ORDER: Final = np.dtype(
    [("next", "i4"), ("prev", "i4"), ("level", "u4"), ("owner", "u4"), ("remaining_lots", "u4"), ("log_at", "u4"), ("order_id", "i8")], align=True
)
HAS_COLD: Final = 1 << 31
OWNER_MASK: Final = HAS_COLD - 1
# The cold half: what few orders have. `flags`: of EntryFlag, as they still hold.
COLD: Final = np.dtype(
    [
        ("reserve_lots", "u4"),
        ("display_lots", "u4"),
        ("min_lots", "u4"),
        ("label", "u4"),
        ("limit_ticks", "i4"),
        ("stop_ticks", "i4"),
        ("flags", "u2"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("side", "u1"),
    ],
    align=True,
)
LEVEL: Final = np.dtype([("head", "i4"), ("tail", "i4"), ("quantity_lots", "i8")], align=True)
PAGE: Final = np.dtype([("occupied", "u8"), ("next", "i4"), ("parent", "i4"), ("first_ticks", "i4"), ("side_index", "u4")], align=True)
NODE: Final = np.dtype([("summary", "u8"), ("next", "i4"), ("parent", "i4"), ("digit", "i4"), ("unused", "i4")], align=True)
ID_PAGE_RECORD: Final = np.dtype([("next", "i4"), ("live", "i4")], align=True)
ID_TABLE_RECORD: Final = np.dtype([("id_hash", "u4"), ("slot", "i4")], align=True)  # `slot` NIL: empty
# `write_at`: place in `chunk_slots` of the next entry of the log; a multiple of CHUNK where it needs a new chunk.
OWNER: Final = np.dtype([("write_at", "u4"), ("oldest", "i4"), ("newest", "i4"), ("chunks", "i4"), ("compact_at", "i4")], align=True)
# `live`: a bit for each entry whose order has not ended, by its place in the chunk.
CHUNK_RECORD: Final = np.dtype([("next", "i4"), ("older", "i4"), ("live", "u4")], align=True)


class BookState(StateBlock):
    """All books of one core. Passed as one argument; replaced as a whole when a pool grows."""

    core: Any  # CORE, one
    pools: Any  # POOL, by Pool
    sides: Any  # SIDE, LADDERS a book
    books: Any  # BOOK
    orders: Any  # ORDER, by slot
    cold: Any  # COLD, by slot
    levels: Any  # LEVEL, page * 64 + place in the page
    pages: Any  # PAGE
    nodes: Any  # NODE
    children: Any  # int32, node * 64 + digit
    id_directory: Any  # int32, page of the ids from (first + index) * 4096
    id_slots: Any  # int32, page * 4096 + id % 4096
    id_pages: Any  # ID_PAGE_RECORD
    id_table: Any  # ID_TABLE_RECORD, a power of two, open addressing; the caller's ids only
    owners: Any  # OWNER, by owner
    chunks: Any  # CHUNK_RECORD
    chunk_slots: Any  # uint32, chunk * 32 + place: order slots, stale where the bit in `chunks` is clear
    queue: Any  # int64, scratch: slots of the stops that one entry triggered
    scratch: Any  # ENTRY, one: an order that enters again


class Sizes(NamedTuple):
    """First sizes of the pools. They decide memory and speed, never an outcome; all grow."""

    books: int = 16
    orders: int = 4096
    pages: int = 64
    nodes: int = 32
    id_pages: int = 4
    owners: int = 64
    chunks: int = 64
    callers_ids: int = 4096  # ids of the caller that live at once


def make_records(dtype: np.dtype, n: int) -> np.ndarray:
    """Zeroed records of a structured dtype, from the start of a cache line; with attribute access in plain Python when the JIT is off."""
    size = n * dtype.itemsize
    block = np.zeros(size + CACHE_LINE, np.uint8)
    start = -block.ctypes.data % CACHE_LINE
    array = block[start : start + size].view(dtype)
    return array.view(np.recarray) if config.DISABLE_JIT else array


def _grown(array: np.ndarray, n: int, fill: int = 0) -> np.ndarray:
    larger = make_records(array.dtype, n) if array.dtype.names else np.full(n, fill, array.dtype)
    larger[: len(array)] = array
    return larger


def empty_state(*, callers_ids: bool) -> BookState:
    """A state with no room at all: every pool is empty."""
    core = make_records(CORE, 1)
    core["last_order_id"] = NIL
    core["released"] = NIL
    core["hash_shift"] = 63 if callers_ids else 0
    pools = make_records(POOL, len(Pool))
    pools["head"] = NIL
    return BookState(
        core=core,
        pools=pools,
        sides=make_records(SIDE, 0),
        books=make_records(BOOK, 0),
        orders=make_records(ORDER, 0),
        cold=make_records(COLD, 0),
        levels=make_records(LEVEL, 0),
        pages=make_records(PAGE, 0),
        nodes=make_records(NODE, 0),
        children=np.zeros(0, np.int32),
        id_directory=np.zeros(0, np.int32),
        id_slots=np.zeros(0, np.int32),
        id_pages=make_records(ID_PAGE_RECORD, 0),
        id_table=_empty_table(2),
        owners=make_records(OWNER, 0),
        chunks=make_records(CHUNK_RECORD, 0),
        chunk_slots=np.zeros(0, np.uint32),
        queue=np.zeros(1, np.int64),
        scratch=make_records(ENTRY, 1),
    )


def pool_records(state: BookState, pool: Pool) -> np.ndarray:
    """The records of a pool; each has a `next` field for the free list."""
    return (state.orders, state.pages, state.nodes, state.id_pages, state.chunks)[pool]


def grow_books(state: BookState, n_books: int) -> BookState:
    """Room for `n_books` books; the new ones are empty and closed."""
    old = len(state.sides)
    sides = _grown(state.sides, LADDERS * n_books)
    for name in ("best_level", "hot_key", "root"):
        sides[name][old:] = NIL
    sides["unusual"][old:] = 1
    return state._replace(sides=sides, books=_grown(state.books, n_books))


def grow_pool(state: BookState, pool: Pool, capacity: int) -> BookState:
    """Enlarge one pool to `capacity` records; the new ones come first on its free list, in ascending order."""
    records = pool_records(state, pool)
    old = len(records)
    records = _grown(records, capacity)
    entry = state.pools[pool]
    records["next"][old:-1] = np.arange(old + 1, capacity)
    records["next"][-1] = entry["head"]
    entry["head"] = old
    entry["free"] += capacity - old
    if pool == Pool.ORDERS:
        return state._replace(orders=records, cold=_grown(state.cold, capacity))
    if pool == Pool.PAGES:
        levels = _grown(state.levels, capacity * FANOUT)
        levels["head"][old * FANOUT :] = levels["tail"][old * FANOUT :] = NIL
        return state._replace(pages=records, levels=levels)
    if pool == Pool.NODES:
        return state._replace(nodes=records, children=_grown(state.children, capacity * FANOUT, NIL))
    if pool == Pool.ID_PAGES:
        return state._replace(id_pages=records, id_slots=_grown(state.id_slots, capacity * ID_PAGE, NIL))
    return state._replace(chunks=records, chunk_slots=_grown(state.chunk_slots, capacity * CHUNK))


def grow_owners(state: BookState, n_owners: int) -> BookState:
    """Room for the owners 0 to n_owners - 1."""
    old = len(state.owners)
    owners = _grown(state.owners, n_owners)
    owners["oldest"][old:] = owners["newest"][old:] = NIL
    owners["compact_at"][old:] = 2
    return state._replace(owners=owners)


def grow_queue(state: BookState, n_stops: int) -> BookState:
    """Room for `n_stops` stops triggered by one entry."""
    return state._replace(queue=np.zeros(n_stops, np.int64))


def _empty_table(n: int) -> np.ndarray:
    table = make_records(ID_TABLE_RECORD, n)
    table["slot"] = NIL
    return table


def empty_id_table(state: BookState, bits: int) -> BookState:
    """A table of 2**bits places for the caller's ids, still without them."""
    state.core["hash_shift"] = 64 - bits
    return state._replace(id_table=_empty_table(1 << bits))


def cover_id(state: BookState, order_id: int) -> BookState:
    """Let the id directory cover `order_id`. Leading id pages that ended are dropped, so it grows with the span of live ids only."""
    page = order_id >> ID_PAGE_BITS
    entry = state.pools[Pool.ID_PAGES]
    used = np.flatnonzero(state.id_directory >= 0)
    base = int(entry["first"])
    first = min(page, base + int(used[0])) if len(used) else page
    last = max(page, base + int(used[-1])) if len(used) else page
    directory = np.full(max(len(state.id_directory), 2 * (last - first + 1)), NIL, np.int32)
    directory[used + base - first] = state.id_directory[used]
    entry["first"] = first
    return state._replace(id_directory=directory)
