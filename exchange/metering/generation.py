"""Generation by device: what certificates are issued for, and what bounds every claim.

Where readings are by account, an account's generation is that of its one generating device; with several it cannot be told apart and is nobody's.
"""

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Device, Devices
from exchange.metering.table import MeterTable
from exchange.units import PERIOD_NS

Int64Array = NDArray[np.int64]


def periods_between_ns(start_ns: int, end_ns: int) -> Int64Array:
    """Starts of the quarter-hours of a half-open interval."""
    return np.arange(start_ns, end_ns, PERIOD_NS, dtype=np.int64)


def device_generation_wh(meters: MeterTable, devices: Devices, device: Device, period_starts_ns: Int64Array) -> Int64Array:
    """Metered generation of a renewable device in each period: int64 in Wh, 0 where nothing was metered."""
    if not device.is_renewable or sum(other.is_renewable for other in devices.of_account(device.account)) != 1:
        return np.zeros(len(period_starts_ns), np.int64)
    generation_wh: Int64Array = meters.read([device.account], period_starts_ns.tolist()).generation_wh[0]
    return generation_wh
