"""A small park made by hand, and a reader of overrides that knows the market's integers: what a plan needs of scenarios."""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal

from clients.laboratory.scenario.model import (
    AgentChoice,
    CarbonRules,
    ForecastRules,
    GenerationProfile,
    ImbalanceRules,
    LoadProfile,
    MarketRules,
    Network,
    Participant,
    Scenario,
    SharingRules,
)
from clients.scenarios.loader import load_park
from exchange.errors import InputError

_PARK = load_park()
_STEPS = {"tick_cny_per_kwh": ("tick_step", 10_000), "lot_kwh": ("lot_step", 10)}


def _participant(identity: str, role: str, agent: str, load_mwh: int = 0, peak_kw: int = 0) -> Participant:
    return Participant(
        id=identity, name_en=identity, name_zh=identity, role=role, permissions=(), agent=AgentChoice(name=agent),
        load=LoadProfile(annual_mwh=load_mwh, shapes_permille={}, noise="steady") if load_mwh else None,
        generation=GenerationProfile(series="pv", kind="pv", peak_kw=peak_kw, noise="pv") if peak_kw else None,
    )  # fmt: skip


PARTICIPANTS = (
    _participant("E1", "enterprise", "zi_c", load_mwh=900),
    _participant("E2", "enterprise", "zip", load_mwh=2000),
    _participant("G1", "generator", "truthful", peak_kw=800),
    _participant("M1", "market_maker", "market_maker"),
    _participant("E3", "enterprise", "own.py:Trader", load_mwh=9000),
)


def small_scenario(**market: object) -> Scenario:
    return Scenario(
        name="small", name_en="small", name_zh="小", zone=_PARK.zone, first_date=_PARK.date, days=2, seed=7, tariff=_PARK.tariff,
        market=dataclasses.replace(MarketRules(), **market), imbalance=ImbalanceRules(), forecast=ForecastRules(), noises={},
        network=Network(loss_ppm=0), carbon=CarbonRules(factor=_PARK.emission_factor, residual=_PARK.emission_factor), sharing=SharingRules(),
        soc_value_micro_per_kwh=0, participants=PARTICIPANTS,
    )  # fmt: skip


def load(name: str, overrides: Mapping[str, str]) -> Scenario:
    """Raises InputError for a scenario that is not `small`, an unknown key, and a gate closure above a day."""
    if name != "small":
        raise InputError(f"{name}: no such scenario")
    known = {field.name: type(field.default) for field in dataclasses.fields(MarketRules)}
    market: dict[str, object] = {}
    for key, text in overrides.items():
        section, _, field = key.partition(".")
        if field in _STEPS:
            step, per_unit = _STEPS[field]
            market[step] = int(Decimal(text) * per_unit)
            continue
        if section != "market" or field not in known:
            raise InputError(f"small.toml: unknown key {key}")
        market[field] = known[field](text)
    scenario = small_scenario(**market)
    if scenario.market.gate_closure_minutes > 1440:
        raise InputError(f"small.toml: market.gate_closure_minutes = {scenario.market.gate_closure_minutes}: at most 1440")
    return scenario


def write(scenario: Scenario) -> str:
    return repr((scenario.market, scenario.days, scenario.participants))
