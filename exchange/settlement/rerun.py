"""A later run over a settled day: what it moves is the difference to the run before, line by line; nothing is edited (docs/rules.md, "Re-runs")."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from exchange.ledger.records import PostingReason
from exchange.settlement.amounts import MemberAmounts
from exchange.settlement.charges import PostingRows
from exchange.settlement.lines import LineItem
from exchange.settlement.netting import ParkTotals
from exchange.settlement.record import SettledDay


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """The money a run moves: of members, of the park, and what rounding leaves."""

    amounts: MemberAmounts
    park: ParkTotals
    rounding_micro: int


# Amounts that readings can change, and the line that has them.
_LINES: Final = {
    "park_fee": LineItem.PARK_FEE,
    "deficit": LineItem.DEFICIT,
    "sold": LineItem.ENERGY_SOLD,
    "surplus": LineItem.SURPLUS,
    "voltage_adder": LineItem.VOLTAGE_ADDER,
    "green_contract": LineItem.GREEN_CONTRACT,
    "environment_income": LineItem.ENVIRONMENT_SOLD,
    "environment_cost": LineItem.ENVIRONMENT,
    "curtailed": LineItem.CURTAILMENT,
    "refund": LineItem.NETTING_REFUND,
}
_PARK: Final = {
    "grid_import_micro": "grid_import_micro",
    "grid_export_micro": "grid_export_micro",
    "fund_micro": "netting_fund_micro",
    "paper_micro": "paper_micro",
    "losses_micro": "losses_micro",
}


def difference(now: Moved, before: SettledDay) -> Moved:
    """What `now` moves beyond the run before. The holds of the day went with the first run."""
    none = np.zeros(len(before.accounts), np.int64)
    changed = {name: getattr(now.amounts, name) - before.amounts(item) for name, item in _LINES.items()}
    return Moved(
        amounts=replace(now.amounts, held_park_fee=none, held_guarantee=none, **changed),
        park=replace(now.park, **{name: getattr(now.park, name) - before.total(total) for name, total in _PARK.items()}),
        rounding_micro=now.rounding_micro - before.total("rounding_micro"),
    )


def as_adjustments(postings: PostingRows) -> PostingRows:
    """The same rows under the reason of adjustments; what the guarantee fund covers keeps its own."""
    rows = postings.copy()
    rows["reason"] = np.where(rows["reason"] == PostingReason.GUARANTEE_FUND, rows["reason"], int(PostingReason.ADJUSTMENT))
    return rows
