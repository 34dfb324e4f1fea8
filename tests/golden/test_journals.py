"""Journals of earlier versions, kept as they were written: they fold to the hashes that they had then.

`unnamed-keys`: before commands named their keys. Members with keys, a key that is revoked and registered again, the last operator key revoked,
sessions with and without cancel on disconnect, a daily limit, trades, a block trade, a refused deposit, a halt, two epochs.
"""

from pathlib import Path

import pytest

from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.replay import replay_directory

HERE = Path(__file__).parent

# journal, last command, state hash, running hash of events
JOURNALS = [
    ("unnamed-keys", 30, "f2c3c76bcd8ae0100877e5bf1c10f5bebe4db499655f440d28c55e5adab25b20", "691bd23a53cee258"),
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
