"""The state a node starts from: the newest snapshot that belongs to the journal, or the genesis. Replay does the rest.

A snapshot that is damaged, of another layout, or does not restore to the hash it was written with is set aside with its reason and an older one is
used. As long as no segment was archived a snapshot only saves time; afterwards it stands for what is in the archive.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from exchange.errors import CorruptionError, InputError
from exchange.journal.interface import ReadableJournal
from exchange.journal.snapshots import Snapshot, load_latest, write_snapshot
from exchange.journal.watermarks import check_watermark
from exchange.order_path import canonical
from exchange.order_path.path import Exchange

logger = logging.getLogger("parkex.recovery")

LAYOUT: Final = f"canonical-{canonical.SNAPSHOT_VERSION}"


def latest_snapshot(directory: Path, at_most: int | None = None) -> Snapshot | None:
    """The newest usable snapshot, of those up to sequence `at_most`; what is refused is logged."""
    loaded = load_latest(directory, layout=LAYOUT, at_most=at_most)
    for reason in loaded.refused:
        logger.warning("snapshot refused: %s", reason)
    return loaded.snapshot


def exchange_at(journal: ReadableJournal, snapshot: Snapshot | None) -> Exchange:
    """An exchange as of the snapshot, or of the genesis.

    Raises CorruptionError when the snapshot is not of this journal or does not restore to the state that it was written with.
    """
    exchange = Exchange(journal.genesis)
    if snapshot is None:
        return exchange
    check_watermark(journal, snapshot.watermark())
    try:
        canonical.restore(exchange, snapshot.payload)
    except InputError as error:
        raise CorruptionError(f"the snapshot at {snapshot.sequence}: {error}") from error
    if exchange.last_sequence != snapshot.sequence or canonical.state_hash(exchange) != snapshot.state_hash:
        raise CorruptionError(f"the snapshot at {snapshot.sequence} restores to another state than it was written with")
    return exchange


def prepare_snapshot(exchange: Exchange, chain_hash: str, directory: Path) -> Callable[[], Path]:
    """The state as of the last command, copied; what is returned writes it, from any thread and while the exchange goes on. Raises JournalError then.

    `chain_hash` is that of the group which ends there.
    """
    state_hash, payload = canonical.state_hash(exchange), canonical.snapshot(exchange)
    return partial(write_snapshot, directory, exchange.last_sequence, chain_hash, state_hash, payload, layout=LAYOUT)
def recovered(journal: ReadableJournal, directory: Path, first_sequence: int = 1, at_most: int | None = None) -> Exchange:
    """An exchange as of the newest snapshot in `directory` that holds, up to sequence `at_most`; without one as of the genesis.

    Raises InputError when neither reaches to `first_sequence`, where the journal begins: what lies between is in an archive.
    """
    while (snapshot := latest_snapshot(directory, at_most)) is not None and snapshot.sequence >= first_sequence - 1:
        try:
            return exchange_at(journal, snapshot)
        except CorruptionError as error:
            logger.warning("snapshot refused: %s", error)
            at_most = snapshot.sequence - 1
    if first_sequence > 1:
        up_to = "" if at_most is None else f" up to {at_most}"
        raise InputError(
            f"the journal begins at sequence {first_sequence} and there is no usable snapshot{up_to} to start from: "
            "move the archived segments back beside the others"
        )
    return exchange_at(journal, None)


def take_snapshot(exchange: Exchange, chain_hash: str, directory: Path) -> Path:
    """Write the state as of the last command; `chain_hash` is that of the group which ends there. Raises JournalError."""
    return prepare_snapshot(exchange, chain_hash, directory)()
