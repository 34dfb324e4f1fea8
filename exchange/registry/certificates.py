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
    """Who holds which serial numbers is the registry's; here is why they exist, what they were used for, and which energy they claim."""

    rules: CertificateRuleBook = field(default_factory=CertificateRuleBook)
    claims: ClaimRegister = field(default_factory=ClaimRegister)
    monthly: MonthlyIssuance = field(default_factory=MonthlyIssuance)
    storage: StorageRecords = field(default_factory=StorageRecords)
    retirements: Retirements = field(default_factory=Retirements)

    def to_canonical(self) -> list[Any]:
        """What the state hash sees; of the claims their digests."""
        parts = [
            self.rules.to_canonical(), self.claims.to_canonical(), self.monthly.to_canonical(), self.storage.to_canonical(),
            self.retirements.to_canonical(),
        ]  # fmt: skip
        return parts if any(parts) else []

    @classmethod
    def restored(cls, canonical: list[Any], claims: list[Any]) -> "Certificates":
        """From the content of the state and the snapshot of the claims. Raises InputError where the two contradict each other."""
        if not canonical:
            return cls()
        rules, digests, monthly, storage, retirements = canonical
        certificates = cls(
            rules=CertificateRuleBook.from_canonical(rules),
            monthly=MonthlyIssuance.from_canonical(monthly),
            storage=StorageRecords.from_canonical(storage),
            retirements=Retirements.from_canonical(retirements),
        )
        certificates.claims.restore(digests, claims)
        return certificates
