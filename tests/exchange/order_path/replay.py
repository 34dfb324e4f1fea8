"""The commands of a walk again, batched in another way: batches and snapshots are no part of what an exchange is."""

import random
from collections.abc import Callable

import numpy as np

from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange

Command = tuple[np.ndarray, bytes]  # COMMAND record of one, its document


def joined(commands: list[Command]) -> Command:
    """One batch of several commands."""
    records = np.concatenate([record for record, _ in commands])
    offset = 0
    for index, (_, documents) in enumerate(commands):
        records["document_offset"][index] = offset if documents else 0
        offset += len(documents)
    return records, b"".join(documents for _, documents in commands)


def replayed_in_pieces(log: list[Command], make: Callable[[], Exchange], rng: random.Random, snapshot_share: float) -> Exchange:
    """Batches of 1 to 25, after some of which the exchange is given up for one restored from its snapshot."""
    exchange, start = make(), 0
    while start < len(log):
        commands = log[start : start + rng.randint(1, 25)]
        start += len(commands)
        exchange.apply(*joined(commands), exchange.last_sequence + 1)
        if rng.random() < snapshot_share:
            payload = canonical.snapshot(exchange)
            exchange = make()
            canonical.restore(exchange, payload)
            assert canonical.snapshot(exchange) == payload
            check_exchange(exchange)
    return exchange
