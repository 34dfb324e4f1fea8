"""Green energy of a settled day by device, holder and quarter-hour: what settlement hands to the registry, which issues certificates for it."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]


class GreenUse(IntEnum):
    """Where a green Wh went. SELF_USE: behind the meter that generated it. DELIVERED: sold and metered, to a net buyer. EXPORTED: neither."""

    SELF_USE = 1
    DELIVERED = 2
    EXPORTED = 3


@dataclass(frozen=True, slots=True, eq=False)
class GreenOutput:
    """Rows of equal length k, ordered by (period, device, use, holder): `energy_wh[i]` > 0 of `device[i]` in one quarter-hour for `holder[i]`.

    For each device and period the rows sum to its metered generation.
    """

    period_start_ns: Int64Array
    device: Int64Array
    use: Int64Array  # GreenUse
    holder: Int64Array  # account
    energy_wh: Int64Array

    def __len__(self) -> int:
        return len(self.energy_wh)

    def since(self, start_ns: int) -> "GreenOutput":
        """The rows of quarter-hours from a time on."""
        kept = self.period_start_ns >= start_ns
        if kept.all():
            return self
        return GreenOutput(self.period_start_ns[kept], self.device[kept], self.use[kept], self.holder[kept], self.energy_wh[kept])
