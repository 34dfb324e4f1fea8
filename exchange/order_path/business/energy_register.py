"""Projects and certificates ask one register whose claim a generated Wh carries (docs/rules.md, "Claims").

A project's energy is evidence of its own; where the exchange meters the device too, it must lie within the meter and within what no scheme has
claimed, and it is entered quarter-hour by quarter-hour, so that no certificate can be issued on it later.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import Scheme
from exchange.metering.generation import device_generation_wh, is_metered, periods_between_ns
from exchange.protocol.instrument_class import InstrumentClass
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.issuance import first_wh
from exchange.units import PERIOD_NS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

Int64Array = NDArray[np.int64]
_SCHEME_OF: dict[InstrumentClass, ClaimScheme] = {InstrumentClass.CCER: ClaimScheme.CCER, InstrumentClass.PCC: ClaimScheme.PARK_CREDIT}


class _Free(NamedTuple):
    """Metered quarter-hours of a device: their starts, generation and what no scheme has claimed of it, int64[k]. `is_whole`: no gap."""

    starts_ns: Int64Array
    generation_wh: Int64Array
    free_wh: Int64Array
    is_whole: bool


class EnergyRegister:
    """The register of an exchange, as exchange.carbon.energy_claims.CertificateRegister."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def may_be_credited(self, device: int, start_ns: int, end_ns: int, energy_wh: int) -> bool:
        """Whether a device gets no certificates, and so much of its generation is free as far as the exchange meters it."""
        known = self._exchange.rooms.devices.by_id.get(device)
        if known is None or known.scheme is not Scheme.NONE:
            return False
        free = self._free(device, start_ns, end_ns)
        return not free.is_whole or energy_wh <= int(free.free_wh.sum())

    def freeze_untraded(self, devices: list[int]) -> None:
        """A device without a scheme has no certificates to freeze."""

    def claim(self, kind: InstrumentClass, device: int, start_ns: int, end_ns: int, energy_wh: int) -> None:
        """Enter the claim of an issuance that `may_be_credited`, as far as the exchange meters the device."""
        free = self._free(device, start_ns, end_ns)
        claimed_wh = first_wh(free.free_wh, energy_wh)
        used = np.flatnonzero(claimed_wh)
        if used.size:
            devices = np.full(used.size, device, np.int64)
            rows = ClaimRows(devices, free.starts_ns[used], claimed_wh[used], free.generation_wh[used])
            self._exchange.rooms.certificates.claims.claim(_SCHEME_OF[kind], rows)

    def _free(self, device: int, start_ns: int, end_ns: int) -> _Free:
        rooms = self._exchange.rooms
        periods = periods_between_ns(start_ns - start_ns % PERIOD_NS, end_ns)
        metered = is_metered(rooms.devices, rooms.meters, device, periods)
        starts_ns = periods[metered]
        generation_wh = device_generation_wh(rooms.devices, rooms.meters, device, starts_ns)
        claimed_wh = rooms.certificates.claims.claimed_wh(np.full(len(starts_ns), device, np.int64), starts_ns)
        return _Free(starts_ns, generation_wh, generation_wh - claimed_wh, bool(metered.all()) and len(periods) > 0)
