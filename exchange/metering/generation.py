"""Generation by device: what certificates are issued for, and what bounds every claim.

Where readings are by account, an account's generation is that of its one generating device; with several it cannot be told apart and is nobody's.
"""

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Devices
from exchange.metering.table import MeterTable

Int64Array = NDArray[np.int64]


def device_generation_wh(devices: Devices, meters: MeterTable, device_id: int, starts_ns: Int64Array) -> Int64Array:
    """Metered generation of a renewable device in each period: int64 in Wh, 0 where nothing was metered. Raises KeyError for an unknown device."""
    device = devices.by_id[device_id]
    if not device.is_renewable or sum(other.is_renewable for other in devices.of_account(device.account)) != 1:
        return np.zeros(len(starts_ns), np.int64)
    generation_wh: Int64Array = meters.read([device.account], starts_ns.tolist()).generation_wh[0]
    return generation_wh
