"""Participants from the members of a file: what a day of the demo has, and how the laboratory's agents value, move and finance energy."""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from clients.laboratory.scenario.model import (
    AgentChoice,
    Asset,
    EvFleet,
    FlexibleLoad,
    GenerationProfile,
    LoadProfile,
    Participant,
    StoragePolicy,
    Valuation,
)
from clients.laboratory.scenario.names import STORAGE_PLANS
from clients.laboratory.scenario.rules import MINUTES_A_DAY, minute_of, one_of, permille
from clients.laboratory.scenario.schema import (
    AssetTable,
    EvTable,
    FlexibleTable,
    LaboratoryMemberTable,
    ScenarioTable,
    StoragePolicyTable,
    ValuationTable,
)
from clients.scenarios.attributes import MWH_MAX, Attributes, Reader, attributes, generation_kind, has_shapes, noise_named, position_limits
from clients.scenarios.layers import Place
from clients.scenarios.noise import NoiseClass
from clients.scenarios.schema import Table
from exchange.units import PPM

# Where a file says that load can be moved, but not how.
SHIFT_PERIODS: Final = 8
SHIFT_COST_MICRO_PER_KWH: Final = 50_000
_WILLINGNESS_MAX_PPM: Final = 2 * PPM
_YEARS_MAX: Final = 100


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
        voltage_kv=member.voltage_kv if what.has_meter else "",
        voltage_adder_micro_per_kwh=what.voltage_adder_micro_per_kwh,
        connection_kw=what.connection_kw,
        cash_micro=what.cash_micro,
        load=load,
        generation=_generation(member, what, place, reader, around),
        storage=what.storage,
        storage_policy=_storage_policy(member.storage_policy, (*place, "storage_policy"), reader),
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
    given = _Layered(member.flexible, common, (*place, "flexible"), ("flexible",), reader)
    share_ppm = what.flexible_ppm if given.value("share_permille") is None else given.permille("share_permille")
    if not share_ppm:
        return None
    periods, cost = given.value("shift_periods"), given.value("cost_cny_per_kwh")
    return FlexibleLoad(
        share_ppm=share_ppm,
        shift_periods=SHIFT_PERIODS if periods is None else reader.whole(int(periods), 1, 96, *given.place("shift_periods")),
        cost_micro_per_kwh=SHIFT_COST_MICRO_PER_KWH if cost is None else given.scaled("cost_cny_per_kwh"),
    )


def _valuation(member: LaboratoryMemberTable, common: ValuationTable, what: Attributes, place: Place, reader: Reader) -> Valuation:
    """Of the member's own table; what it leaves out is the scenario's, and willingness and premium then the keys that the demo reads."""
    given = _Layered(member.valuation, common, (*place, "valuation"), ("valuation",), reader)
    has_willingness, has_premium = given.value("willingness_permille") is not None, given.value("green_premium_cny_per_kwh") is not None
    return Valuation(
        willingness_ppm=given.permille("willingness_permille", _WILLINGNESS_MAX_PPM) if has_willingness else what.willingness_ppm,
        green_premium_micro_per_kwh=given.scaled("green_premium_cny_per_kwh") if has_premium else what.green_premium_micro_per_kwh,
        cost_micro_per_kwh=given.scaled("cost_cny_per_kwh"),
        spread_ppm=given.permille("spread_permille"),
    )


class _Layered:
    """Values of a member's own table, where it states them, else of the scenario's table of the same keys."""

    def __init__(self, own: Table, common: Table, own_place: Place, common_place: Place, reader: Reader) -> None:
        self._own, self._common, self._reader = own, common, reader
        self._own_place, self._common_place = own_place, common_place

    def value(self, key: str) -> str | int | None:
        own: str | int | None = getattr(self._own, key)
        common: str | int | None = getattr(self._common, key)
        return common if own is None else own

    def place(self, key: str) -> Place:
        return (*(self._common_place if getattr(self._own, key) is None else self._own_place), key)

    def scaled(self, key: str) -> int:
        return self._reader.scaled(self.value(key) or 0, 6, *self.place(key))

    def permille(self, key: str, limit_ppm: int = PPM) -> int:
        return permille(self.value(key) or 0, self._reader, *self.place(key), limit_ppm=limit_ppm)


def _storage_policy(table: StoragePolicyTable, place: Place, reader: Reader) -> StoragePolicy:
    one_of(table.plan, STORAGE_PLANS, reader, *place, "plan")
    return StoragePolicy(plan=table.plan, charges_from_grid=table.charges_from_grid)


def _ev(table: EvTable, place: Place, reader: Reader) -> EvFleet:
    energy_wh, power_w = reader.scaled(table.energy_kwh, 3, *place, "energy_kwh"), reader.scaled(table.power_kw, 3, *place, "power_kw")
    arrival = minute_of(table.arrival, reader, *place, "arrival")
    departure = minute_of(table.departure, reader, *place, "departure", last=MINUTES_A_DAY)
    if arrival % 15 or departure % 15:
        reader.note(f"{reader.name_of(place)}: expected times on a quarter-hour", *place, "arrival" if arrival % 15 else "departure")
    if arrival >= departure:
        reader.note(f"{reader.name_of(place)}: departure is not after arrival; expected two times within one day", *place, "departure")
    elif energy_wh * 60 > power_w * (departure - arrival):
        wish = f"{table.energy_kwh} kWh cannot be charged at {table.power_kw} kW in {departure - arrival} minutes"
        reader.note(f"{reader.name_of(place)}: {wish}", *place, "energy_kwh")
    return EvFleet(energy_wh=energy_wh, power_w=power_w, arrival=_time(arrival), departure=_time(departure))


def _time(minute: int) -> datetime.time:
    return datetime.time(minute % MINUTES_A_DAY // 60, minute % 60)


def _asset(table: AssetTable, place: Place, reader: Reader) -> Asset:
    years = reader.whole(table.years, 0, _YEARS_MAX, *place, "years")
    debt = permille(table.debt_permille, reader, *place, "debt_permille")
    if debt and not years:
        reader.note(f"{reader.name_of(place)}: a debt needs years in which it is paid back", *place, "years")
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
    if ev is not None:
        low, high = position_limits(
            has_load=True, connection_kw=what.connection_kw, peak_kw=what.peak_kw, storage=what.storage, further_kw=member.position_limit_kw
        )
    if member.sell_limit_kwh is not None:
        low = -reader.scaled(member.sell_limit_kwh, 1, *place, "sell_limit_kwh")
    if member.buy_limit_kwh is not None:
        high = reader.scaled(member.buy_limit_kwh, 1, *place, "buy_limit_kwh")
    return low, high


