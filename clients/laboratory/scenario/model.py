"""A resolved scenario: everything a run depends on besides its seed. Integers in the units of `exchange.units`; no file is read from here on.

The file format is in `schema`, the way from one to the other in `resolve`. Two scenarios that are equal give equal runs for equal seeds.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from clients.scenarios.model import Storage, UnitInstrument, UnitProgramme
from clients.scenarios.noise import NoiseClass
from clients.scenarios.tariff import Tariff
from exchange.protocol.value_chain.accounting import EmissionFactor

Parameter = int | str | bool

# Names of `matching.mechanisms.MECHANISMS`, and the continuous double auction.
CONTINUOUS = "cda"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """How a quarter-hour is traded. Fees are micro-CNY per kWh, prices ticks of 0.0001 CNY/kWh, quantities lots of 0.1 kWh.

    Books of a day open at `opens` the day before and close `gate_closure_minutes` before their delivery. Participants act in rounds:
    `day_ahead_rounds` from the opening on, `day_ahead_minutes` apart, then once at each of `rounds_before_gate_minutes` (descending) before the
    gate. Under `cda` the orders of a round meet in the book and rest; every other mechanism clears the sealed orders of each round at once.

    `tick_step` and `lot_step`: prices and quantities are whole multiples of these. `self_trade`: as on the wire, e.g. cancel_newest.
    `transparency`: what a participant sees of a book: full, top, trades, none. `k_ppm` and `tie` (time, pro_rata, lot) belong to auctions.
    """

    mechanism: str = CONTINUOUS
    k_ppm: int = 500_000
    tie: str = "time"
    opens: datetime.time = datetime.time(16)
    opening_auction_minutes: int = 0
    gate_closure_minutes: int = 5
    day_ahead_rounds: int = 4
    day_ahead_minutes: int = 15
    rounds_before_gate_minutes: tuple[int, ...] = (240, 120, 60, 30, 15, 0)
    tick_step: int = 1
    lot_step: int = 1
    min_price_ticks: int = 100
    max_price_ticks: int = 20_000
    max_order_lots: int = 50_000
    maker_fee_micro_per_kwh: int = 1000
    taker_fee_micro_per_kwh: int = 2000
    park_fee_micro_per_kwh: int = 40_000
    environment_micro_per_kwh: int = 6000
    self_trade: str = "cancel_newest"
    transparency: str = "full"

    @property
    def n_rounds(self) -> int:
        """Rounds of each quarter-hour."""
        return self.day_ahead_rounds + len(self.rounds_before_gate_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImbalanceRules:
    """docs/rules.md, "Imbalance": dual, single or pool; `alpha_ppm` widens the dual prices."""

    imbalance: str = "dual"
    alpha_ppm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRules:
    """How a forecast's error shrinks with its horizon (laboratory.world.forecasts).

    Of the variance that the class of noise calls `update`, the share still unknown at `horizon_minutes[i]` before delivery is `unknown_ppm[i]`;
    horizons descend, shares fall with them. `error_ppm` scales all forecast errors, 0: everybody knows everything beforehand.
    """

    horizon_minutes: tuple[int, ...] = (1920, 480, 240, 120, 60, 30, 15, 5)
    unknown_ppm: tuple[int, ...] = (1_000_000, 800_000, 620_000, 420_000, 260_000, 150_000, 80_000, 0)
    error_ppm: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProfile:
    """A mix of shapes of the derived year."""

    annual_mwh: int
    shapes_permille: Mapping[str, int]
    noise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationProfile:
    """A plant on a series of the derived year; `kind`: pv or wind."""

    series: str
    kind: str
    peak_kw: int
    noise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexibleLoad:
    """A share of the load that may be used at another quarter-hour, at most `shift_periods` away, at a cost of comfort per shifted kWh."""

    share_ppm: int
    shift_periods: int
    cost_micro_per_kwh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePolicy:
    """How an owner runs its storage. `plan`: linear_program or dynamic_program (laboratory.planning).

    `charges_from_grid`: a storage alone behind its meter also charges what nobody sold it, where that pays at the deficit price.
    """

    plan: str = "linear_program"
    charges_from_grid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EvFleet:
    """Vehicles that stand at chargers from `arrival` to `departure` (local, within one day) and need `energy_wh` (at the meter) by then."""

    energy_wh: int
    power_w: int
    arrival: datetime.time
    departure: datetime.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """Private values. A buyer pays at most `willingness_ppm` of its alternative (the deficit price less fees) and the green premium on top; a seller
    takes no less than the surplus price and its `cost_micro_per_kwh`. `spread_ppm`: half width of a uniform draw of each member and quarter-hour
    around that.
    """

    willingness_ppm: int = 1_000_000
    green_premium_micro_per_kwh: int = 0
    cost_micro_per_kwh: int = 0
    spread_ppm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice:
    """A population of `laboratory.agents` by name, or `file.py:ClassName` of the user; what the scenario sets of its parameters."""

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What a participant's plant or storage cost, and how it is financed. Money in micro-CNY; `debt_ppm` of the capex at `rate_ppm` a year for
    `years`. Output falls by `degradation_ppm` a year; `discount_ppm` a year is what the owner asks for.
    """

    capex_micro: int
    operation_micro_per_year: int
    debt_ppm: int
    rate_ppm: int
    years: int
    life_years: int
    degradation_ppm: int = 0
    discount_ppm: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One participant. Position limits are net lots of a quarter-hour, bought positive. `voltage_kv`: the level that `voltage_adder` belongs to."""

    id: str
    name_en: str
    name_zh: str
    role: str
    permissions: tuple[str, ...]
    voltage_kv: str = ""
    voltage_adder_micro_per_kwh: int = 0
    connection_kw: int = 0
    cash_micro: int = 0
    load: LoadProfile | None = None
    generation: GenerationProfile | None = None
    storage: Storage | None = None
    storage_policy: StoragePolicy = field(default_factory=StoragePolicy)
    flexible: FlexibleLoad | None = None
    ev: EvFleet | None = None
    valuation: Valuation = field(default_factory=Valuation)
    agent: AgentChoice = field(default_factory=lambda: AgentChoice(name="zi_c"))
    asset: Asset | None = None
    holdings_lots: Mapping[str, int] = field(default_factory=dict)
    programmes: tuple[UnitProgramme, ...] = ()
    min_net_power_lots: int = 0
    max_net_power_lots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Generation (or load) of a participant at `available_ppm` of what it would be, on days `first_day` to `last_day` of the run between two local
    times on a quarter-hour; an end at 00:00 is the end of the day.

    `forecast_ppm`: what forecasts made before the outage believed; 1,000,000: nobody saw it coming. `participant` may be `pv` or `wind`: all of a
    kind.
    """

    participant: str
    first_day: int
    last_day: int
    begins: datetime.time
    ends: datetime.time
    available_ppm: int
    what: str = "generation"
    forecast_ppm: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Lines of the park, and what the grid connection lets through; 0: no limit."""

    loss_ppm: int
    import_limit_kw: int = 0
    export_limit_kw: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonRules:
    """`factor` counts imports by location, `residual` what certificates do not cover by market; `scheme`: granular or gec."""

    factor: EmissionFactor
    residual: EmissionFactor
    scheme: str = "granular"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingRules:
    """How the gain over the pool is shared: none (as it falls), energy (by metered energy), equal, shapley; `operator_ppm` of it to the operator
    first.
    """

    rule: str = "none"
    operator_ppm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A park, its rules, its participants and its period. `soc_value_micro_per_kwh` prices a kWh left in storage at the end of the run."""

    name: str
    name_en: str
    name_zh: str
    zone: ZoneInfo
    first_date: datetime.date
    days: int
    seed: int
    tariff: Tariff
    market: MarketRules
    imbalance: ImbalanceRules
    forecast: ForecastRules
    noises: Mapping[str, NoiseClass]
    network: Network
    carbon: CarbonRules
    sharing: SharingRules
    soc_value_micro_per_kwh: int
    participants: tuple[Participant, ...]
    instruments: tuple[UnitInstrument, ...] = ()
    outages: tuple[Outage, ...] = ()

    def index_of(self, participant: str) -> int:
        """Row of a participant in all arrays. Raises KeyError for an unknown one."""
        for index, entry in enumerate(self.participants):
            if entry.id == participant:
                return index
        raise KeyError(participant)
