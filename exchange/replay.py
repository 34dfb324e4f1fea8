"""Replay: fold a journal into a fresh exchange."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from exchange.journal.interface import Group
from exchange.journal.segments import JournalReader
from exchange.order_path import canonical
from exchange.order_path.path import BatchResult, Exchange


class GroupSource(Protocol):
    """A journal, as far as replay needs it."""

    def groups(self, from_sequence: int = 1) -> Iterator[Group]: ...


def replay_into(
    exchange: Exchange, journal: GroupSource, on_batch: Callable[[BatchResult], None] | None = None, until_sequence: int | None = None
) -> None:
    """Fold every group from the exchange's next sequence on, or those up to the one that ends with `until_sequence`."""
    for group in journal.groups(exchange.last_sequence + 1):
        if until_sequence is not None and group.first_sequence > until_sequence:
            return
        batch = exchange.apply(group.records, group.documents, group.first_sequence)
        if on_batch is not None:
            on_batch(batch)


def replay_directory(directory: Path) -> tuple[Exchange, str]:
    """(exchange, hash of the journal's head) of a journal directory, opened read-only.

    Raises InputError when there is no journal, CorruptionError when committed data is damaged.
    """
    reader = JournalReader.open(directory)
    try:
        exchange = Exchange(reader.genesis)
        replay_into(exchange, reader)
        return exchange, reader.chain_hash
    finally:
        reader.close()


def state_hash_hex(exchange: Exchange) -> str:
    """Hash of the whole state, 64 lowercase hex digits."""
    return canonical.state_hash(exchange).hex()
