"""Whose claim generated energy carries: what projects have had credits for, and what certificates have, so that no Wh is claimed twice.

The register of certificates answers by the interface `CertificateRegister`. Rule: docs/rules.md, "Credits of projects".
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import Any, Protocol

from exchange.metering.devices import Devices, Scheme


class CertificateRegister(Protocol):
    """What the registry of certificates is asked by a project."""

    def may_be_credited(self, device: int, start_ns: int, end_ns: int, energy_wh: int) -> bool:
        """Whether so much generation of a device in [start_ns, end_ns) has no certificate and will get none, or its certificates were cancelled
        without a claim.
        """

    def freeze_untraded(self, devices: list[int]) -> None:
        """CCER were chosen for these devices: their certificates that have not been traded are frozen from here on."""


@dataclass(slots=True)
class SchemesOfDevices:
    """The register of an exchange whose certificates follow from the scheme of a device alone: a device with one gets certificates."""

    devices: Devices

    def may_be_credited(self, device: int, start_ns: int, end_ns: int, energy_wh: int) -> bool:  # noqa: ARG002  part of the interface
        known = self.devices.by_id.get(device)
        return known is not None and known.scheme is Scheme.NONE

    def freeze_untraded(self, devices: list[int]) -> None:
        """A device without a scheme has no certificates to freeze."""


@dataclass(slots=True)
class EnergyClaims:
    """Claimed Wh by device, as (start_ns, end_ns, energy_wh, project), disjoint and in order."""

    by_device: dict[int, list[tuple[int, int, int, int]]] = field(default_factory=dict)

    def is_claimed(self, device: int, start_ns: int, end_ns: int) -> bool:
        """Whether any of [start_ns, end_ns) of a device carries a claim."""
        rows = self.by_device.get(device, [])
        place = bisect_left(rows, (start_ns,))
        before = place > 0 and rows[place - 1][1] > start_ns
        return before or (place < len(rows) and rows[place][0] < end_ns)

    def claim(self, device: int, start_ns: int, end_ns: int, energy_wh: int, project: int) -> None:
        """The caller has asked `is_claimed`."""
        insort(self.by_device.setdefault(device, []), (start_ns, end_ns, energy_wh, project))

    def total_wh(self) -> int:
        return sum(row[2] for rows in self.by_device.values() for row in rows)

    def to_canonical(self) -> list[Any]:
        return [[device, *row] for device, rows in sorted(self.by_device.items()) for row in rows]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "EnergyClaims":
        claims = cls()
        for device, *row in content:
            start_ns, end_ns, energy_wh, project = row
            claims.claim(device, start_ns, end_ns, energy_wh, project)
        return claims
