"""All tables of allowances and credits together: one part of the state."""

from dataclasses import dataclass, field
from typing import Any

from exchange.carbon.compliance import Compliance, check_compliance
from exchange.carbon.energy_claims import EnergyClaims
from exchange.carbon.park_scheme import ParkSchemes, check_park_schemes
from exchange.carbon.prices import MonthlyPrices
from exchange.carbon.projects import Projects, check_projects
from exchange.carbon.rules import RuleBook
from exchange.carbon.verifiers import Engagements


@dataclass(slots=True)
class CarbonCredits:
    """Rules, the national market, verifiers, projects and their claims, the park's own scheme."""

    rules: RuleBook = field(default_factory=RuleBook)
    compliance: Compliance = field(default_factory=Compliance)
    prices: MonthlyPrices = field(default_factory=MonthlyPrices)
    engagements: Engagements = field(default_factory=Engagements)
    projects: Projects = field(default_factory=Projects)
    energy: EnergyClaims = field(default_factory=EnergyClaims)
    parks: ParkSchemes = field(default_factory=ParkSchemes)

    def to_canonical(self) -> list[Any]:
        """Empty as long as nothing has happened."""
        parts = [
            self.rules.to_canonical(), self.compliance.to_canonical(), self.prices.to_canonical(), self.engagements.to_canonical(),
            self.projects.to_canonical(), self.energy.to_canonical(), self.parks.to_canonical(),
        ]  # fmt: skip
        return parts if any(parts) else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "CarbonCredits":
        """Inverse of `to_canonical`."""
        if not content:
            return cls()
        rules, compliance, prices, engagements, projects, energy, parks = content
        return cls(
            RuleBook.from_canonical(rules), Compliance.from_canonical(compliance), MonthlyPrices.from_canonical(prices),
            Engagements.from_canonical(engagements), Projects.from_canonical(projects), EnergyClaims.from_canonical(energy),
            ParkSchemes.from_canonical(parks),
        )  # fmt: skip

    def check(self) -> None:
        """Raises CheckFailedError naming the first invariant that does not hold."""
        check_compliance(self.compliance, self.rules)
        check_projects(self.projects)
        check_park_schemes(self.parks)
