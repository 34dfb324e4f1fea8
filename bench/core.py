"""The matching core as the benchmarks see it: the only file here that names its records, its kernels and their arguments.

A change of the core's interface is one edit, here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from bench.cycles import cycle_counter
from bench.workloads import lobstrm
from bench.workloads.lobstrm import Stream, fold_trade
from matching import batch
from matching.compile import kernel
from matching.core import MatchingCore
from matching.records import ENTRY, EVENT, EntryFlag, EntryKind, EventKind, Need, SelfTrade, TimeInForce
from matching.state import Sizes, make_records

__all__ = [
    "ENGINES",
    "BookSet",
    "CoreRun",
    "EntryFlag",
    "EntryKind",
    "SelfTrade",
    "TimeInForce",
    "Workload",
    "entries_of",
    "make_entries",
    "workload_of",
]

# Small enough to stay in the second cache, large enough that a call from Python costs a nanosecond or two a message.
EVENTS_CAPACITY: Final = 1 << 12
OWNERS: Final = 128
KIND_OF_TYPE: Final = np.array([0, EntryKind.PLACE, EntryKind.CANCEL, EntryKind.AMEND, EntryKind.PLACE], np.uint8)

# The core by how its order ids are found: ascending without gaps, as a sequencer assigns them, or any 64 bits of the caller's.
ENGINES: Final[dict[str, Callable[[Sizes], MatchingCore]]] = {"dense": MatchingCore, "caller": partial(MatchingCore, callers_ids=True)}


@dataclass(frozen=True)
class Workload:
    """Entries in the core's own format. The first `n_warm` build the books and are not timed."""

    name: str
    n_books: int
    n_warm: int
    entries: np.ndarray  # ENTRY
    expected: dict[str, Any]  # as Stream.expected

    @property
    def n_timed(self) -> int:
        return len(self.entries) - self.n_warm


def make_entries(n: int) -> np.ndarray:
    """`n` zeroed entries."""
    return make_records(ENTRY, n)


def entries_of(messages: np.ndarray) -> np.ndarray:
    """MESSAGE records as entries. Buyers and sellers are different owners, so that no order meets one of its own."""
    entries = make_entries(len(messages))
    entries["kind"] = KIND_OF_TYPE[messages["type"]]
    entries["order_id"] = messages["id"]
    entries["quantity_lots"] = messages["qty"]
    entries["price_ticks"] = messages["price"]
    entries["book"] = messages["symbol"]
    entries["side"] = messages["side"]
    entries["owner"] = messages["id"] % (OWNERS // 2) * 2 + messages["side"]
    entries["time_in_force"] = np.where(messages["type"] == lobstrm.IOC, TimeInForce.IOC, TimeInForce.GTC)
    return entries


def workload_of(stream: Stream) -> Workload:
    """A standard stream as entries."""
    return Workload(stream.name, stream.n_books, stream.n_warm, entries_of(stream.messages), stream.expected)


def sizes_for(workload: Workload) -> Sizes:
    """Room for the whole workload, so that nothing grows inside the timed part."""
    n_warm = workload.n_warm
    return Sizes(
        books=workload.n_books,
        orders=4 * n_warm + 100_000,
        pages=8 * workload.n_books + 64,
        nodes=4 * workload.n_books + 64,
        id_pages=n_warm // 64 + 512,
        owners=256,
        chunks=n_warm + 16_384,
        callers_ids=n_warm + n_warm // 4,
    )


def state_bytes(core: MatchingCore) -> int:
    """Bytes of a core's arrays."""
    return sum(array.nbytes for array in core.state.parts())


class Fold(NamedTuple):
    """What the trades of a run come to."""

    hash: int = 0
    trades: int = 0
    volume: int = 0


@kernel
def fold_events(events, n_events, trade_hash, trades, volume):
    """Continue trade hash (uint64), count and volume over the first `n_events` events."""
    folded = np.uint64(trade_hash)
    for i in range(n_events):
        event = events[i]
        if event.kind == EventKind.FILLED:
            folded = fold_trade(folded, event.counter_id, event.order_id, event.price_ticks, event.quantity_lots)
            trades += 1
            volume += event.quantity_lots
    return folded, trades, volume


@kernel
def run_stamped(state, entries, start, events, n_events, cycles):
    """`run_batch` with the cycles of each entry, its question for room included, in `cycles`."""
    n = entries.shape[0]
    credit = np.int64(0)
    i = np.int64(start)
    many = batch.live_orders(state) >= batch.MANY_ORDERS
    some = batch.live_orders(state) >= batch.SOME_ORDERS
    before = cycle_counter()
    while i < n:
        batch.look_ahead(state, entries, i, n, many, some)
        following, n_events, credit, need, at_least = batch.apply_next(state, entries, i, events, n_events, credit)
        if need != Need.NOTHING:
            return i, n_events, need, at_least
        after = cycle_counter()
        cycles[i] = after - before
        before = after
        i = following
    return i, n_events, np.int64(Need.NOTHING), np.int64(0)


class CoreRun:
    """One core over one workload: books built on construction, `run` is the timed part."""

    def __init__(self, workload: Workload, ids: str = "dense") -> None:
        self.core = ENGINES[ids](sizes_for(workload))
        for _ in range(workload.n_books):
            self.core.open_book()
        self.fold = Fold()
        self.n_events = 0
        self._events = make_records(EVENT, EVENTS_CAPACITY)
        self._timed = workload.entries[workload.n_warm :]
        self._apply(workload.entries[: workload.n_warm])

    def run(self) -> float:
        """Nanoseconds a message, all events written."""
        start = time.perf_counter_ns()
        self._apply(self._timed)
        return (time.perf_counter_ns() - start) / len(self._timed)

    def run_folded(self) -> None:
        """Run with `fold` kept up to date; not for timing."""
        self._apply(self._timed, fold=True)

    def run_stamped(self) -> np.ndarray:
        """Run and return the cycles of each message, int64."""
        cycles = np.zeros(len(self._timed), np.int64)
        self._apply(self._timed, run_stamped, (cycles,))
        return cycles

    def run_one_by_one(self) -> float:
        """Nanoseconds a message when each is a call of its own from Python, without the checks of `submit`."""
        state, events, entries = self.core.state, self._events, self._timed
        start = time.perf_counter_ns()
        for index in range(len(entries)):
            done, _, _, _ = batch.run_batch(state, entries[index : index + 1], 0, events, 0)
            if not done:  # no room: the slow way
                self._apply(entries[index : index + 1])
                state, events = self.core.state, self._events
        return (time.perf_counter_ns() - start) / len(entries)

    def run_submitted(self) -> float:
        """Nanoseconds a message when each is given to `submit`, which checks it and returns its events."""
        entries = self._timed
        start = time.perf_counter_ns()
        for index in range(len(entries)):
            self.core.submit(entries[index : index + 1])
        return (time.perf_counter_ns() - start) / len(entries)

    def live_orders(self) -> int:
        """Orders that rest in all books."""
        return self.core.live_orders

    def state_hash(self) -> str:
        """Hash of all books, 64 lowercase hex digits."""
        return self.core.state_hash().hex()

    def _apply(self, entries: np.ndarray, run: Any = batch.run_batch, extra: tuple[Any, ...] = (), fold: bool = False) -> None:
        """Run all entries, growing what is asked for and using the buffer of events again when it is full."""
        index = n_events = 0
        while index < len(entries):
            index, n_events, need, at_least = run(self.core.state, entries, index, self._events, n_events, *extra)
            if need == Need.EVENTS or index == len(entries):
                if fold:
                    trade_hash, trades, volume = fold_events(self._events, n_events, np.uint64(self.fold.hash), self.fold.trades, self.fold.volume)
                    self.fold = Fold(int(trade_hash), int(trades), int(volume))
                self.n_events += n_events
                n_events = 0
                if at_least > len(self._events):
                    self._events = make_records(EVENT, int(at_least))
            elif need != Need.NOTHING:
                self.core.grow(need, at_least)


class BookSet:
    """A core of the smallest size that grows as books and orders come."""

    def __init__(self) -> None:
        self._core = MatchingCore()

    def open_book(self) -> int:
        """Number of a new book."""
        return self._core.open_book()

    def submit(self, entries: np.ndarray) -> None:
        """Apply entries through the checked interface."""
        self._core.submit(entries)

    def state_bytes(self) -> int:
        """Bytes of the core's arrays."""
        return state_bytes(self._core)
