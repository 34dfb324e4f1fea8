"""Participants and their keys: a fold of admit, register_key and revoke_key documents."""

from dataclasses import dataclass, field
from typing import Any, Final

from exchange.accounts.permissions import Permission, Role

# Ids below belong to the house (exchange.ledger.chart).
FIRST_PARTICIPANT: Final = 32


@dataclass(frozen=True, slots=True)
class Participant:
    """One account. Power limits are net lots a quarter-hour, bought positive."""

    id: int
    name: str
    role: Role
    permissions: Permission
    min_net_power_lots: int
    max_net_power_lots: int


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """An Ed25519 public key (32 bytes) that may log on for an account within its scopes."""

    key_id: str
    account: int
    public_key: bytes
    scopes: frozenset[str]


@dataclass(slots=True)
class Participants:
    """All participants by id and all live keys by key id."""

    by_id: dict[int, Participant] = field(default_factory=dict)
    keys: dict[str, RegisteredKey] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    @property
    def next_id(self) -> int:
        return FIRST_PARTICIPANT + len(self.by_id)

    def has_name(self, name: str) -> bool:
        return name in self._names

    def add(self, participant: Participant) -> None:
        self.by_id[participant.id] = participant
        self._names.add(participant.name)

    def to_canonical(self) -> list[Any]:
        """Logical content in the order of ids."""
        people = [
            [p.id, p.name, str(p.role), int(p.permissions), p.min_net_power_lots, p.max_net_power_lots] for _, p in sorted(self.by_id.items())
        ]
        keys = [[k.key_id, k.account, k.public_key, sorted(k.scopes)] for _, k in sorted(self.keys.items())]
        return [people, keys]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Participants":
        """Inverse of `to_canonical`."""
        participants = cls()
        people, keys = content
        for account, name, role, permissions, low, high in people:
            participants.add(Participant(account, name, Role(role), Permission(permissions), low, high))
        for key_id, account, public_key, scopes in keys:
            participants.keys[key_id] = RegisteredKey(key_id, account, public_key, frozenset(scopes))
        return participants
