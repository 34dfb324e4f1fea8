"""Keys from registration to their end, and the sessions that they have opened: a fold of documents, session commands and deadlines.

    registered -> live -> revoked | rotated out | expired

The exchange knows public keys only. What a journal of before this table did stays as it hashed: rows are there for what it could not say.
"""

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class KeyEnd(StrEnum):
    """Why a key, or the sessions of one, ended."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    CHANGED = "changed"  # only its sessions: it has other scopes now


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """An Ed25519 public key (32 bytes) that may log on for an account within its scopes, until `not_after_ns` (0: no end).

    `person` holds the private key; empty where nobody said who does.
    """

    key_id: str
    account: int
    public_key: bytes
    scopes: frozenset[str]
    person: str = ""
    not_after_ns: int = 0

    @property
    def number(self) -> int:
        """By which a command names it."""
        return fingerprint(self.key_id, self.public_key)

    def to_canonical(self) -> list[Any]:
        return [self.key_id, self.account, self.public_key, sorted(self.scopes), self.person, self.not_after_ns]

    @classmethod
    def from_canonical(cls, row: list[Any]) -> "RegisteredKey":
        key_id, account, public_key, scopes, person, not_after_ns = row
        return cls(key_id, account, public_key, frozenset(scopes), person, not_after_ns)


@dataclass(frozen=True, slots=True)
class EndedKey:
    """A key that may do nothing more; its id is never given again."""

    key: RegisteredKey
    ended_ns: int
    reason: KeyEnd


def fingerprint(key_id: str, public_key: bytes) -> int:
    """The number by which a command names the key that speaks: 63 bits of SHA-256, never 0."""
    return int.from_bytes(hashlib.sha256(key_id.encode() + b"\0" + public_key).digest()[:8], "little") >> 1 or 1


@dataclass(slots=True)
class KeyRing:
    """Live keys by id, ended ones, when each was last used, and the open sessions of the present epoch by key."""

    live: dict[str, RegisteredKey] = field(default_factory=dict)
    ended: dict[str, EndedKey] = field(default_factory=dict)
    last_used_ns: dict[str, int] = field(default_factory=dict)
    _sessions: dict[int, str] = field(default_factory=dict)
    _epoch: int = 0
    _by_fingerprint: dict[int, str] = field(default_factory=dict)

    def add(self, key: RegisteredKey) -> None:
        """Register a key, or replace the terms of a live one."""
        self.live[key.key_id] = key
        self._by_fingerprint[key.number] = key.key_id

    def is_taken(self, key_id: str, public_key: bytes) -> bool:
        """Whether a key of that id is or was there, or one whose commands could not be told from its."""
        return key_id in self.live or key_id in self.ended or fingerprint(key_id, public_key) in self._by_fingerprint

    def change(self, key_id: str, scopes: frozenset[str], not_after_ns: int) -> None:
        self.live[key_id] = replace(self.live[key_id], scopes=scopes, not_after_ns=not_after_ns)

    def end(self, key_id: str, reason: KeyEnd, now_ns: int, *, is_kept: bool) -> RegisteredKey:
        """Take a key out of use. `is_kept`: the table remembers it."""
        key = self.live.pop(key_id)
        del self._by_fingerprint[key.number]
        if is_kept:
            self.ended[key_id] = EndedKey(key, now_ns, reason)
        else:
            self.last_used_ns.pop(key_id, None)
        return key

    def speaking(self, number: int) -> RegisteredKey | None:
        """The live key that a command names."""
        key_id = self._by_fingerprint.get(number)
        return None if key_id is None else self.live[key_id]

    def open_session(self, key_id: str, session: int, epoch: int, now_ns: int) -> None:
        """A session has begun. Those of an earlier epoch ended with it."""
        if epoch != self._epoch:
            self._sessions, self._epoch = {}, epoch
        self._sessions[session] = key_id
        self.last_used_ns[key_id] = now_ns

    def close_session(self, session: int) -> None:
        self._sessions.pop(session, None)

    def sessions_of(self, key_id: str, epoch: int) -> list[int]:
        """Open sessions of a key in ascending order."""
        return sorted(session for session, owner in self._sessions.items() if owner == key_id) if epoch == self._epoch else []

    def to_canonical(self, epoch: int) -> list[Any]:
        """Empty as long as keys are only registered and forgotten."""
        terms = [
            [key_id, key.person, key.not_after_ns, self.last_used_ns.get(key_id, 0)]
            for key_id, key in sorted(self.live.items())
            if key.person or key.not_after_ns or key_id in self.last_used_ns
        ]
        ended = [[*e.key.to_canonical(), e.ended_ns, str(e.reason), self.last_used_ns.get(key_id, 0)] for key_id, e in sorted(self.ended.items())]
        sessions = sorted([session, key_id] for session, key_id in self._sessions.items()) if epoch == self._epoch else []
        return [terms, ended, sessions] if terms or ended or sessions else []

    def restore(self, content: list[Any], epoch: int) -> None:
        """Inverse of `to_canonical`, after the live keys are there."""
        if not content:
            return
        terms, ended, sessions = content
        for key_id, person, not_after_ns, last_used_ns in terms:
            self.live[key_id] = replace(self.live[key_id], person=person, not_after_ns=not_after_ns)
            self._note_use(key_id, last_used_ns)
        for *row, ended_ns, reason, last_used_ns in ended:
            key = RegisteredKey.from_canonical(row)
            self.ended[key.key_id] = EndedKey(key, ended_ns, KeyEnd(reason))
            self._note_use(key.key_id, last_used_ns)
        self._sessions, self._epoch = dict(sessions), epoch

    def _note_use(self, key_id: str, last_used_ns: int) -> None:
        if last_used_ns:
            self.last_used_ns[key_id] = last_used_ns
