"""What projects ask of certificates: whether energy is free to be credited, and the switch of devices from certificates to CCER.

Source: notice on linking green certificates and CCER (docs/rules.md, "Claims"): certificates that were not traded are frozen when the project is
registered, and cancelled when its reductions are; a withdrawal gives their energy back.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.metering.devices import Scheme
from exchange.metering.generation import device_generation_wh
from exchange.order_path.business import units
from exchange.protocol.instrument_class import InstrumentClass
from exchange.registry.claims import ClaimRows, ClaimScheme
from exchange.registry.encumbrances import EncumbranceKind
from exchange.registry.issuance import first_wh
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import month_at, periods_between_ns
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

SWITCH_REFERENCE: Final = "switch to CCER"


@dataclass(frozen=True, slots=True)
class RegisterOfCertificates:
    """exchange.carbon.energy_claims.CertificateRegister over the claim register and the serial numbers of an exchange."""

    exchange: "Exchange"

    def may_be_credited(self, device: int, start_ns: int, end_ns: int, energy_wh: int) -> bool:
        """A device without a scheme gets no certificates. One of monthly certificates has free energy in months that are certified, as far as nobody
        claims it: what was withdrawn. What is certified by quarter-hour or not yet at all is not free.
        """
        known = self.exchange.rooms.devices.by_id.get(device)
        if known is None or known.scheme is Scheme.GRANULAR:
            return False
        if known.scheme is Scheme.NONE:
            return True
        issued = self.exchange.rooms.certificates.monthly.issued
        months = range(month_at(start_ns), month_at(end_ns - 1) + 1)
        return all((month, device) in issued for month in months) and int(self._free(device, start_ns, end_ns).energy_wh.sum()) >= energy_wh

    def freeze_untraded(self, devices: list[int]) -> None:
        """Certificates of the devices that no open order counts on, under one freeze an account and instrument."""
        registry = self.exchange.rooms.registry
        self.exchange.drain_output()
        rows = registry.rows
        of_devices = (rows["scheme"] == UnitScheme.GEC) & np.isin(rows["source"], devices)
        chosen = np.flatnonzero(of_devices & (rows["state"] == UnitState.ISSUED) & (rows["transfers"] == 0))
        for asset, account in sorted(set(zip(rows["asset"][chosen].tolist(), rows["account"][chosen].tolist(), strict=True))):
            of_pair = chosen[(registry.rows["asset"][chosen] == asset) & (registry.rows["account"][chosen] == account)]
            self._freeze(self.exchange.rooms.instruments.by_id[asset], account, of_pair.tolist())

    def _freeze(self, instrument: Instrument, account: int, rows: list[int]) -> None:
        exchange, registry = self.exchange, self.exchange.rooms.registry
        quantity = min(sum(map(registry.quantity, rows)), units.transferable_lots(exchange, instrument, account))
        if quantity <= 0:
            return
        ranges = [registry.range_of(row) for row in registry.cut(rows, quantity, exchange.last_sequence).tolist()]
        frozen = units.take(exchange, instrument, account, quantity, PostingReason.UNITS_FROZEN, ranges)
        exchange.rooms.encumbrances.add(EncumbranceKind.FREEZE, account, instrument.id, 0, SWITCH_REFERENCE, frozen.tolist())

    def claim(self, instrument: Instrument, device: int, start_ns: int, end_ns: int, energy_wh: int) -> None:
        """Enter the claim of credits on energy that has been found free; of what is not metered by quarter-hour there is nothing to enter."""
        scheme = ClaimScheme.CCER if instrument.instrument_class is InstrumentClass.CCER else ClaimScheme.PARK_CREDIT
        free = self._free(device, start_ns, end_ns)
        taken = first_wh(free.energy_wh, energy_wh)
        used = np.flatnonzero(taken)
        claims = ClaimRows(free.device[used], free.period_start_ns[used], taken[used], free.generation_wh[used])
        self.exchange.rooms.certificates.claims.claim(scheme, claims)

    def _free(self, device: int, start_ns: int, end_ns: int) -> ClaimRows:
        """Generation of whole quarter-hours of an interval that nobody claims."""
        rooms = self.exchange.rooms
        periods = periods_between_ns(-(-start_ns // PERIOD_NS) * PERIOD_NS, end_ns // PERIOD_NS * PERIOD_NS)
        devices = np.full(len(periods), device, np.int64)
        generation = device_generation_wh(rooms.devices, rooms.meters, device, periods)
        free = np.maximum(generation - rooms.certificates.claims.claimed_wh(devices, periods), 0)
        return ClaimRows(devices, periods, free, generation)
