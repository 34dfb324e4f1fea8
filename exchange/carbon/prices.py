"""Turnover of listed allowances by month: what the average price of a fine is made of."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class MonthlyPrices:
    """By local month (year * 100 + month): micro-CNY and lots of all listed trades of allowances, every vintage, at the close of their day."""

    by_month: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, month: int, turnover_micro: int, lots: int) -> None:
        """The trades of one instrument and day."""
        if lots:
            turnover, traded = self.by_month.get(month, (0, 0))
            self.by_month[month] = (turnover + turnover_micro, traded + lots)

    def of_month(self, month: int) -> tuple[int, int]:
        """(turnover, lots); zeros for a month without a trade."""
        return self.by_month.get(month, (0, 0))

    def to_canonical(self) -> list[Any]:
        """Turnovers as text: a month may need more than 64 bits."""
        return [[month, str(turnover), lots] for month, (turnover, lots) in sorted(self.by_month.items())]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "MonthlyPrices":
        return cls({month: (int(turnover), lots) for month, turnover, lots in content})
