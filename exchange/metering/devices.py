"""Metered devices: what stands behind a metering point, with the capacity that bounds its readings and the scheme that certifies its energy."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from exchange.protocol.value_chain.metering import RegisterDevice


class DeviceKind(StrEnum):
    LOAD = "load"
    PV = "pv"
    CSP = "csp"  # concentrated solar power
    WIND = "wind"
    BIOMASS = "biomass"
    HYDRO = "hydro"
    STORAGE = "storage"
    HEAT = "heat"
    COLD = "cold"


class Scheme(StrEnum):
    """GRANULAR: a certificate a quarter-hour in Wh, at settlement. GEC: the national certificate, monthly, 1 MWh. Never both for one Wh."""

    NONE = "none"
    GRANULAR = "granular"
    GEC = "gec"


RENEWABLE: Final = frozenset({DeviceKind.PV, DeviceKind.CSP, DeviceKind.WIND, DeviceKind.BIOMASS, DeviceKind.HYDRO})


@dataclass(frozen=True, slots=True)
class Device:
    """`id` is permanent and assigned by the fold, from 1 on."""

    id: int
    account: int
    name: str
    kind: DeviceKind
    capacity_w: int
    commissioned_ns: int
    scheme: Scheme
    location: str
    ets_source: bool

    @property
    def is_renewable(self) -> bool:
        return self.kind in RENEWABLE


@dataclass(slots=True)
class Devices:
    """All that were ever registered, by id."""

    by_id: dict[int, Device] = field(default_factory=dict)

    def add(self, document: RegisterDevice) -> Device:
        """The document has been checked."""
        device = Device(
            len(self.by_id) + 1, document.account, document.name, DeviceKind(document.kind), document.capacity_w, document.commissioned_ns,
            Scheme(document.scheme), document.location, document.ets_source,
        )  # fmt: skip
        self.by_id[device.id] = device
        return device

    def of_account(self, account: int) -> list[Device]:
        """In the order of their ids."""
        return [device for device in self.by_id.values() if device.account == account]

    def by_name(self, account: int, name: str) -> Device | None:
        return next((device for device in self.of_account(account) if device.name == name), None)

    def to_canonical(self) -> list[Any]:
        return [
            [d.id, d.account, d.name, str(d.kind), d.capacity_w, d.commissioned_ns, str(d.scheme), d.location, d.ets_source]
            for _, d in sorted(self.by_id.items())
        ]

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "Devices":
        devices = cls()
        for row in content:
            device_id, account, name, kind, capacity_w, commissioned_ns, scheme, location, ets_source = row
            devices.by_id[device_id] = Device(
                device_id, account, name, DeviceKind(kind), capacity_w, commissioned_ns, Scheme(scheme), location, ets_source
            )
        return devices


def device_problem(document: RegisterDevice) -> str | None:
    """The first rule that a device breaks by itself, as a stable name."""
    if document.kind not in {str(kind) for kind in DeviceKind}:
        return "unknown_device_kind"
    if document.scheme not in {str(scheme) for scheme in Scheme}:
        return "unknown_scheme"
    if not 0 < len(document.name) <= 64 or len(document.location) > 200:
        return "name_malformed"
    if not 0 < document.capacity_w <= 10**10:
        return "capacity_out_of_range"
    if document.commissioned_ns < 0:
        return "commissioning_out_of_range"
    if document.scheme != "none" and DeviceKind(document.kind) not in RENEWABLE:
        return "scheme_needs_renewable_generation"  # discharge earns no certificate in China (docs/rules.md, "Certificates")
    return None
