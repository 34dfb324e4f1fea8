"""The registry's answer to the carbon accounts (exchange.carbon.claimed_green.ClaimedGreen): what green energy was delivered, claimed, and lost.

From granular certificates by how settlement issued them (who got them first, for which use) and what became of them since. A certificate that its
first holder still has, or retired for itself, speaks for that holder's own or delivered energy; one that was sold or has expired speaks for it no
more; one that somebody else retired covers other energy that this account received in the quarter-hour. One retired for a time of consumption that
its quarter-hour is no part of speaks for nobody's energy in that quarter-hour: a granular certificate says nothing of other hours. Energy that no
granular certificate was issued for, or whose certificate was withdrawn, is told from the meters alone. Reads only.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.carbon.claimed_green import Retirement
from exchange.order_path.tables import Rooms
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.registry.months import year_at
from exchange.registry.retirements import RetirementKind
from exchange.registry.serials import UnitScheme
from exchange.units import WH_PER_MWH

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_GRANULAR: Final = (int(UnitScheme.GC), int(UnitScheme.SDGC))
_NO_MORE: Final = (int(UnitState.SPLIT), int(UnitState.WITHDRAWN))
_OWN: Final = (int(GreenUse.SELF_USE), int(GreenUse.DELIVERED))


class _Energies(NamedTuple):
    """Wh by quarter-hour and account, in order of time: int64[k] each."""

    start_ns: Int64Array
    account: Int64Array
    energy_wh: Int64Array

    @classmethod
    def of(cls, start_ns: Any, account: Any, energy_wh: Any) -> "_Energies":
        order = np.argsort(start_ns, kind="stable")
        return cls(*(np.asarray(column, np.int64)[order] for column in (start_ns, account, energy_wh)))

    def grid(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """int64[n, T] for accounts and starts in increasing order."""
        grid = np.zeros((len(accounts), len(starts_ns)), np.int64)
        if not len(accounts) or not len(starts_ns):
            return grid
        first, end = np.searchsorted(self.start_ns, [starts_ns[0], starts_ns[-1] + 1])
        rows, wanted_rows = self.account[first:end], np.asarray(accounts, np.int64)
        starts, wanted_starts = self.start_ns[first:end], np.asarray(starts_ns, np.int64)
        row = np.minimum(np.searchsorted(wanted_rows, rows), len(wanted_rows) - 1)
        column = np.minimum(np.searchsorted(wanted_starts, starts), len(wanted_starts) - 1)
        known = (wanted_rows[row] == rows) & (wanted_starts[column] == starts)
        np.add.at(grid, (row[known], column[known]), self.energy_wh[first:end][known])
        return grid


class RegistryGreen:
    """As of the moment it is made; the registry may go on."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        rows = rooms.registry.rows
        leaves = np.flatnonzero(np.isin(rows["scheme"], _GRANULAR) & ~np.isin(rows["state"], _NO_MORE))
        start_ns, holder, use = (np.asarray(rows[name][leaves], np.int64) for name in ("period_start_ns", "holder", "use"))
        state = np.asarray(rows["state"][leaves])
        energy_wh = rows["serial_to"][leaves] - rows["serial_from"][leaves] + 1
        account = np.array(rows["account"][leaves], np.int64)
        is_own, is_retired, is_expired = np.isin(use, _OWN), state == int(UnitState.RETIRED), state == int(UnitState.EXPIRED)
        is_astray = self._correct(leaves, account, is_retired)
        is_gone = (account != holder) | is_expired | is_astray

        def energies(chosen: BoolArray, of: Int64Array) -> _Energies:
            return _Energies.of(start_ns[chosen], of[chosen], energy_wh[chosen])

        self._direct = energies(use == int(GreenUse.DELIVERED), holder)
        self._covered = energies(is_retired & ~(is_own & (account == holder)), account)
        self._forgone = energies(is_own & is_gone, holder)
        self._gone = energies(~is_own & (is_gone | is_retired), np.zeros_like(holder))

    def direct_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Delivered green energy of others."""
        return self._direct.grid(accounts, starts_ns)

    def covered_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Certificates retired for other energy than the first holder's own."""
        return self._covered.grid(accounts, starts_ns)

    def forgone_wh(self, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
        """Own or delivered energy whose certificate was sold or has expired."""
        return self._forgone.grid(accounts, starts_ns)

    def gone_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        """Exported energy whose certificate was sold, used or has expired."""
        gone: Int64Array = self._gone.grid((0,), starts_ns)[0]
        return gone

    def export_without_certificate_wh(self, starts_ns: Sequence[int]) -> Int64Array:
        """None: what is exported has a certificate that can be sold, or is not known to be green."""
        return np.zeros(len(starts_ns), np.int64)

    def retirements(self, year: int) -> Sequence[Retirement]:
        """Claims for consumption of a year, granular certificates and GEC, in the order they were made."""
        found = []
        for _, one in sorted(self._rooms.certificates.retirements.by_number.items()):
            schemes = set(one.serials[:, 0].tolist())
            is_granular = not schemes.isdisjoint(_GRANULAR)
            if one.kind is RetirementKind.CLAIM and year_at(one.consumed_from_ns) == year and (is_granular or int(UnitScheme.GEC) in schemes):
                scheme, unit_wh = ("granular", 1) if is_granular else ("gec", WH_PER_MWH)
                found.append(Retirement(one.beneficiary, year, scheme, one.quantity * unit_wh, str(one.number)))
        return found

    def _correct(self, leaves: Int64Array, account: Int64Array, is_retired: BoolArray) -> BoolArray:
        """What was retired for somebody else is that one's; what was cancelled for the charge of a storage covers no consumption. In place.

        Returns which were claimed for a time of consumption that their quarter-hour is no part of, [k]; they cover nothing.
        """
        rows = self._rooms.registry.rows
        is_astray = np.zeros(len(leaves), np.bool_)
        for one in self._rooms.certificates.retirements.by_number.values():
            if int(one.serials[0, 0]) not in _GRANULAR:
                continue
            places = np.searchsorted(leaves, np.unique([row for item in one.ranges for row in self._rooms.registry.leaves(item)]))
            if one.kind is RetirementKind.STORAGE:
                is_retired[places] = False
                continue
            account[places] = one.beneficiary
            start_ns = rows["period_start_ns"][leaves[places]]
            outside = places[(start_ns < one.consumed_from_ns) | (start_ns >= one.consumed_to_ns)]
            is_astray[outside], is_retired[outside] = True, False
        return is_astray
