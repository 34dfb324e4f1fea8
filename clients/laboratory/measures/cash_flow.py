"""Project finance in closed formulas: annuity, loan, cash flow available for debt service, NPV, IRR, payback, DSCR, LCOE. CNY and years, floats.

Year 0 is the investment, years 1 to n are operation, flows fall at the end of a year. Sources: Brealey, Myers and Allen, "Principles of Corporate
Finance" (NPV, IRR, payback); Short, Packey and Holt (1995), NREL/TP-462-5173 (LCOE).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

# Internal rates of return are looked for between these; beyond them a rate says nothing.
_LOWEST_RATE = -0.99
_HIGHEST_RATE = 100.0
_GRID = 4000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is invested and what comes of it in the first year; output and revenue fall by `degradation` a year, costs stay."""

    capex: float
    revenue: float
    operation: float
    energy_kwh: float
    life_years: int
    degradation: float
    discount: float
    debt: float
    rate: float
    loan_years: int


def annuity(principal: float, rate: float, years: int) -> float:
    """Level debt service: principal x rate / (1 - (1 + rate)^-years); an interest-free loan is paid in equal parts."""
    if years <= 0:
        return 0.0
    return principal * rate / (1 - (1 + rate) ** -years) if rate else principal / years


def available(plan: Plan) -> list[float]:
    """Cash flow available for debt service of years 1 to life (CFADS): revenue after degradation less operation."""
    return [plan.revenue * (1 - plan.degradation) ** year - plan.operation for year in range(plan.life_years)]


def debt_service(plan: Plan) -> list[float]:
    """What lenders get in each year of the plan's life; a loan that outlives the plant is cut at its end, its rest due with the last year."""
    level = annuity(plan.debt, plan.rate, plan.loan_years)
    paid = [level if year < plan.loan_years else 0.0 for year in range(plan.life_years)]
    if plan.loan_years > plan.life_years > 0:
        paid[-1] += level * _annuity_factor(plan.rate, plan.loan_years - plan.life_years)
    return paid


def _annuity_factor(rate: float, years: int) -> float:
    return (1 - (1 + rate) ** -years) / rate if rate else float(years)


def npv(flows: Sequence[float], rate: float) -> float:
    """Present value of flows of years 0, 1, 2, ... at a yearly rate."""
    return sum(flow / (1 + rate) ** year for year, flow in enumerate(flows))


def internal_rates(flows: Sequence[float]) -> list[float]:
    """All rates between -99% and 10,000% at which the present value is zero, ascending; none, one or several.

    With one change of sign there is at most one (Descartes). With more, a grid in 1 / (1 + rate) brackets the roots.
    """
    signs = [flow > 0 for flow in flows if flow != 0]
    changes = sum(before != after for before, after in pairwise(signs))
    if changes == 0:
        return []
    edges = (1 / (1 + _HIGHEST_RATE), 1 / (1 + _LOWEST_RATE))
    grid = np.geomspace(*edges, 2 if changes == 1 else _GRID)
    values = np.polynomial.polynomial.polyval(grid, np.array(flows, np.float64))
    places = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    roots = {float(brentq(lambda x: np.polynomial.polynomial.polyval(x, flows), grid[place], grid[place + 1], xtol=1e-15)) for place in places}
    roots |= {float(x) for x in grid[values == 0]}
    return sorted(1 / root - 1 for root in roots)


def payback_years(flows: Sequence[float]) -> float | None:
    """Years until the flows add to zero, within a year in proportion; None if they never do."""
    balance = flows[0]
    if balance >= 0:
        return 0.0
    for year, flow in enumerate(flows[1:]):
        if flow > 0 and balance + flow >= 0:
            return year - balance / flow
        balance += flow
    return None


def dscr_min(cash: Sequence[float], service: Sequence[float]) -> float | None:
    """Smallest debt service cover ratio of the years with debt service; None without debt."""
    ratios = [available_cash / paid for available_cash, paid in zip(cash, service, strict=True) if paid > 0]
    return min(ratios, default=None)


def present_cost(plan: Plan) -> float:
    return plan.capex + sum(plan.operation / (1 + plan.discount) ** year for year in range(1, plan.life_years + 1))


def present_energy_kwh(plan: Plan) -> float:
    return sum(plan.energy_kwh * (1 - plan.degradation) ** (year - 1) / (1 + plan.discount) ** year for year in range(1, plan.life_years + 1))
