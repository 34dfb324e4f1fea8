"""Storage records after EnergyTag: charge records (SCR) tied to certificates cancelled in the same interval, discharge records (SDR), losses.

A discharge of D Wh takes ceil(D / efficiency) from earlier charge by the allocation that the rules fixed before (first in first out, last in first
out, or weighted over all that is left). Of what it takes, the certified part x efficiency, rounded down, earns certificates of its own. So

    certificates of discharge <= certified charge x efficiency,    losses = charge - discharge

What was charged more than half a year before has been lost. Source: EnergyTag guidance on storage (docs/rules.md, "Granular certificates").
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from exchange.registry.certificate_rules import Allocation
from exchange.units import NS_PER_DAY, PPM

# Losses are settled within six months; the shortest six months have 181 days.
LOSS_WINDOW_NS: Final = 181 * NS_PER_DAY


@dataclass(frozen=True, slots=True)
class ChargeRecord:
    """SCR `id`: `charged_wh` in a quarter-hour, `certified_wh` of it by certificates cancelled by `retirement`; `left_*` is not yet discharged."""

    id: int
    device: int
    start_ns: int
    charged_wh: int
    certified_wh: int
    retirement: int
    left_wh: int
    left_certified_wh: int


@dataclass(frozen=True, slots=True)
class DischargeRecord:
    """SDR `id`: `discharged_wh` took `drawn_wh` of charge, `certified_wh` of it certified, earned `issued_wh`. `parents`: charge records."""

    id: int
    device: int
    start_ns: int
    discharged_wh: int
    drawn_wh: int
    certified_wh: int
    issued_wh: int
    parents: tuple[int, ...]


class Draw(NamedTuple):
    """What a discharge takes from one charge record."""

    charge: int
    energy_wh: int
    certified_wh: int


@dataclass(slots=True)
class StorageRecords:
    """Records of all storage devices, by id."""

    charges: dict[int, ChargeRecord] = field(default_factory=dict)
    discharges: dict[int, DischargeRecord] = field(default_factory=dict)

    @property
    def next_id(self) -> int:
        return len(self.charges) + len(self.discharges) + 1

    def last_start_ns(self, device: int) -> int:
        """Start of the last recorded period of a device, -1 for none: records come in order of time, or an allocation would mean nothing."""
        charged = [record.start_ns for record in self.charges.values() if record.device == device]
        return max([*charged, *(record.start_ns for record in self.discharges.values() if record.device == device)], default=-1)

    def charge(self, device: int, start_ns: int, charged_wh: int, certified_wh: int, retirement: int) -> ChargeRecord:
        """Take up a charge record."""
        record = ChargeRecord(self.next_id, device, start_ns, charged_wh, certified_wh, retirement, charged_wh, certified_wh)
        self.charges[record.id] = record
        return record

    def discharge(self, device: int, start_ns: int, discharged_wh: int, efficiency_ppm: int, allocation: Allocation) -> DischargeRecord:
        """Take up a discharge record and draw its charge. What was never recorded as charged earns nothing."""
        draws = self.draws(device, start_ns, discharged_wh, efficiency_ppm, allocation)
        for charge, energy_wh, certified_wh in draws:
            old = self.charges[charge]
            self.charges[charge] = replace(old, left_wh=old.left_wh - energy_wh, left_certified_wh=old.left_certified_wh - certified_wh)
        certified_wh = sum(draw.certified_wh for draw in draws)
        issued_wh = min(discharged_wh, certified_wh * efficiency_ppm // PPM)
        drawn_wh = sum(draw.energy_wh for draw in draws)
        parents = tuple(draw.charge for draw in draws if draw.certified_wh)
        record = DischargeRecord(self.next_id, device, start_ns, discharged_wh, drawn_wh, certified_wh, issued_wh, parents)
        self.discharges[record.id] = record
        return record

    def draws(self, device: int, start_ns: int, discharged_wh: int, efficiency_ppm: int, allocation: Allocation) -> list[Draw]:
        """What a discharge would take from which charge. Changes nothing."""
        usable = [
            record for record in self.charges.values()
            if record.device == device and record.left_wh and start_ns - LOSS_WINDOW_NS <= record.start_ns < start_ns
        ]  # fmt: skip
        total_wh = sum(record.left_wh for record in usable)
        wanted_wh = min(-(-discharged_wh * PPM // efficiency_ppm), total_wh)
        if allocation is Allocation.WEIGHTED:
            return list(_weighted(usable, wanted_wh, total_wh))
        return list(_in_order(usable if allocation is Allocation.FIFO else usable[::-1], wanted_wh))

    def to_canonical(self) -> list[Any]:
        charges = [
            [r.id, r.device, r.start_ns, r.charged_wh, r.certified_wh, r.retirement, r.left_wh, r.left_certified_wh]
            for _, r in sorted(self.charges.items())
        ]
        discharges = [
            [r.id, r.device, r.start_ns, r.discharged_wh, r.drawn_wh, r.certified_wh, r.issued_wh, list(r.parents)]
            for _, r in sorted(self.discharges.items())
        ]
        return [charges, discharges] if charges or discharges else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "StorageRecords":
        records = cls()
        if content:
            records.charges = {row[0]: ChargeRecord(*row) for row in content[0]}
            records.discharges = {row[0]: DischargeRecord(*row[:7], parents=tuple(row[7])) for row in content[1]}
        return records


def _in_order(records: list[ChargeRecord], wanted_wh: int) -> Iterator[Draw]:
    for record in records:
        energy_wh = min(record.left_wh, wanted_wh)
        if energy_wh:
            yield _draw(record, energy_wh)
        wanted_wh -= energy_wh


def _weighted(records: list[ChargeRecord], wanted_wh: int, total_wh: int) -> Iterator[Draw]:
    """The same part of each, whole Wh, exact in the sum."""
    for record in records:
        energy_wh = record.left_wh * wanted_wh // total_wh
        if energy_wh:
            yield _draw(record, energy_wh)
        wanted_wh -= energy_wh
        total_wh -= record.left_wh


def _draw(record: ChargeRecord, energy_wh: int) -> Draw:
    """The certified part goes with its energy, rounded down, so that no certificate is counted twice."""
    return Draw(record.id, energy_wh, record.left_certified_wh * energy_wh // record.left_wh)
