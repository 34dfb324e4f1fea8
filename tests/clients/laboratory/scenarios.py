"""Scenarios made by hand from the parks that ship, for tests of what is below the scenario file."""

import dataclasses
import datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from clients.laboratory.scenario.model import (
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
    Valuation,
)
from clients.scenarios.layers import read_scenario
from clients.scenarios.loader import load_park
from clients.scenarios.model import Member, Park
from clients.scenarios.noise import NoiseClass
from clients.scenarios.schema import GenerationTable, LoadTable, park_table
from clients.scenarios.tariff import Tariff, TariffVersion

NOISES: Final = {
    "steady": NoiseClass("steady", 30_000, 15_000, 8_000, 950_000, 200_000),
    "batch": NoiseClass("batch", 80_000, 50_000, 20_000, 900_000, 100_000),
    "pv": NoiseClass("pv", 120_000, 80_000, 30_000, 950_000, 900_000),
    "wind": NoiseClass("wind", 200_000, 100_000, 40_000, 970_000, 0),
}


def demo_scenario(days: int = 1, **changes: Any) -> Scenario:
    """The demo park; `changes` are fields of Scenario."""
    return dataclasses.replace(_demo(), days=days, **changes)


@cache
def _demo() -> Scenario:
    return park_scenario(load_park(), 1)


def park_scenario(park: Park, days: int) -> Scenario:
    tables = {entry.id: entry for entry in park_table(read_scenario(park.name)).member}
    return Scenario(
        name=park.name, name_en=park.name_en, name_zh=park.name_zh, zone=park.zone, first_date=park.date, days=days, seed=park.seed,
        tariff=park.tariff, market=MarketRules(), imbalance=ImbalanceRules(), forecast=ForecastRules(), noises=NOISES,
        network=Network(loss_ppm=park.network_loss_ppm), carbon=CarbonRules(factor=park.emission_factor, residual=park.emission_factor),
        sharing=SharingRules(), soc_value_micro_per_kwh=park.soc_value_micro_per_kwh,
        participants=tuple(_participant(member, tables[member.id].load, tables[member.id].generation) for member in park.members),
        instruments=park.instruments,
    )  # fmt: skip


def _participant(member: Member, load: LoadTable | None, generation: GenerationTable | None) -> Participant:
    return Participant(
        id=member.id, name_en=member.name_en, name_zh=member.name_zh, role=member.role, permissions=member.permissions,
        voltage_adder_micro_per_kwh=member.voltage_adder_micro_per_kwh, connection_kw=member.connection_kw, cash_micro=member.cash_micro,
        load=LoadProfile(annual_mwh=load.annual_mwh, shapes_permille=load.shapes_permille, noise=load.noise) if load else None,
        generation=GenerationProfile(series=generation.series, kind=member.generation_kind, peak_kw=generation.peak_kw, noise=generation.noise)
        if generation
        else None,
        storage=member.storage,
        valuation=Valuation(willingness_ppm=member.willingness_ppm, green_premium_micro_per_kwh=member.green_premium_micro_per_kwh),
        min_net_power_lots=member.min_net_power_lots, max_net_power_lots=member.max_net_power_lots,
    )  # fmt: skip


def flat_tariff(zone: ZoneInfo, retail_micro: int = 1_000_000, feed_in_micro: int = 300_000) -> Tariff:
    """One price all year."""
    prices = [np.full((12, 96), price, dtype=np.int64) for price in (retail_micro, feed_in_micro)]
    return Tariff("flat", "flat", "flat", "test", zone, (TariffVersion(datetime.date.min, *prices, (" " * 96,) * 12),))


def participant(identity: str, **fields: Any) -> Participant:
    """A participant with nothing but what is given."""
    return Participant(id=identity, name_en=identity, name_zh=identity, role="enterprise", permissions=(), **fields)


def hand_made(participants: tuple[Participant, ...], days: int = 1, zone: str = "Asia/Shanghai", **changes: Any) -> Scenario:
    """A scenario of the given participants at a flat tariff from 15 July 2026 on."""
    where = ZoneInfo(zone)
    base = demo_scenario()
    fields: dict[str, Any] = {"zone": where, "tariff": flat_tariff(where), "days": days, "participants": participants, "instruments": (), **changes}
    return dataclasses.replace(base, **fields)
