"""The file format of a scenario: that of a park (clients.scenarios.schema), and what only the laboratory reads. docs/scenarios.md explains each key.

A default of None means that the value comes from somewhere else, as docs/scenarios.md says: a table of the park, or the member's own keys.
"""

import datetime
from typing import Any

import msgspec

from clients.scenarios.schema import (
    ContractTable,
    Decimal,
    FactorTable,
    InstrumentTable,
    MemberTable,
    NetworkTable,
    NoiseTable,
    PowerTable,
    Table,
)

# A population by name, or a table of its name and its parameters.
Agent = str | dict[str, Any]


class TariffStepTable(Table, frozen=True, kw_only=True):
    months: str
    begins: str
    retail_cny_per_kwh: Decimal
    feed_in_cny_per_kwh: Decimal
    band: str = " "


class TariffVersionTable(Table, frozen=True, kw_only=True):
    effective_from: datetime.date
    step: list[TariffStepTable]


class TariffTable(Table, frozen=True, kw_only=True):
    """A tariff within the scenario's file."""

    id: str
    name: str
    name_zh: str
    source: str
    version: list[TariffVersionTable]


class ExperimentTable(Table, frozen=True, kw_only=True):
    name: str = ""
    first_date: datetime.date = datetime.date(2026, 7, 15)
    days: int = 1
    seed: int = 7
    format: int = 1
    written_by: str = ""
    tariff_sha256: str = ""


class MarketTable(Table, frozen=True, kw_only=True):
    mechanism: str = "cda"
    k_permille: Decimal = 500
    tie: str = "time"
    opens: str | None = None
    opening_auction_minutes: int | None = None
    gate_closure_minutes: int | None = None
    day_ahead_rounds: int = 4
    day_ahead_minutes: int = 15
    rounds_before_gate_minutes: tuple[int, ...] = (240, 120, 60, 30, 15, 0)
    tick_cny_per_kwh: Decimal = "0.0001"
    lot_kwh: Decimal = "0.1"
    min_price_cny_per_kwh: Decimal | None = None
    max_price_cny_per_kwh: Decimal | None = None
    max_order_kwh: Decimal | None = None
    maker_fee_cny_per_kwh: Decimal | None = None
    taker_fee_cny_per_kwh: Decimal | None = None
    park_fee_cny_per_kwh: Decimal | None = None
    environment_cny_per_kwh: Decimal | None = None
    self_trade: str = "cancel_newest"
    transparency: str = "full"


class ImbalanceTable(Table, frozen=True, kw_only=True):
    rule: str = "dual"
    alpha_permille: Decimal = 0


class ForecastTable(Table, frozen=True, kw_only=True):
    error_permille: Decimal = 1000
    horizon_minutes: tuple[int, ...] = (1920, 480, 240, 120, 60, 30, 15, 5)
    unknown_permille: tuple[Decimal, ...] = (1000, 800, 620, 420, 260, 150, 80, 0)


class ResidualTable(FactorTable, frozen=True, kw_only=True):
    publisher: str = "MEE"
    year: int = 2023
    region: str = "national"
    kind: str = "residual"


class CarbonTable(Table, frozen=True, kw_only=True):
    scheme: str = "granular"
    residual: ResidualTable = ResidualTable()


class SharingTable(Table, frozen=True, kw_only=True):
    rule: str = "none"
    operator_permille: Decimal = 0


class OutageTable(Table, frozen=True, kw_only=True):
    participant: str
    first_day: int = 0
    last_day: int = 0
    begins: str = "00:00"
    ends: str = "24:00"
    available_permille: Decimal
    what: str = "generation"
    forecast_permille: Decimal = 1000


class PopulationTable(Table, frozen=True, kw_only=True):
    default: Agent = "zi_c"
    role: dict[str, Agent] = msgspec.field(default_factory=dict)
    member: dict[str, Agent] = msgspec.field(default_factory=dict)


class ValuationTable(Table, frozen=True, kw_only=True):
    willingness_permille: Decimal | None = None
    green_premium_cny_per_kwh: Decimal | None = None
    cost_cny_per_kwh: Decimal | None = None
    spread_permille: Decimal | None = None


class FlexibleTable(Table, frozen=True, kw_only=True):
    share_permille: Decimal | None = None
    shift_periods: int | None = None
    cost_cny_per_kwh: Decimal | None = None


class StoragePolicyTable(Table, frozen=True, kw_only=True):
    plan: str = "linear_program"
    charges_from_grid: bool = True


class EvTable(Table, frozen=True, kw_only=True):
    energy_kwh: Decimal
    power_kw: Decimal
    arrival: str
    departure: str


class AssetTable(Table, frozen=True, kw_only=True):
    capex_cny: Decimal
    operation_cny_per_year: Decimal
    debt_permille: Decimal = 0
    rate_permille: Decimal = 0
    years: int = 0
    life_years: int


class LaboratoryNetworkTable(NetworkTable, frozen=True, kw_only=True):
    import_limit_kw: int = 0
    export_limit_kw: int = 0


class LaboratoryMemberTable(MemberTable, frozen=True, kw_only=True):
    strategy: list[dict[str, Any]] = msgspec.field(default_factory=list)
    buy_limit_kwh: Decimal | None = None
    sell_limit_kwh: Decimal | None = None
    agent: Agent | None = None
    valuation: ValuationTable = ValuationTable()
    storage_policy: StoragePolicyTable = StoragePolicyTable()
    flexible: FlexibleTable = FlexibleTable()
    ev: EvTable | None = None
    asset: AssetTable | None = None


class ScenarioTable(Table, frozen=True, kw_only=True):
    """A whole file, its bases laid under it."""

    name: str
    name_zh: str
    time_zone: str
    tariff: str | TariffTable
    power: PowerTable | None = None
    network: LaboratoryNetworkTable
    emission_factor: FactorTable
    noise: dict[str, NoiseTable]
    voltage_adder_cny_per_kwh: dict[str, Decimal] = msgspec.field(default_factory=dict)
    member: list[LaboratoryMemberTable]
    instrument: list[InstrumentTable] = msgspec.field(default_factory=list)
    contract: list[ContractTable] = msgspec.field(default_factory=list)
    experiment: ExperimentTable = ExperimentTable()
    market: MarketTable = MarketTable()
    imbalance: ImbalanceTable = ImbalanceTable()
    forecast: ForecastTable = ForecastTable()
    carbon: CarbonTable = CarbonTable()
    sharing: SharingTable = SharingTable()
    outage: list[OutageTable] = msgspec.field(default_factory=list)
    population: PopulationTable = PopulationTable()
    valuation: ValuationTable = ValuationTable()
    flexible: FlexibleTable = FlexibleTable()
