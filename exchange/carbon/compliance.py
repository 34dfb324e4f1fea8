"""Entities of the national scheme and their compliance years: reported, verified, allocated, surrendered, short. A table of the fold.

Invariants (`check_compliance`): what was surrendered is at most the obligation, CCER at most their share of it; only what is short after the
deadline is fined, and nothing is paid beyond the fine.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from exchange.carbon.allocation import obligation_t
from exchange.carbon.record import Record, from_rows, to_rows
from exchange.carbon.rules import RuleBook
from exchange.carbon.surrender import ccer_limit_t
from exchange.errors import CheckFailedError


class Stage(IntEnum):
    """How far the allocation of a year has come."""

    NONE = 0
    PRE = 1
    FINAL = 2


class Carried(Record):
    """Allowances of one instrument that were carried over so far."""

    instrument: int
    quantity_lots: int


class Entity(Record):
    """`debt_t`: allowances owed since a true-up. `cut_t`: what the next allocation is cut by, for a shortfall."""

    account: int
    sector: str
    sources: list[str]
    boundary: str
    boundary_projects: list[str]
    debt_t: int = 0
    cut_t: int = 0
    carried: list[Carried] = msgspec.field(default_factory=list)

    def carried_lots(self, instrument: int) -> int:
        return sum(row.quantity_lots for row in self.carried if row.instrument == instrument)


class Surrendered(Record):
    """One line of a surrender."""

    stamp_ns: int
    instrument: int
    quantity_lots: int
    is_offset: bool
    origin: str


class ComplianceYear(Record):
    """One year of one entity. Amounts of emissions in g, of allowances in t, of money in micro-CNY; -1: not known yet.

    `average_price` is (turnover in micro-CNY, t) of the month before the deadline, fixed at it.
    """

    account: int
    year: int
    reported_g: int = -1
    report_sha256: bytes = b""
    reported_ns: int = 0
    verified_g: int = -1
    verifier: int = 0
    verified_ns: int = 0
    stage: Stage = Stage.NONE
    entitled_t: int = 0
    surrendered: list[Surrendered] = msgspec.field(default_factory=list)
    is_closed: bool = False
    shortfall_t: int = 0
    penalty_micro: int = -1
    multiple_ppm: int = 0
    paid_micro: int = 0

    @property
    def is_verified(self) -> bool:
        return self.verified_g >= 0

    @property
    def obligation_t(self) -> int:
        """0 until it is verified."""
        return obligation_t(self.verified_g) if self.is_verified else 0

    @property
    def surrendered_t(self) -> int:
        return sum(line.quantity_lots for line in self.surrendered)

    @property
    def offset_t(self) -> int:
        """CCER among what was surrendered."""
        return sum(line.quantity_lots for line in self.surrendered if line.is_offset)

    @property
    def open_t(self) -> int:
        """What is still to surrender."""
        return self.obligation_t - self.surrendered_t

    @property
    def due_micro(self) -> int:
        """What is left to pay of a penalty."""
        return max(0, self.penalty_micro) - self.paid_micro


@dataclass(slots=True)
class Compliance:
    """`prices`: (turnover in micro-CNY, t) of the month before the deadline, by compliance year, once that has passed."""

    entities: dict[int, Entity] = field(default_factory=dict)
    years: dict[tuple[int, int], ComplianceYear] = field(default_factory=dict)
    scheduled: set[int] = field(default_factory=set)
    prices: dict[int, tuple[int, int]] = field(default_factory=dict)

    def year(self, account: int, year: int) -> ComplianceYear:
        """The row of an entity's year, made when it is first asked for by a command that will change it."""
        return self.years.setdefault((account, year), ComplianceYear(account, year))

    def of_year(self, year: int) -> list[ComplianceYear]:
        """In the order of accounts."""
        return [row for key, row in sorted(self.years.items()) if key[1] == year]

    def of_account(self, account: int) -> list[ComplianceYear]:
        """In the order of years."""
        return [row for key, row in sorted(self.years.items()) if key[0] == account]

    def to_canonical(self) -> list[Any]:
        if not (self.entities or self.years):
            return []
        prices = [[year, str(turnover), lots] for year, (turnover, lots) in sorted(self.prices.items())]
        entities = (entity for _, entity in sorted(self.entities.items()))
        return [to_rows(entities), to_rows(row for _, row in sorted(self.years.items())), sorted(self.scheduled), prices]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Compliance":
        if not content:
            return cls()
        entities, years, scheduled, prices = content
        return cls(
            {entity.account: entity for entity in from_rows(Entity, entities)},
            {(row.account, row.year): row for row in from_rows(ComplianceYear, years)},
            set(scheduled),
            {year: (int(turnover), lots) for year, turnover, lots in prices},
        )


def check_compliance(compliance: Compliance, rules: RuleBook) -> None:
    """Raises CheckFailedError naming the first invariant that does not hold."""
    for row in compliance.years.values():
        _require(row.surrendered_t <= row.obligation_t, "no more is surrendered than is owed")
        limit_t = ccer_limit_t(row.obligation_t, rules.of_year(row.year).ccer_cap_ppm)
        _require(row.offset_t <= limit_t, "CCER are at most their share of an obligation")
        _require(row.shortfall_t == (row.open_t if row.is_closed else 0), "a shortfall is what is open after the deadline")
        _require(row.penalty_micro < 0 or row.shortfall_t > 0, "only a shortfall is fined")
        _require(0 <= row.paid_micro <= max(0, row.penalty_micro), "no more is paid than the fine")
    for entity in compliance.entities.values():
        _require(entity.debt_t >= 0 and entity.cut_t >= 0, "debts are not negative")


def _require(condition: bool, invariant: str) -> None:
    if not condition:
        raise CheckFailedError(f"not so: {invariant}")
