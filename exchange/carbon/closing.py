"""A closed year: what its accounts were made of, kept so that nothing that comes later moves them.

Sums that closings did not have from the first stand behind the others and are written only where there is something in them, so that a year that was
closed before keeps the hash that it had.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec

from exchange.carbon.claimed_green import Retirement
from exchange.carbon.flows import EnergySums
from exchange.protocol.value_chain.accounting import CloseCarbonYear

_NAMES: Final = tuple(item.name for item in fields(EnergySums))
# Columns of every closing, and sums of the park in every closing.
_FIRST_COLUMNS: Final = _NAMES.index("park") + 1
_FIRST_PARK_SUMS: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class ClosedYear:
    """Factors are in the document. Rows of `sums` are `accounts`; `retirements` are those for the year that had been made."""

    document: CloseCarbonYear
    days: int
    accounts: tuple[int, ...]
    sums: EnergySums
    deductible_export_wh: int
    retirements: tuple[Retirement, ...]

    def to_canonical(self) -> list[Any]:
        """Integers and strings alone, for state hash and snapshot."""
        claims = [list(retirement) for retirement in self.retirements]
        return [msgspec.to_builtins(self.document), self.days, list(self.accounts), _columns(self.sums), self.deductible_export_wh, claims]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "ClosedYear":
        """Inverse of `to_canonical`."""
        document, days, accounts, columns, deductible_wh, claims = content
        sums = EnergySums.zero(len(accounts))
        for name, column in zip(_NAMES, columns, strict=False):
            getattr(sums, name)[: len(column)] = column
        retirements = tuple(Retirement(*claim) for claim in claims)
        return cls(msgspec.convert(document, CloseCarbonYear), days, tuple(accounts), sums, deductible_wh, retirements)


def _columns(sums: EnergySums) -> list[list[int]]:
    """In the order of the fields, without a tail of nothing."""
    columns: list[list[int]] = [getattr(sums, name).tolist() for name in _NAMES]
    while len(columns) > _FIRST_COLUMNS and not any(columns[-1]):
        columns.pop()
    park = columns[_FIRST_COLUMNS - 1]
    while len(park) > _FIRST_PARK_SUMS and not park[-1]:
        park.pop()
    return columns
