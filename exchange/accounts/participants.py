"""Participants and their keys: a fold of documents."""

from dataclasses import dataclass, field
from typing import Any, Final

from exchange.accounts.keys import KeyRing, RegisteredKey
from exchange.accounts.permissions import Permission, Role

__all__ = ["FIRST_PARTICIPANT", "Participant", "Participants", "RegisteredKey"]

# Ids below belong to the house (exchange.ledger.chart).
FIRST_PARTICIPANT: Final = 32


@dataclass(frozen=True, slots=True)
class Participant:
    """One account. Power limits are net lots a quarter-hour, bought positive.

    `beneficial_owner` (实际控制人): the account that controls this one; its own number where nobody else does.
    """

    id: int
    name: str
    role: Role
    permissions: Permission
    min_net_power_lots: int
    max_net_power_lots: int
    beneficial_owner: int = 0

    def __post_init__(self) -> None:
        if not self.beneficial_owner:
            object.__setattr__(self, "beneficial_owner", self.id)


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """See exchange.protocol.administration.SetOwnerRules."""

    self_trade_scope: str = "account"
    limit_lots: int = 0

    @property
    def looks_at_owners(self) -> bool:
        return self.self_trade_scope == "beneficial_owner" or self.limit_lots > 0


@dataclass(slots=True)
class Participants:
    """All participants by id, and the keys of all of them."""

    by_id: dict[int, Participant] = field(default_factory=dict)
    ring: KeyRing = field(default_factory=KeyRing)
    owner_rules: OwnerRules = field(default_factory=OwnerRules)
    _names: set[str] = field(default_factory=set)

    @property
    def keys(self) -> dict[str, RegisteredKey]:
        """Live keys by key id."""
        return self.ring.live

    @property
    def next_id(self) -> int:
        return FIRST_PARTICIPANT + len(self.by_id)

    def has_name(self, name: str) -> bool:
        return name in self._names

    def add(self, participant: Participant) -> None:
        """Admit a participant, or replace what is known of one."""
        self.by_id[participant.id] = participant
        self._names.add(participant.name)

    def may_trade_with(self, account: int, other: int) -> bool:
        """Whether the rules of owners let two accounts trade with each other."""
        if self.owner_rules.self_trade_scope == "account":
            return account != other
        return self.by_id[account].beneficial_owner != self.by_id[other].beneficial_owner

    def controlled_by(self, account: int) -> list[int]:
        """The accounts of one beneficial owner, in ascending order."""
        return sorted(p.id for p in self.by_id.values() if p.beneficial_owner == account)

    def to_canonical(self) -> list[Any]:
        """Logical content in the order of ids."""
        people = [
            [p.id, p.name, str(p.role), int(p.permissions), p.min_net_power_lots, p.max_net_power_lots] for _, p in sorted(self.by_id.items())
        ]
        keys = [[k.key_id, k.account, k.public_key, sorted(k.scopes)] for _, k in sorted(self.keys.items())]
        return [people, keys]

    def owners_to_canonical(self) -> list[Any]:
        """[account, beneficial owner] of those who do not control themselves."""
        return [[p.id, p.beneficial_owner] for _, p in sorted(self.by_id.items()) if p.beneficial_owner != p.id]

    def owner_rules_to_canonical(self) -> list[Any]:
        """Empty as long as nobody looks at owners."""
        return [self.owner_rules.self_trade_scope, self.owner_rules.limit_lots] if self.owner_rules != OwnerRules() else []

    @classmethod
    def from_canonical(cls, content: list[Any], owners: list[Any]) -> "Participants":
        """Inverse of `to_canonical` and `owners_to_canonical`."""
        participants = cls()
        people, keys = content
        owner_of = dict(owners)
        for account, name, role, permissions, low, high in people:
            owner = owner_of.get(account, account)
            participants.add(Participant(account, name, Role(role), Permission(permissions), low, high, owner))
        for key_id, account, public_key, scopes in keys:
            participants.ring.add(RegisteredKey(key_id, account, public_key, frozenset(scopes)))
        return participants
