"""The seam between the accounts and who knows of green energy and its certificates: `ClaimedGreen`, and one that is made of rows.

Who implements it answers for one thing: no Wh appears twice. Energy that is `direct` is not also `covered`, and neither is what a retired GEC is for.
The accounts check what they can (direct supply within withdrawal, cover within what was received) and say what they left unused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]


class Retirement(NamedTuple):
    """Certificates retired for an account and a year of consumption. `scheme`: gec or granular. `reference`: serial range or public number."""

    account: int
    year: int
    scheme: str
    energy_wh: int
    reference: str


class ClaimedGreen(Protocol):
    """Accounts are rows and quarter-hours columns: int64[n, T] in Wh for the accounts and starts asked for."""

    def direct_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Green energy of others in the park that was delivered to the account under a contract or trade, certificates with it."""
        ...

    def covered_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Granular certificates that the account retired for other energy it received in the quarter-hour."""
        ...

    def forgone_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Own or directly supplied green energy of the account whose certificate was sold or has expired."""
        ...

    def gone_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        """Generation that was delivered to nobody [T], exported or not, whose certificate was sold or has expired."""
        ...

    def export_without_certificate_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        """Exported energy [T] whose GEC is neither sold nor tradable: the only export that may be deducted."""
        ...

    def retirements(self, year: int) -> Sequence[Retirement]:
        """All for consumption of a year, both schemes, in the order they were made. GEC count from here."""
        ...


@dataclass(slots=True)
class RecordedGreen:
    """A ClaimedGreen of rows. Without any the accounts know of own use, metering and nothing else."""

    direct: dict[tuple[int, int], int] = field(default_factory=dict)  # (account, period start) -> Wh
    covered: dict[tuple[int, int], int] = field(default_factory=dict)
    forgone: dict[tuple[int, int], int] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)  # period start -> Wh
    export_without_certificate: dict[int, int] = field(default_factory=dict)
    retired: list[Retirement] = field(default_factory=list)

    def direct_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        return _grid(self.direct, accounts, starts_ns)

    def covered_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        return _grid(self.covered, accounts, starts_ns)

    def forgone_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        return _grid(self.forgone, accounts, starts_ns)

    def export_without_certificate_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        return np.array([self.export_without_certificate.get(start, 0) for start in starts_ns], np.int64)

    def gone_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        return np.array([self.gone.get(start, 0) for start in starts_ns], np.int64)

    def retirements(self, year: int) -> Sequence[Retirement]:
        return [retirement for retirement in self.retired if retirement.year == year]

    def deliver(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Take rows of delivered green energy: (period start, holder, Wh)."""
        for start_ns, holder, energy_wh in rows:
            self.direct[holder, start_ns] = self.direct.get((holder, start_ns), 0) + energy_wh


def gec_wh(retirements: Iterable[Retirement], account: int | None = None) -> int:
    """Energy of retired GEC, of one account or of all."""
    return sum(r.energy_wh for r in retirements if r.scheme == "gec" and account in {None, r.account})


def _grid(cells: dict[tuple[int, int], int], accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
    out = np.zeros((len(accounts), len(starts_ns)), np.int64)
    if cells:
        columns = {start: column for column, start in enumerate(starts_ns)}
        rows = {account: row for row, account in enumerate(accounts)}
        for (account, start), energy_wh in cells.items():
            if account in rows and start in columns:
                out[rows[account], columns[start]] = energy_wh
    return out
