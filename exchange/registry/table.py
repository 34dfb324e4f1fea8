"""The append-only table of bundles: growth, the chain of hashes, what is hashed of it and what a snapshot holds (docs/decisions/0020).

The state hash has one SHA-256 for every 4,096 rows; only blocks that were touched are hashed anew, so a checkpoint does not read hundreds of
megabytes. A snapshot has the rows themselves; queues, totals and the way from a split bundle to its parts follow from them.
"""

import hashlib
from typing import Any, Final

import numpy as np

from exchange.protocol.instrument_class import Resale
from exchange.registry.bundles import (
    BLOCK_ROWS,
    BLOCK_SHIFT,
    BUNDLE,
    DIGEST_BYTES,
    FACTS_BYTES,
    ISSUANCE,
    NO_ROW,
    REGISTRY_COUNTERS,
    Queue,
    Tables,
    empty_queues,
    facts_of,
    longer,
    records,
)
from exchange.registry.lifecycle import ALLOWED, UnitState
from exchange.registry.queues import restore_queues

_COUNTERS: Final = ("next_place", "first_place", "day")
_DIGEST_AT: Final = BUNDLE.itemsize - DIGEST_BYTES
_SEED: Final = b"parkex issuance\0"


class BundleTable:
    """Rows, queues and totals, with room for what is to come. `tables` is replaced when it grows: read it anew after every call."""

    def __init__(self) -> None:
        self.tables = Tables(
            rows=records(BLOCK_ROWS, BUNDLE),
            before=np.full(BLOCK_ROWS, NO_ROW, np.int32),
            after=np.full(BLOCK_ROWS, NO_ROW, np.int32),
            queues=empty_queues(1, 64),
            totals=np.zeros((1, len(UnitState)), np.int64),
            slot_of=np.full(64, -1, np.int32),
            resale=np.full(1, int(Resale.FREE), np.int64),
            dirty=np.zeros(1, np.uint8),
            stated=np.zeros(64, np.int32),
            counters=records(1, REGISTRY_COUNTERS),
            allowed=ALLOWED,
        )
        self.tables.slot_of[0] = 0
        self.tables.counters[0].next_place = 1
        self.issuances = np.zeros(16, ISSUANCE)
        self.n_issuances = 0
        self._digests: list[bytes] = []

    @property
    def n_rows(self) -> int:
        return int(self.tables.counters[0].n_rows)

    @property
    def rows(self) -> Any:
        """BUNDLE records of all bundles, split ones among them."""
        return self.tables.rows[: self.n_rows]

    def add_asset(self, asset: int, resale: Resale) -> None:
        """Room for the units of an instrument."""
        tables = self.tables
        slot_of = tables.slot_of if asset < len(tables.slot_of) else longer(tables.slot_of, 2 * asset, -1)
        slots = len(tables.resale)
        slot_of[asset] = slots
        queues = empty_queues(slots + 1, tables.queues.shape[1])
        queues[:slots] = tables.queues
        totals = np.zeros((slots + 1, len(UnitState)), np.int64)
        totals[:slots] = tables.totals
        resales = np.append(tables.resale, np.int64(resale))
        self.tables = tables._replace(slot_of=slot_of, queues=queues, totals=totals, resale=resales)

    def knows(self, asset: int) -> bool:
        return asset < len(self.tables.slot_of) and bool(self.tables.slot_of[asset] >= 0)

    def make_room(self, rows: int, account: int = 0, stated: int = 0) -> None:
        """Room for `rows` more rows, for the account ids up to `account` and for `stated` rows."""
        tables = self.tables
        needed, size = self.n_rows + rows, len(tables.rows)
        if needed > size:
            size = max(2 * size, -(-needed // BLOCK_ROWS) * BLOCK_ROWS)
            self.tables = tables = tables._replace(
                rows=longer(tables.rows, size),
                before=longer(tables.before, size, NO_ROW),
                after=longer(tables.after, size, NO_ROW),
                dirty=longer(tables.dirty, size >> BLOCK_SHIFT),
            )
        if account >= tables.queues.shape[1]:
            queues = empty_queues(len(tables.resale), max(account + 1, 2 * tables.queues.shape[1]))
            queues[:, : tables.queues.shape[1]] = tables.queues
            self.tables = tables = tables._replace(queues=queues)
        if stated > len(tables.stated):
            self.tables = tables._replace(stated=np.zeros(2 * stated, np.int32))

    def new_issuance(self, rows: int, sequence: int, evidence: bytes) -> int:
        """Number of an issuance of as many rows, which the caller appends next."""
        if self.n_issuances == len(self.issuances):
            self.issuances = longer(self.issuances, 2 * len(self.issuances))
        entry = self.issuances[self.n_issuances]
        entry["first_row"], entry["rows"], entry["sequence"] = self.n_rows, rows, sequence
        entry["evidence"] = np.frombuffer(evidence or bytes(DIGEST_BYTES), np.uint8)
        self.n_issuances += 1
        return self.n_issuances

    def issuance_digest(self, number: int) -> bytes:
        """What the chain of an issuance begins with: its number, its command and the digest of the evidence it was made on."""
        entry = self.issuances[number - 1]
        numbers = number.to_bytes(8, "little") + int(entry["sequence"]).to_bytes(8, "little")
        return hashlib.sha256(_SEED + numbers + entry["evidence"].tobytes()).digest()

    def seal_roots(self, number: int) -> None:
        """Hash the roots of an issuance just appended."""
        entry = self.issuances[number - 1]
        rows = self.tables.rows[int(entry["first_row"]) : int(entry["first_row"]) + int(entry["rows"])]
        facts, prior, sha256 = facts_of(rows), self.issuance_digest(number), hashlib.sha256
        digests = b"".join([sha256(prior + facts[at : at + FACTS_BYTES]).digest() for at in range(0, len(facts), FACTS_BYTES)])
        rows["digest"] = np.frombuffer(digests, np.uint8).reshape(len(rows), DIGEST_BYTES)

    def seal_parts(self, first: int) -> None:
        """Hash the parts of split bundles from row `first` on; a parent may be among them, before its own parts."""
        end = self.n_rows
        if first == end:
            return
        rows, size = self.tables.rows[first:end], BUNDLE.itemsize
        facts, sha256 = facts_of(rows), hashlib.sha256
        raw: Any = np.asarray(self.tables.rows).view(np.uint8)
        memory = memoryview(raw)
        for index, parent in enumerate(rows["parent"].tolist()):
            prior = memory[parent * size + _DIGEST_AT : (parent + 1) * size]
            digest = sha256(bytes(prior) + facts[index * FACTS_BYTES : (index + 1) * FACTS_BYTES]).digest()
            at = (first + index) * size + _DIGEST_AT
            memory[at : at + DIGEST_BYTES] = digest

    def digests(self) -> list[bytes]:
        """SHA-256 of each block of rows; hashes those that were touched since the last call."""
        n_blocks = -(-self.n_rows // BLOCK_ROWS)
        self._digests += [b""] * (n_blocks - len(self._digests))
        for block in np.flatnonzero(self.tables.dirty[:n_blocks]).tolist():
            raw: Any = np.asarray(self.rows[block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS]).view(np.uint8)
            self._digests[block] = hashlib.sha256(raw).digest()
            self.tables.dirty[block] = 0
        return self._digests

    def counters_to_canonical(self) -> list[int]:
        return [int(self.tables.counters[0][name]) for name in _COUNTERS]

    def issuances_to_canonical(self) -> bytes:
        return self.issuances[: self.n_issuances].tobytes()

    def restore(self, counters: list[int], issuances: bytes, rows: bytes) -> None:
        """Fill a table without rows that knows all assets. The bytes have been checked by the snapshot's own digest."""
        for name, value in zip(_COUNTERS, counters, strict=True):
            self.tables.counters[0][name] = value
        self.issuances = np.frombuffer(issuances, ISSUANCE).copy()
        self.n_issuances = len(self.issuances)
        if not len(self.issuances):
            self.issuances = np.zeros(16, ISSUANCE)
        saved = np.frombuffer(rows, BUNDLE)
        self.make_room(len(saved), int(saved["account"].max(initial=0)))
        self.tables.rows[: len(saved)] = saved
        self.tables.counters[0].n_rows = len(saved)
        self.tables.dirty[: -(-len(saved) // BLOCK_ROWS)] = 1
        restore_queues(self.tables, np.lexsort((saved["serial_from"], saved["place"])))

    def queue_lots(self, asset: int, account: int, queue: Queue) -> int:
        """Units of an account in one of its queues."""
        tables = self.tables
        if not self.knows(asset) or account >= tables.queues.shape[1]:
            return 0
        return int(tables.queues[tables.slot_of[asset], account, queue].lots)
