"""The compiled books against the plain-Python oracle: events and state after every command."""

import os
import random
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from matching.core import MatchingCore
from matching.records import EntryFlag, EntryKind, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry
from matching.state import Sizes
from tests.matching.books import TINY, Pair, orders_of, random_entry, random_stream, run_with_growth, to_array

ROOT = Path(__file__).resolve().parents[2]


def compare_stream(seed: int, n: int, wide: bool) -> None:
    """One random run with pools of size one. Repeat a failure with this function and its arguments."""
    rng = random.Random(seed)
    pair = Pair(n_books=2)
    last = 0
    for _ in range(n):
        x = rng.random()
        if x < 0.01:
            pair.cancel_owner(rng.randrange(4), rng.choice([None, *pair.books]))
        elif x < 0.015:
            pair.cancel_book(rng.choice(pair.books))
        else:
            entry = random_entry(rng, pair.reference, last, pair.books, wide)
            last = max(last, entry.order_id)
            pair.apply(entry)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_random_streams_agree_after_every_command(seed, wide):
    compare_stream(seed, 300, wide)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
def test_long_random_streams_agree(seed):
    compare_stream(seed, 3000, wide=seed % 2 == 0)


# One command of a book with few prices and owners; `target` picks a live order for everything but new ones.
COMMANDS = st.lists(
    st.tuples(
        st.sampled_from([EntryKind.PLACE, EntryKind.PLACE, EntryKind.AMEND, EntryKind.CANCEL, EntryKind.EXPIRE]),
        st.integers(0, 30),
        st.integers(0, 2),
        st.sampled_from(list(Side)),
        st.one_of(st.integers(-2, 2), st.integers(-(2**31), 2**31 - 1)),
        st.integers(1, 6),
        st.sampled_from(list(TimeInForce)),
        st.sampled_from(list(SelfTrade)),
        st.sampled_from([EntryFlag.NONE, EntryFlag.POST_ONLY]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(COMMANDS)
def test_any_commands_agree(commands):
    pair = Pair()
    next_id = 0
    for kind, target, owner, side, price, lots, time_in_force, policy, flags in commands:
        if kind == EntryKind.PLACE:
            pair.apply(ReferenceEntry(kind, next_id, 0, owner, side, price, lots, time_in_force, policy, flags))
            next_id += 1
        elif live := pair.reference.orders(0):
            order = live[target % len(live)]
            pair.apply(ReferenceEntry(kind, order.order_id, 0, order.owner, order.side, price, lots, time_in_force, policy, flags))


SIZES = [TINY, Sizes(), Sizes(books=2, orders=3, pages=200, nodes=2, id_pages=1, id_span=1000, owners=5, chunks=2)]


@pytest.mark.parametrize("seed", range(3))
def test_batches_and_sizes_do_not_matter(seed):
    """The same stream whole, in random pieces, entry by entry, with any sizes of pools and event buffers: same events, same hash."""
    array = to_array(random_stream(seed, 1500))
    rng = random.Random(seed)
    results = set()
    for sizes in SIZES:
        for capacity in (1, 7, 5000):
            core = MatchingCore(sizes)
            for _ in range(2):
                core.open_book()
            events = []
            start = 0
            while start < len(array):
                end = start + rng.choice((1, 10, 100, len(array)))
                events += run_with_growth(core, array[start:end], capacity)
                start = end
            core.check_all()
            results.add((hash(tuple(events)), core.state_hash()))
    assert len(results) == 1


@pytest.mark.parametrize("seed", range(3))
def test_going_on_after_a_restore_changes_nothing(seed):
    """Dump at a random point, restore into a core of other sizes, go on: same events, same hash, same mass cancels."""
    entries = to_array(random_stream(seed, 1200))
    cut = random.Random(seed).randrange(200, 1000)
    whole, before, after = (MatchingCore(sizes) for sizes in SIZES)
    for core in (whole, before, after):
        for _ in range(2):
            core.open_book()
    run_with_growth(whole, entries[:cut], 100)
    run_with_growth(before, entries[:cut], 100)
    for book in before.open_books:
        for order_id, owner, side, price, lots in orders_of(before, book):
            after.restore_order(book, order_id, owner, side, price, lots)
    after.check_all()
    assert after.state_hash() == whole.state_hash()
    assert run_with_growth(after, entries[cut:], 3) == run_with_growth(whole, entries[cut:], 100)
    after.check_all()
    assert after.state_hash() == whole.state_hash()


def test_agrees_without_the_jit():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    code = "from tests.differential.test_book_oracle import compare_stream\nfor seed in (1, 2): compare_stream(seed, 150, wide=seed == 2)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
