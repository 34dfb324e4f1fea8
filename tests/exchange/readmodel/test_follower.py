"""The follower: batches handed over from one thread are written by another; when that fails the exchange goes on."""

import pytest

from exchange.errors import CheckFailedError
from exchange.readmodel.follower import Follower
from exchange.readmodel.projector import Projector
from exchange.readmodel.queries import ReadModel
from tests.exchange.readmodel.market import market_day
from tests.exchange.readmodel.test_projector import GENESIS_HASH, dump


@pytest.mark.parametrize("pause_s", [0.0, 0.002])
def test_everything_handed_over_is_written_when_it_closes(database_url: str, pause_s: float) -> None:
    market = market_day(120)
    hashes = iter(range(10_000))
    follower = Follower(Projector.open(database_url, GENESIS_HASH, market.exchange.settlement), lambda: f"{next(hashes):064x}", pause_s)
    reader = ReadModel.open(database_url)
    seen = []
    for batch in market.batches:
        follower.on_batch(batch)
        seen.append(reader.last_sequence())
    follower.close()
    assert seen == sorted(seen)
    assert follower.lag == 0
    assert reader.last_sequence() == market.exchange.last_sequence
    assert follower.projector.chain_hash == f"{len(market.batches) - 1:064x}"
    whole = Projector.open("sqlite://", GENESIS_HASH, market.exchange.settlement)
    whole.apply_all([(batch, "") for batch in market.batches])
    assert dump(whole.engine) == dump(reader.engine)
    for owner in (whole, reader, follower.projector):
        owner.close()


def test_a_failure_is_kept_and_told_at_the_end() -> None:
    market = market_day(20)
    follower = Follower(Projector.open("sqlite://", GENESIS_HASH, lambda _day: None), pause_s=0)
    for batch in market.batches:
        follower.on_batch(batch)
    with pytest.raises(CheckFailedError, match="settled"):
        follower.close()
    follower.on_batch(market.batches[-1])
    assert follower.lag == 0
    assert isinstance(follower.failure, CheckFailedError)
    follower.projector.close()
