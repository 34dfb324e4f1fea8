"""The invariants of an exchange (docs/rules.md, "Invariants"), recomputed from what a replay of the whole journal says happened.

Each watches the batches of one replay and keeps accounts of its own: nothing of it is read from the state that it is compared with.
"""

from exchange.maintenance.invariants.claims import ClaimsWatch
from exchange.maintenance.invariants.energy import EnergyWatch
from exchange.maintenance.invariants.interface import Finding, Watch
from exchange.maintenance.invariants.money import MoneyWatch
from exchange.maintenance.invariants.trades import TradesWatch
from exchange.maintenance.invariants.units import UnitsWatch

__all__ = ["Finding", "Watch", "all_watches"]


def all_watches() -> tuple[Watch, ...]:
    """One fresh watch an invariant, in the order of their numbers."""
    return (MoneyWatch(), UnitsWatch(), TradesWatch(), EnergyWatch(), ClaimsWatch())
