"""Journals of earlier versions, kept as they were written: they fold to the hashes that they had then.

`unnamed-keys`: before commands named their keys. Members with keys, a key that is revoked and registered again, the last operator key revoked,
sessions with and without cancel on disconnect, a daily limit, trades, a block trade, a refused deposit, a halt, two epochs.
`level-1`: what `story.py` tells, of keys with names, four eyes, corrections, a confirmed clock, every kind of order, an auction, a block.
"""

from pathlib import Path

import pytest

from exchange.accounts.audit import check_chain
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.level import LEVEL_NOW, Level
from exchange.order_path.path import Exchange
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_directory
from tests.golden import story

HERE = Path(__file__).parent

# journal, last command, state hash, running hash of events
JOURNALS = [
    ("unnamed-keys", 30, "f2c3c76bcd8ae0100877e5bf1c10f5bebe4db499655f440d28c55e5adab25b20", "691bd23a53cee258"),
    ("level-1", 63, "e46a00448235d00a45d1ac3b115e0dd1d16805b9185ecba0eed687b44d6359eb", "09a331309a3aa995"),
]


@pytest.mark.parametrize(("name", "sequence", "state_hash", "event_hash"), JOURNALS, ids=[row[0] for row in JOURNALS])
def test_it_folds_to_the_hashes_it_had(name: str, sequence: int, state_hash: str, event_hash: str) -> None:
    exchange, _ = replay_directory(HERE / name)
    check_exchange(exchange)
    assert (exchange.last_sequence, canonical.state_hash(exchange).hex(), exchange.event_hash) == (sequence, state_hash, event_hash)
    restored = Exchange(exchange.genesis)
    canonical.restore(restored, canonical.snapshot(exchange))
    assert canonical.state_hash(restored).hex() == state_hash


def test_it_has_no_audit_log_since_nobody_can_say_who_acted() -> None:
    exchange, _ = replay_directory(HERE / "unnamed-keys")
    assert (exchange.rooms.audit.count, exchange.rooms.participants.ring.ended) == (0, {})


def test_levels_are_those_of_their_genesis() -> None:
    levels = {name: replay_directory(HERE / name)[0].level for name, *_ in JOURNALS}
    assert levels == {"unnamed-keys": Level.TRADING, "level-1": Level.VALUE_CHAIN}
    assert max(levels.values()) == LEVEL_NOW, "the newest level has a journal: python -m tests.golden.story"


def test_its_audit_log_says_who_did_what() -> None:
    log = replay_directory(HERE / "level-1")[0].rooms.audit
    entries = list(log.tail)
    assert check_chain(entries, log.head) == len(entries) == log.count
    moved = [(entry.action, entry.person, entry.proposer, entry.code) for entry in entries if entry.action in {"correct_ledger", "confirm_clock"}]
    assert moved == [
        ("correct_ledger", "bob", "ann", 0), ("correct_ledger", "ann", "", RejectCode.APPROVAL_REQUIRED), ("correct_ledger", "bob", "ann", 0),
        ("confirm_clock", "bob", "", 0),
    ]  # fmt: skip


def test_the_story_is_written_the_same_way_each_time(tmp_path: Path) -> None:
    """So that a new level is easily given a journal; what the code of today writes need not be what was kept."""
    first, second = (story.write(tmp_path / name) for name in ("a", "b"))
    assert first == second
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()}
    exchange, _ = replay_directory(tmp_path / "a")
    assert (exchange.last_sequence, canonical.state_hash(exchange).hex(), exchange.event_hash) == first
