"""Monthly green certificates (绿证): whole MWh of a device's month, the remainder carried, on-grid energy apart from self-use.

On-grid generation becomes tradable certificates of the generator. Self-use becomes certificates that are never tradable; where generator and user
are different, they are the user's, once the pair has filed its contract and proof of payment; until then they wait with the generator.
Source: the implementing rules of the National Energy Administration (docs/rules.md, "Certificates").
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.metering.devices import DeviceKind
from exchange.units import WH_PER_MWH

Int64Array = NDArray[np.int64]

# The user of energy that was sold to the grid: nobody in the park.
ON_GRID: Final = 0
TECHNOLOGIES: Final = {DeviceKind.PV: "PV", DeviceKind.WIND: "WIND", DeviceKind.BIOMASS: "BIO", DeviceKind.HYDRO: "HYDRO"}


def certificate_symbol(kind: DeviceKind, month: str) -> str:
    """Symbol of the certificates of a month and technology, such as GEC-202607-PV."""
    return f"GEC-{month.replace('-', '')}-{TECHNOLOGIES[kind]}"


class Volume(NamedTuple):
    """Energy of a device's month: `user` is ON_GRID for what is tradable, else the account that used it."""

    device: int
    user: int
    energy_wh: int


class MonthlyIssue(NamedTuple):
    """Certificates of a volume: `units` of 1 MWh; `carry_wh` stays for the next month."""

    device: int
    user: int
    units: int
    carry_wh: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What generator and user have filed for self-use: their energy contract and a proof of payment."""

    device: int
    user: int
    contract: str
    payment_reference: str
    filed_ns: int


@dataclass(frozen=True, slots=True)
class IssuedMonth:
    """What was certified of a device's month: `verified_wh` is its metered energy, `tradable` and `self_use` are units."""

    month: int
    device: int
    verified_wh: int
    tradable: int
    self_use: int


def on_grid_volumes(device: int, eligible_wh: int, self_use_wh: Iterable[tuple[int, int]]) -> list[Volume] | None:
    """The volumes of a month from a device's energy and its (user, Wh); None when more was used than generated."""
    used = [Volume(device, user, energy_wh) for user, energy_wh in self_use_wh if energy_wh > 0]
    rest_wh = eligible_wh - sum(volume.energy_wh for volume in used)
    return None if rest_wh < 0 else [Volume(device, ON_GRID, rest_wh), *used]


def first_wh(free_wh: Int64Array, total_wh: int) -> Int64Array:
    """The first `total_wh` of what is free in the periods, in order of time: int64 of the same shape."""
    before = np.cumsum(free_wh) - free_wh
    taken_wh: Int64Array = np.clip(total_wh - before, 0, free_wh)
    return taken_wh


@dataclass(slots=True)
class MonthlyIssuance:
    """What has been certified, what is carried, and the self-use that waits to be certified."""

    carry_wh: dict[tuple[int, int], int] = field(default_factory=dict)  # by (device, user)
    self_use_wh: dict[tuple[int, int, int], int] = field(default_factory=dict)  # by (month, device, user), of months not yet certified
    issued: dict[tuple[int, int], IssuedMonth] = field(default_factory=dict)  # by (month, device)
    proofs: dict[tuple[int, int], Proof] = field(default_factory=dict)  # by (device, user)
    waiting: dict[tuple[int, int, int], int] = field(default_factory=dict)  # units by (device, user, month) that want their proof

    def note_self_use(self, month: int, device: int, user: int, energy_wh: int) -> None:
        """Add what settlement says was used of a device's generation."""
        key = (month, device, user)
        self.self_use_wh[key] = self.self_use_wh.get(key, 0) + energy_wh

    def self_use_of(self, month: int, device: int) -> list[tuple[int, int]]:
        """(user, Wh) of a device's month, by user."""
        return sorted((user, wh) for (m, d, user), wh in self.self_use_wh.items() if (m, d) == (month, device))

    def units(self, volumes: Iterable[Volume]) -> list[MonthlyIssue]:
        """Whole MWh of each volume with what was carried to it. Changes nothing."""
        issues = []
        for volume in volumes:
            whole, rest_wh = divmod(volume.energy_wh + self.carry_wh.get((volume.device, volume.user), 0), WH_PER_MWH)
            issues.append(MonthlyIssue(volume.device, volume.user, whole, rest_wh))
        return issues

    def close_month(self, month: int, device: int, verified_wh: int, issues: list[MonthlyIssue]) -> None:
        """Take over the carries of a device's month; its self-use is done."""
        for issue in issues:
            _set(self.carry_wh, (issue.device, issue.user), issue.carry_wh)
        for user, _ in self.self_use_of(month, device):
            del self.self_use_wh[month, device, user]
        tradable = sum(issue.units for issue in issues if issue.user == ON_GRID)
        self.issued[month, device] = IssuedMonth(month, device, verified_wh, tradable, sum(issue.units for issue in issues) - tradable)

    def wait_for_proof(self, device: int, user: int, month: int, units: int) -> None:
        """Units that the user gets once the pair has filed its proof."""
        if units:
            self.waiting[device, user, month] = self.waiting.get((device, user, month), 0) + units

    def take_waiting(self, device: int, user: int) -> list[tuple[int, int]]:
        """(month, units) that waited for the pair's proof, by month; they wait no longer."""
        found = sorted((month, units) for (d, u, month), units in self.waiting.items() if (d, u) == (device, user))
        for month, _ in found:
            del self.waiting[device, user, month]
        return found

    def to_canonical(self) -> list[Any]:
        tables = [
            [[*key, wh] for key, wh in sorted(self.carry_wh.items())],
            [[*key, wh] for key, wh in sorted(self.self_use_wh.items())],
            [[m.month, m.device, m.verified_wh, m.tradable, m.self_use] for _, m in sorted(self.issued.items())],
            [[p.device, p.user, p.contract, p.payment_reference, p.filed_ns] for _, p in sorted(self.proofs.items())],
            [[*key, units] for key, units in sorted(self.waiting.items())],
        ]
        return tables if any(tables) else []

    @classmethod
    def from_canonical(cls, content: list[Any]) -> "MonthlyIssuance":
        if not content:
            return cls()
        carries, self_use, issued, proofs, waiting = content
        return cls(
            carry_wh={(device, user): wh for device, user, wh in carries},
            self_use_wh={(month, device, user): wh for month, device, user, wh in self_use},
            issued={(row[0], row[1]): IssuedMonth(*row) for row in issued},
            proofs={(row[0], row[1]): Proof(*row) for row in proofs},
            waiting={(device, user, month): units for device, user, month, units in waiting},
        )


def _set(table: dict[tuple[int, int], int], key: tuple[int, int], value: int) -> None:
    """Keep a value, or nothing for zero, so that equal states have equal content."""
    if value:
        table[key] = value
    else:
        table.pop(key, None)
