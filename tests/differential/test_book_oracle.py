"""The compiled books against the plain-Python oracle: events and state after every command.

The campaign of tests/differential/campaign.py draws the same streams in any length.
"""

import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from matching.core import MatchingCore
from matching.records import BookPhase, EntryFlag, EntryKind, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry
from matching.state import Sizes
from tests.differential.adversarial import STREAMS, reused_ids
from tests.differential.campaign import Run, compare
from tests.differential.streams import EXTREMES, PROFILES, draw_stream
from tests.matching.books import TINY, Pair, run_with_growth, to_array, to_orders

N_BOOKS = 3


@pytest.mark.parametrize("callers_ids", [False, True], ids=["dense", "callers"])
@pytest.mark.parametrize("profile", PROFILES)
def test_random_streams_agree_after_every_command(profile, callers_ids):
    compare(Run(1, profile, callers_ids, n_commands=250))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 150))
@pytest.mark.parametrize("profile", PROFILES)
def test_long_random_streams_agree(profile, seed):
    compare(Run(seed, profile, seed % 4 == 3, n_commands=3_000))


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_adversarial_streams_agree(stream):
    pair = Pair()
    for index, entry in enumerate(stream(240)):
        pair.submit(entry)
        if index % 8 == 0:
            pair.compare_state()
    pair.compare_state()
    pair.core.check_all()


def test_ids_used_again_agree():
    pair = Pair(callers_ids=True)
    for entry in reused_ids(300):
        pair.apply(entry)


@pytest.mark.soak
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_long_adversarial_streams_agree(stream):
    pair = Pair()
    for entry in stream(5_000):
        pair.submit(entry)
    pair.compare_state()
    pair.core.check_all()


# One command of a book with few prices and owners; `target` picks a living order for amends and cancels.
FLAG_CHOICES = [
    EntryFlag.NONE,
    EntryFlag.POST_ONLY,
    EntryFlag.POST_ONLY | EntryFlag.REPRICE,
    EntryFlag.ICEBERG,
    EntryFlag.MINIMUM,
    EntryFlag.ALL_OR_NONE,
    EntryFlag.STOP,
    EntryFlag.STOP | EntryFlag.MINIMUM,
]
COMMANDS = st.lists(
    st.tuples(
        st.sampled_from([*[EntryKind.PLACE] * 5, EntryKind.AMEND, EntryKind.AMEND, *(kind for kind in EntryKind if kind != EntryKind.BASKET)]),
        st.integers(0, 30),
        st.integers(0, 2),
        st.sampled_from(list(Side)),
        st.one_of(st.integers(-2, 2), st.integers(-(2**31), 2**31 - 1)),
        st.integers(1, 6),
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK]),
        st.sampled_from(list(SelfTrade)),
        st.sampled_from(FLAG_CHOICES),
        st.integers(-2, 2),
    ),
    max_size=40,
)


@given(COMMANDS)
def test_any_commands_agree(commands):
    pair = Pair()
    next_id = 0
    for kind, target, owner, side, price, lots, time_in_force, self_trade, flags, stop in commands:
        order_id = next_id
        if kind == EntryKind.PLACE:
            next_id += 1
        elif live := pair.reference.orders(0):
            order_id = live[target % len(live)].order_id
        if kind == EntryKind.AMEND:
            flags &= EntryFlag.POST_ONLY | EntryFlag.REPRICE  # noqa: PLW2901 - an amend knows two of them
        if kind == EntryKind.SET_PHASE:
            lots = target % len(BookPhase)  # noqa: PLW2901 - the phase travels in that field
        terms = {"display_lots": 1, "min_lots": (lots + 1) // 2, "stop_ticks": stop}
        pair.apply(ReferenceEntry(kind, order_id, 0, owner, side, price, lots, time_in_force, self_trade, flags, **terms))


# One of each kind that is taken as it stands, for a book where orders 0 (of owner 1, in the ladder), 1 (waiting) and 2 (stop) live.
TAKEN = {
    EntryKind.PLACE: ReferenceEntry(EntryKind.PLACE, 3, 0, 1, Side.SELL, 50, 5),
    EntryKind.CANCEL: ReferenceEntry(EntryKind.CANCEL, 0),
    EntryKind.AMEND: ReferenceEntry(EntryKind.AMEND, 0, price_ticks=11, quantity_lots=7),
    EntryKind.EXPIRE: ReferenceEntry(EntryKind.EXPIRE, 1),
    EntryKind.BASKET: ReferenceEntry(EntryKind.BASKET, 3, 0, 2, Side.BUY, 10, 2, TimeInForce.FOK, legs=1),
    EntryKind.MASS_CANCEL: ReferenceEntry(EntryKind.MASS_CANCEL, owner=1, flags=7, side=Side.SELL, label=0),
    EntryKind.SET_PHASE: ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.AUCTION),
    EntryKind.UNCROSS: ReferenceEntry(EntryKind.UNCROSS, book=1, price_ticks=5),
    EntryKind.SET_BAND: ReferenceEntry(EntryKind.SET_BAND, price_ticks=1, stop_ticks=5),
}
SETTING = [
    ReferenceEntry(EntryKind.PLACE, 0, 0, 1, Side.SELL, 10, 5),
    ReferenceEntry(EntryKind.PLACE, 1, 0, 1, Side.BUY, 12, 9, flags=EntryFlag.ALL_OR_NONE),
    ReferenceEntry(EntryKind.PLACE, 2, 0, 2, Side.BUY, 12, 9, flags=EntryFlag.STOP, stop_ticks=15),
    ReferenceEntry(EntryKind.SET_PHASE, book=1, quantity_lots=BookPhase.AUCTION),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in EXTREMES.items() for value in values])
@pytest.mark.parametrize("kind", TAKEN, ids=lambda kind: kind.name)
def test_fields_at_their_extremes(kind, name, value):
    """Refused with the state as it was, or taken; the same in both, and never an exception."""
    pair = Pair(n_books=2)
    pair.apply(*SETTING)
    before = pair.core.state_hash()
    events = pair.apply(TAKEN[kind]._replace(**{name: value}))
    if any(event.reason >= 32 for event in events):
        assert pair.core.state_hash() == before
        assert len(events) == 1


def test_every_kind_is_taken_as_it_stands():
    for kind, entry in TAKEN.items():
        pair = Pair(n_books=2)
        pair.apply(*SETTING)
        assert all(event.reason < 32 for event in pair.apply(entry)), kind


SIZES = [TINY, Sizes(), Sizes(books=2, orders=3, pages=200, nodes=2, id_pages=1, owners=5, chunks=2)]


def opened(sizes: Sizes) -> MatchingCore:
    core = MatchingCore(sizes)
    for _ in range(N_BOOKS):
        core.open_book()
    return core


def cut(commands: list[list[ReferenceEntry]], rng: random.Random) -> list[np.ndarray]:
    """The stream in random pieces; a basket stays whole."""
    pieces = []
    start = 0
    while start < len(commands):
        end = start + rng.choice((1, 10, 100, len(commands)))
        pieces.append(to_array([entry for command in commands[start:end] for entry in command]))
        start = end
    return pieces


@pytest.mark.parametrize("seed", range(3))
def test_batches_and_sizes_do_not_matter(seed):
    """The same stream whole, in random pieces, entry by entry, with any sizes of pools and event buffers: same events, same hash."""
    commands = draw_stream(seed, 600)
    rng = random.Random(seed)
    results = set()
    for sizes in SIZES:
        for capacity in (1, 7, 5000):
            core = opened(sizes)
            events = [event for piece in cut(commands, rng) for event in run_with_growth(core, piece, capacity)]
            core.check_all()
            results.add((hash(tuple(events)), core.state_hash()))
    assert len(results) == 1


@pytest.mark.parametrize("seed", range(3))
def test_going_on_after_a_restore_changes_nothing(seed):
    """Dump at a random point, restore into a core of other sizes, go on: same events, same hash."""
    commands = draw_stream(seed, 600)
    at = random.Random(seed).randrange(200, 400)
    head, tail = ([to_array(command) for command in part] for part in (commands[:at], commands[at:]))
    whole, before, after = (opened(sizes) for sizes in SIZES)
    for command in head:
        whole.submit(command)
        before.submit(command)
    for book in range(N_BOOKS):
        for view in before.dump_orders(book):
            after.restore_order(book, view)
        after.restore_book(book, before.book_facts(book))
    after.check_all()
    assert after.state_hash() == whole.state_hash()
    for command in tail:
        assert run_with_growth(after, command, 3) == run_with_growth(whole, command, 100)
    after.check_all()
    assert after.state_hash() == whole.state_hash()
    assert [to_orders(after.dump_orders(book)) for book in range(N_BOOKS)] == [to_orders(whole.dump_orders(book)) for book in range(N_BOOKS)]
