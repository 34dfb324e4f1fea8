"""The exchange on a virtual clock: commands go through the order path as in a node, the journal keeps its digest or is written to a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import CheckFailedError
from exchange.journal.digest import DigestJournal
from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import Document, encode_document
from exchange.units import NS_PER_HOUR

# A key of a client order id is kept this long; nothing is ever sent twice here.
_RETENTION_NS: Final = NS_PER_HOUR
_HASH_KEY: Final = bytes(range(32))


def genesis_of(park_id: str, operator_key: bytes = bytes(32)) -> Genesis:
    """Of a simulated exchange: always the same, so that equal runs have equal journals. Its hash key is no secret, since nobody can connect."""
    settings = encode_settings(ExchangeSettings(retention_ns=_RETENTION_NS))
    return Genesis(park_id=park_id, hash_key=_HASH_KEY, engine_version="laboratory", operator_keys=(operator_key,), document=settings)


class VirtualExchange:
    """One exchange and its journal. `now_ns` is the stamp of what is sent next; it never runs backwards."""

    def __init__(self, park_id: str, start_ns: int, journal_directory: Path | None = None) -> None:
        genesis = genesis_of(park_id)
        self.exchange = Exchange(genesis)
        self.journal = DigestJournal(genesis) if journal_directory is None else SegmentJournal.open(journal_directory, genesis)
        self.now_ns = start_ns
        self.operator = self.exchange.rooms.participants.next_id - 1
        self.watcher: Callable[[BatchResult], None] | None = None  # hears every applied batch, as surveillance does

    def advance(self, now_ns: int) -> None:
        """Move the clock on; deadlines fire with the next command, or with a tick."""
        self.now_ns = max(self.now_ns, now_ns)

    def tick(self) -> BatchResult:
        """Let every deadline up to now fire. An auction that ends has its trades in the result."""
        return self._send(self._record(CommandKind.TICK, 0), b"")

    def submit(self, document: Document, account: int | None = None) -> dict[str, Any]:
        """Carry out a business command of the operator, or of `account`. Raises CheckFailedError when it is refused: no scenario asks for that."""
        data = encode_document(document)
        record = self._record(CommandKind.DOCUMENT, self.operator if account is None else account)
        record["document_length"] = len(data)
        result = self._send(record, data)
        code = int(result.outcomes[0]["code"])
        if code:
            raise CheckFailedError(f"the exchange refused {document.SCHEMA}: code {code}, {result.results[0]}")
        return result.results[0]

    def trade(self, commands: NDArray[np.void]) -> BatchResult:
        """Apply order commands (COMMAND records with their stamps)."""
        return self._send(commands, b"")

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def _record(self, kind: CommandKind, account: int) -> NDArray[np.void]:
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"], record["stamp_ns"] = kind, RECORD_VERSION, account, self.now_ns
        return record

    def _send(self, records: NDArray[np.void], documents: bytes) -> BatchResult:
        group = self.journal.append(records, documents)
        result = self.exchange.apply(records, documents, group.first_sequence)
        if self.watcher is not None:
            self.watcher(result)
        return result
