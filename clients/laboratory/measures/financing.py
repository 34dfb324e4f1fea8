"""What plants and storages are worth to their owners: the run's revenue, scaled to a year, in the formulas of `cash_flow`."""

from collections.abc import Sequence
from itertools import zip_longest

from clients.laboratory.measures.bills import net_bill_micro
from clients.laboratory.measures.cash_flow import (
    Plan,
    available,
    debt_service,
    dscr_min,
    internal_rates,
    npv,
    payback_years,
    present_cost,
    present_energy_kwh,
)
from clients.laboratory.measures.figures import TICK_WH_PER_MICRO, Figure, cny, kwh, quotient
from clients.laboratory.run.record import RunRecord
from exchange.units import PPM, WH_PER_KWH, divide_half_even

DAYS_PER_YEAR = 365


def financing_measures(record: RunRecord) -> dict[str, Figure]:
    """All assets of the park as one portfolio; everything but their number is None where there is none."""
    return {"assets": len(plans := plans_of(record)), **portfolio(list(plans.values()))}


def plans_of(record: RunRecord) -> dict[int, Plan]:
    """The plan of each row with an asset."""
    days = record.bill_market_micro.shape[1]
    return {row: _plan(record, row, DAYS_PER_YEAR / days) for row, entry in enumerate(record.scenario.participants) if entry.asset and days}


def revenue_micro(record: RunRecord, row: int) -> int:
    """What the asset earned in the run: the bill its owner would have for its load alone, at retail, less the bill it has."""
    adder = record.scenario.participants[row].voltage_adder_micro_per_kwh
    load_wh = record.load_wh[row]
    alone = divide_half_even(int(load_wh @ record.deficit_price_ticks), TICK_WH_PER_MICRO) + divide_half_even(int(load_wh.sum()) * adder, WH_PER_KWH)
    return alone - int(net_bill_micro(record)[row])


def _plan(record: RunRecord, row: int, runs_per_year: float) -> Plan:
    asset = record.scenario.participants[row].asset
    assert asset is not None
    generation = int(record.generation_wh[row].sum())
    energy = generation or int(record.discharge_wh[row].sum())
    return Plan(
        capex=cny(asset.capex_micro), revenue=cny(revenue_micro(record, row)) * runs_per_year, operation=cny(asset.operation_micro_per_year),
        energy_kwh=kwh(energy) * runs_per_year, life_years=asset.life_years, degradation=asset.degradation_ppm / PPM,
        discount=asset.discount_ppm / PPM, debt=cny(asset.capex_micro) * asset.debt_ppm / PPM, rate=asset.rate_ppm / PPM, loan_years=asset.years,
    )  # fmt: skip


def portfolio(plans: Sequence[Plan]) -> dict[str, Figure]:
    """Figures of plans taken together: flows add by year, present values each at its own discount rate."""
    if not plans:
        return dict.fromkeys(_KEYS)
    cash, service = _by_year([available(plan) for plan in plans]), _by_year([debt_service(plan) for plan in plans])
    capex, debt = sum(plan.capex for plan in plans), sum(plan.debt for plan in plans)
    project = [-capex, *cash]
    equity = [debt - capex, *(flow - paid for flow, paid in zip(cash, service, strict=True))]
    project_rates, equity_rates = internal_rates(project), internal_rates(equity)
    return {
        "capex_cny": capex,
        "asset_revenue_cny_per_year": sum(plan.revenue for plan in plans),
        "cash_flow_available_cny_per_year": cash[0] if cash else 0.0,
        "debt_service_cny_per_year": service[0] if service else 0.0,
        "dscr_min": dscr_min(cash, service),
        "npv_cny": sum(npv([-plan.capex, *available(plan)], plan.discount) for plan in plans),
        "irr_percent": _the_one(project_rates),
        "irr_count": len(project_rates),
        "equity_irr_percent": _the_one(equity_rates),
        "payback_years": payback_years(project),
        "lcoe_cny_per_kwh": quotient(sum(map(present_cost, plans)), sum(map(present_energy_kwh, plans))),
    }


_KEYS = (
    "capex_cny", "asset_revenue_cny_per_year", "cash_flow_available_cny_per_year", "debt_service_cny_per_year", "dscr_min", "npv_cny", "irr_percent",
    "irr_count", "equity_irr_percent", "payback_years", "lcoe_cny_per_kwh",
)  # fmt: skip


def _by_year(flows: Sequence[Sequence[float]]) -> list[float]:
    return [sum(year) for year in zip_longest(*flows, fillvalue=0.0)]


def _the_one(rates: Sequence[float]) -> float | None:
    """A rate of return means something only where it is the only one."""
    return 100 * rates[0] if len(rates) == 1 else None
