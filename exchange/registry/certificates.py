"""The tables of certificates together: one part of the state (exchange.order_path.tables)."""

from dataclasses import dataclass, field
from typing import Any

from exchange.registry.certificate_rules import CertificateRuleBook
from exchange.registry.claims import ClaimRegister
from exchange.registry.issuance import MonthlyIssuance
from exchange.registry.retirements import Retirements
from exchange.registry.storage_records import StorageRecords


@dataclass(slots=True)
class Certificates:
    """Who holds which serial numbers is the registry's; here is why they exist, what they were used for, and which energy they claim.

    `expiring`: what has a deadline of its expiry, an instrument by its id or a month of granular certificates by its negative number.
    """

    rules: CertificateRuleBook = field(default_factory=CertificateRuleBook)
    claims: ClaimRegister = field(default_factory=ClaimRegister)
    monthly: MonthlyIssuance = field(default_factory=MonthlyIssuance)
    storage: StorageRecords = field(default_factory=StorageRecords)
    retirements: Retirements = field(default_factory=Retirements)
    expiring: set[int] = field(default_factory=set)

    def to_hash(self) -> list[Any]:
        """What the state hash has: of claims and retirements their digests."""
        return self._parts(self.claims.to_hash(), self.retirements.to_hash())

    def to_canonical(self) -> list[Any]:
        """What a snapshot has."""
        return self._parts(self.claims.to_canonical(), self.retirements.to_canonical())

    def _parts(self, claims: list[Any], retirements: list[Any]) -> list[Any]:
        parts = [
            self.rules.to_canonical(), claims, self.monthly.to_canonical(), self.storage.to_canonical(), retirements, sorted(self.expiring),
        ]  # fmt: skip
        return parts if any(parts) else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Certificates":
        """Inverse of `to_canonical`. Raises InputError where retirements do not follow from each other."""
        if not content:
            return cls()
        rules, claims, monthly, storage, retirements, expiring = content
        return cls(
            rules=CertificateRuleBook.from_canonical(rules),
            claims=ClaimRegister.from_canonical(claims),
            monthly=MonthlyIssuance.from_canonical(monthly),
            storage=StorageRecords.from_canonical(storage),
            retirements=Retirements.from_canonical(retirements),
            expiring=set(expiring),
        )
