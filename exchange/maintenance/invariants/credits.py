"""Invariants 12 and 13, credits: what was surrendered and fined are the postings, and a project has the credits that were verified for it."""

from collections import Counter

import numpy as np

from exchange.errors import CheckFailedError
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants.interface import Finding, breach
from exchange.order_path.path import BatchResult, Exchange
from exchange.registry.bundles import NO_ROW
from exchange.registry.serials import UnitScheme

_REASONS = [int(PostingReason.UNITS_SURRENDERED), int(PostingReason.PENALTY)]
_OF_PROJECTS = [int(UnitScheme.PCC), int(UnitScheme.CCER)]
# (account, instrument id or 0 for money) -> lots or micro-CNY
Sums = Counter[tuple[int, int]]


class CreditsWatch:
    """Sums of its own from the postings of surrenders and penalties, compared with the obligations after every batch that moved any."""

    def __init__(self) -> None:
        self._sums: Sums = Counter()

    def begin(self, exchange: Exchange) -> None:
        self._sums = _in_state(exchange)

    def see(self, batch: BatchResult, exchange: Exchange) -> None:
        rows = batch.postings[np.isin(batch.postings["reason"], _REASONS)]
        if not len(rows):
            return
        for debit, asset, amount in zip(rows["debit"].tolist(), rows["asset"].tolist(), rows["amount"].tolist(), strict=True):
            self._sums[debit, asset] += amount
        in_state = _in_state(exchange)
        for account, asset in sorted(self._sums.keys() | in_state.keys()):
            if self._sums[account, asset] != in_state[account, asset]:
                what = "paid" if asset == 0 else f"surrendered of {exchange.instrument_by_id(asset).symbol}"
                raise breach("12", f"account {account} has not {what} what its obligations say", batch.last_sequence)

    def conclude(self, exchange: Exchange) -> Finding:
        try:
            exchange.rooms.credits.check()
        except CheckFailedError as error:
            raise breach("12, 13", str(error), exchange.last_sequence) from error
        issued = _issued_by_project(exchange)
        for project in exchange.rooms.credits.projects.by_id.values():
            verified = sum(m.credits_t - m.withheld_t + m.buffer_t for m in project.monitorings if m.is_issued)
            if issued[project.id] != verified:
                raise breach("13", f"project {project.id} has other credits than were verified for it", exchange.last_sequence)
        surrendered = sum(lots for (_, asset), lots in self._sums.items() if asset)
        return Finding("12, 13", "credits", f"{surrendered:,} t surrendered within their obligations; {sum(issued.values()):,} t issued to projects")


def _in_state(exchange: Exchange) -> Sums:
    tables, sums = exchange.rooms.credits, Sums()
    for year in tables.compliance.years.values():
        for line in year.surrendered:
            sums[year.account, line.instrument] += line.quantity_lots
        sums[year.account, 0] += year.paid_micro
    for row in tables.parks.performances.values():
        sums[row.account, row.instrument] += row.surrendered_t
        sums[row.account, 0] += row.paid_micro
    return sums


def _issued_by_project(exchange: Exchange) -> Counter[int]:
    """Units that were ever issued, by the project that their serial numbers name."""
    rows = np.asarray(exchange.rooms.registry.rows)
    roots = rows[(rows["parent"] == NO_ROW) & np.isin(rows["scheme"], _OF_PROJECTS) & (rows["source"] > 0)]
    found: Counter[int] = Counter()
    for source, quantity in zip(roots["source"].tolist(), (roots["serial_to"] - roots["serial_from"] + 1).tolist(), strict=True):
        found[source] += quantity
    return found
