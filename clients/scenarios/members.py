"""Members of a park on one day: their attributes, profiles, noise and strategies."""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.attributes import MWH_MAX, Reader, attributes, generation_kind, has_shapes, noise_named
from clients.scenarios.layers import Place
from clients.scenarios.meters import MemberMeter
from clients.scenarios.model import WH_PER_KW_QUARTER, Member, StrategyChoice
from clients.scenarios.noise import Deviations, NoiseClass, deviate, deviations
from clients.scenarios.profiles import DerivedYear
from clients.scenarios.schema import GenerationTable, MemberTable
from exchange.errors import InputError

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """The day that is loaded: starts of its periods, their quarter on the local clock, and the derived year."""

    date: datetime.date
    seed: int
    starts_ns: Integers
    quarters: Integers
    year: DerivedYear


@dataclass(frozen=True, slots=True)
class Context:
    """What a member shares with the others: voltage adders, classes of noise; and its own readings, if the user has some."""

    adders_micro_per_kwh: Mapping[str, int]
    noises: Mapping[str, NoiseClass]
    readings: MemberMeter | None


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """What is metered, and what was expected of it, Wh, int64[periods] each."""

    actual_wh: Integers
    forecast_wh: Integers
    updated_wh: Integers


def member(table: MemberTable, index: int, day: Day, reader: Reader, context: Context) -> Member:
    """A member without its contracts; problems are noted in `reader`."""
    place = ("member", index)
    what = attributes(table, index, day.date, reader, context.adders_micro_per_kwh)
    load = _load(table, index, what.connection_kw, day, reader, context)
    generation = _generation(table.generation, table.id, what.peak_kw, place, day, reader, context)
    return Member(
        id=table.id,
        name_en=table.name,
        name_zh=table.name_zh,
        role=what.role,
        permissions=what.permissions,
        voltage_kv=table.voltage_kv,
        voltage_adder_micro_per_kwh=what.voltage_adder_micro_per_kwh,
        connection_kw=what.connection_kw,
        generation_kw=what.peak_kw,
        annual_mwh=table.load.annual_mwh if table.load else 0,
        cash_micro=what.cash_micro,
        holdings_lots=what.holdings_lots,
        programmes=what.programmes,
        flexible_ppm=what.flexible_ppm,
        green_premium_micro_per_kwh=what.green_premium_micro_per_kwh,
        willingness_ppm=what.willingness_ppm,
        strategies=_strategies(table, place, reader),
        storage=what.storage,
        min_net_power_lots=what.min_net_power_lots,
        max_net_power_lots=what.max_net_power_lots,
        load_wh=_sealed(load.actual_wh),
        generation_wh=_sealed(generation.actual_wh),
        forecast_load_wh=_sealed(load.forecast_wh),
        forecast_generation_wh=_sealed(generation.forecast_wh),
        updated_load_wh=_sealed(load.updated_wh),
        updated_generation_wh=_sealed(generation.updated_wh),
        contract_lots=_sealed(np.zeros(len(day.starts_ns), dtype=np.int64)),
        is_metered_by_user=context.readings is not None,
        generation_kind=generation_kind(table.generation),
    )


def with_contract_lots(before: Member, contract_lots: Integers) -> Member:
    """The member with its net opening positions, int64[periods]."""
    return dataclasses.replace(before, contract_lots=contract_lots)


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values


def _strategies(table: MemberTable, place: Place, reader: Reader) -> tuple[StrategyChoice, ...]:
    choices = []
    for position, entry in enumerate(table.strategy):
        parameters: dict[str, Any] = dict(entry)
        name = parameters.pop("name", None)
        if not isinstance(name, str):
            reader.note(f"member {table.id}: a strategy needs a name", *place, "strategy", position)
        else:
            choices.append(StrategyChoice(name, parameters))
    return tuple(choices)


def _nothing(day: Day) -> _Series:
    zero = np.zeros(len(day.starts_ns), dtype=np.int64)
    return _Series(zero, zero, zero)


def _load(table: MemberTable, index: int, connection_kw: int, day: Day, reader: Reader, context: Context) -> _Series:
    load, place = table.load, ("member", index, "load")
    if load is None:
        return _nothing(day)
    annual_mwh = reader.whole(load.annual_mwh, 0, MWH_MAX, *place, "annual_mwh")
    if not has_shapes(table, index, reader, day.year.load):
        return _nothing(day)
    profile = day.year.load_wh(load.shapes_permille, annual_mwh, day.year.day_index(day.date))[day.quarters]
    noise = noise_named(load.noise, table.id, (*place, "noise"), reader, context.noises)
    deviation = deviations(noise, day.seed, table.id, "load", day.date, len(day.starts_ns))
    measured = context.readings.load_wh if context.readings else None
    return _around(profile, deviation, measured, connection_kw * WH_PER_KW_QUARTER)


def _generation(
    table: GenerationTable | None, member_id: str, peak_kw: int, place: Place, day: Day, reader: Reader, context: Context
) -> _Series:
    if table is None:
        return _nothing(day)
    try:
        profile = day.year.generation_wh(table.series, peak_kw, day.year.day_index(day.date))[day.quarters]
    except InputError as error:
        reader.note(f"member {member_id}: {error}", *place, "generation", "series")
        return _nothing(day)
    noise = noise_named(table.noise, member_id, (*place, "generation", "noise"), reader, context.noises)
    deviation = deviations(noise, day.seed, member_id, "generation", day.date, len(day.starts_ns))
    measured = context.readings.generation_wh if context.readings else None
    return _around(profile, deviation, measured, peak_kw * WH_PER_KW_QUARTER)


def _around(profile_wh: Integers, deviation: Deviations, measured_wh: Integers | None, limit_wh: int) -> _Series:
    """Meter and forecasts. With readings of the user the meter is given, and the forecasts err around it by the parts not yet known."""
    if measured_wh is None:
        return _Series(
            deviate(profile_wh, deviation.metered_ppm, limit_wh),
            deviate(profile_wh, deviation.day_ahead_ppm, limit_wh),
            deviate(profile_wh, deviation.updated_ppm, limit_wh),
        )
    return _Series(
        measured_wh,
        deviate(measured_wh, deviation.day_ahead_ppm - deviation.metered_ppm, limit_wh),
        deviate(measured_wh, deviation.updated_ppm - deviation.metered_ppm, limit_wh),
    )
