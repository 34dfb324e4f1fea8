"""The state a node starts from: the newest snapshot that belongs to the journal, or the genesis. Replay does the rest.

A snapshot only saves time. One that is damaged, of another layout, or does not restore to the hash it was written with is set aside with its reason.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from exchange.errors import InputError
from exchange.journal.interface import Journal
from exchange.journal.snapshots import Snapshot, load_latest, write_snapshot
from exchange.order_path import canonical
from exchange.order_path.path import Exchange

logger = logging.getLogger("parkex.recovery")

LAYOUT: Final = f"canonical-{canonical.SNAPSHOT_VERSION}"


def latest_snapshot(directory: Path) -> Snapshot | None:
    """The newest usable snapshot; what is refused is logged."""
    loaded = load_latest(directory, layout=LAYOUT)
    for reason in loaded.refused:
        logger.warning("snapshot refused: %s", reason)
    return loaded.snapshot


def exchange_at(journal: Journal, snapshot: Snapshot | None) -> Exchange:
    """An exchange as of the snapshot, or of the genesis."""
    if snapshot is None:
        return Exchange(journal.genesis)
    exchange = Exchange(journal.genesis)
    try:
        canonical.restore(exchange, snapshot.payload)
    except InputError as error:
        logger.warning("snapshot at %d refused: %s", snapshot.sequence, error)
        return Exchange(journal.genesis)
    if exchange.last_sequence != snapshot.sequence or canonical.state_hash(exchange) != snapshot.state_hash:
        logger.warning("snapshot at %d refused: it restores to another state", snapshot.sequence)
        return Exchange(journal.genesis)
    return exchange


def prepare_snapshot(exchange: Exchange, chain_hash: str, directory: Path) -> Callable[[], Path]:
    """The state as of the last command, copied; what is returned writes it, from any thread and while the exchange goes on. Raises JournalError then.

    `chain_hash` is that of the group which ends there.
    """
    state_hash, payload = canonical.state_hash(exchange), canonical.snapshot(exchange)
    return partial(write_snapshot, directory, exchange.last_sequence, chain_hash, state_hash, payload, layout=LAYOUT)


def take_snapshot(exchange: Exchange, chain_hash: str, directory: Path) -> Path:
    """Write the state as of the last command; `chain_hash` is that of the group which ends there. Raises JournalError."""
    return prepare_snapshot(exchange, chain_hash, directory)()
