"""Claims of certificates that are withdrawn are given up: their energy is free to be claimed by another scheme (docs/rules.md, "Claims")."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.issuance import first_wh
from exchange.registry.months import VALIDITY_MONTHS, month_of_vintage, periods_between_ns, start_of_month_ns
from exchange.registry.selection import Rows
from exchange.registry.serials import UnitScheme
from exchange.units import WH_PER_MWH

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def release_claims(exchange: "Exchange", rows: Rows) -> None:
    """Of whole bundles that have just been withdrawn. Certificates of storage discharge, credits and allowances claim no generation here, and what
    was issued without a claim has none to give up.
    """
    registry = exchange.rooms.registry
    for row in rows.tolist():
        bundle, quantity = registry.rows[row], registry.quantity(row)
        scheme, device = int(bundle["scheme"]), int(bundle["source"])
        if scheme == UnitScheme.GC:
            start_ns = np.array([bundle["period_start_ns"]], np.int64)
            _release(exchange, ClaimScheme.GRANULAR, device, start_ns, quantity)
        elif scheme == UnitScheme.GEC and device:
            _release_month(exchange, device, month_of_vintage(int(bundle["vintage"])), quantity * WH_PER_MWH)


def _release_month(exchange: "Exchange", device: int, month: int, energy_wh: int) -> None:
    """Whole MWh have no quarter-hours of their own: the last claims of the device's month are released, then of the months that were carried."""
    for earlier in range(month, month - VALIDITY_MONTHS, -1):
        periods = periods_between_ns(start_of_month_ns(earlier), start_of_month_ns(earlier + 1))
        energy_wh -= _release(exchange, ClaimScheme.GEC, device, periods, energy_wh)
        if not energy_wh:
            return


def _release(exchange: "Exchange", scheme: ClaimScheme, device: int, periods: NDArray[np.int64], energy_wh: int) -> int:
    """Give up at most so much of the last claims in the periods. Returns how much."""
    register = exchange.rooms.certificates.claims
    devices = np.full(len(periods), device, np.int64)
    claimed = register.claimed_wh(devices, periods, scheme)
    released = first_wh(claimed[::-1], energy_wh)[::-1]
    used = np.flatnonzero(released)
    register.release(scheme, ClaimRows(devices[used], periods[used], released[used], claimed[used]))
    return int(released.sum())
