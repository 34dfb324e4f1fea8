"""A journal of which only the chain hash is kept: for simulations whose commands can be made again from their scenario and seed.

Groups are encoded as they would be written, so the digest of a run is the chain hash that its journal would have.
"""

from typing import Any

from numpy.typing import NDArray

from exchange.journal.format import crc_seed, encode_genesis, encode_group, genesis_hash
from exchange.journal.interface import CommittedGroup, Genesis, checked_records


class DigestJournal:
    """The write side of interface.Journal: takes groups, remembers how many commands there were and the hash of the chain."""

    def __init__(self, genesis: Genesis) -> None:
        start = genesis_hash(encode_genesis(genesis))
        self._seed = crc_seed(start)
        self._chain_hash = start
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
        _, self._chain_hash = encode_group(commands, documents, first_sequence, 1, self._group_index + 1, self._chain_hash, self._seed)
        self._group_index += 1
        self.next_sequence += len(commands)
        return CommittedGroup(first_sequence, len(commands), self._chain_hash.hex())

    def close(self) -> None:
        """Nothing is open."""
