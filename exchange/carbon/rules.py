"""Parameters of the national scheme by compliance year. Source: docs/rules.md, "Allowances"."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from exchange.carbon.calendar import is_day
from exchange.carbon.record import FrozenRecord, from_rows, to_rows
from exchange.protocol.value_chain.allowances import SetCarbonRules
from exchange.units import PPM

YEAR_MIN: Final = 2013  # the pilots
YEAR_MAX: Final = 2099
_PENALTY_LIMIT_PPM: Final = 100 * PPM


class CarbonRules(FrozenRecord, frozen=True):
    """One version; fields as in SetCarbonRules. The defaults hold before anybody sets others."""

    from_year: int = 0
    pre_allocation_ppm: int = 700_000
    ccer_cap_ppm: int = 50_000
    carry_over_ppm: int = 1_500_000
    vintage_from_year: int = 0
    penalty_min_ppm: int = 5_000_000
    penalty_max_ppm: int = 10_000_000
    verifier_years_max: int = 3
    validator_may_verify: bool = False
    report_day: int = 331
    verify_day: int = 630
    surrender_day: int = 1231


def rules_of(document: SetCarbonRules) -> CarbonRules:
    return CarbonRules(*msgspec.structs.astuple(document))


def rules_problem(rules: CarbonRules) -> str | None:
    """The first rule that a version breaks by itself, as a stable name."""
    if not YEAR_MIN <= rules.from_year <= YEAR_MAX or not (rules.vintage_from_year == 0 or YEAR_MIN <= rules.vintage_from_year <= rules.from_year):
        return "year_out_of_range"
    if not 0 <= rules.pre_allocation_ppm <= PPM or not 0 <= rules.ccer_cap_ppm <= PPM or not 0 <= rules.carry_over_ppm <= 100 * PPM:
        return "share_out_of_range"
    if not 0 <= rules.penalty_min_ppm <= rules.penalty_max_ppm <= _PENALTY_LIMIT_PPM:
        return "penalty_out_of_order"
    if not 1 <= rules.verifier_years_max <= 100:
        return "verifier_years_out_of_range"
    days = (rules.report_day, rules.verify_day, rules.surrender_day)
    if not all(is_day(day) for day in days) or not days[0] < days[1] < days[2]:
        return "deadlines_out_of_order"
    return None


@dataclass(slots=True)
class RuleBook:
    """All versions in the order of the years that they hold from."""

    versions: list[CarbonRules] = field(default_factory=list)

    def of_year(self, year: int) -> CarbonRules:
        """The version of a compliance year."""
        return next((rules for rules in reversed(self.versions) if rules.from_year <= year), CarbonRules())

    def set(self, rules: CarbonRules) -> None:
        """A version replaces the one from the same year and holds until the next one."""
        kept = [known for known in self.versions if known.from_year != rules.from_year]
        self.versions = sorted([*kept, rules], key=lambda version: version.from_year)

    def to_canonical(self) -> list[Any]:
        return to_rows(self.versions)

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "RuleBook":
        return cls(from_rows(CarbonRules, content))
