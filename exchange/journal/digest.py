"""A journal of which only the chain hash is kept: for simulations whose commands can be made again from their scenario and seed.

Groups are hashed as they would be written, so the digest of a run is the chain hash that its journal would have.
"""

from typing import Any

from numpy.typing import NDArray

from exchange.journal.format import chain_group, encode_genesis, genesis_hash
from exchange.journal.interface import CommittedGroup, Genesis, checked_records


class DigestJournal:
    """The write side of interface.Journal: takes groups, remembers how many commands there were and the hash of the chain."""

    def __init__(self, genesis: Genesis) -> None:
        self._chain_hash = genesis_hash(encode_genesis(genesis))
        self._group_index = 0
        self.next_sequence = 1

    @property
    def chain_hash(self) -> str:
        """Of the last group, hex."""
        return self._chain_hash.hex()

    def append(self, records: NDArray[Any], documents: bytes = b"") -> CommittedGroup:
        """See Journal.append."""
        commands = checked_records(records)
        first_sequence = self.next_sequence
        self._chain_hash = chain_group(commands, documents, first_sequence, 1, self._group_index + 1, self._chain_hash)
        self._group_index += 1
        self.next_sequence += len(commands)
        return CommittedGroup(first_sequence, len(commands), self._chain_hash.hex())

    def close(self) -> None:
        """Nothing is open."""
