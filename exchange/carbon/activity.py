"""Activity data (活动数据): entries by account and month, appended and never edited; the highest revision counts.

A fold of RecordActivity documents. What is entered after a year was closed is kept apart (docs/rules.md, "Park accounts").
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from exchange.protocol.value_chain.accounting import RecordActivity


class ActivityKind(StrEnum):
    FUEL = "fuel"
    PROCESS = "process"
    PURCHASED_HEAT = "purchased_heat"
    WASTE_HEAT_AVAILABLE = "waste_heat_available"
    WASTE_HEAT_USED = "waste_heat_used"
    WATER_USED = "water_used"
    WATER_REUSED = "water_reused"
    SOLID_WASTE = "solid_waste"
    SOLID_WASTE_USED = "solid_waste_used"
    PRODUCT_OUTPUT = "product_output"
    PRODUCT_ENERGY = "product_energy"
    PRODUCT_ELECTRICITY = "product_electricity"


class FuelUse(StrEnum):
    """COMBUSTION, and CONVERSION to power or heat, emit in the park. FEEDSTOCK is excluded, BUNKER is listed apart."""

    COMBUSTION = "combustion"
    CONVERSION = "conversion"
    FEEDSTOCK = "feedstock"
    BUNKER = "bunker"


# Fuels that have a default factor, with their unit. Another one needs a registered factor. A longer list is a change of behaviour: a new level.
DEFAULT_FUELS: Final[dict[str, str]] = {"natural_gas": "m3", "coal": "t", "diesel": "t", "gasoline": "t", "fuel_oil": "t", "lpg": "t"}
UNITS: Final[dict[ActivityKind, str]] = {
    ActivityKind.PROCESS: "kgCO2",
    ActivityKind.PURCHASED_HEAT: "GJ",
    ActivityKind.WASTE_HEAT_AVAILABLE: "GJ",
    ActivityKind.WASTE_HEAT_USED: "GJ",
    ActivityKind.WATER_USED: "m3",
    ActivityKind.WATER_REUSED: "m3",
    ActivityKind.SOLID_WASTE: "t",
    ActivityKind.SOLID_WASTE_USED: "t",
    ActivityKind.PRODUCT_ENERGY: "kgce",
    ActivityKind.PRODUCT_ELECTRICITY: "kWh",
}
_WITH_SUBJECT: Final = frozenset(
    {ActivityKind.FUEL, ActivityKind.PROCESS, ActivityKind.PRODUCT_OUTPUT, ActivityKind.PRODUCT_ENERGY, ActivityKind.PRODUCT_ELECTRICITY}
)
QUANTITY_LIMIT_MILLI: Final = 10**15


class ActivityKey(NamedTuple):
    """What one series of revisions is about."""

    account: int
    month: int
    kind: str
    subject: str
    use: str


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """`number` counts all entries from 1 on; `sender` is the account that sent it."""

    number: int
    key: ActivityKey
    revision: int
    quantity_milli: int
    unit: str
    evidence: bytes
    after_closing: bool
    sender: int
    stamp_ns: int


@dataclass(slots=True)
class Activities:
    """All entries in order of arrival, and the last of each key."""

    entries: list[ActivityEntry] = field(default_factory=list)
    _last: dict[ActivityKey, ActivityEntry] = field(default_factory=dict)

    def next_revision(self, key: ActivityKey) -> int:
        last = self._last.get(key)
        return 1 if last is None else last.revision + 1

    def unit_of(self, kind: str, subject: str) -> str | None:
        """The unit that a product or process was first stated in."""
        return next((entry.unit for entry in self.entries if entry.key.kind == kind and entry.key.subject == subject), None)

    def add(self, document: RecordActivity, sender: int, stamp_ns: int) -> ActivityEntry:
        """The document has been checked."""
        entry = ActivityEntry(
            len(self.entries) + 1, key_of(document), document.revision, document.quantity_milli, document.unit, document.evidence,
            document.after_closing, sender, stamp_ns,
        )  # fmt: skip
        self._append(entry)
        return entry

    def _append(self, entry: ActivityEntry) -> None:
        self.entries.append(entry)
        self._last[entry.key] = entry

    def of_year(self, year: int, *, after_closing: bool = True) -> Iterator[ActivityEntry]:
        """Those that count for a year; without what came after its closing where asked, which gives the account as it was closed."""
        counting: dict[ActivityKey, ActivityEntry] = {}
        for entry in self.entries:
            if entry.key.month // 100 == year and (after_closing or not entry.after_closing):
                counting[entry.key] = entry
        yield from counting.values()

    def is_corrected(self, year: int) -> bool:
        """Whether anything was entered after the year was closed."""
        return any(entry.after_closing and entry.key.month // 100 == year for entry in self.entries)

    def to_canonical(self) -> list[Any]:
        return [
            [*e.key, e.revision, e.quantity_milli, e.unit, e.evidence, e.after_closing, e.sender, e.stamp_ns] for e in self.entries
        ]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Activities":
        activities = cls()
        for account, month, kind, subject, use, *rest in content:
            activities._append(ActivityEntry(len(activities.entries) + 1, ActivityKey(account, month, kind, subject, use), *rest))
        return activities


def key_of(document: RecordActivity) -> ActivityKey:
    return ActivityKey(document.account, document.month, document.kind, document.subject, document.use)


def activity_problem(document: RecordActivity) -> str | None:
    """The first rule that activity data break by themselves, as a stable name; fuels and their units are the caller's to know."""
    if document.kind not in {str(kind) for kind in ActivityKind}:
        return "unknown_activity_kind"
    kind = ActivityKind(document.kind)
    if (document.subject != "") != (kind in _WITH_SUBJECT) or len(document.subject) > 64:
        return "subject_malformed"
    uses = {str(use) for use in FuelUse} if kind is ActivityKind.FUEL else {""}
    if document.use not in uses:
        return "unknown_use"
    if kind in UNITS and document.unit != UNITS[kind]:
        return "unit_is_another"
    if not 0 < len(document.unit) <= 16:
        return "unit_malformed"
    year, month = divmod(document.month, 100)
    if not (1990 <= year < 2200 and 1 <= month <= 12):
        return "month_malformed"
    if not 0 <= document.quantity_milli <= QUANTITY_LIMIT_MILLI:
        return "quantity_out_of_range"
    return None if len(document.evidence) in {0, 32} else "evidence_malformed"
