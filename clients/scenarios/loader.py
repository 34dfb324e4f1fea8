"""`load_park`: a scenario, a date and a seed become a park on that day; the same arguments give the same park, everywhere."""

import datetime
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.scenarios import members as build
from clients.scenarios.attributes import Reader, noise_class
from clients.scenarios.contracts import decompose_month
from clients.scenarios.instruments import check_symbols, power_rules, unit_instrument
from clients.scenarios.layers import read_scenario
from clients.scenarios.members import Day
from clients.scenarios.meters import ImportResult, MemberMeter, import_meters, template_csv
from clients.scenarios.model import Contract, Member, Park
from clients.scenarios.periods import YEARS, day_periods, local_time_ns, power_symbols, quarter_of_day, time_zone
from clients.scenarios.problems import Problems
from clients.scenarios.profiles import derived_year
from clients.scenarios.schema import ParkTable, park_table
from clients.scenarios.surroundings import emission_factor, scenario_tariff, voltage_adders
from clients.scenarios.tariff import to_ticks
from clients.scenarios.tariff_files import read_tariff
from exchange.errors import InputError
from exchange.units import NS_PER_MINUTE

Integers = NDArray[np.int64]

DEFAULT_DATE: Final = datetime.date(2026, 7, 15)


def load_park(
    name_or_file: str | Path = "park",
    date: datetime.date = DEFAULT_DATE,
    seed: int = 7,
    meters: Path | None = None,
    tariff: Path | None = None,
) -> Park:
    """The park of a scenario on a day.

    `name_or_file`: a ready scenario or a .toml file. `meters`: readings that take the place of derived profiles (see `meters.import_meters`).
    `tariff`: a .toml or .csv that takes the place of the scenario's. Raises InputError with the place of everything that is wrong.
    """
    if not 0 <= seed < 2**63:
        raise InputError("seed: expected a whole number from 0 to 2**63 - 1")
    if date.year not in YEARS:
        raise InputError(f"date: {date} is not of this century ({YEARS.start} to {YEARS.stop - 1})")
    scenario = read_scenario(str(name_or_file))
    table = park_table(scenario)
    zone = time_zone(table.time_zone)
    reader = Reader(scenario, Problems(f"scenario {scenario.name}"))
    prices = read_tariff(tariff, zone) if tariff is not None else scenario_tariff(table.tariff, scenario, zone)
    starts = day_periods(date, zone)
    day = Day(date, seed, starts, quarter_of_day(starts, zone), derived_year())
    readings = import_meters(meters, _capacities(table), zone, date).of_day(date) if meters is not None else {}
    members = _members(table, day, reader, readings)
    contracts = _contracts(table, day, members, reader)
    instruments = tuple(unit_instrument(entry, index, date, reader) for index, entry in enumerate(table.instrument))
    check_symbols(members, instruments, reader)
    power = power_rules(table.power, reader)
    factor = emission_factor(table.emission_factor, reader)
    loss_ppm = reader.scaled(table.network.loss_permille, 3, "network", "loss_permille")
    soc_value = reader.scaled(table.network.soc_value_cny_per_kwh, 6, "network", "soc_value_cny_per_kwh")
    reader.problems.raise_if_any()
    return Park(
        name=scenario.name,
        name_en=table.name,
        name_zh=table.name_zh,
        date=date,
        seed=seed,
        zone=zone,
        tariff=prices,
        start_ns=_sealed(starts),
        symbols=power_symbols(starts, zone),
        deficit_price_ticks=_sealed(np.array([to_ticks(prices.retail_price_micro_per_kwh(start)) for start in starts.tolist()], dtype=np.int64)),
        surplus_price_ticks=_sealed(np.array([to_ticks(prices.feed_in_price_micro_per_kwh(start)) for start in starts.tolist()], dtype=np.int64)),
        opens_ns=local_time_ns(date - datetime.timedelta(days=1), power.opens, zone),
        gate_ns=_sealed(starts - power.gate_closure_minutes * NS_PER_MINUTE),
        power=power,
        members=_with_contracts(members, contracts, len(starts), reader),
        contracts=contracts,
        instruments=instruments,
        emission_factor=factor,
        network_loss_ppm=loss_ppm,
        soc_value_micro_per_kwh=soc_value,
        notes=_notes(day, members, meters),
    )


def check_meters(path: Path, name_or_file: str | Path = "park", date: datetime.date | None = None) -> ImportResult:
    """Read a meter file against the members of a scenario, without a day to play: every day that it touches must be complete, or only `date`.

    Raises InputError with every bad line.
    """
    table = park_table(read_scenario(str(name_or_file)))
    return import_meters(path, _capacities(table), time_zone(table.time_zone), date)


def meters_template(
    name_or_file: str | Path = "park", date: datetime.date = DEFAULT_DATE, seed: int = 7, members: Collection[str] | None = None
) -> str:
    """A complete meter file of the scenario's day, to be filled with one's own numbers: what `parkex profiles template` prints.

    `members`: only these, in the order of the park. Raises InputError for an unknown one, and as `load_park` does.
    """
    park = load_park(name_or_file, date, seed)
    chosen = park.members if members is None else tuple(member for member in park.members if member.id in {park.member(name).id for name in members})
    rows: dict[tuple[str, str], Integers] = {}
    for member in chosen:
        if member.annual_mwh:
            rows[member.id, "load"] = member.load_wh
        if member.generation_kw:
            rows[member.id, "generation"] = member.generation_wh
    return template_csv(rows, park.start_ns, park.zone)


def tariff_template() -> str:
    """A price table to be filled with one's own tariff."""
    return files("clients.scenarios").joinpath("data", "tariff-template.csv").read_text("utf-8")


def _capacities(table: ParkTable) -> dict[str, tuple[int, int]]:
    """(connection of a load, plant) of each member, kW; 0 where there is none."""
    return {entry.id: (entry.connection_kw if entry.load else 0, entry.generation.peak_kw if entry.generation else 0) for entry in table.member}


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values


def _members(table: ParkTable, day: Day, reader: Reader, readings: dict[str, MemberMeter]) -> tuple[Member, ...]:
    adders = voltage_adders(table.voltage_adder_cny_per_kwh, reader)
    noises = {name: noise_class(name, entry, reader) for name, entry in table.noise.items()}
    members = [
        build.member(entry, index, day, reader, build.Context(adders, noises, readings.get(entry.id))) for index, entry in enumerate(table.member)
    ]
    if not members:
        reader.note("a park needs at least one member", "member")
    reader.problems.raise_if_any()
    return tuple(members)


def _contracts(table: ParkTable, day: Day, members: tuple[Member, ...], reader: Reader) -> tuple[Contract, ...]:
    known = {member.id for member in members}
    plants = {entry.id: entry.generation for entry in table.member if entry.generation is not None}
    contracts = []
    for index, entry in enumerate(table.contract):
        price = reader.scaled(entry.price_cny_per_kwh, 6, "contract", index, "price_cny_per_kwh")
        if entry.buyer not in known or entry.buyer == entry.seller:
            reader.note(f"contract: buyer {entry.buyer!r} is not another member", "contract", index, "buyer")
        if entry.seller not in plants:
            reader.note(f"contract: seller {entry.seller!r} is not a member with generation", "contract", index, "seller")
        elif not 0 < entry.share_permille <= 1000:
            reader.note("contract: share_permille: expected 1 to 1000", "contract", index, "share_permille")
        else:
            plant = plants[entry.seller]
            month_lots, lots = decompose_month(day.year, plant.series, plant.peak_kw, entry.share_permille, day.date)
            contracts.append(
                Contract(f"C{index + 1:02d}", entry.buyer, entry.seller, price, month_lots, _sealed(np.ascontiguousarray(lots[day.quarters])))
            )
    reader.problems.raise_if_any()
    return tuple(contracts)


def _with_contracts(members: tuple[Member, ...], contracts: tuple[Contract, ...], count: int, reader: Reader) -> tuple[Member, ...]:
    """Members with their net opening positions; a position outside a member's limits is named."""
    positions = {member.id: np.zeros(count, dtype=np.int64) for member in members}
    for contract in contracts:
        positions[contract.buyer] += contract.lots
        positions[contract.seller] -= contract.lots
    for index, member in enumerate(members):
        position = positions[member.id]
        if int(position.min(initial=0)) < member.min_net_power_lots or int(position.max(initial=0)) > member.max_net_power_lots:
            reader.note(
                f"member {member.id}: contracts need {int(position.min(initial=0))} to {int(position.max(initial=0))} lots a quarter-hour, "
                f"its connection and plant allow {member.min_net_power_lots} to {member.max_net_power_lots}",
                "member",
                index,
            )
    reader.problems.raise_if_any()
    return tuple(build.with_contract_lots(member, _sealed(positions[member.id])) for member in members)


def _notes(day: Day, members: tuple[Member, ...], meters: Path | None) -> tuple[str, ...]:
    notes = []
    if day.date.year != day.year.year:
        notes.append(
            f"Profiles are of the same month and day of the derived year {day.year.year}, with its weekdays and holidays. "
            f"曲线取自推导年 {day.year.year} 的同月同日。"
        )
    if meters is not None:
        modelled = [member.id for member in members if not member.is_metered_by_user and (member.load_wh.any() or member.generation_wh.any())]
        if modelled:
            notes.append(f"Not in {meters.name}, so from derived profiles (表计文件中没有，取推导曲线): {', '.join(modelled)}.")
    return tuple(notes)


__all__ = ["DEFAULT_DATE", "load_park"]
