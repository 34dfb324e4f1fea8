"""What certificates learn from a settled day; settlement calls `issue_granular` at its end.

Devices of the scheme granular are certified by quarter-hour and holder in Wh; of devices of the scheme gec the month's self-use is noted.
"""

from typing import TYPE_CHECKING

import numpy as np

from exchange.metering.devices import Scheme
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.registry.months import month_at

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def issue_granular(exchange: "Exchange", output: GreenOutput) -> None:
    """Certify the green energy of a settled day. It cannot be refused: what carries another claim already is left out."""
    _note_self_use(exchange, output)


def _note_self_use(exchange: "Exchange", output: GreenOutput) -> None:
    """Energy of devices of the scheme gec that was used in the park, by month, device and user."""
    monthly = np.array([device.id for device in exchange.rooms.devices.by_id.values() if device.scheme is Scheme.GEC], np.int64)
    used = np.flatnonzero(np.isin(output.device, monthly) & (output.use != GreenUse.EXPORTED))
    columns = (output.period_start_ns[used], output.device[used], output.holder[used], output.energy_wh[used])
    for start_ns, device, user, energy_wh in zip(*(column.tolist() for column in columns), strict=True):
        exchange.rooms.certificates.monthly.note_self_use(month_at(start_ns), device, user, energy_wh)
