"""The follower: batches handed over from one thread are written by another; when that fails the exchange goes on."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from exchange.errors import CheckFailedError, InputError
from exchange.readmodel.engine import open_engine
from exchange.readmodel.follower import Follower
from exchange.readmodel.projector import Projector, Told, drop_read_model
from exchange.readmodel.queries import ReadModel
from tests.exchange.readmodel.market import market_day
from tests.exchange.readmodel.test_projector import GENESIS_HASH, dump
from tests.postgres import Cluster


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
    follower = Follower(Projector.open("sqlite://", GENESIS_HASH, lambda _day, _run: None), pause_s=0)
    for batch in market.batches:
        follower.on_batch(batch)
    with pytest.raises(CheckFailedError, match="settled"):
        follower.close()
    follower.on_batch(market.batches[-1])
    assert follower.lag == 0
    assert isinstance(follower.failure, CheckFailedError)
    follower.projector.close()


@pytest.mark.postgres
def test_a_restart_of_the_server_is_survived_and_each_event_lands_once(cluster: Cluster) -> None:
    market = market_day(60)
    follower = Follower(Projector.open(cluster.new_database(), GENESIS_HASH, market.exchange.settlement), pause_s=0, retry_s=0.02)
    half = len(market.batches) // 2
    for batch in market.batches[:half]:
        follower.on_batch(batch)
    wait_until(lambda: not follower.lag)
    cluster.stop()
    for batch in market.batches[half:]:
        follower.on_batch(batch)
    wait_until(lambda: follower.trouble is not None)
    assert follower.failure is None
    cluster.start()
    follower.close()
    assert follower.trouble is None
    assert follower.projector.last_sequence == market.exchange.last_sequence
    whole = Projector.open("sqlite://", GENESIS_HASH, market.exchange.settlement)
    whole.apply_all([(batch, "") for batch in market.batches])
    assert dump(whole.engine) == dump(follower.projector.engine)
    for projector in (whole, follower.projector):
        projector.close()


@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "behind the commit"])
def test_a_connection_lost_around_a_commit_doubles_nothing(database_url: str, committed: bool) -> None:
    """Whether the transaction is there is not known to who lost the connection; the read model itself knows."""
    market = market_day(20)

    class Losing(Projector):
        lost = 0

        def apply_all(self, told: Sequence[Told]) -> int:
            self.lost += 1
            if self.lost != 2:
                return super().apply_all(told)
            before = self.last_sequence, self.chain_hash, self.epoch
            if committed:
                super().apply_all(told)
            self.last_sequence, self.chain_hash, self.epoch = before
            raise OperationalError("COMMIT", {}, Exception("connection lost"))

    follower = Follower(Losing.open(database_url, GENESIS_HASH, market.exchange.settlement), pause_s=0, retry_s=0.01)
    follower.on_batch(market.batches[0])
    wait_until(lambda: not follower.lag)
    for batch in market.batches[1:]:
        follower.on_batch(batch)
    follower.close()
    whole = Projector.open("sqlite://", GENESIS_HASH, market.exchange.settlement)
    whole.apply_all([(batch, "") for batch in market.batches])
    assert dump(whole.engine) == dump(follower.projector.engine)
    for projector in (whole, follower.projector):
        projector.close()


def test_a_database_that_lost_what_was_committed_says_how_to_go_on(database_url: str) -> None:
    market = market_day(20)

    class Restored(Projector):
        """Another server takes over, with a copy of before."""

        def apply_all(self, told: Sequence[Told]) -> int:
            if self.last_sequence:
                drop_read_model(database_url)
                raise OperationalError("INSERT", {}, Exception("server closed the connection"))
            return super().apply_all(told)

    follower = Follower(Restored.open(database_url, GENESIS_HASH, market.exchange.settlement), pause_s=0, retry_s=0.01)
    follower.on_batch(market.batches[0])
    wait_until(lambda: not follower.lag)
    follower.on_batch(market.batches[1])
    with pytest.raises(InputError, match="went back from command 1 to 0: start the exchange again"):
        follower.close()
    follower.projector.close()


def test_a_database_that_stays_away_ends_following_and_not_the_exchange(tmp_path: Path) -> None:
    market = market_day(20)
    follower = Follower(Projector.open("sqlite://", GENESIS_HASH, market.exchange.settlement), pause_s=0, retry_s=0.01, closing_s=0.05)
    follower.projector.engine = open_engine(f"sqlite:///{tmp_path}/gone/model.db")
    follower.on_batch(market.batches[0])
    wait_until(lambda: follower.trouble is not None)
    with pytest.raises(OperationalError, match="unable to open"):
        follower.close()
    follower.projector.close()


def wait_until(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.005)
