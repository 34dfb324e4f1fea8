"""A dense market of quarter-hours, blocks and baskets: invariants after every command, and the same hashes cut between baskets and replayed."""

import random

import numpy as np
import pytest

from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.state import Sizes
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE
from matching.core import MatchingCore
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.block_market import BlockMarket, walk_blocks
from tests.exchange.order_path.park import DAY_NS, GENESIS

TINY = Sizes(accounts=34, instruments=2, events=4, executions=8, postings=48, outcomes=1, keys=2, deadlines=1)
TINY_BOOKS = BookSizes(books=1, orders=2, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)
STEPS = 260


def small() -> Exchange:
    """An exchange that has to grow everything."""
    return Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4))


@pytest.mark.parametrize("seed", range(4))
def test_blocks_and_baskets(seed: int) -> None:
    market = walk_blocks(STEPS, seed)
    wanted = ("filled basket", "refused basket", "block trade", "block rested", "block cancelled", "block waiting", "other trade")
    assert all(market.seen[kind] for kind in wanted), market.seen
    _replay_in_pieces(market, random.Random(seed))
    _close(market)


def _replay_in_pieces(market: BlockMarket, rng: random.Random) -> None:
    """The same commands in other batches, never cut within a basket, in memory that is too small, with snapshots in between."""
    other = small()
    for record, documents in market.log[: market.prepared]:
        other.apply(record, documents, other.last_sequence + 1)
    left = [records for records, _ in market.log[market.prepared :]]
    while left:
        count = rng.randint(1, 25)
        other.apply(np.concatenate(left[:count]), b"", other.last_sequence + 1)
        left = left[count:]
        if rng.random() < 0.4:
            payload = canonical.snapshot(other)
            other = small()
            canonical.restore(other, payload)
            check_exchange(other)
    assert other.event_hash == market.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(market.exchange)


def _close(market: BlockMarket) -> None:
    """Every gate closes, the blocks' with their first quarter-hours; what is held then is held by positions."""
    for minutes in (9 * 60 + 54, 9 * 60 + 55, 10 * 60 + 25, 10 * 60 + 40):
        market.tick(DAY_NS + minutes * NS_PER_MINUTE)
        check_exchange(market.exchange)
    market.tick(DAY_NS + 12 * NS_PER_HOUR)
    check_exchange(market.exchange)
    power = {instrument.symbol for instrument in market.exchange.instruments() if instrument.is_power}
    for member in market.members:
        assert not any(order.symbol in power for order in market.exchange.open_orders(member))
        assert all(p.open_buy_lots == p.open_sell_lots == 0 for p in market.exchange.positions(member) if p.symbol in power)
