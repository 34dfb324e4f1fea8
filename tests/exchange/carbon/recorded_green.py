"""A ClaimedGreen of rows, for tests of the accounts without a registry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from exchange.carbon.claimed_green import Int64Array, Retirement
from exchange.registry.green_output import GreenOutput, GreenUse

Cells = dict[int, dict[int, int]]  # Wh by period start and account


@dataclass(slots=True)
class RecordedGreen:
    """A ClaimedGreen of rows, by period start and account. Without any the accounts know of own use, metering and nothing else."""

    direct: Cells = field(default_factory=dict)
    covered: Cells = field(default_factory=dict)
    forgone: Cells = field(default_factory=dict)
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
            cells = self.direct.setdefault(start_ns, {})
            cells[holder] = cells.get(holder, 0) + energy_wh


def claimed_green(outputs: Sequence[GreenOutput] = (), retirements: Sequence[Retirement] = ()) -> RecordedGreen:
    """What settlement delivered, and retirements. Delivered rows are direct supply of their holder."""
    green = RecordedGreen(retired=list(retirements))
    for output in outputs:
        delivered = output.use == GreenUse.DELIVERED
        columns = (output.period_start_ns, output.holder, output.energy_wh)
        green.deliver(zip(*(column[delivered].tolist() for column in columns), strict=True))
    return green


def _grid(cells: Cells, accounts: Sequence[int], starts_ns: Sequence[int]) -> Int64Array:
    out = np.zeros((len(accounts), len(starts_ns)), np.int64)
    rows = {account: row for row, account in enumerate(accounts)}
    for column, start_ns in enumerate(starts_ns):
        for account, energy_wh in cells.get(start_ns, {}).items():
            out[rows[account], column] = energy_wh
    return out
