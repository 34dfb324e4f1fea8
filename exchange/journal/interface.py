"""What a journal is to its users, whichever way it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.journal.record import COMMAND

Records = NDArray[np.void]  # dtype record.COMMAND
HASH_BYTES = 32


class Genesis(msgspec.Struct, frozen=True, kw_only=True):
    """The first and unchangeable facts of a journal.

    `hash_key` keys the tables that hash what clients send, so it is random and secret. `operator_keys` are the raw Ed25519 public keys that may
    admit the first participants. `document` is one canonical document of the park's own choosing, or empty.
    """

    park_id: str
    hash_key: bytes
    engine_version: str
    operator_keys: tuple[bytes, ...] = ()
    document: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: its last sequence (0: none yet), last group (from 1), the epoch that wrote it, and the chain hash there (hex)."""

    sequence: int
    group_index: int
    epoch: int
    chain_hash: str


@dataclass(frozen=True, slots=True)
class CommittedGroup:
    """The receipt of an append: these commands are durable."""

    first_sequence: int
    count: int
    chain_hash: str


@dataclass(frozen=True, slots=True)
class Group:
    """Commands read back. `records` is a writable copy, shape (n,), dtype COMMAND; `documents` is what their offsets point into."""

    first_sequence: int
    epoch: int
    records: Records
    documents: bytes
    chain_hash: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """A sequence that somebody else (a snapshot, the read model, a statement) has already seen, and the chain hash behind it if known (hex)."""

    name: str
    sequence: int
    chain_hash: str | None = None


class ReadableJournal(Protocol):
    """A chain of command groups as far as it is committed."""

    @property
    def genesis(self) -> Genesis: ...

    @property
    def head(self) -> Head: ...

    @property
    def next_sequence(self) -> int:
        """The sequence that the next command gets. The first one is 1."""

    @property
    def chain_hash(self) -> str:
        """Hash of everything committed so far, hex; before the first group that of the genesis."""

    def groups(self, from_sequence: int = 1) -> Iterator[Group]:
        """Everything committed from `from_sequence` on, checked again on the way. The group it falls into comes without the records before it."""

    def chain_hash_at(self, sequence: int) -> str | None:
        """The chain hash behind `sequence` (hex), or None where no group ends."""


class Journal(ReadableJournal, Protocol):
    """An append-only chain of command groups. One writer at a time; `append` blocks, so a node calls it in a thread of its own."""

    @property
    def epoch(self) -> int:
        """The fencing term of this opening: one more than of any opening for writing before."""

    def append(self, records: Records, documents: bytes = b"") -> CommittedGroup:
        """Commit commands as one group; they are durable on return.

        Raises ValueError for no records, another dtype or more than a group can hold, and JournalFailedError when the group may not be durable:
        final.
        """

    def close(self) -> None: ...


def checked_records(records: NDArray[Any]) -> Records:
    """`records` as one contiguous run of commands. Raises ValueError when it is none."""
    if records.dtype != COMMAND or records.ndim != 1:
        raise ValueError(f"a group is a one-dimensional array of commands, not {records.dtype} of shape {records.shape}")
    if not len(records):
        raise ValueError("a group holds at least one command")
    return np.ascontiguousarray(records)
