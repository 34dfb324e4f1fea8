"""The C interface against the Python face of the same core."""

import gc
import random

import numpy as np
import pytest

from matching.core import MatchingCore
from matching.embedding import ABI_VERSION, SIZE_MAX, SIZES, EmbeddedCore, Status
from matching.records import ENTRY, EntryKind, EventKind, Side
from matching.reference import ReferenceEntry
from matching.state import Sizes, make_records
from tests.differential.streams import PROFILES, draw_stream
from tests.matching.books import TINY, to_array, to_events
from tests.matching.c_host import api_table, call, create, depth, process_all, process_once

N_BOOKS = 3
ONES = dict.fromkeys(SIZES.names, 1) | {"books": N_BOOKS}
BUY, SELL = Side.BUY, Side.SELL


def place(order_id, **fields):
    return ReferenceEntry(EntryKind.PLACE, order_id, **({"quantity_lots": 5, "price_ticks": 10} | fields))


def python_core(**options):
    core = MatchingCore(**options)
    for _ in range(N_BOOKS):
        core.open_book()
    return core


def levels(array):
    return array[["price_ticks", "quantity_lots", "orders"]].tolist()


@pytest.fixture
def core():
    """With pools of size one and a book open."""
    core = EmbeddedCore(TINY)
    core.open_book()
    return core


def calls_of(commands, rng):
    """The entries of a stream cut at random between commands; the legs of a basket stay together."""
    while commands:
        n = rng.choice((1, 1, 2, 7, 64))
        yield to_array([entry for command in commands[:n] for entry in command])
        commands = commands[n:]


@pytest.mark.parametrize("callers_ids", [False, True], ids=["dense", "callers"])
@pytest.mark.parametrize("profile", PROFILES)
def test_events_and_depth_are_those_of_submit(profile, callers_ids):
    rng = random.Random(f"c {profile}")
    commands = draw_stream(3, 250, PROFILES[profile], N_BOOKS) if not callers_ids else callers_stream(PROFILES[profile])
    handle = create(callers_ids=callers_ids, **ONES)
    twin = python_core(callers_ids=callers_ids)
    for entries in calls_of(commands, rng):
        events = np.concatenate(list(process_all(handle, entries, rng.choice((0, 1, 7, 4096)))))
        assert to_events(events) == to_events(twin.submit(entries))
    for book in range(N_BOOKS):
        for side in Side:
            for capacity in (0, 1, 3, 1000):
                assert levels(depth(handle, book, side, capacity)) == levels(twin.depth(book, side, capacity))
    assert call("live_orders", handle) == twin.live_orders > 0
    assert call("destroy", handle) == Status.DONE


def callers_stream(profile):
    """Ids from all 64 bits, negative ones among them."""
    renumber = {}
    commands = []
    for command in draw_stream(4, 250, profile, N_BOOKS):
        known = [renumber.setdefault(entry.order_id, (entry.order_id * 0x9E3779B97F4A7C15 + 2**63) % 2**64 - 2**63) for entry in command]
        commands.append([entry._replace(order_id=order_id) for entry, order_id in zip(command, known, strict=True)])
    return commands


def test_pools_grow_behind_the_handle(core):
    entries = to_array([place(i, owner=i % 7, price_ticks=i * 97 % 4099, side=BUY, book=0) for i in range(1, 1_001)])
    handle = core.handle
    status, done, events, _ = process_once(handle, entries, 5_000)
    assert (status, done, len(events)) == (Status.DONE, 1_000, 1_000)
    assert core.handle == handle
    assert core.live_orders == 1_000
    core.check_all()
    twin = MatchingCore(Sizes())
    twin.open_book()
    twin.submit(entries)
    assert core.state_hash() == twin.state_hash()


def test_python_and_c_take_turns(core):
    process_once(core.handle, to_array([place(1, side=SELL)]), 8)
    (fill, rest) = core.submit(to_array([place(2, side=BUY, quantity_lots=7, owner=1)]))
    assert (fill["kind"], rest["kind"]) == (EventKind.FILLED, EventKind.RESTED)
    book = core.open_book()
    assert depth(core.handle, 0, BUY, 4)["quantity_lots"].tolist() == [2]
    _, _, events, _ = process_once(core.handle, to_array([place(3, book=book)]), 8)
    assert events["kind"].tolist() == [EventKind.RESTED]


def test_full_events_leave_the_next_entry_alone(core):
    core.submit(to_array([place(i, side=SELL, quantity_lots=1) for i in range(1, 11)]))
    sweep = to_array([place(11, side=BUY, quantity_lots=10, owner=1), place(12)])
    before = core.state_hash()
    status, done, events, needed = process_once(core.handle, sweep, 9)
    assert (status, done, len(events)) == (Status.EVENTS_FULL, 0, 0)
    assert core.state_hash() == before
    assert needed >= 10
    status, done, events, _ = process_once(core.handle, sweep, needed)
    assert done >= 1
    assert events["kind"].tolist()[:10] == [EventKind.FILLED] * 10


def test_no_memory_ends_between_two_entries(core, monkeypatch):
    first, rest = to_array([place(1)]), to_array([place(2), place(3)])
    assert process_once(core.handle, first, 8)[0] == Status.DONE
    grow = core.grow
    for error in (MemoryError, ValueError):
        monkeypatch.setattr(core, "grow", lambda need, at_least, error=error: (_ for _ in ()).throw(error))
        before = core.state_hash()
        status, done, events, _ = process_once(core.handle, rest, 8)
        assert (status, done, len(events)) == (Status.OUT_OF_MEMORY, 0, 0)
        assert core.state_hash() == before
    monkeypatch.setattr(core, "grow", grow)
    assert process_once(core.handle, rest, 16)[:2] == (Status.DONE, 2)
    core.check_all()


@pytest.mark.parametrize(("n_entries", "capacity"), [(-1, 8), (1, -1), (-(2**63), 8)])
def test_negative_counts_do_nothing(core, n_entries, capacity):
    status, done, events, needed = process_once(core.handle, to_array([place(1)]), capacity, n_entries)
    assert (status, done, len(events), needed) == (Status.INVALID_ARGUMENT, 0, 0, 0)
    assert core.live_orders == 0


def test_no_entries_are_done_at_once(core):
    assert process_once(core.handle, make_records(ENTRY, 0), 0)[:2] == (Status.DONE, 0)


@pytest.mark.parametrize(
    ("book", "side", "capacity"), [(-1, 0, 4), (1, 0, 4), (2**31 - 1, 0, 4), (-(2**31), 0, 4), (0, -1, 4), (0, 2, 4), (0, 0, -1)]
)
def test_depth_of_what_is_not_there(core, book, side, capacity):
    assert depth(core.handle, book, side, capacity) == -1


def test_books_open_and_close():
    handle = create(**ONES)
    assert [call("open_book", handle) for _ in range(3)] == [3, 4, 5]
    process_once(handle, to_array([place(1, book=4)]), 8)
    assert call("close_book", handle, 4) == Status.INVALID_ARGUMENT
    assert len(depth(handle, 3, BUY, 4)) == 0
    assert call("close_book", handle, 3) == Status.DONE
    assert call("close_book", handle, 3) == Status.INVALID_ARGUMENT
    assert depth(handle, 3, BUY, 4) == -1
    assert call("open_book", handle) == 3
    call("destroy", handle)


def test_a_core_made_by_c_lives_until_it_is_destroyed():
    handle = create()
    gc.collect()
    assert process_once(handle, to_array([place(1)]), 8)[0] == Status.DONE
    assert call("live_orders", handle) == 1
    assert call("destroy", handle) == Status.DONE
    assert call("destroy", handle) == Status.INVALID_ARGUMENT


def test_defaults_are_one_book():
    handle = create()
    assert len(depth(handle, 0, BUY, 1)) == 0
    assert depth(handle, 1, BUY, 1) == -1
    assert call("open_book", handle) == 1
    call("destroy", handle)


def test_a_size_of_zero_is_the_default_and_no_books_are_none():
    handle = create(books=0)
    assert depth(handle, 0, BUY, 1) == -1
    assert call("open_book", handle) == 0
    assert process_once(handle, to_array([place(1)]), 8)[0] == Status.DONE
    call("destroy", handle)


@pytest.mark.parametrize("name", SIZES.names)
@pytest.mark.parametrize("size", [-1, SIZE_MAX + 1, 2**63 - 1, -(2**63)])
def test_impossible_sizes_make_no_core(name, size):
    assert create(**{name: size}) is None


def test_functions_do_nothing_for_a_core_that_is_none(core):
    assert call("destroy", core.handle) == Status.INVALID_ARGUMENT  # made by Python
    assert call("destroy", None) == Status.INVALID_ARGUMENT
    assert call("close_book", None, 0) == Status.INVALID_ARGUMENT
    assert call("open_book", None) == -1
    assert call("live_orders", None) == -1


def test_table_names_its_version():
    assert api_table()["abi_version"] == ABI_VERSION
    assert all(int(api_table()[name]) for name in api_table().dtype.names)
