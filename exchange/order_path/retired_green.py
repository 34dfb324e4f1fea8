"""Retired certificates as the carbon accounts take them (exchange.carbon.claimed_green): GEC by year, granular ones by quarter-hour.

Certificates cancelled for the charge of a storage cover no consumption. A granular certificate of an own device says nothing that the meter does not,
and covers no other energy. Delivered energy that is passed to the accounts as direct supply has its certificates with it: those are not to be
counted again from here.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exchange.carbon.claimed_green import RecordedGreen, Retirement
from exchange.registry import retirements as registry_retirements
from exchange.registry.months import year_at
from exchange.registry.retirements import RetirementKind
from exchange.registry.serials import UnitScheme
from exchange.units import WH_PER_MWH

if TYPE_CHECKING:
    from exchange.order_path.tables import Rooms

_GRANULAR = (UnitScheme.GC, UnitScheme.SDGC)


def retired_green(rooms: "Rooms") -> RecordedGreen:
    """Everything that was retired for consumption."""
    green = RecordedGreen()
    for number, retirement in rooms.certificates.retirements.by_number.items():
        if retirement.kind is not RetirementKind.CLAIM:
            continue
        scheme, year = UnitScheme(int(retirement.serials[0, 0])), year_at(retirement.consumed_from_ns)
        if scheme is UnitScheme.GEC:
            energy_wh = retirement.quantity * WH_PER_MWH
            green.retired.append(Retirement(retirement.beneficiary, year, "gec", energy_wh, str(number)))
        elif scheme in _GRANULAR:
            green.retired.append(Retirement(retirement.beneficiary, year, "granular", retirement.quantity, str(number)))
            for start_ns, energy_wh in _covers(rooms, retirement):
                key = (retirement.beneficiary, start_ns)
                green.covered[key] = green.covered.get(key, 0) + energy_wh
    return green


def _covers(rooms: "Rooms", retirement: registry_retirements.Retirement) -> Iterator[tuple[int, int]]:
    """(period start, Wh) of certificates of others' devices, generated within the consumption they were retired for."""
    for serial in retirement.ranges:
        row = rooms.registry.find(serial.issuance, serial.serial_from)
        assert row is not None, serial
        start_ns = int(rooms.registry.rows[row]["period_start_ns"])
        is_own = rooms.devices.by_id[serial.source].account == retirement.beneficiary and serial.scheme is UnitScheme.GC
        if not is_own and retirement.consumed_from_ns <= start_ns < retirement.consumed_to_ns:
            yield start_ns, serial.quantity
