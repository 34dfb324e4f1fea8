"""Claims of certificates that are withdrawn are given up: their energy is free to be claimed by another scheme (docs/rules.md, "Claims")."""

from typing import TYPE_CHECKING

import numpy as np

from exchange.metering.generation import periods_between_ns
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.issuance import first_wh
from exchange.registry.months import VALIDITY_MONTHS, month_of_vintage, start_of_month_ns
from exchange.registry.selection import Rows
from exchange.registry.serials import UnitScheme
from exchange.units import WH_PER_MWH

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def release_claims(exchange: "Exchange", rows: Rows) -> None:
    """Of whole bundles that have just been withdrawn. Certificates of storage discharge, credits and allowances claim no generation here."""
    registry = exchange.rooms.registry
    for row in rows.tolist():
        bundle, quantity = registry.rows[row], registry.quantity(row)
        scheme, device = int(bundle["scheme"]), int(bundle["source"])
        if scheme == UnitScheme.GC:
            columns = (device, int(bundle["period_start_ns"]), quantity, quantity)
            claims = ClaimRows(*(np.array([value], np.int64) for value in columns))
            exchange.rooms.certificates.claims.release(ClaimScheme.GRANULAR, claims)
        elif scheme == UnitScheme.GEC and device:
            _release_month(exchange, device, month_of_vintage(int(bundle["vintage"])), quantity * WH_PER_MWH)


def _release_month(exchange: "Exchange", device: int, month: int, energy_wh: int) -> None:
    """Whole MWh have no quarter-hours of their own: the last claims of the device's month are released, then of the months that were carried."""
    register = exchange.rooms.certificates.claims
    for earlier in range(month, month - VALIDITY_MONTHS, -1):
        periods = periods_between_ns(start_of_month_ns(earlier), start_of_month_ns(earlier + 1))
        devices = np.full(len(periods), device, np.int64)
        claimed = register.claimed_wh(devices, periods, ClaimScheme.GEC)
        released = first_wh(claimed[::-1], energy_wh)[::-1]
        used = np.flatnonzero(released)
        register.release(ClaimScheme.GEC, ClaimRows(devices[used], periods[used], released[used], claimed[used]))
        energy_wh -= int(released.sum())
        if not energy_wh:
            return
