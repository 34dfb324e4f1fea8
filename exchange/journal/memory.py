"""The journal in memory, for simulation and tests: the same chain as segment files, and nothing survives the process."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from exchange.errors import JournalFailedError
from exchange.journal.format import RawGroup, crc_seed, encode_genesis, encode_group, genesis_hash
from exchange.journal.interface import CommittedGroup, Genesis, Group, Head, checked_records


class MemoryJournal:
    """Implements interface.Journal. Groups are kept as they would be written, so both kinds give the same hashes."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._start = genesis_hash(encode_genesis(genesis))
        self._seed = crc_seed(self._start)
        self._groups: list[RawGroup] = []
        self._closed = False

    @property
    def genesis(self) -> Genesis:
        return self._genesis

    @property
    def epoch(self) -> int:
        return 1

    @property
    def head(self) -> Head:
        last = self._groups[-1] if self._groups else None
        return Head(last.last_sequence, last.group_index, 1, last.chain_hash.hex()) if last else Head(0, 0, 1, self._start.hex())

    @property
    def next_sequence(self) -> int:
        return self.head.sequence + 1

    @property
    def chain_hash(self) -> str:
        return self.head.chain_hash

    def append(self, records: NDArray[Any], documents: bytes = b"") -> CommittedGroup:
        """See Journal.append."""
        if self._closed:
            raise JournalFailedError("the journal is closed")
        commands = checked_records(records)
        head = self.head
        encoded, chain_hash = encode_group(
            commands, documents, head.sequence + 1, 1, head.group_index + 1, bytes.fromhex(head.chain_hash), self._seed
        )
        self._groups.append(
            RawGroup(bytes(encoded), 0, len(encoded), len(commands), len(documents), head.sequence + 1, 1, head.group_index + 1, chain_hash)
        )
        return CommittedGroup(head.sequence + 1, len(commands), chain_hash.hex())

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        """See Journal.groups."""
        return (group.decode(from_sequence) for group in self._groups[:] if group.last_sequence >= from_sequence)

    def chain_hash_at(self, sequence: int) -> str | None:
        """See Journal.chain_hash_at."""
        if sequence == 0:
            return self._start.hex()
        return next((group.chain_hash.hex() for group in self._groups if group.last_sequence == sequence), None)

    def close(self) -> None:
        self._closed = True
