"""Encumbrances (权利负担): units that are locked in somebody's favour or frozen by order, and by which serial numbers.

An encumbrance knows its rows, not only their owner: what was released and set aside again belongs to the later one alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from exchange.registry.lifecycle import UnitState
from exchange.registry.selection import Selection


class EncumbranceKind(StrEnum):
    LOCK = "lock"
    FREEZE = "freeze"

    @property
    def state(self) -> UnitState:
        return UnitState.LOCKED if self is EncumbranceKind.LOCK else UnitState.FROZEN


@dataclass(frozen=True, slots=True)
class Encumbrance:
    """`id` is permanent. `beneficiary`: the account that may end a lock, 0: the operator alone; `reference`: of a contract or an order."""

    id: int
    kind: EncumbranceKind
    account: int
    asset: int
    beneficiary: int
    reference: str
    rows: tuple[int, ...]

    def standing(self, registry: Selection) -> list[int]:
        """Rows that are still set aside."""
        parts = (part for row in self.rows for part in registry.parts_of(row))
        return [part for part in parts if int(registry.rows[part].state) == self.kind.state]


@dataclass(slots=True)
class Encumbrances:
    """Those that stand, by id."""

    by_id: dict[int, Encumbrance] = field(default_factory=dict)
    next_id: int = 1

    def add(self, kind: EncumbranceKind, account: int, asset: int, beneficiary: int, reference: str, rows: list[int]) -> Encumbrance:
        encumbrance = Encumbrance(self.next_id, kind, account, asset, beneficiary, reference, tuple(rows))
        self.by_id[encumbrance.id] = encumbrance
        self.next_id += 1
        return encumbrance

    def release(self, encumbrance: Encumbrance, rows: Iterable[int], registry: Selection) -> None:
        """Whole rows, perhaps parts of those it had, are no longer its own. It has ended when there are no others."""
        gone = set(rows)
        left = tuple(part for row in encumbrance.rows for part in registry.parts_of(row) if part not in gone)
        if left:
            self.by_id[encumbrance.id] = replace(encumbrance, rows=left)
        else:
            del self.by_id[encumbrance.id]

    def to_canonical(self) -> list[Any]:
        if self.next_id == 1:
            return []
        rows = [[e.id, str(e.kind), e.account, e.asset, e.beneficiary, e.reference, list(e.rows)] for _, e in sorted(self.by_id.items())]
        return [self.next_id, rows]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Encumbrances":
        table = cls()
        if content:
            table.next_id, rows = content
            for number, kind, account, asset, beneficiary, reference, bundle_rows in rows:
                table.by_id[number] = Encumbrance(number, EncumbranceKind(kind), account, asset, beneficiary, reference, tuple(bundle_rows))
        return table
