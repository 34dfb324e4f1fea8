"""What certificates learn from a settled day; settlement calls `issue_granular` at its end.

Devices of the scheme granular are certified by quarter-hour and holder in Wh; of devices of the scheme gec the month's self-use is noted.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Scheme
from exchange.order_path.business.unit_deadlines import schedule_expiry
from exchange.registry.claims import ClaimScheme
from exchange.registry.granular import granular_rows
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.registry.months import VALIDITY_MONTHS, expiry_ns, month_at, start_of_month_ns, vintage_of
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def issue_granular(exchange: "Exchange", output: GreenOutput) -> int:
    """Certify the green energy of a settled day, one bundle a row of a granular device: for who used it, what was exported for its generator.

    It cannot be refused: energy that carries another claim already, and whose certificates would have expired, is left out. Returns the Wh certified.
    """
    _note_self_use(exchange, output)
    certificates, registry = exchange.rooms.certificates, exchange.rooms.registry
    valid = output.since(start_of_month_ns(month_at(exchange.now_ns) - VALIDITY_MONTHS + 1))
    rows = granular_rows(valid, _devices_of(exchange, Scheme.GRANULAR), certificates.claims)
    if not len(rows.energy_wh):
        return 0
    certificates.claims.claim(ClaimScheme.GRANULAR, rows.claims)
    starts, place = np.unique(rows.period_start_ns, return_inverse=True)
    months = [month_at(start_ns) for start_ns in starts.tolist()]
    registry.issue_many(
        rows.holder, rows.energy_wh, exchange.last_sequence, scheme=int(UnitScheme.GC), source=rows.device, use=rows.use,
        vintage=np.array([vintage_of(month) for month in months])[place], period_start_ns=rows.period_start_ns,
        period_end_ns=rows.period_start_ns + PERIOD_NS, expiry_ns=np.array([expiry_ns(month) for month in months])[place], evidence=rows.evidence,
    )  # fmt: skip
    for month in sorted(set(months)):
        schedule_expiry(exchange, -month, expiry_ns(month))
    certified_wh = int(rows.energy_wh.sum())
    exchange.notify("certified", {"series": "GC", "bundles": len(rows.energy_wh), "energy_wh": certified_wh})
    return certified_wh


def _note_self_use(exchange: "Exchange", output: GreenOutput) -> None:
    """Energy of devices of the scheme gec that was used in the park, by month, device and user."""
    used = np.flatnonzero(np.isin(output.device, _devices_of(exchange, Scheme.GEC)) & (output.use != GreenUse.EXPORTED))
    starts, place = np.unique(output.period_start_ns[used], return_inverse=True)
    months = np.array([month_at(start_ns) for start_ns in starts.tolist()], np.int64)[place]
    keys, group = np.unique(np.stack([months, output.device[used], output.holder[used]]), axis=1, return_inverse=True)
    energy_wh = np.zeros(keys.shape[1], np.int64)
    np.add.at(energy_wh, group, output.energy_wh[used])
    for month, device, user, wh in zip(*keys.tolist(), energy_wh.tolist(), strict=True):
        exchange.rooms.certificates.monthly.note_self_use(month, device, user, wh)


def _devices_of(exchange: "Exchange", scheme: Scheme) -> NDArray[np.int64]:
    return np.array([device.id for device in exchange.rooms.devices.by_id.values() if device.scheme is scheme], np.int64)
