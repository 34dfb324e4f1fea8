"""The disk stops in the middle of a group that holds a basket: the basket is there whole or not at all, wherever the cut is."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader, SegmentJournal
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.replay import replay_into
from tests.exchange.order_path.block_market import BlockMarket
from tests.exchange.order_path.park import GENESIS

STEPS = 60
SEGMENT = "segment-00000001"


def _replayed(directory: Path) -> Exchange:
    journal = SegmentJournal.open(directory)
    exchange = Exchange(GENESIS)
    replay_into(exchange, journal)
    journal.close()
    return exchange


def _written(directory: Path) -> tuple[Path, bytes, bytes, bytes]:
    """A journal before its last group, the segment's bytes with it, and the state hashes before and after; a basket lies between other commands."""
    earlier = directory.with_name("earlier")
    market = BlockMarket(seed=5)
    journal = SegmentJournal.open(directory, GENESIS, segment_bytes=1 << 20)
    for records, documents in market.log:
        journal.append(records, documents)
    for _ in range(STEPS):
        market.step()
        journal.append(market.log[-1][0])
    before_hash = canonical.state_hash(market.exchange)
    shutil.copytree(directory, earlier)
    started = len(market.log)
    market.step()
    maker, other = market.members[:2]
    market.place(other, market.instruments[0], 1, 4_000, 3)
    market.send(market.basket_records(maker, (market.instruments[0], 0, 4_002, 1)))
    market.step()
    journal.append(np.concatenate([records for records, _ in market.log[started:]]))
    journal.close()
    return earlier, (directory / SEGMENT).read_bytes(), before_hash, canonical.state_hash(market.exchange)


@pytest.fixture(scope="module", name="written")
def fixture_written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, bytes, bytes]:
    return _written(tmp_path_factory.mktemp("journal") / "journal")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1.0])
def test_a_torn_group_takes_its_basket_with_it(written: tuple[Path, bytes, bytes, bytes], share: float, tmp_path: Path) -> None:
    earlier, after, before_hash, after_hash = written
    before = (earlier / SEGMENT).read_bytes()
    changed = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(after, np.uint8))
    first, last = int(changed[0]), int(changed[-1]) + 1
    cut = first + int(share * (last - first))
    directory = tmp_path / "journal"
    shutil.copytree(earlier, directory)
    (directory / SEGMENT).write_bytes(after[:cut] + before[cut:])
    exchange = _replayed(directory)
    check_exchange(exchange)
    assert canonical.state_hash(exchange) == (after_hash if share == 1.0 else before_hash)
    for group in JournalReader.open(directory).groups():
        legs = group.records[group.records["kind"] == CommandKind.BASKET]
        assert int(legs["group"].sum()) == len(legs)
