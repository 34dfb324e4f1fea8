"""Retirements (核销): permanent, numbered, with beneficiary, purpose and the period of consumption they are claimed for.

A retirement is never changed or taken back. From the year in which the rule of the same year (证电同年核销) is on, units count only for
consumption of the year in which they were generated (docs/rules.md, "Certificates").

Each has a text that anybody can read, and that ends with the digest of the retirement before it; its own digest is the SHA-256 of that text. So a
digest on a printed certificate is checked with nothing but the text, and stands for all retirements before it. The state hash has the last digest.
"""

import datetime
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.market.calendar import TIME_ZONE
from exchange.registry.months import year_at
from exchange.registry.serials import SerialRange, UnitScheme
from exchange.units import NS_PER_SECOND

# What one unit is, in words of a certificate.
UNIT_SIZES: Final = {
    UnitScheme.GEC: "1 MWh", UnitScheme.GC: "1 Wh", UnitScheme.SDGC: "1 Wh", UnitScheme.CEA: "1 tCO2e", UnitScheme.CCER: "1 tCO2e",
    UnitScheme.PCC: "1 tCO2e",
}  # fmt: skip


class RetirementKind(IntEnum):
    """CLAIM: for consumption of the beneficiary. STORAGE: for energy that went into a storage; its discharge may earn certificates again."""

    CLAIM = 1
    STORAGE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Retirement:
    """`number` is permanent, from 1 on. `quantity` is in units of the series. Times in ns; `consumed_to_ns` is the end, excluded.

    `account` gave the units, `beneficiary` is whose consumption they are claimed for. `serials`: int64[k, 6], the fields of SerialRange. `previous`:
    digest of the retirement before, empty for the first.
    """

    number: int
    kind: RetirementKind
    retired_ns: int
    account: int
    beneficiary: int
    beneficiary_name: str
    purpose: str
    consumed_from_ns: int
    consumed_to_ns: int
    series: str
    quantity: int
    serials: NDArray[np.int64]
    previous: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.text.encode()).hexdigest())

    @property
    def ranges(self) -> Iterator[SerialRange]:
        """Serial numbers, in the order they were taken."""
        for scheme, *rest in self.serials.tolist():
            yield SerialRange(UnitScheme(scheme), *rest)

    @property
    def unit(self) -> str:
        """What one unit is."""
        return UNIT_SIZES[UnitScheme(int(self.serials[0, 0]))]

    @property
    def text(self) -> str:
        """The retirement as lines of text, which its digest is made of."""
        lines = [
            f"retirement {self.number}",
            f"kind {self.kind.name.lower()}",
            f"retired {local_time(self.retired_ns)}",
            f"account {self.account}",
            f"beneficiary {self.beneficiary} {self.beneficiary_name}",
            f"purpose {self.purpose}",
            f"consumption from {local_time(self.consumed_from_ns)}",
            f"consumption to {local_time(self.consumed_to_ns)}",
            f"series {self.series}",
            f"quantity {self.quantity} of {self.unit}",
            *(f"serial {serial}" for serial in self.ranges),
            f"previous {self.previous or 'none'}",
        ]
        return "\n".join(lines) + "\n"

    def to_canonical(self) -> list[Any]:
        return [
            self.number, int(self.kind), self.retired_ns, self.account, self.beneficiary, self.beneficiary_name, self.purpose, self.consumed_from_ns,
            self.consumed_to_ns, self.series, self.quantity, self.serials.astype("<i8").tobytes(), self.previous,
        ]  # fmt: skip

    @classmethod
    def from_canonical(cls, row: list[Any]) -> "Retirement":
        number, kind, *facts, serials, previous = row
        table = np.frombuffer(serials, "<i8").astype(np.int64).reshape(-1, len(SerialRange._fields))
        return cls(*[number, RetirementKind(kind), *facts, table, previous])


@dataclass(slots=True)
class Retirements:
    """All retirements by number, and who may retire for whom."""

    by_number: dict[int, Retirement] = field(default_factory=dict)
    mandates: set[tuple[int, int]] = field(default_factory=set)  # (beneficiary, agent)
    _of_issuance: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)  # (from, to, number); follows from the others

    @property
    def next_number(self) -> int:
        return len(self.by_number) + 1

    @property
    def head(self) -> str:
        """Digest of the last retirement, empty before the first."""
        return self.by_number[len(self.by_number)].digest if self.by_number else ""

    def add(self, retirement: Retirement) -> None:
        """The next one. Raises InputError for another number, or one that does not follow from the one before."""
        if (retirement.number, retirement.previous) != (self.next_number, self.head):
            raise InputError("retirement does not follow from the one before")
        self.by_number[retirement.number] = retirement
        for serial in retirement.ranges:
            self._of_issuance.setdefault(serial.issuance, []).append((serial.serial_from, serial.serial_to, retirement.number))

    def of_serial(self, issuance: int, serial: int) -> Retirement | None:
        """The retirement that a unit ended in."""
        found = (number for first, last, number in self._of_issuance.get(issuance, ()) if first <= serial <= last)
        number = next(found, None)
        return None if number is None else self.by_number[number]

    def of_account(self, account: int) -> list[Retirement]:
        """Those that an account made or benefits from, by number."""
        return [retirement for retirement in self.by_number.values() if account in {retirement.account, retirement.beneficiary}]

    def may_retire(self, agent: int, beneficiary: int) -> bool:
        return agent == beneficiary or (beneficiary, agent) in self.mandates

    def to_hash(self) -> list[Any]:
        """What the state hash has: the last digest stands for all."""
        return [len(self.by_number), self.head, sorted(self.mandates)] if self.by_number or self.mandates else []

    def to_canonical(self) -> list[Any]:
        """The retirements themselves."""
        rows = [retirement.to_canonical() for _, retirement in sorted(self.by_number.items())]
        return [rows, sorted(self.mandates)] if rows or self.mandates else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Retirements":
        """Inverse of `to_canonical`. Raises InputError where one does not follow from the one before."""
        retirements = cls()
        if content:
            rows, mandates = content
            for row in rows:
                retirements.add(Retirement.from_canonical(list(row)))
            retirements.mandates = {(beneficiary, agent) for beneficiary, agent in mandates}
        return retirements


def local_time(time_ns: int) -> str:
    """A time as 2026-08-01T10:00:00+08:00, in the park's time zone; what is below a second is left out."""
    return datetime.datetime.fromtimestamp(time_ns // NS_PER_SECOND, TIME_ZONE).isoformat()


def consumption_problem(consumed_from_ns: int, consumed_to_ns: int) -> str | None:
    """Why a period of consumption is none, as a stable name, or None."""
    if not 0 <= consumed_from_ns < consumed_to_ns <= 2**62:
        return "consumption_period_out_of_order"
    return "consumption_period_spans_years" if year_at(consumed_from_ns) != year_at(consumed_to_ns - 1) else None


def same_year_problem(consumed_from_ns: int, generation_years: Iterable[int], same_year_from: int) -> str | None:
    """Why units of those years cannot be claimed for the year of a consumption, as a stable name, or None."""
    year = year_at(consumed_from_ns)
    wrong = year >= same_year_from and any(generated != year for generated in generation_years)
    return "consumption_year_is_not_generation_year" if wrong else None
