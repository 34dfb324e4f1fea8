"""The seam between the accounts and who knows of green energy and its certificates: `ClaimedGreen`.

Who implements it answers for one thing: no Wh appears twice. Energy that is `direct` is not also `covered`, and neither is what a retired GEC is for.
The accounts count direct supply, forgone green and cover only as far as the meters bear them out (a correction may say less than certificates were
issued by), and say what they left out and what cover they left unused.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Int64Array = NDArray[np.int64]
Cells = dict[int, dict[int, int]]  # period start -> account -> Wh


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


def gec_wh(retirements: Iterable[Retirement], account: int | None = None) -> int:
    """Energy of retired GEC, of one account or of all."""
    return sum(r.energy_wh for r in retirements if r.scheme == "gec" and account in {None, r.account})
