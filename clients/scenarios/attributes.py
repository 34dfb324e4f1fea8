"""What a member is on every day, from its table: role, holdings, storage, limits; and the numbers of a scenario file with their places."""

import datetime
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from clients.scenarios.decimals import DecimalProblemError, decimal_text, parse_scaled
from clients.scenarios.layers import Place, ScenarioFile
from clients.scenarios.model import Storage, UnitProgramme
from clients.scenarios.noise import NoiseClass
from clients.scenarios.problems import Problems
from clients.scenarios.schema import GenerationTable, MemberTable, NoiseTable, ProgrammeTable, StorageTable
from exchange.accounts.permissions import ROLE_PERMISSIONS, Role, parse_permissions
from exchange.units import PPM, WH_PER_KWH

KW_MAX: Final = 10_000_000
MWH_MAX: Final = 10_000_000
UNITS_MAX: Final = 10**9
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

    def name_of(self, path: Place) -> str:
        """A path as a person would call it: market.tie, member E03.load.noise, outage[1].begins."""
        return self._scenario.name_of(path)

    def scaled(self, value: str | int, decimals: int, *path: str | int) -> int:
        """A decimal times 10**decimals, 0 after noting a problem."""
        try:
            return parse_scaled(str(value), decimals)
        except DecimalProblemError as error:
            self.note(f"{self.name_of(path)}: {error}", *path)
            return 0

    def within(self, value: str | int, decimals: int, low: int, high: int, *path: str | int) -> int:
        """As `scaled`, within [low, high] in scaled units; `low` after noting a problem."""
        try:
            scaled = parse_scaled(str(value), decimals)
        except DecimalProblemError as error:
            self.note(f"{self.name_of(path)}: {error}", *path)
            return low
        if low <= scaled <= high:
            return scaled
        self.note(f"{self.name_of(path)}: {value} is outside {decimal_text(low, decimals)} to {decimal_text(high, decimals)}", *path)
        return low

    def whole(self, value: int, low: int, high: int, *path: str | int) -> int:
        """A whole number in [low, high], `low` after noting a problem."""
        if low <= value <= high:
            return value
        self.note(f"{self.name_of(path)}: {value} is outside {low} to {high}", *path)
        return low


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is the same on every day; names and units as in `model.Member`, `peak_kw` of the plant."""

    role: str
    permissions: tuple[str, ...]
    voltage_adder_micro_per_kwh: int
    connection_kw: int
    peak_kw: int
    cash_micro: int
    holdings_lots: Mapping[str, int]
    programmes: tuple[UnitProgramme, ...]
    flexible_ppm: int
    green_premium_micro_per_kwh: int
    willingness_ppm: int
    storage: Storage | None
    min_net_power_lots: int
    max_net_power_lots: int

    @property
    def has_meter(self) -> bool:
        """Whether it is connected to the park's network."""
        return bool(self.connection_kw or self.peak_kw or self.storage)


def attributes(table: MemberTable, index: int, date: datetime.date, reader: Reader, adders_micro_per_kwh: Mapping[str, int]) -> Attributes:
    """The `index`-th member on all days; `date` fills in the months of symbols. Problems are noted in `reader`."""
    place = ("member", index)
    connection_kw = reader.whole(table.connection_kw, 0, KW_MAX, *place, "connection_kw")
    peak_kw = reader.whole(table.generation.peak_kw, 1, KW_MAX, *place, "generation", "peak_kw") if table.generation else 0
    if table.load is not None and not connection_kw:
        reader.note(f"member {table.id}: a load needs connection_kw", *place)
    storage = _storage(table.storage, place, reader) if table.storage else None
    has_meter = bool(connection_kw or peak_kw or storage)
    low, high = position_limits(
        has_load=table.load is not None, connection_kw=connection_kw, peak_kw=peak_kw, storage=storage, further_kw=table.position_limit_kw
    )
    return Attributes(
        role=_role(table, place, reader),
        permissions=tuple(table.permissions),
        voltage_adder_micro_per_kwh=_voltage_adder(table, place, reader, adders_micro_per_kwh) if has_meter else 0,
        connection_kw=connection_kw,
        peak_kw=peak_kw,
        cash_micro=reader.scaled(table.cash_cny, 6, *place, "cash_cny"),
        holdings_lots={
            unit_symbol(symbol, date): reader.whole(lots, 0, UNITS_MAX, *place, "holdings", symbol) for symbol, lots in table.holdings.items()
        },
        programmes=tuple(_programme(entry, (*place, "programme", position), date, reader) for position, entry in enumerate(table.programme)),
        flexible_ppm=reader.whole(table.flexible_permille, 0, 1000, *place, "flexible_permille") * 1000,
        green_premium_micro_per_kwh=reader.scaled(table.green_premium_cny_per_kwh, 6, *place, "green_premium_cny_per_kwh"),
        willingness_ppm=reader.whole(table.willingness_permille, 0, 1000, *place, "willingness_permille") * 1000,
        storage=storage,
        min_net_power_lots=low,
        max_net_power_lots=high,
    )


def has_shapes(table: MemberTable, index: int, reader: Reader, known: Collection[str]) -> bool:
    """Whether the member's load is a mix of known shapes; what is wrong with it is noted."""
    if table.load is None:
        return False
    shapes, path = table.load.shapes_permille, ("member", index, "load", "shapes_permille")
    unknown = [shape for shape in shapes if shape not in known]
    if unknown:
        reader.note(f"member {table.id}: unknown load shape {unknown[0]!r}; expected one of {', '.join(sorted(known))}", *path)
    elif sum(shapes.values()) != 1000 or min(shapes.values(), default=-1) < 0:
        reader.note(f"member {table.id}: load.shapes_permille: expected shares that sum to 1000", *path)
    else:
        return True
    return False


def noise_named(name: str, member_id: str, path: Place, reader: Reader, noises: Mapping[str, NoiseClass]) -> NoiseClass:
    """The class of noise of a load or plant, one without any deviation after noting an unknown name."""
    noise = noises.get(name)
    if noise is None:
        reader.note(f"member {member_id}: noise {name[:20]!r}; expected one of {', '.join(noises)}", *path)
        return NoiseClass(name, 0, 0, 0, 0, 0)
    return noise


def noise_class(name: str, table: NoiseTable, reader: Reader) -> NoiseClass:
    """A class of noise from its table; each number is a share of one, at most 1."""
    values = [
        reader.within(getattr(table, key), 6, 0, PPM, "noise", name, key)
        for key in ("plan", "update", "residual", "persistence", "common")
    ]
    return NoiseClass(name, *values)


def generation_kind(generation: GenerationTable | None) -> str:
    """What certificates are issued for; the series of a scenario say it by their name."""
    if generation is None:
        return ""
    return "wind" if generation.series.startswith("wind") else "pv"


def unit_symbol(symbol: str, date: datetime.date) -> str:
    """The symbol with `{month-N}` filled in as YYYYMM of N months before the day: green certificates are issued monthly and later."""

    def month(match: re.Match[str]) -> str:
        months = date.year * 12 + date.month - 1 - int(match[1])
        return f"{months // 12:04d}{months % 12 + 1:02d}"

    return _MONTH.sub(month, symbol)


def _role(table: MemberTable, place: Place, reader: Reader) -> str:
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


def _voltage_adder(table: MemberTable, place: Place, reader: Reader, adders_micro_per_kwh: Mapping[str, int]) -> int:
    if table.voltage_kv not in adders_micro_per_kwh:
        known = ", ".join(adders_micro_per_kwh)
        reader.note(f"member {table.id}: voltage_kv {table.voltage_kv[:10]!r}; expected one of {known}", *place, "voltage_kv")
    return adders_micro_per_kwh.get(table.voltage_kv, 0)


def _programme(table: ProgrammeTable, place: Place, date: datetime.date, reader: Reader) -> UnitProgramme:
    start = reader.scaled(table.start_cny, 2, *place, "start_cny")
    limit = reader.scaled(table.limit_cny, 2, *place, "limit_cny")
    quantity = reader.whole(table.quantity, -UNITS_MAX, UNITS_MAX, *place, "quantity")
    if quantity == 0 or (limit - start) * quantity < 0:
        wish = "expected a quantity to buy and a limit above the start, or a negative one to sell and a limit below"
        reader.note(f"{reader.name_of(place)}: {wish}", *place)
    return UnitProgramme(unit_symbol(table.symbol, date), quantity, start, limit)


def _storage(table: StorageTable, place: Place, reader: Reader) -> Storage:
    path = (*place, "storage")
    energy_kwh = reader.whole(table.energy_kwh, 1, KW_MAX, *path, "energy_kwh")
    if not 0 <= table.soc_min_kwh <= table.soc_initial_kwh <= table.soc_max_kwh <= energy_kwh:
        reader.note(f"{reader.name_of(path)}: expected 0 <= soc_min <= soc_initial <= soc_max <= energy", *path)
    efficiencies = [
        reader.within(getattr(table, key), 6, 1, PPM, *path, key) for key in ("charge_efficiency", "discharge_efficiency")
    ]
    return Storage(
        energy_wh=energy_kwh * WH_PER_KWH,
        power_w=reader.whole(table.power_kw, 1, KW_MAX, *path, "power_kw") * 1000,
        soc_min_wh=table.soc_min_kwh * WH_PER_KWH,
        soc_max_wh=table.soc_max_kwh * WH_PER_KWH,
        soc_initial_wh=table.soc_initial_kwh * WH_PER_KWH,
        charge_efficiency_ppm=efficiencies[0],
        discharge_efficiency_ppm=efficiencies[1],
    )


def position_limits(*, has_load: bool, connection_kw: int, peak_kw: int, storage: Storage | None, further_kw: int = 0) -> tuple[int, int]:
    """Net lots of a quarter-hour, bought positive (docs/rules.md, "Position limits"): half a kWh too much would be too much, so rounded down."""
    storage_kw = storage.power_w // 1000 if storage is not None else 0
    sell_kw, buy_kw = peak_kw + storage_kw + further_kw, (connection_kw if has_load else 0) + storage_kw + further_kw
    return -(sell_kw * 5 // 2), buy_kw * 5 // 2
