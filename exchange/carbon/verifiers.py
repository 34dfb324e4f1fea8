"""Independence of verifiers (核查机构): nobody verifies itself, a client it is tied to or holds units beside, or the same client for too long.

Source: docs/rules.md, "Allowances". The number of years is a rule in state.
"""

from dataclasses import dataclass, field
from typing import Any

from exchange.carbon.rules import YEAR_MIN


@dataclass(slots=True)
class Engagements:
    """Years for which a verifier has signed an opinion, by (verifier, client)."""

    years: dict[tuple[int, int], set[int]] = field(default_factory=dict)

    def note(self, verifier: int, client: int, year: int) -> None:
        self.years.setdefault((verifier, client), set()).add(year)

    def years_in_a_row(self, verifier: int, client: int, year: int) -> int:
        """How long the unbroken run of years would be that `year` would belong to."""
        known = self.years.get((verifier, client), set()) | {year}
        first = last = year
        while first - 1 in known and first > YEAR_MIN:
            first -= 1
        while last + 1 in known:
            last += 1
        return last - first + 1

    def to_canonical(self) -> list[Any]:
        return [[*pair, sorted(years)] for pair, years in sorted(self.years.items())]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Engagements":
        return cls({(verifier, client): set(years) for verifier, client, years in content})


def independence_problem(*, is_same_owner: bool, holds_units: bool, years_in_a_row: int, years_max: int) -> str | None:
    """Why a verifier may not sign for a client, as a stable name."""
    if is_same_owner:
        return "verifier_is_tied_to_client"
    if holds_units:
        return "verifier_holds_units"
    if years_in_a_row > years_max:
        return "verifier_has_the_client_too_long"
    return None
