"""A closed year: what its accounts were made of, kept so that nothing that comes later moves them."""

from dataclasses import dataclass, fields
from typing import Any

import msgspec
import numpy as np

from exchange.carbon.claimed_green import Retirement
from exchange.carbon.flows import EnergySums
from exchange.protocol.value_chain.accounting import CloseCarbonYear


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
        columns = [getattr(self.sums, item.name).tolist() for item in fields(EnergySums)]
        claims = [list(retirement) for retirement in self.retirements]
        return [msgspec.to_builtins(self.document), self.days, list(self.accounts), columns, self.deductible_export_wh, claims]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "ClosedYear":
        """Inverse of `to_canonical`."""
        document, days, accounts, columns, deductible_wh, claims = content
        names = [item.name for item in fields(EnergySums)]
        sums = EnergySums(**{name: np.array(column, np.int64) for name, column in zip(names, columns, strict=True)})
        retirements = tuple(Retirement(*claim) for claim in claims)
        return cls(msgspec.convert(document, CloseCarbonYear), days, tuple(accounts), sums, deductible_wh, retirements)
