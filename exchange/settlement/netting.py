"""The park's side of a day: what the grid is paid on the park's net, what the members' imbalances leave beside it, and what losses cost.

With D and S the sums of the members' deficits and surpluses in a period, L the losses and P_d >= P_s the two prices, the physical balance
says D - S + L = net import. Members pay D P_d - S P_s; the grid takes P_d for net import or gives P_s for net export. Then
    members' payments = grid + fund - losses,  fund = (P_d - P_s) min(S, D) >= 0,
where losses are served by what surplus members leave over, at P_s, and the rest by import, at P_d. So the fund
(`imbalance_netting_cny`, docs/rules.md "Netting") is never negative, and CLEARING ends at zero but for rounding. Other imbalance rules give a part
of that fund to members by their prices (imbalance.py).
"""

from dataclasses import dataclass

import numpy as np

from exchange.settlement.day_input import Int64Array
from exchange.settlement.shares import dot, rounded_dot
from exchange.units import POWER_TICK_MICRO_PER_KWH, WH_PER_KWH

# One tick on one Wh is 0.1 micro-CNY: sums of ticks x Wh are exact, a line divides once.
TICK_WH_PER_MICRO = WH_PER_KWH // POWER_TICK_MICRO_PER_KWH


@dataclass(frozen=True, slots=True)
class ParkTotals:
    """Money of the park as one for the day, in micro-CNY (each rounded half-even once), and energies in Wh.

    `fund_micro` goes back to members by metered energy, `paper_micro` to the guarantee fund (imbalance.py).
    """

    grid_import_micro: int
    grid_export_micro: int
    fund_micro: int
    paper_micro: int
    losses_micro: int
    deficit_wh: int
    surplus_wh: int
    netted_wh: int


def exact_dot(values: Int64Array, weights: Int64Array) -> list[int]:
    """Sum of values x weights along the last axis, one Python integer a row: exact at any size."""
    rows = np.atleast_2d(values)
    sums = dot(rows, weights)
    if sums is not None:
        return [int(total) for total in sums]
    return [int(total) for total in (rows.astype(object) * weights.astype(object)).sum(axis=-1)]


def cost_micro(energy_wh: Int64Array, price_ticks: Int64Array) -> list[int]:
    """Cost of each row of energies ([n, T] or [T], Wh) at the prices of the periods, rounded half-even once a row."""
    return [int(cost) for cost in rounded_dot(np.atleast_2d(energy_wh), price_ticks, TICK_WH_PER_MICRO)]
