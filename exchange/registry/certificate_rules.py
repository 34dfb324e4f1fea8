"""Rules of certificates that change with time: the storage scheme, the allocation of discharge, the year of the same-year rule.

Each is effective from a time on; what happened earlier keeps the rules of its own time.
"""

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class StorageScheme(StrEnum):
    """NONE: discharge earns no certificate (the China scheme). ENERGYTAG: it does, for what was charged with certificates."""

    NONE = "none"
    ENERGYTAG = "energytag"


class Allocation(StrEnum):
    """Which charge a discharge comes from: the oldest, the newest, or all alike."""

    FIFO = "fifo"
    LIFO = "lifo"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True, order=True)
class CertificateRules:
    """What holds from `effective_ns` on."""

    effective_ns: int = 0
    storage: StorageScheme = StorageScheme.NONE
    allocation: Allocation = Allocation.FIFO
    same_year_from: int = 2026


DEFAULT_RULES: Final = CertificateRules()


@dataclass(slots=True)
class CertificateRuleBook:
    """Rules in the order they take effect."""

    rules: list[CertificateRules] = field(default_factory=list)

    def at(self, time_ns: int) -> CertificateRules:
        """The rules of an instant."""
        place = bisect_right(self.rules, time_ns, key=lambda rules: rules.effective_ns)
        return self.rules[place - 1] if place else DEFAULT_RULES

    def add(self, rules: CertificateRules) -> None:
        """Of two rules of one time the later one holds."""
        self.rules = [known for known in self.rules if known.effective_ns != rules.effective_ns]
        insort(self.rules, rules, key=lambda known: known.effective_ns)

    def to_canonical(self) -> list[list[Any]]:
        return [[int(rules.effective_ns), str(rules.storage), str(rules.allocation), rules.same_year_from] for rules in self.rules]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "CertificateRuleBook":
        return cls([CertificateRules(at_ns, StorageScheme(storage), Allocation(order), year) for at_ns, storage, order, year in content])


def rules_problem(effective_ns: int, storage: str, allocation: str, same_year_from: int) -> str | None:
    """The first rule that new rules break by themselves, as a stable name."""
    if storage not in {str(scheme) for scheme in StorageScheme}:
        return "unknown_storage_scheme"
    if allocation not in {str(order) for order in Allocation}:
        return "unknown_allocation"
    if not 2000 <= same_year_from <= 2200 or effective_ns < 0:
        return "rule_out_of_range"
    return None
