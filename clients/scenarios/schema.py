"""The file format of a park (TOML) and its reading: shape and types here, meaning in `loader`.

Decimals are text or TOML numbers with a point; both are taken exactly. A file may name a `base` (another scenario): its tables are laid over those of
the base key by key, members and instruments by id and symbol; what a key holds (a load, a mix of shapes, holdings) is replaced whole.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from clients.scenarios.problems import Problems
from clients.scenarios.tariff import describe_validation
from clients.scenarios.toml_lines import TomlFile, decode_text, parse_toml
from exchange.errors import InputError

Decimal = str | int

# Names of the scenarios that ship with the package.
SHIPPED: Final = ("park", "story", "compliance")
_KEYED: Final = {"member": "id", "instrument": "symbol"}


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: a misspelt key is an error, never ignored."""


class PowerTable(_Table, frozen=True, kw_only=True):
    opens: str = "16:00"
    opening_auction_minutes: int = 0
    gate_closure_minutes: int = 5
    min_price_cny_per_kwh: Decimal
    max_price_cny_per_kwh: Decimal
    max_order_kwh: Decimal
    maker_fee_cny_per_kwh: Decimal
    taker_fee_cny_per_kwh: Decimal
    park_fee_cny_per_kwh: Decimal
    environment_cny_per_kwh: Decimal


class NetworkTable(_Table, frozen=True, kw_only=True):
    loss_permille: Decimal
    soc_value_cny_per_kwh: Decimal


class FactorTable(_Table, frozen=True, kw_only=True):
    publisher: str
    year: int
    region: str
    kind: str
    kg_per_kwh: Decimal | None = None


class NoiseTable(_Table, frozen=True, kw_only=True):
    plan: Decimal
    update: Decimal
    residual: Decimal
    persistence: Decimal
    common: Decimal


class InstrumentTable(_Table, frozen=True, kw_only=True):
    symbol: str
    name: str
    name_zh: str
    instrument_class: str
    venue: str
    calendar: str
    resale: str
    unit: str
    previous_close_cny: Decimal
    band_permille: int
    max_order_lots: int
    maker_fee_permille: Decimal
    taker_fee_permille: Decimal


class LoadTable(_Table, frozen=True, kw_only=True):
    annual_mwh: int
    shapes_permille: dict[str, int]
    noise: str


class GenerationTable(_Table, frozen=True, kw_only=True):
    series: str
    peak_kw: int
    noise: str


class StorageTable(_Table, frozen=True, kw_only=True):
    energy_kwh: int
    power_kw: int
    soc_min_kwh: int
    soc_max_kwh: int
    soc_initial_kwh: int
    charge_efficiency: Decimal
    discharge_efficiency: Decimal


class ProgrammeTable(_Table, frozen=True, kw_only=True):
    symbol: str
    quantity: int
    start_cny: Decimal
    limit_cny: Decimal


class MemberTable(_Table, frozen=True, kw_only=True):
    id: str
    name: str
    name_zh: str
    role: str
    cash_cny: Decimal
    permissions: list[str]
    strategy: list[dict[str, Any]]
    voltage_kv: str = ""
    connection_kw: int = 0
    position_limit_kw: int = 0
    load: LoadTable | None = None
    generation: GenerationTable | None = None
    storage: StorageTable | None = None
    holdings: dict[str, int] = {}
    programme: list[ProgrammeTable] = []
    flexible_permille: int = 0
    green_premium_cny_per_kwh: Decimal = 0
    willingness_permille: int = 1000


class ContractTable(_Table, frozen=True, kw_only=True):
    buyer: str
    seller: str
    share_permille: int
    price_cny_per_kwh: Decimal


class ParkTable(_Table, frozen=True, kw_only=True):
    name: str
    name_zh: str
    time_zone: str
    tariff: str
    power: PowerTable
    network: NetworkTable
    emission_factor: FactorTable
    noise: dict[str, NoiseTable]
    voltage_adder_cny_per_kwh: dict[str, Decimal]
    member: list[MemberTable]
    instrument: list[InstrumentTable] = []
    contract: list[ContractTable] = []


class ScenarioFile:
    """A scenario laid over its bases, and where each of its values was written."""

    def __init__(self, name: str, content: dict[str, Any], layers: list[tuple[TomlFile, Path | None]]) -> None:
        self.name = name
        self.content = content
        self._layers = layers

    @property
    def folder(self) -> Path | None:
        """Folder of the outermost file of a user, None for a shipped one."""
        return self._layers[0][1]

    def place_of(self, path: tuple[str | int, ...]) -> tuple[str, int | None]:
        """File and line of a value of the merged content."""
        for file, _ in self._layers:
            own = self._own_path(file, path)
            line = file.line_of(own) if own is not None else None
            if line is not None:
                return file.name, line
        return self._layers[0][0].name, None

    def _own_path(self, file: TomlFile, path: tuple[str | int, ...]) -> tuple[str | int, ...] | None:
        """The path within one layer: entries of keyed arrays stand at other places there. None when the layer has no such entry."""
        if len(path) < 2 or path[0] not in _KEYED or not isinstance(path[1], int):
            return path
        table, key = str(path[0]), _KEYED[str(path[0])]
        merged = self.content[table][path[1]]
        entries = file.content.get(table, [])
        if not isinstance(merged, dict) or not isinstance(entries, list):
            return path
        for index, entry in enumerate(entries):
            if isinstance(entry, dict) and entry.get(key) == merged.get(key):
                return (table, index, *path[2:])
        return None


def read_scenario(name_or_file: str) -> ScenarioFile:
    """Read a shipped scenario by name, or a .toml file. Raises InputError for a missing or malformed one."""
    layers: list[tuple[TomlFile, Path | None]] = []
    wanted: str | None = name_or_file
    folder: Path | None = None
    while wanted is not None:
        file, folder = _read_layer(wanted, folder)
        _refuse_duplicates(file)
        layers.append((file, folder))
        base = file.content.pop("base", None)
        if base is not None and (not isinstance(base, str) or len(layers) > 4):
            raise InputError(f"{file.name}: base: expected the name of another scenario, at most four deep")
        wanted = base
    content: dict[str, Any] = {}
    for file, _ in reversed(layers):
        content = _overlay(content, file.content)
    name = name_or_file if name_or_file in SHIPPED else Path(name_or_file).stem
    return ScenarioFile(name, content, layers)


def _refuse_duplicates(file: TomlFile) -> None:
    """An id or symbol twice in one file is a slip; laid over each other the two would pass unseen."""
    problems = Problems(file.name)
    for table, key in _KEYED.items():
        seen: set[str] = set()
        entries = file.content.get(table, [])
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            name = str(entry.get(key)) if isinstance(entry, dict) else ""
            if name and name in seen:
                problems.add(f"{table} {name[:30]} is there twice", file.line_of((table, index)))
            seen.add(name)
    problems.raise_if_any()


def _read_layer(name: str, folder: Path | None) -> tuple[TomlFile, Path | None]:
    if name in SHIPPED:
        text = files("clients.scenarios").joinpath("data", f"{name}.toml").read_text("utf-8")
        return parse_toml(text, f"{name}.toml"), None
    path = Path(name) if folder is None else folder / name
    if path.suffix.lower() != ".toml":
        raise InputError(f"unknown scenario {name!r}; expected one of {', '.join(SHIPPED)} or a .toml file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read scenario {path}: {error.strerror}") from error
    return parse_toml(decode_text(data, path.name), path.name), path.parent


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Keys of tables and of keyed entries one by one; what a key holds is replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = {**under, **value}
        elif key in _KEYED and isinstance(value, list) and isinstance(under, list):
            merged[key] = _overlay_entries(under, value, _KEYED[key])
        else:
            merged[key] = value
    return merged


def _overlay_entries(below: list[Any], above: list[Any], key: str) -> list[Any]:
    entries = list(below)
    places = {entry.get(key): index for index, entry in enumerate(entries) if isinstance(entry, dict)}
    for entry in above:
        place = places.get(entry.get(key)) if isinstance(entry, dict) else None
        if place is None:
            entries.append(entry)
        else:
            entries[place] = {**entries[place], **entry}
    return entries


def park_table(scenario: ScenarioFile) -> ParkTable:
    """The content as a typed table. Raises InputError with file, line and what was expected; bad members and instruments are all named."""
    problems = Problems(f"scenario {scenario.name}")
    content = dict(scenario.content)
    for table, kind in (("member", MemberTable), ("instrument", InstrumentTable), ("contract", ContractTable)):
        entries = content.get(table, [])
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            _convert(entry, kind, (table, index), scenario, problems)
    if not problems.count:
        _convert(content, ParkTable, (), scenario, problems)
    problems.raise_if_any()
    return msgspec.convert(content, ParkTable)


def _convert(value: Any, kind: type[Any], prefix: tuple[str | int, ...], scenario: ScenarioFile, problems: Problems) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, path = describe_validation(error)
        name, line = scenario.place_of((*prefix, *path))
        where = "".join(f"[{part}]" if isinstance(part, int) else f"{part}" for part in prefix)
        problems.add(f"{where}: {reason}" if where else reason, line, name)
