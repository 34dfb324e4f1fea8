"""The arrays that hold all books, and how they are made and grown.

Every record that lives in a pool begins its life on a free list through its `next` field; a slot on a free list holds nothing else of
meaning. Released pages, nodes and id pages are empty by construction, so taking one needs no clearing.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numba.core import config

NIL: Final = -1
ID_PAGE_BITS: Final = 12
ID_PAGE: Final = 1 << ID_PAGE_BITS  # order ids a page
CHUNK: Final = 32  # order ids a chunk of an owner's log

# A page is 64 neighbouring prices, a node 64 children: pages below a directory (4,096 ticks), nodes below the others. `place` is the
# price moved into the positive range such that prices around zero lie in the middle of a node on every floor.
FANOUT_BITS: Final = 6
FANOUT: Final = 1 << FANOUT_BITS
PRICE_BIAS: Final = 2**31 + 32 * (2**6 + 2**12 + 2**18 + 2**24)
NODES_MAX_PER_ORDER: Final = 10  # a root raised four floors, then a path of five nodes


class Pool(IntEnum):
    ORDERS = 0
    PAGES = 1
    NODES = 2
    ID_PAGES = 3
    CHUNKS = 4


# `head` of the free list and how many are on it. `first` (ID_PAGES only): number of the first id page that `id_directory` covers.
POOL: Final = np.dtype([("head", "i4"), ("free", "i4"), ("first", "i8")], align=True)
# Fields that are never NIL are unsigned where they index on the way of every order: the compiler then leaves out the wrap-around of
# negative indices.
# One side of a book; book b has 2b (bids) and 2b + 1 (asks). `height` and `prefix`: the root covers the directories whose key
# shifted right by 6 * height is `prefix`. `hot_node` counts only while `hot_key` is not NIL.
SIDE: Final = np.dtype(
    [
        ("best_level", "i4"),
        ("best_ticks", "i4"),
        ("hot_key", "i4"),
        ("hot_node", "u4"),
        ("root", "i4"),
        ("prefix", "i4"),
        ("height", "i4"),
        ("orders", "i4"),
    ],
    align=True,
)
ORDER: Final = np.dtype([("next", "i4"), ("prev", "i4"), ("level", "u4"), ("owner", "i4"), ("remaining_lots", "i8"), ("order_id", "i8")], align=True)
LEVEL: Final = np.dtype([("head", "i4"), ("tail", "i4"), ("quantity_lots", "i8")], align=True)
PAGE: Final = np.dtype([("occupied", "u8"), ("next", "i4"), ("parent", "i4"), ("first_ticks", "i4"), ("side_index", "u4")], align=True)
NODE: Final = np.dtype([("summary", "u8"), ("next", "i4"), ("parent", "i4"), ("digit", "i4"), ("unused", "i4")], align=True)
ID_PAGE_RECORD: Final = np.dtype([("next", "i4"), ("live", "i4")], align=True)
OWNER: Final = np.dtype([("oldest", "i4"), ("newest", "i4"), ("filled", "i4"), ("entries", "i4"), ("compact_at", "i4")], align=True)
CHUNK_RECORD: Final = np.dtype([("next", "i4"), ("older", "i4")], align=True)


class BookState(NamedTuple):
    """All books of one core. Passed as one argument; replaced as a whole when a pool grows."""

    pools: np.ndarray  # POOL, by Pool
    sides: np.ndarray  # SIDE, two a book
    orders: np.ndarray  # ORDER, by slot
    levels: np.ndarray  # LEVEL, page * 64 + place in the page
    pages: np.ndarray  # PAGE
    nodes: np.ndarray  # NODE
    children: np.ndarray  # int32, node * 64 + digit
    id_directory: np.ndarray  # int32, page of the ids from (first + index) * 4096
    id_slots: np.ndarray  # int32, page * 4096 + id % 4096
    id_pages: np.ndarray  # ID_PAGE_RECORD
    owners: np.ndarray  # OWNER, by owner
    chunks: np.ndarray  # CHUNK_RECORD
    chunk_ids: np.ndarray  # int64, chunk * 32 + place


class Sizes(NamedTuple):
    """First sizes of the pools. They decide memory and speed, never an outcome; all grow."""

    books: int = 16
    orders: int = 4096
    pages: int = 64
    nodes: int = 32
    id_pages: int = 4
    id_span: int = 16  # id pages that the directory covers
    owners: int = 64
    chunks: int = 64


def make_records(dtype: np.dtype, n: int) -> np.ndarray:
    """Zeroed records of a structured dtype; with attribute access in plain Python when the JIT is off."""
    array = np.zeros(n, dtype)
    return array.view(np.recarray) if config.DISABLE_JIT else array


def _grown(array: np.ndarray, n: int, fill: int = 0) -> np.ndarray:
    larger = make_records(array.dtype, n) if array.dtype.names else np.full(n, fill, array.dtype)
    larger[: len(array)] = array
    return larger


def empty_state() -> BookState:
    """A state with no room at all: every pool is empty."""
    pools = make_records(POOL, len(Pool))
    pools["head"] = NIL
    return BookState(
        pools=pools,
        sides=make_records(SIDE, 0),
        orders=make_records(ORDER, 0),
        levels=make_records(LEVEL, 0),
        pages=make_records(PAGE, 0),
        nodes=make_records(NODE, 0),
        children=np.zeros(0, np.int32),
        id_directory=np.zeros(0, np.int32),
        id_slots=np.zeros(0, np.int32),
        id_pages=make_records(ID_PAGE_RECORD, 0),
        owners=make_records(OWNER, 0),
        chunks=make_records(CHUNK_RECORD, 0),
        chunk_ids=np.zeros(0, np.int64),
    )


def pool_records(state: BookState, pool: Pool) -> np.ndarray:
    """The records of a pool; each has a `next` field for the free list."""
    return (state.orders, state.pages, state.nodes, state.id_pages, state.chunks)[pool]


def grow_sides(state: BookState, n_books: int) -> BookState:
    """Room for `n_books` books; the new ones are empty."""
    old = len(state.sides)
    sides = _grown(state.sides, 2 * n_books)
    for name in ("best_level", "hot_key", "root"):
        sides[name][old:] = NIL
    return state._replace(sides=sides)


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
        return state._replace(orders=records)
    if pool == Pool.PAGES:
        levels = _grown(state.levels, capacity * FANOUT)
        levels["head"][old * FANOUT :] = levels["tail"][old * FANOUT :] = NIL
        return state._replace(pages=records, levels=levels)
    if pool == Pool.NODES:
        return state._replace(nodes=records, children=_grown(state.children, capacity * FANOUT, NIL))
    if pool == Pool.ID_PAGES:
        return state._replace(id_pages=records, id_slots=_grown(state.id_slots, capacity * ID_PAGE, NIL))
    return state._replace(chunks=records, chunk_ids=_grown(state.chunk_ids, capacity * CHUNK))


def grow_owners(state: BookState, n_owners: int) -> BookState:
    """Room for the owners 0 to n_owners - 1."""
    old = len(state.owners)
    owners = _grown(state.owners, n_owners)
    owners["oldest"][old:] = owners["newest"][old:] = NIL
    owners["compact_at"][old:] = 2 * CHUNK
    return state._replace(owners=owners)


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
