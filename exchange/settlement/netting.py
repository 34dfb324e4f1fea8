"""The park's side of a day: what the grid is paid on the park's net, what netting among members leaves, and what losses cost.

With D and S the sums of the members' deficits and surpluses in a period, L the losses and P_d >= P_s the two prices, the physical balance
says D - S + L = net import. Members pay D P_d - S P_s; the grid takes P_d for net import or gives P_s for net export. Then
    members' payments = grid + fund - losses,  fund = (P_d - P_s) min(S, D) >= 0,
where losses are served by what surplus members leave over, at P_s, and the rest by import, at P_d. So the fund
(`imbalance_netting_cny`, docs/rules.md "Netting") is never negative, and CLEARING ends at zero but for rounding.
"""

from dataclasses import dataclass

import numpy as np

from exchange.settlement.day_input import DayInput, Int64Array
from exchange.units import POWER_TICK_MICRO_PER_KWH, WH_PER_KWH, divide_half_even

# One tick on one Wh is 0.1 micro-CNY: sums of ticks x Wh are exact, a line divides once.
TICK_WH_PER_MICRO = WH_PER_KWH // POWER_TICK_MICRO_PER_KWH


@dataclass(frozen=True, slots=True)
class ParkTotals:
    """Money of the park as one for the day, in micro-CNY (each rounded half-even once), and energies in Wh."""

    grid_import_micro: int
    grid_export_micro: int
    fund_micro: int
    losses_micro: int
    deficit_wh: int
    surplus_wh: int
    netted_wh: int


def exact_dot(values: Int64Array, weights: Int64Array) -> list[int]:
    """Sum of values x weights along the last axis, one Python integer a row: exact at any size."""
    products = np.atleast_2d(values).astype(object) * weights.astype(object)
    return [int(total) for total in products.sum(axis=-1)]


def cost_micro(energy_wh: Int64Array, price_ticks: Int64Array) -> list[int]:
    """Cost of each row of energies ([n, T] or [T], Wh) at the prices of the periods, rounded half-even once a row."""
    return [divide_half_even(total, TICK_WH_PER_MICRO) for total in exact_dot(energy_wh, price_ticks)]


def park_totals(day: DayInput) -> ParkTotals:
    """Totals of a day whose physical balance holds (check_day)."""
    imbalance_wh = day.imbalance_wh
    surplus_wh = np.maximum(imbalance_wh, 0).sum(axis=0)
    deficit_wh = np.maximum(-imbalance_wh, 0).sum(axis=0)
    netted_wh = np.minimum(surplus_wh, deficit_wh)
    net_import_wh = day.readings.grid_import_wh - day.readings.grid_export_wh
    losses_wh = day.readings.losses_wh
    losses_from_surplus_wh = np.minimum(losses_wh, np.maximum(surplus_wh - deficit_wh, 0))
    spread_ticks = day.deficit_price_ticks - day.surplus_price_ticks
    losses_tick_wh = (
        exact_dot(losses_wh, day.deficit_price_ticks)[0] - exact_dot(losses_from_surplus_wh, spread_ticks)[0]
    )
    return ParkTotals(
        grid_import_micro=cost_micro(np.maximum(net_import_wh, 0), day.deficit_price_ticks)[0],
        grid_export_micro=cost_micro(np.maximum(-net_import_wh, 0), day.surplus_price_ticks)[0],
        fund_micro=cost_micro(netted_wh, spread_ticks)[0],
        losses_micro=divide_half_even(losses_tick_wh, TICK_WH_PER_MICRO),
        deficit_wh=int(deficit_wh.sum()),
        surplus_wh=int(surplus_wh.sum()),
        netted_wh=int(netted_wh.sum()),
    )
