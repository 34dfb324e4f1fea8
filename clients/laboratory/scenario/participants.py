"""Participants from the members of a file: what a day of the demo has, and how the laboratory's agents value, move and finance energy."""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from clients.laboratory.scenario.model import AgentChoice, Asset, EvFleet, FlexibleLoad, GenerationProfile, LoadProfile, Participant, Valuation
from clients.laboratory.scenario.rules import MINUTES_A_DAY, minute_of, permille
from clients.laboratory.scenario.schema import (
    AssetTable,
    EvTable,
    FlexibleTable,
    LaboratoryMemberTable,
    ScenarioTable,
    ValuationTable,
)
from clients.scenarios.attributes import MWH_MAX, Attributes, Reader, attributes, generation_kind, has_shapes, noise_named
from clients.scenarios.layers import Place
from clients.scenarios.noise import NoiseClass
from exchange.units import PPM

# Where a file says that load can be moved, but not how.
_SHIFT_PERIODS = 8
_SHIFT_COST_CNY_PER_KWH = "0.05"
_YEARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What participants share: first day, voltage adders, classes of noise, known shapes and series."""

    date: datetime.date
    adders_micro_per_kwh: Mapping[str, int]
    noises: Mapping[str, NoiseClass]
    shapes: Collection[str]
    series: Collection[str]


def participant(table: ScenarioTable, index: int, agent: AgentChoice, reader: Reader, around: Surroundings) -> Participant:
    """The `index`-th member as a participant; problems are noted."""
    member, place = table.member[index], ("member", index)
    what = attributes(member, index, around.date, reader, around.adders_micro_per_kwh)
    load = _load(member, index, reader, around)
    ev = _ev(member.ev, (*place, "ev"), reader) if member.ev else None
    if ev is not None and not what.connection_kw:
        reader.note(f"member {member.id}: chargers need connection_kw", *place, "ev")
    low, high = _limits(member, what, ev, place, reader)
    return Participant(
        id=member.id,
        name_en=member.name,
        name_zh=member.name_zh,
        role=what.role,
        permissions=what.permissions,
        voltage_adder_micro_per_kwh=what.voltage_adder_micro_per_kwh,
        connection_kw=what.connection_kw,
        cash_micro=what.cash_micro,
        load=load,
        generation=_generation(member, what, place, reader, around),
        storage=what.storage,
        flexible=_flexible(member, table.flexible, what, place, reader) if load else None,
        ev=ev,
        valuation=_valuation(member, table.valuation, what, place, reader),
        agent=agent,
        asset=_asset(member.asset, (*place, "asset"), reader) if member.asset else None,
        holdings_lots=what.holdings_lots,
        programmes=what.programmes,
        min_net_power_lots=low,
        max_net_power_lots=high,
    )


def _load(member: LaboratoryMemberTable, index: int, reader: Reader, around: Surroundings) -> LoadProfile | None:
    if member.load is None:
        return None
    place = ("member", index, "load")
    has_shapes(member, index, reader, around.shapes)
    noise_named(member.load.noise, member.id, (*place, "noise"), reader, around.noises)
    annual_mwh = reader.whole(member.load.annual_mwh, 0, MWH_MAX, *place, "annual_mwh")
    return LoadProfile(annual_mwh=annual_mwh, shapes_permille=member.load.shapes_permille, noise=member.load.noise)


def _generation(member: LaboratoryMemberTable, what: Attributes, place: Place, reader: Reader, around: Surroundings) -> GenerationProfile | None:
    plant = member.generation
    if plant is None:
        return None
    if plant.series not in around.series:
        known = ", ".join(sorted(around.series))
        reader.note(f"member {member.id}: unknown generation series {plant.series[:30]!r}; expected one of {known}", *place, "generation", "series")
    noise_named(plant.noise, member.id, (*place, "generation", "noise"), reader, around.noises)
    return GenerationProfile(series=plant.series, kind=generation_kind(plant), peak_kw=what.peak_kw, noise=plant.noise)


def _flexible(member: LaboratoryMemberTable, common: FlexibleTable, what: Attributes, place: Place, reader: Reader) -> FlexibleLoad | None:
    """Of the member's own table; what it leaves out is the scenario's, and the share is flexible_permille."""
    own = member.flexible
    share = own.share_permille if own.share_permille is not None else common.share_permille
    share_ppm = what.flexible_ppm if share is None else permille(share, reader, *place, "flexible", "share_permille")
    if not share_ppm:
        return None
    periods = next(value for value in (own.shift_periods, common.shift_periods, _SHIFT_PERIODS) if value is not None)
    cost = next(value for value in (own.cost_cny_per_kwh, common.cost_cny_per_kwh, _SHIFT_COST_CNY_PER_KWH) if value is not None)
    where = (*place, "flexible") if own.shift_periods is not None else ("flexible",)
    return FlexibleLoad(
        share_ppm=share_ppm,
        shift_periods=reader.whole(periods, 1, 96, *where, "shift_periods"),
        cost_micro_per_kwh=reader.scaled(cost, 6, *place, "flexible", "cost_cny_per_kwh"),
    )


def _valuation(member: LaboratoryMemberTable, common: ValuationTable, what: Attributes, place: Place, reader: Reader) -> Valuation:
    """Of the member's own table; what it leaves out is the member's willingness and premium, then the scenario's table."""
    own = member.valuation
    spread = own.spread_permille if own.spread_permille is not None else common.spread_permille
    cost = own.cost_cny_per_kwh if own.cost_cny_per_kwh is not None else common.cost_cny_per_kwh
    willingness, premium = what.willingness_ppm, what.green_premium_micro_per_kwh
    if own.willingness_permille is not None:
        willingness = permille(own.willingness_permille, reader, *place, "valuation", "willingness_permille", limit_ppm=2 * PPM)
    if own.green_premium_cny_per_kwh is not None:
        premium = reader.scaled(own.green_premium_cny_per_kwh, 6, *place, "valuation", "green_premium_cny_per_kwh")
    return Valuation(
        willingness_ppm=willingness,
        green_premium_micro_per_kwh=premium,
        cost_micro_per_kwh=reader.scaled(cost or 0, 6, *place, "valuation", "cost_cny_per_kwh"),
        spread_ppm=permille(spread or 0, reader, *place, "valuation", "spread_permille"),
    )


def _ev(table: EvTable, place: Place, reader: Reader) -> EvFleet:
    energy_wh, power_w = reader.scaled(table.energy_kwh, 3, *place, "energy_kwh"), reader.scaled(table.power_kw, 3, *place, "power_kw")
    arrival = minute_of(table.arrival, reader, *place, "arrival")
    departure = minute_of(table.departure, reader, *place, "departure")
    if arrival >= departure:
        reader.note("ev: vehicles depart before they arrive; expected arrival before departure within one day", *place, "departure")
    elif energy_wh * 60 > power_w * (departure - arrival):
        reader.note(f"ev: {table.energy_kwh} kWh cannot be charged at {table.power_kw} kW in {departure - arrival} minutes", *place, "energy_kwh")
    return EvFleet(energy_wh=energy_wh, power_w=power_w, arrival=_time(arrival), departure=_time(departure))


def _time(minute: int) -> datetime.time:
    return datetime.time(minute % MINUTES_A_DAY // 60, minute % 60)


def _asset(table: AssetTable, place: Place, reader: Reader) -> Asset:
    years = reader.whole(table.years, 0, _YEARS_MAX, *place, "years")
    debt = permille(table.debt_permille, reader, *place, "debt_permille")
    if debt and not years:
        reader.note("asset: a debt needs years in which it is paid back", *place, "years")
    return Asset(
        capex_micro=reader.scaled(table.capex_cny, 6, *place, "capex_cny"),
        operation_micro_per_year=reader.scaled(table.operation_cny_per_year, 6, *place, "operation_cny_per_year"),
        debt_ppm=debt,
        rate_ppm=permille(table.rate_permille, reader, *place, "rate_permille"),
        years=years,
        life_years=reader.whole(table.life_years, 1, _YEARS_MAX, *place, "life_years"),
    )


def _limits(member: LaboratoryMemberTable, what: Attributes, ev: EvFleet | None, place: Place, reader: Reader) -> tuple[int, int]:
    """Net lots of a quarter-hour: of connection and plant, unless the file states them. Chargers are behind the member's own connection."""
    low, high = what.min_net_power_lots, what.max_net_power_lots
    if ev is not None and member.load is None:
        high += what.connection_kw * 5 // 2
    if member.sell_limit_kwh is not None:
        low = -reader.scaled(member.sell_limit_kwh, 1, *place, "sell_limit_kwh")
    if member.buy_limit_kwh is not None:
        high = reader.scaled(member.buy_limit_kwh, 1, *place, "buy_limit_kwh")
    return low, high


