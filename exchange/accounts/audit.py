"""The audit log (审计日志): every administrative act, refused ones too, each linked to the one before by SHA-256. A fold of the journal.

It begins with the first command that names its key: before that nobody can say who acted. The state holds the head of the chain, so a replay that
came to another log is found like any other difference; the last entries are at hand, older ones are in the read model, and the journal
gives the whole log anew.
"""

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from exchange.errors import CheckFailedError

TAIL_ENTRIES: Final = 1_024
CONTENT_LIMIT_BYTES: Final = 4_096
ROOT: Final = bytes(32)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `content` is the document as it was journaled, absent where it is larger than 4 KiB; `digest` is the SHA-256 of its bytes.

    `before` and `after` are the values that the document is about. Of an approved proposal `person` approved what `proposer` had proposed.
    `code` is 0 or the reject code, `rule` the business rule behind it. `chain` is the hash of the entry with `previous`, that of the one before.
    All values are those of JSON, so whoever has the log can verify it: SHA-256 over the entry as compact JSON with sorted keys, `chain` empty.
    """

    number: int
    sequence: int
    stamp_ns: int
    account: int
    key_id: str
    person: str
    action: str
    content: Any
    digest: str
    before: Any
    after: Any
    code: int
    rule: str
    proposal: int
    proposer: str
    previous: str
    chain: str = ""


def chain_of(entry: AuditEntry) -> str:
    """The hash that an entry must carry."""
    return hashlib.sha256(_encode(msgspec.structs.replace(entry, chain=""))).hexdigest()


def check_links(entries: Iterable[AuditEntry], from_number: int) -> None:
    """Raises CheckFailedError when a piece of a log that begins with `from_number` is altered, or has an entry missing or moved."""
    previous: str | None = None
    for number, entry in enumerate(entries, from_number):
        if entry.number != number or previous not in {None, entry.previous} or entry.chain != chain_of(entry):
            raise CheckFailedError(f"audit log is broken at entry {number}")
        previous = entry.chain


def check_chain(entries: Iterable[AuditEntry], head: str | None = None) -> int:
    """Number of entries of a log from its first one on. Raises CheckFailedError where one is altered, missing or moved, or where the log is cut."""
    number, previous = 0, ROOT.hex()
    for entry in entries:
        number += 1
        if entry.number != number or entry.previous != previous or entry.chain != chain_of(entry):
            raise CheckFailedError(f"audit log is broken at entry {number}")
        previous = entry.chain
    if head is not None and previous != head:
        raise CheckFailedError(f"audit log ends after entry {number}, which is not its head")
    return number


@dataclass(slots=True)
class AuditLog:
    """Head of the chain, and the last entries."""

    count: int = 0
    head: str = ROOT.hex()
    tail: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=TAIL_ENTRIES))

    def append(self, **facts: Any) -> AuditEntry:
        """Link the next entry; `facts` are its fields but number, previous and chain."""
        entry = AuditEntry(number=self.count + 1, previous=self.head, **facts)
        entry = msgspec.structs.replace(entry, chain=chain_of(entry))
        self.count, self.head = entry.number, entry.chain
        self.tail.append(entry)
        return entry

    def to_canonical(self) -> list[Any]:
        """Empty before the first entry."""
        return [self.count, self.head] if self.count else []

    def tail_to_snapshot(self) -> list[bytes]:
        return [_encode(entry) for entry in self.tail]

    def restore(self, content: list[Any], tail: list[bytes]) -> None:
        """Inverse of `to_canonical` and `tail_to_snapshot`."""
        if content:
            self.count, self.head = content
        self.tail.extend(_decode(entry) for entry in tail)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(AuditEntry).decode
