"""The file format of a park (TOML): shape and types here, meaning in `loader`, files and their bases in `layers`.

Decimals are text or TOML numbers with a point; both are taken exactly. What only the laboratory reads (`clients.laboratory.scenario.schema`) may
stand in the same file: a day of the demo takes no notice of it.
"""

from typing import Any, Final

import msgspec

from clients.scenarios.layers import ScenarioFile
from clients.scenarios.problems import Problems
from clients.scenarios.toml_lines import describe_validation

Decimal = str | int

# Tables, and keys of a member and of the network, that the laboratory reads and a day of the demo does not.
LABORATORY_TABLES: Final = frozenset(
    {"experiment", "market", "imbalance", "forecast", "carbon", "sharing", "outage", "population", "valuation", "flexible"}
)
LABORATORY_MEMBER_KEYS: Final = frozenset({"agent", "valuation", "flexible", "ev", "asset", "storage_policy", "buy_limit_kwh", "sell_limit_kwh"})
LABORATORY_NETWORK_KEYS: Final = frozenset({"import_limit_kw", "export_limit_kw"})


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base: a misspelt key is an error, never ignored."""


class PowerTable(Table, frozen=True, kw_only=True):
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


class NetworkTable(Table, frozen=True, kw_only=True):
    loss_permille: Decimal
    soc_value_cny_per_kwh: Decimal


class FactorTable(Table, frozen=True, kw_only=True):
    publisher: str
    year: int
    region: str
    kind: str
    kg_per_kwh: Decimal | None = None


class NoiseTable(Table, frozen=True, kw_only=True):
    plan: Decimal
    update: Decimal
    residual: Decimal
    persistence: Decimal
    common: Decimal


class InstrumentTable(Table, frozen=True, kw_only=True):
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


class LoadTable(Table, frozen=True, kw_only=True):
    annual_mwh: int
    shapes_permille: dict[str, int]
    noise: str


class GenerationTable(Table, frozen=True, kw_only=True):
    series: str
    peak_kw: int
    noise: str


class StorageTable(Table, frozen=True, kw_only=True):
    energy_kwh: int
    power_kw: int
    soc_min_kwh: int
    soc_max_kwh: int
    soc_initial_kwh: int
    charge_efficiency: Decimal
    discharge_efficiency: Decimal


class ProgrammeTable(Table, frozen=True, kw_only=True):
    symbol: str
    quantity: int
    start_cny: Decimal
    limit_cny: Decimal


class MemberTable(Table, frozen=True, kw_only=True):
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


class ContractTable(Table, frozen=True, kw_only=True):
    buyer: str
    seller: str
    share_permille: int
    price_cny_per_kwh: Decimal


class ParkTable(Table, frozen=True, kw_only=True):
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


def park_table(scenario: ScenarioFile) -> ParkTable:
    """The content as a typed table. Raises InputError with file, line and what was expected; bad members and instruments are all named."""
    problems = Problems(f"scenario {scenario.name}")
    content = _without_laboratory(scenario.content)
    for table, kind in (("member", MemberTable), ("instrument", InstrumentTable), ("contract", ContractTable)):
        entries = content.get(table, [])
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            _convert(entry, kind, (table, index), scenario, problems)
    if not problems.count:
        _convert(content, ParkTable, (), scenario, problems)
    problems.raise_if_any()
    return msgspec.convert(content, ParkTable)


def _without_laboratory(content: dict[str, Any]) -> dict[str, Any]:
    """The content without what a day of the demo takes no notice of."""

    def without(table: Any, keys: frozenset[str]) -> Any:
        return {key: value for key, value in table.items() if key not in keys} if isinstance(table, dict) else table

    kept = without(content, LABORATORY_TABLES)
    if isinstance(kept.get("member"), list):
        kept["member"] = [without(entry, LABORATORY_MEMBER_KEYS) for entry in kept["member"]]
    if "network" in kept:
        kept["network"] = without(kept["network"], LABORATORY_NETWORK_KEYS)
    return dict(kept)


def _convert(value: Any, kind: type[Any], prefix: tuple[str | int, ...], scenario: ScenarioFile, problems: Problems) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason, path = describe_validation(error)
        name, line = scenario.place_of((*prefix, *path))
        where = "".join(f"[{part}]" if isinstance(part, int) else f"{part}" for part in prefix)
        problems.add(f"{where}: {reason}" if where else reason, line, name)
