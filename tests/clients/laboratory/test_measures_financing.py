"""Project finance: the plant of the market rules' story 9, and flows with no, one and several rates of return."""

from dataclasses import replace

import pytest

from clients.laboratory.measures.cash_flow import Plan, annuity, available, debt_service, dscr_min, internal_rates, npv, payback_years
from clients.laboratory.measures.financing import financing_measures, plans_of, portfolio
from clients.laboratory.scenario.model import Asset
from tests.clients.laboratory.records import battery, member, record_of, scenario_of, trade

MILLION = 1_000_000
STORY = Plan(
    capex=33.6e6, revenue=13.2e6 * (0.9 * 0.50 + 0.1 * 0.28), operation=540_000, energy_kwh=13.2e6, life_years=25, degradation=0.004, discount=0.06,
    debt=23.52e6, rate=0.032, loan_years=12,
)  # fmt: skip


def test_golden_figures_of_the_plant() -> None:
    figures = portfolio([STORY])
    assert figures["asset_revenue_cny_per_year"] == pytest.approx(6_309_600)
    assert figures["cash_flow_available_cny_per_year"] == pytest.approx(5_769_600)
    assert figures["debt_service_cny_per_year"] == pytest.approx(2_391_166, abs=0.5)
    assert figures["irr_percent"] == pytest.approx(16.39, abs=0.005)
    assert figures["irr_count"] == 1
    assert figures["equity_irr_percent"] == pytest.approx(33.5, abs=0.05)
    assert figures["npv_cny"] == pytest.approx(37.30e6, abs=5_000)
    assert figures["dscr_min"] == pytest.approx(2.30, abs=0.005)
    assert figures["payback_years"] == pytest.approx(5.89, abs=0.005)
    assert figures["lcoe_cny_per_kwh"] == pytest.approx(0.249, abs=0.0005)


def test_golden_loan() -> None:
    level = annuity(23.52e6, 0.032, 12)
    assert level == pytest.approx(2_391_166, abs=0.5)
    assert level - 752_640 == pytest.approx(1_638_526, abs=0.5)  # principal of the first year, after 3.2% on 23.52 M
    balance = 23.52e6
    for _ in range(12):
        balance += balance * 0.032 - level
    assert balance == pytest.approx(0, abs=1e-4)
    assert annuity(1200, 0, 12) == 100
    assert annuity(1200, 0.03, 0) == 0


RATES: list[tuple[list[float], list[float]]] = [
    ([-100, 110], [0.1]),
    ([-100, 0, 121], [0.1]),
    ([-100, 50], [-0.5]),
    ([-100, -10], []),
    ([0, 0], []),
    ([-100, 230, -132], [0.1, 0.2]),  # (1 - 1.1 x)(1 - 1.2 x)
    ([-1000, 3600, -4310, 1716], [0.1, 0.2, 0.3]),
    ([100, -150, 100], []),  # two changes of sign and no rate at all
]


@pytest.mark.parametrize(("flows", "rates"), RATES)
def test_internal_rates(flows: list[float], rates: list[float]) -> None:
    found = internal_rates(flows)
    assert found == pytest.approx(rates, abs=1e-8)
    for rate in found:
        assert npv(flows, rate) == pytest.approx(0, abs=1e-6)


PAYBACK: list[tuple[list[float], float | None]] = [
    ([-100, 40, 40, 40], 2.5),
    ([-100, 50, 50], 2.0),
    ([-100, 10, 10], None),
    ([-100, -20, 240], 1.5),
    ([0, 5], 0.0),
]


@pytest.mark.parametrize(("flows", "years"), PAYBACK)
def test_payback(flows: list[float], years: float | None) -> None:
    assert payback_years(flows) == (None if years is None else pytest.approx(years))


def test_cover_is_the_worst_year_with_debt_service() -> None:
    assert dscr_min([10, 6, 1], [5, 4, 0]) == 1.5
    assert dscr_min([10], [0]) is None


def test_a_loan_that_outlives_its_plant_is_due_at_the_end() -> None:
    plan = replace(STORY, life_years=10, debt=1000.0)
    paid = debt_service(plan)
    assert len(paid) == len(available(plan)) == 10
    assert npv([0, *paid], plan.rate) == pytest.approx(1000)


ASSET = Asset(
    capex_micro=10_000 * MILLION, operation_micro_per_year=100 * MILLION, debt_ppm=500_000, rate_ppm=40_000, years=5, life_years=10,
    discount_ppm=50_000,
)  # fmt: skip


def test_the_runs_revenue_is_scaled_to_a_year() -> None:
    # Two days; the plant sells 8 kWh at 0.50 and 2 at the surplus price 0.28: 4.56 CNY.
    scenario = scenario_of(member("F1"), member("S1", asset=ASSET))
    record = record_of(scenario, load_kwh=[[8, 8], [0, 0]], generation_kwh=[[0, 0], [10, 0]], trades=[trade(0, 0, 1, 80, 5000)], days=2)
    figures = financing_measures(record)
    assert figures["assets"] == 1
    assert figures["asset_revenue_cny_per_year"] == pytest.approx(4.56 * 365 / 2)
    (plan,) = plans_of(record).values()
    assert (plan.capex, plan.debt, plan.rate, plan.discount, plan.energy_kwh) == (10_000, 5_000, 0.04, 0.05, 10 * 365 / 2)


def test_own_use_earns_the_bill_that_it_saves() -> None:
    # 5 of the 8 kWh are made at home: 5 x (0.65 + 0.01); 3 kWh of the plant cannot be used and bring 0.28.
    scenario = scenario_of(member("F1", asset=ASSET, voltage_adder_micro_per_kwh=10_000))
    record = record_of(scenario, load_kwh=[[8, 0]], generation_kwh=[[5, 3]])
    record = replace(record, bill_market_micro=record.bill_market_micro + 3 * 10_000)
    assert financing_measures(record)["asset_revenue_cny_per_year"] == pytest.approx((5 * 0.66 + 3 * 0.28) * 365)


def test_storage_is_levelised_on_its_discharge_and_what_it_keeps_counts() -> None:
    scenario = scenario_of(member("B1", storage=battery(), asset=ASSET))
    record = record_of(scenario, load_kwh=[[0, 0]], generation_kwh=[[0, 0]], charge_kwh=[[6, 0]], discharge_kwh=[[0, 4]])
    figures = financing_measures(record)
    assert figures["asset_revenue_cny_per_year"] == pytest.approx((-6 * 0.65 + 4 * 0.28 + 2 * 0.30) * 365)
    assert plans_of(record)[0].energy_kwh == 4 * 365
    assert figures["irr_percent"] is None
    assert figures["irr_count"] == 0
    assert figures["payback_years"] is None


def test_two_assets_are_one_portfolio() -> None:
    long = replace(STORY, debt=0.0)
    short = replace(STORY, life_years=5, loan_years=5)
    figures = portfolio([long, short])
    assert figures["capex_cny"] == 67.2e6
    assert figures["npv_cny"] == pytest.approx(sum(npv([-plan.capex, *available(plan)], 0.06) for plan in (long, short)))
    assert figures["dscr_min"] == pytest.approx(2 * available(long)[4] / annuity(23.52e6, 0.032, 5))


def test_no_asset_no_figures() -> None:
    figures = financing_measures(record_of(scenario_of(member("F1")), load_kwh=[[1]], generation_kwh=[[0]]))
    assert figures.pop("assets") == 0
    assert set(figures.values()) == {None}
