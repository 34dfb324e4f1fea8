"""A day of everything at once: invariants after every command, and the same hashes cut otherwise, in memory that must grow, restored and replayed."""

import random
from collections import Counter

import numpy as np

from exchange.market.phases import Phase
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.state import Sizes
from matching.core import MatchingCore
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.combined_market import GENESIS, CombinedMarket, Sent, walk_day

TINY = Sizes(accounts=34, instruments=2, events=4, executions=8, postings=48, outcomes=1, keys=2, deadlines=1)
TINY_BOOKS = BookSizes(books=1, orders=2, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)
# What the days must have come by, all of them together.
WANTED = (
    "cut", "reduced", "BASKET ACCEPTED", "BASKET FILL_OR_KILL_UNFILLABLE", "PLACE REDUCE_ONLY", "AMEND REDUCE_ONLY", "PLACE RESTING_ORDERS_ONLY",
    "auction opening_auction", "auction interrupted", "auction closing_auction", "phase halted", "phase interrupted", "TRIGGERED", "REFILLED",
    "WAITING", "again", "PLACE STORAGE_ENERGY", "PLACE POSITION_LIMIT", "NODE_STARTED ACCEPTED",
    "outlived TRADE", "outlived TRADE AUCTION", "outlived CANCELLED", "outlived CANCELLED CUT", "outlived REPRICED",
)  # fmt: skip


def small() -> Exchange:
    """An exchange that has to grow everything."""
    return Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4))


def test_days_of_everything() -> None:
    seen: Counter[str] = Counter()
    for seed in (5, 6):
        market = walk_day(seed)
        assert {i.phase for i in market.exchange.instruments() if i.is_power} == {Phase.GATE_CLOSED}
        _replay_in_pieces(market, random.Random(seed))
        _replay_alone(market)
        seen += market.seen
    assert [kind for kind in WANTED if not seen[kind]] == []


def joined(sent: list[Sent]) -> Sent:
    """One batch of several commands or baskets with their documents."""
    records, documents = np.concatenate([record for record, _ in sent]), b""
    at = 0
    for record, document in sent:
        if document:
            records[at]["document_offset"] = len(documents)
            documents += document
        at += len(record)
    return records, documents


def _replay_in_pieces(market: CombinedMarket, rng: random.Random) -> None:
    """The same commands in other batches, never cut within a basket, in memory that is too small, with snapshots in between."""
    other, left = small(), market.log
    while left:
        count = rng.randint(1, 25)
        other.apply(*joined(left[:count]), other.last_sequence + 1)
        left = left[count:]
        if rng.random() < 0.25:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
            assert canonical.snapshot(other) == payload
            check_exchange(other)
    _same(market, other)


def _replay_alone(market: CombinedMarket) -> None:
    """All of it as a single batch whose results nobody keeps."""
    other = Exchange(GENESIS)
    other.replay(*joined(market.log), 1)
    _same(market, other)


def _same(market: CombinedMarket, other: Exchange) -> None:
    assert other.event_hash == market.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)
