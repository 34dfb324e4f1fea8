"""What settlement goes by beside positions and meters, as a fold of documents: rules, green contracts, tariffs. Effective-dated, never edited."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from exchange.settlement.day_input import DayRules, ImbalanceRule
from exchange.settlement.tariffs import Tariff

ALPHA_LIMIT_PPM = 100_000


class Contract(NamedTuple):
    """A green contract: prices in ticks of 0.0001 CNY/kWh."""

    id: int
    reference: str
    buyer: int
    generator: int
    month: int
    energy_wh: int
    energy_price_ticks: int
    environment_price_ticks: int
    deviation_price_ticks: int


@dataclass(slots=True)
class SettlementTerms:
    """`rules`: (effective, rule, alpha) in order of time. `delivered_wh`: by green contract and day, as its last run says.

    `tariffs`: by account, (effective, tariff) in order of time.
    """

    rules: list[tuple[int, str, int]] = field(default_factory=list)
    contracts: dict[int, Contract] = field(default_factory=dict)
    delivered_wh: dict[int, dict[str, int]] = field(default_factory=dict)
    tariffs: dict[int, list[tuple[int, Tariff]]] = field(default_factory=dict)

    def rules_at(self, at_ns: int) -> DayRules:
        """The rules of a day that begins at `at_ns`."""
        found = [number for number, (effective_ns, _, _) in enumerate(self.rules, start=1) if effective_ns <= at_ns]
        if not found:
            return DayRules()
        _, rule, alpha_ppm = self.rules[found[-1] - 1]
        return DayRules(found[-1], ImbalanceRule(rule), alpha_ppm)

    def contracts_of(self, month: int) -> list[Contract]:
        """Green contracts of a month, by id."""
        return [contract for contract in self.contracts.values() if contract.month == month]

    def remaining_wh(self, contract: Contract, without_day: str) -> int:
        """What a contract has left, not counting what it delivered on a day that is being settled again."""
        delivered = self.delivered_wh.get(contract.id, {})
        return contract.energy_wh - sum(wh for day, wh in delivered.items() if day != without_day)

    def tariff_at(self, account: int, at_ns: int) -> Tariff | None:
        """The tariff of an account for a month that begins at `at_ns`."""
        found = [tariff for effective_ns, tariff in self.tariffs.get(account, ()) if effective_ns <= at_ns]
        return found[-1] if found else None

    def to_canonical(self) -> list[Any]:
        parts: list[Any] = [
            [list(row) for row in self.rules],
            [list(contract) for _, contract in sorted(self.contracts.items())],
            [[number, day, wh] for number, days in sorted(self.delivered_wh.items()) for day, wh in sorted(days.items())],
            [[account, effective_ns, list(tariff)] for account, rows in sorted(self.tariffs.items()) for effective_ns, tariff in rows],
        ]
        return parts if any(parts) else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "SettlementTerms":
        terms = cls()
        if not content:
            return terms
        rules, contracts, delivered, tariffs = content
        terms.rules = [(effective_ns, rule, alpha) for effective_ns, rule, alpha in rules]
        terms.contracts = {row[0]: Contract(*row) for row in contracts}
        for number, day, wh in delivered:
            terms.delivered_wh.setdefault(number, {})[day] = wh
        for account, effective_ns, tariff in tariffs:
            terms.tariffs.setdefault(account, []).append((effective_ns, Tariff(*tariff)))
        return terms
