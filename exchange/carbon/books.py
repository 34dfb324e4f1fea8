"""The table of the carbon accounts: registered factors, activity data, norms of products, closed years. A fold of documents."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from exchange.carbon import packaged
from exchange.carbon.activity import Activities
from exchange.carbon.factors import FactorBook
from exchange.protocol.value_chain.accounting import CloseCarbonYear, EmissionFactor, FuelFactor, SetProductNorm


@dataclass(slots=True)
class CarbonBooks:
    """`grid` and `fuels`: registered factors in order of registration. `closings` by year."""

    grid: list[EmissionFactor] = field(default_factory=list)
    fuels: list[FuelFactor] = field(default_factory=list)
    activities: Activities = field(default_factory=Activities)
    norms: list[SetProductNorm] = field(default_factory=list)
    closings: dict[int, CloseCarbonYear] = field(default_factory=dict)

    def factors_of(self, year: int) -> FactorBook:
        """A closed year's own; otherwise what is shipped, then what was registered, which goes first where both are of one version."""
        closing = self.closings.get(year)
        if closing is not None:
            return FactorBook(year, closing.factors, closing.fuels)
        return FactorBook(year, (*packaged.grid_factors(), *self.grid), (*packaged.fuel_factors(), *self.fuels))

    def norm(self, product: str, year: int) -> SetProductNorm | None:
        """The norm that holds for a product in a year: the last one set of the latest start."""
        holding = [norm for norm in self.norms if norm.product == product and norm.from_year <= year]
        return max(reversed(holding), key=lambda norm: norm.from_year) if holding else None

    def revision(self) -> tuple[int, ...]:
        """Counts of what only grows: equal ones mean the same books."""
        return len(self.grid), len(self.fuels), len(self.activities.entries), len(self.norms), len(self.closings)

    def to_canonical(self) -> list[Any]:
        """Logical content; empty while nothing was entered."""
        if not any(self.revision()):
            return []
        return [
            msgspec.to_builtins(self.grid),
            msgspec.to_builtins(self.fuels),
            self.activities.to_canonical(),
            msgspec.to_builtins(self.norms),
            [msgspec.to_builtins(closing) for _, closing in sorted(self.closings.items())],
        ]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "CarbonBooks":
        """Inverse of `to_canonical`."""
        if not content:
            return cls()
        grid, fuels, activities, norms, closings = content
        closed = msgspec.convert(closings, list[CloseCarbonYear])
        return cls(
            msgspec.convert(grid, list[EmissionFactor]), msgspec.convert(fuels, list[FuelFactor]), Activities.from_canonical(activities),
            msgspec.convert(norms, list[SetProductNorm]), {closing.year: closing for closing in closed},
        )  # fmt: skip
