"""Members of a park from their tables: profiles, noise, limits and strategies of one day."""

import dataclasses
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.meters import MemberMeter
from clients.scenarios.model import WH_PER_KW_QUARTER, Member, Storage, StrategyChoice, UnitProgramme
from clients.scenarios.noise import Deviations, NoiseClass, deviate, deviations
from clients.scenarios.problems import Problems
from clients.scenarios.profiles import DerivedYear
from clients.scenarios.schema import GenerationTable, LoadTable, MemberTable, NoiseTable, ProgrammeTable, ScenarioFile, StorageTable
from exchange.accounts.permissions import ROLE_PERMISSIONS, Role, parse_permissions
from exchange.errors import InputError
from exchange.units import PPM, WH_PER_KWH

Integers = NDArray[np.int64]

_KW_MAX: Final = 10_000_000
_MWH_MAX: Final = 10_000_000
_UNITS_MAX: Final = 10**9
_MONTH: Final = re.compile(r"\{month-([0-9]{1,2})\}")


class Reader:
    """Numbers of a scenario file; what cannot be read is noted with its file and line."""

    def __init__(self, scenario: ScenarioFile, problems: Problems) -> None:
        """`problems` collects; whoever called decides when to raise."""
        self._scenario = scenario
        self.problems = problems

    def note(self, reason: str, *path: str | int) -> None:
        """Note a problem at a place of the file."""
        name, line = self._scenario.place_of(path)
        self.problems.add(reason, line, name)

    def scaled(self, value: str | int, decimals: int, *path: str | int) -> int:
        """A decimal times 10**decimals, 0 after noting a problem."""
        try:
            return parse_scaled(str(value), decimals)
        except DecimalProblemError as error:
            self.note(f"{'.'.join(str(part) for part in path if isinstance(part, str))}: {error}", *path)
            return 0

    def whole(self, value: int, low: int, high: int, *path: str | int) -> int:
        """A whole number in [low, high], `low` after noting a problem."""
        if low <= value <= high:
            return value
        self.note(f"{'.'.join(str(part) for part in path if isinstance(part, str))}: {value} is outside {low} to {high}", *path)
        return low


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


def noise_class(name: str, table: NoiseTable, reader: Reader) -> NoiseClass:
    """A class of noise from its table; each number is a share of one, at most 1."""
    values = [
        reader.whole(reader.scaled(getattr(table, key), 6, "noise", name, key), 0, PPM, "noise", name, key)
        for key in ("plan", "update", "residual", "persistence", "common")
    ]
    return NoiseClass(name, *values)


def member(table: MemberTable, index: int, day: Day, reader: Reader, context: Context) -> Member:
    """A member without its contracts; problems are noted in `reader`."""
    place = ("member", index)
    connection_kw = reader.whole(table.connection_kw, 0, _KW_MAX, *place, "connection_kw")
    peak_kw = reader.whole(table.generation.peak_kw, 1, _KW_MAX, *place, "generation", "peak_kw") if table.generation else 0
    readings = context.readings
    load = _load(table.load, table.id, connection_kw, place, day, reader, context)
    generation = _generation(table.generation, table.id, peak_kw, place, day, reader, context)
    if table.load is not None and not connection_kw:
        reader.note(f"member {table.id}: a load needs connection_kw", *place)
    storage = _storage(table.storage, place, reader) if table.storage else None
    adder = 0
    if connection_kw or peak_kw or storage:
        if table.voltage_kv not in context.adders_micro_per_kwh:
            known = ", ".join(context.adders_micro_per_kwh)
            reader.note(f"member {table.id}: voltage_kv {table.voltage_kv[:10]!r}; expected one of {known}", *place, "voltage_kv")
        adder = context.adders_micro_per_kwh.get(table.voltage_kv, 0)
    low, high = _position_limits(table, connection_kw, peak_kw, storage)
    return Member(
        id=table.id,
        name_en=table.name,
        name_zh=table.name_zh,
        role=_role(table, place, reader),
        permissions=tuple(table.permissions),
        voltage_kv=table.voltage_kv,
        voltage_adder_micro_per_kwh=adder,
        connection_kw=connection_kw,
        generation_kw=peak_kw,
        annual_mwh=table.load.annual_mwh if table.load else 0,
        cash_micro=reader.scaled(table.cash_cny, 6, *place, "cash_cny"),
        holdings_lots={
            unit_symbol(symbol, day.date): reader.whole(lots, 0, _UNITS_MAX, *place, "holdings", symbol) for symbol, lots in table.holdings.items()
        },
        programmes=tuple(_programme(entry, (*place, "programme", position), day, reader) for position, entry in enumerate(table.programme)),
        flexible_ppm=reader.whole(table.flexible_permille, 0, 1000, *place, "flexible_permille") * 1000,
        green_premium_micro_per_kwh=reader.scaled(table.green_premium_cny_per_kwh, 6, *place, "green_premium_cny_per_kwh"),
        willingness_ppm=reader.whole(table.willingness_permille, 0, 1000, *place, "willingness_permille") * 1000,
        strategies=_strategies(table, place, reader),
        storage=storage,
        min_net_power_lots=low,
        max_net_power_lots=high,
        load_wh=_sealed(load.actual_wh),
        generation_wh=_sealed(generation.actual_wh),
        forecast_load_wh=_sealed(load.forecast_wh),
        forecast_generation_wh=_sealed(generation.forecast_wh),
        updated_load_wh=_sealed(load.updated_wh),
        updated_generation_wh=_sealed(generation.updated_wh),
        contract_lots=_sealed(np.zeros(len(day.starts_ns), dtype=np.int64)),
        is_metered_by_user=readings is not None,
        generation_kind=_kind_of(table.generation),
    )


def _kind_of(generation: GenerationTable | None) -> str:
    """What certificates are issued for; the series of a scenario say it by their name."""
    if generation is None:
        return ""
    return "wind" if generation.series.startswith("wind") else "pv"


def with_contract_lots(before: Member, contract_lots: Integers) -> Member:
    """The member with its net opening positions, int64[periods]."""
    return dataclasses.replace(before, contract_lots=contract_lots)


def unit_symbol(symbol: str, date: datetime.date) -> str:
    """The symbol with `{month-N}` filled in as YYYYMM of N months before the day: green certificates are issued monthly and later."""

    def month(match: re.Match[str]) -> str:
        months = date.year * 12 + date.month - 1 - int(match[1])
        return f"{months // 12:04d}{months % 12 + 1:02d}"

    return _MONTH.sub(month, symbol)


def _sealed(values: Integers) -> Integers:
    values.flags.writeable = False
    return values


def _role(table: MemberTable, place: tuple[str | int, ...], reader: Reader) -> str:
    roles = [role.value for role in Role]
    if table.role not in roles:
        reader.note(f"member {table.id}: role {table.role[:20]!r}; expected one of {', '.join(roles)}", *place, "role")
        return table.role
    granted = parse_permissions(table.permissions)
    if granted is None:
        reader.note(f"member {table.id}: permissions: expected names such as power_buy or gec_sell", *place, "permissions")
    elif granted & ~ROLE_PERMISSIONS[Role(table.role)]:
        reader.note(f"member {table.id}: permissions: more than the role {table.role} may have", *place, "permissions")
    return table.role


def _programme(table: ProgrammeTable, place: tuple[str | int, ...], day: Day, reader: Reader) -> UnitProgramme:
    start = reader.scaled(table.start_cny, 2, *place, "start_cny")
    limit = reader.scaled(table.limit_cny, 2, *place, "limit_cny")
    quantity = reader.whole(table.quantity, -_UNITS_MAX, _UNITS_MAX, *place, "quantity")
    if quantity == 0 or (limit - start) * quantity < 0:
        reader.note("programme: expected a quantity to buy and a limit above the start, or a negative one to sell and a limit below", *place)
    return UnitProgramme(unit_symbol(table.symbol, day.date), quantity, start, limit)


def _strategies(table: MemberTable, place: tuple[str | int, ...], reader: Reader) -> tuple[StrategyChoice, ...]:
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


def _load(
    table: LoadTable | None, member_id: str, connection_kw: int, place: tuple[str | int, ...], day: Day, reader: Reader, context: Context
) -> _Series:
    if table is None:
        return _nothing(day)
    annual_mwh = reader.whole(table.annual_mwh, 0, _MWH_MAX, *place, "load", "annual_mwh")
    if sum(table.shapes_permille.values()) != 1000 or min(table.shapes_permille.values(), default=-1) < 0:
        reader.note(f"member {member_id}: load.shapes_permille: expected shares that sum to 1000", *place, "load", "shapes_permille")
        return _nothing(day)
    try:
        profile = day.year.load_wh(table.shapes_permille, annual_mwh, day.year.day_index(day.date))[day.quarters]
    except InputError as error:
        reader.note(f"member {member_id}: {error}", *place, "load", "shapes_permille")
        return _nothing(day)
    noise = _noise_of(table.noise, member_id, (*place, "load", "noise"), reader, context)
    deviation = deviations(noise, day.seed, member_id, "load", day.date, len(day.starts_ns))
    measured = context.readings.load_wh if context.readings else None
    return _around(profile, deviation, measured, connection_kw * WH_PER_KW_QUARTER)


def _generation(
    table: GenerationTable | None, member_id: str, peak_kw: int, place: tuple[str | int, ...], day: Day, reader: Reader, context: Context
) -> _Series:
    if table is None:
        return _nothing(day)
    try:
        profile = day.year.generation_wh(table.series, peak_kw, day.year.day_index(day.date))[day.quarters]
    except InputError as error:
        reader.note(f"member {member_id}: {error}", *place, "generation", "series")
        return _nothing(day)
    noise = _noise_of(table.noise, member_id, (*place, "generation", "noise"), reader, context)
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


def _noise_of(name: str, member_id: str, path: tuple[str | int, ...], reader: Reader, context: Context) -> NoiseClass:
    noise = context.noises.get(name)
    if noise is None:
        reader.note(f"member {member_id}: noise {name[:20]!r}; expected one of {', '.join(context.noises)}", *path)
        return NoiseClass(name, 0, 0, 0, 0, 0)
    return noise


def _storage(table: StorageTable, place: tuple[str | int, ...], reader: Reader) -> Storage:
    path = (*place, "storage")
    energy_kwh = reader.whole(table.energy_kwh, 1, _KW_MAX, *path, "energy_kwh")
    if not 0 <= table.soc_min_kwh <= table.soc_initial_kwh <= table.soc_max_kwh <= energy_kwh:
        reader.note("storage: expected 0 <= soc_min <= soc_initial <= soc_max <= energy", *path)
    efficiencies = [
        reader.whole(reader.scaled(getattr(table, key), 6, *path, key), 1, PPM, *path, key) for key in ("charge_efficiency", "discharge_efficiency")
    ]
    return Storage(
        energy_wh=energy_kwh * WH_PER_KWH,
        power_w=reader.whole(table.power_kw, 1, _KW_MAX, *path, "power_kw") * 1000,
        soc_min_wh=table.soc_min_kwh * WH_PER_KWH,
        soc_max_wh=table.soc_max_kwh * WH_PER_KWH,
        soc_initial_wh=table.soc_initial_kwh * WH_PER_KWH,
        charge_efficiency_ppm=efficiencies[0],
        discharge_efficiency_ppm=efficiencies[1],
    )


def _position_limits(table: MemberTable, connection_kw: int, peak_kw: int, storage: Storage | None) -> tuple[int, int]:
    """Net lots of a quarter-hour, bought positive (docs/rules.md, "Position limits"): half a kWh too much would be too much, so rounded down."""
    sell_kw, buy_kw = peak_kw, connection_kw if table.load else 0
    if storage is not None:
        sell_kw, buy_kw = sell_kw + storage.power_w // 1000, buy_kw + storage.power_w // 1000
    sell_kw, buy_kw = sell_kw + table.position_limit_kw, buy_kw + table.position_limit_kw
    return -(sell_kw * 5 // 2), buy_kw * 5 // 2
