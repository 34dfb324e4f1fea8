"""The ready scenarios are what their files and docs/scenarios.md say, and a day of the demo plays every file of the laboratory."""

from pathlib import Path

import numpy as np
import pytest

from clients.laboratory.scenario.model import Scenario
from clients.laboratory.scenario.resolve import load_scenario
from clients.scenarios import Park, load_park
from clients.scenarios.layers import SHIPPED
from exchange.units import WH_PER_MWH


def plants_kw(scenario: Scenario) -> dict[str, int]:
    return {entry.id: entry.generation.peak_kw for entry in scenario.participants if entry.generation is not None}


def used_mwh(scenario: Scenario) -> int:
    return sum(entry.load.annual_mwh for entry in scenario.participants if entry.load is not None)


def test_the_park_is_that_of_the_demo() -> None:
    scenario, park = load_scenario("park"), load_park("park")
    assert [entry.id for entry in scenario.participants] == [member.id for member in park.members]
    assert (used_mwh(scenario), sum(plants_kw(scenario).values())) == (38_400, 16_000)
    for entry, member in zip(scenario.participants, park.members, strict=True):
        assert (entry.cash_micro, entry.holdings_lots, entry.programmes) == (member.cash_micro, member.holdings_lots, member.programmes)
        assert (entry.storage, entry.voltage_adder_micro_per_kwh) == (member.storage, member.voltage_adder_micro_per_kwh)
        assert (entry.min_net_power_lots, entry.max_net_power_lots) == (member.min_net_power_lots, member.max_net_power_lots)
        assert entry.valuation.willingness_ppm == member.willingness_ppm
    rules, power = scenario.market, park.power
    for name in power.__dataclass_fields__:
        assert getattr(rules, name) == getattr(power, name), name
    assert scenario.instruments == park.instruments


@pytest.mark.parametrize("name", SHIPPED)
def test_everybody_values_differently_and_somebody_makes_a_market(name: str) -> None:
    scenario = load_scenario(name)
    assert all(entry.valuation.spread_ppm > 0 for entry in scenario.participants)
    assert {entry.agent.name for entry in scenario.participants if entry.role == "market_maker"} == {"market_maker"}
    assert scenario.name == name
    assert scenario.name_en != scenario.name_zh


def noon(park: Park) -> tuple[int, int]:
    """Load and generation of the hour from 12:00, Wh."""
    hour = slice(48, 52)
    return (
        int(np.sum([member.load_wh[hour] for member in park.members])),
        int(np.sum([member.generation_wh[hour] for member in park.members])),
    )


def test_solar_has_three_times_its_noon() -> None:
    load, generation = noon(load_park("solar"))
    assert generation > 3 * load
    scenario = load_scenario("solar")
    assert scenario.network.export_limit_kw == 8000
    assert sum(kw for name, kw in plants_kw(scenario).items() if name.startswith("PV")) == 30_000
    assert [entry.id for entry in scenario.participants if entry.ev is not None] == ["E20"]


def test_short_never_has_enough() -> None:
    park = load_park("short")
    load = np.sum([member.load_wh for member in park.members], axis=0)
    generation = np.sum([member.generation_wh for member in park.members], axis=0)
    assert (generation < load).all()
    assert sum(plants_kw(load_scenario("short")).values()) * 4 == sum(plants_kw(load_scenario("park")).values())


def test_the_squeeze_wants_more_allowances_than_are_offered() -> None:
    scenario = load_scenario("carbon-squeeze")
    programmes = [programme for entry in scenario.participants for programme in entry.programmes if programme.symbol == "CEA25"]
    wanted = sum(programme.quantity_lots for programme in programmes if programme.quantity_lots > 0)
    assert (wanted, sum(programme.quantity_lots for programme in programmes)) == (2500, 700)
    band = next(entry for entry in scenario.instruments if entry.symbol == "CEA25")
    assert all(band.band_low_ticks <= programme.limit_price_ticks <= band.band_high_ticks for programme in programmes)


def test_the_dominant_seller_owns_most_and_is_the_only_one_that_misreports() -> None:
    scenario = load_scenario("dominant-seller")
    plants = plants_kw(scenario)
    assert (plants["PV01"], sum(plants.values())) == (11_000, 14_500)
    assert [entry.id for entry in scenario.participants if entry.agent.name == "strategic"] == ["PV01"]


def test_the_stress_day_is_followed_by_one_without_outages() -> None:
    scenario = load_scenario("stress")
    assert (scenario.days, scenario.forecast.error_ppm) == (2, 2_500_000)
    assert [(outage.participant, outage.last_day) for outage in scenario.outages] == [("pv", 0), ("W01", 0), ("E06", 0)]


def test_the_national_park_has_120_enterprises_and_one_installation() -> None:
    scenario = load_scenario("national")
    enterprises = [entry for entry in scenario.participants if entry.role == "enterprise"]
    assert len(enterprises) == 120
    # 0.1229 kgce a kWh (docs/rules.md): half of 0.3 Mtce is electricity.
    assert used_mwh(scenario) * WH_PER_MWH // 1000 * 0.1229e-9 == pytest.approx(0.146, abs=0.0005)
    assert [entry.id for entry in enterprises if entry.holdings_lots] == ["H01"]
    sizes = sorted(entry.load.annual_mwh for entry in enterprises if entry.load is not None)
    assert sizes[60] * 5 < sizes[118]  # most are small
    assert sum(plants_kw(scenario).values()) == 313_000


@pytest.mark.parametrize("name", SHIPPED)
def test_no_load_is_cut_off_by_its_connection(name: str) -> None:
    park = load_park(name)
    for member in park.members:
        assert member.annual_mwh == 0 or int(member.load_wh.max()) < member.connection_kw * 250, member.id


def test_the_demo_takes_no_notice_of_what_only_the_laboratory_reads(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'base = "park"\n[experiment]\ndays = 3\n[market]\nmechanism = "vcg"\n[imbalance]\nrule = "pool"\n[forecast]\nerror_permille = 0\n'
        '[carbon]\nscheme = "gec"\n[sharing]\nrule = "equal"\n[valuation]\nspread_permille = 1\n[flexible]\nshift_periods = 1\n'
        '[network]\nimport_limit_kw = 1\nexport_limit_kw = 1\n[population]\ndefault = "zip"\n[[outage]]\nparticipant = "pv"\navailable_permille = 0\n'
        '[[member]]\nid = "E01"\nagent = "zip"\nvaluation = { cost_cny_per_kwh = 1 }\nflexible = { shift_periods = 2 }\nbuy_limit_kwh = 1\n'
        'storage_policy = { charges_from_grid = true }\n'
        'sell_limit_kwh = 1\nev = { energy_kwh = 1, power_kw = 1, arrival = "08:00", departure = "17:00" }\n'
        "asset = { capex_cny = 1, operation_cny_per_year = 1, life_years = 1 }\n",
        "utf-8",
    )
    mine, park = load_park(path), load_park("park")
    assert mine.power == park.power
    for ours, theirs in zip(mine.members, park.members, strict=True):
        assert (ours.load_wh == theirs.load_wh).all()
        assert (ours.generation_wh == theirs.generation_wh).all()
        assert (ours.max_net_power_lots, ours.flexible_ppm) == (theirs.max_net_power_lots, theirs.flexible_ppm)
    scenario = load_scenario(str(path))
    assert (scenario.days, scenario.market.mechanism, scenario.participants[0].max_net_power_lots) == (3, "vcg", 10)
