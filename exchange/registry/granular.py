"""Granular certificates: which rows of a settled day are certified. Pure; who holds them afterwards is the registry's.

For each device and quarter-hour at most its generation less what other claims have of it; what is short is left out from the last rows, which are
what was exported. Source: EnergyTag granular certificate scheme standard (docs/rules.md, "Granular certificates").
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.registry.claims import ClaimRegister, ClaimRows
from exchange.registry.green_output import GreenOutput

Int64Array = NDArray[np.int64]


class GranularRows(NamedTuple):
    """Certificates to issue, int64[k] > 0 Wh each, in the order of the output; and the claims they make, one a device and quarter-hour."""

    period_start_ns: Int64Array
    device: Int64Array
    use: Int64Array
    holder: Int64Array
    energy_wh: Int64Array
    claims: ClaimRows

    @property
    def evidence(self) -> bytes:
        """SHA-256 of the columns: what an issuance was made on."""
        columns = np.stack([self.period_start_ns, self.device, self.use, self.holder, self.energy_wh]).astype("<i8")
        return hashlib.sha256(columns.tobytes()).digest()


def granular_rows(output: GreenOutput, devices: Int64Array, register: ClaimRegister) -> GranularRows:
    """Rows of the given devices as far as their energy is free. Changes nothing."""
    chosen = np.flatnonzero(np.isin(output.device, devices))
    period, device, energy = output.period_start_ns[chosen], output.device[chosen], output.energy_wh[chosen]
    if not len(chosen):
        return GranularRows(period, device, output.use[chosen], output.holder[chosen], energy, ClaimRows(device, period, energy, energy))
    first = np.flatnonzero(np.append(True, (np.diff(period) != 0) | (np.diff(device) != 0)))
    counts = np.diff(np.append(first, len(chosen)))
    generation = np.add.reduceat(energy, first)
    free = np.maximum(generation - register.claimed_wh(device[first], period[first]), 0)
    before = np.cumsum(energy) - energy
    within = before - np.repeat(before[first], counts)
    issued = np.clip(np.repeat(free, counts) - within, 0, energy)
    claims = ClaimRows(device[first], period[first], np.add.reduceat(issued, first), generation)
    kept = issued > 0
    return GranularRows(period[kept], device[kept], output.use[chosen][kept], output.holder[chosen][kept], issued[kept], claims)
