"""What a journal holds, counted while it is replayed."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clients.simulator.carbon_figures import carbon_of
from clients.simulator.certificate_figures import certificates_of
from exchange.errors import CorruptionError
from exchange.journal.record import CommandKind
from exchange.journal.segments import JournalReader
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.records import TRADE_KINDS, OutcomeFlag
from exchange.replay import replay_into, state_hash_hex


@dataclass(frozen=True, slots=True)
class ReplayedJournal:
    """`orders`: accepted new orders, resends not counted. `certificates`: see certificate_figures.

    `carbon`: see carbon_figures, where a year was asked for.
    """

    sequence: int
    orders: int
    trades: int
    state_hash: str
    chain_hash: str
    certificates: dict[str, int]
    carbon: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def replay_and_count(directory: Path, until_sequence: int | None = None, year: int | None = None) -> ReplayedJournal:
    """Fold a journal directory, opened read-only; of a journal that still grows only up to `until_sequence`, which a group ends with.

    Raises InputError when there is none, CorruptionError when committed data is damaged or ends before `until_sequence`.
    """
    counts = {"orders": 0, "trades": 0}

    def count(batch: BatchResult) -> None:
        placed = np.isin(batch.records["kind"], (int(CommandKind.PLACE), int(CommandKind.BASKET)))
        fresh = (batch.outcomes["flags"] & OutcomeFlag.DUPLICATE) == 0
        counts["orders"] += int(np.count_nonzero(placed & fresh & (batch.outcomes["code"] == 0)))
        counts["trades"] += int(np.count_nonzero(np.isin(batch.executions["kind"], TRADE_KINDS)))

    reader = JournalReader.open(directory)
    try:
        end = reader.next_sequence - 1 if until_sequence is None else until_sequence
        chain_hash = reader.chain_hash_at(end)
        if chain_hash is None:
            raise CorruptionError(f"no group of the journal ends with command {end}; its last one is {reader.next_sequence - 1}")
        exchange = Exchange(reader.genesis)
        replay_into(exchange, reader, count, end)
        carbon = None if year is None else carbon_of(exchange, year)
        certificates = certificates_of(exchange)
        hashes = state_hash_hex(exchange), chain_hash
        return ReplayedJournal(exchange.last_sequence, counts["orders"], counts["trades"], *hashes, certificates, carbon)
    finally:
        reader.close()
