"""Retirements (核销): permanent, numbered, with beneficiary, purpose and the period of consumption they are claimed for.

A retirement is never changed or taken back. From the year in which the rule of the same year (证电同年核销) is on, units count only for
consumption of the year in which they were generated (docs/rules.md, "Certificates").
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from exchange.registry.months import year_at


class SerialRange(NamedTuple):
    """Serial numbers `first` to `last`, both included, of one issuance."""

    bundle: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """`number` is permanent, from 1 on. `quantity` is in lots of the series: 1 MWh, 1 t or 1 Wh. Times in ns; `consumed_to_ns` is the end, excluded.

    `account` gave the units, `beneficiary` is whose consumption they are claimed for (its own account, or who gave a mandate).
    """

    number: int
    sequence: int
    retired_ns: int
    account: int
    beneficiary: int
    beneficiary_name: str
    purpose: str
    consumed_from_ns: int
    consumed_to_ns: int
    series: str
    quantity: int
    ranges: tuple[SerialRange, ...]

    def to_canonical(self) -> list[Any]:
        return [
            self.number, self.sequence, self.retired_ns, self.account, self.beneficiary, self.beneficiary_name, self.purpose, self.consumed_from_ns,
            self.consumed_to_ns, self.series, self.quantity, [list(part) for part in self.ranges],
        ]  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical MessagePack of the retirement in hex: printed on its certificate, so that anybody can compare."""
        return hashlib.sha256(msgspec.msgpack.encode(self.to_canonical())).hexdigest()


@dataclass(slots=True)
class Retirements:
    """All retirements by number, and who may retire for whom."""

    by_number: dict[int, Retirement] = field(default_factory=dict)
    mandates: set[tuple[int, int]] = field(default_factory=set)  # (beneficiary, agent)

    @property
    def next_number(self) -> int:
        return len(self.by_number) + 1

    def add(self, retirement: Retirement) -> None:
        """The number is the next one."""
        assert retirement.number == self.next_number, retirement.number
        self.by_number[retirement.number] = retirement

    def of_account(self, account: int) -> list[Retirement]:
        """Those that an account made or benefits from, by number."""
        return [retirement for retirement in self.by_number.values() if account in {retirement.account, retirement.beneficiary}]

    def may_retire(self, agent: int, beneficiary: int) -> bool:
        return agent == beneficiary or (beneficiary, agent) in self.mandates

    def to_canonical(self) -> list[Any]:
        rows = [retirement.to_canonical() for _, retirement in sorted(self.by_number.items())]
        return [rows, sorted(self.mandates)] if rows or self.mandates else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Retirements":
        retirements = cls()
        if content:
            rows, mandates = content
            for row in rows:
                retirements.add(Retirement(*row[:11], ranges=tuple(SerialRange(*part) for part in row[11])))
            retirements.mandates = {(beneficiary, agent) for beneficiary, agent in mandates}
        return retirements


def consumption_problem(consumed_from_ns: int, consumed_to_ns: int, generation_year: int, same_year_from: int) -> str | None:
    """Why units of a generation year cannot be claimed for a period of consumption, as a stable name, or None."""
    if not 0 <= consumed_from_ns < consumed_to_ns:
        return "consumption_period_out_of_order"
    first, last = year_at(consumed_from_ns), year_at(consumed_to_ns - 1)
    if first != last:
        return "consumption_period_spans_years"
    if first >= same_year_from and first != generation_year:
        return "consumption_year_is_not_generation_year"
    return None
