"""Invariant 9, claims: one live claim a Wh over all schemes, none beyond the meter, no unit retired twice."""

from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.claim_check import claim_breaches
from exchange.order_path.path import BatchResult, Exchange
from exchange.registry.claims import ClaimScheme


class ClaimsWatch:
    """Looks at the end: the claim register, the certificates and the retirements only grow or say what they gave up."""

    def begin(self, exchange: Exchange) -> None:
        """Nothing is counted on the way."""

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        """Nothing is counted on the way."""

    def conclude(self, exchange: Exchange) -> Finding:
        for what in claim_breaches(exchange):
            raise breach("9", what, exchange.last_sequence)
        claims, retirements = exchange.rooms.certificates.claims, exchange.rooms.certificates.retirements
        claimed_wh = sum(claims.total_wh(scheme) for scheme in ClaimScheme)
        return Finding("9", "claims", f"{claimed_wh:,} Wh claimed once and within the meters; {len(retirements.by_number):,} retirements apart")
