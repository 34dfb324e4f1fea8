"""What one member knows and nobody else: its forecasts, tariff, limits and values. One file a member, read by the process that runs its bot.

Nothing here is the day's truth: forecasts carry the errors of their horizon. All numbers are integers in the units of the exchange;
arrays have one entry a quarter-hour of the delivery day.
"""

import msgspec


class Activity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a bot does in a turn: `near` next gates and `far` later contracts, each quoted on `levels` prices."""

    near: int = 2
    far: int = 1
    levels: int = 2


class Forecast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Expected net consumption of the metering point (generation negative) as known the day before and as known near delivery."""

    first_period_ns: int
    day_ahead_wh: list[int]
    intraday_wh: list[int]


class PowerMember(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common to those who trade the gap between their forecast and their position. Limits are net lots a quarter-hour, bought positive.

    Values: the share of the retail tariff it would pay (支付意愿), what green is worth to it beyond that (绿电溢价), its marginal cost.
    """

    forecast: Forecast
    min_net_lots: int
    max_net_lots: int
    activity: Activity = Activity()
    willingness_ppm: int = 1_000_000
    green_premium_ticks: int = 0
    marginal_cost_ticks: int = 0
    # Above 1 gives way early, below 1 late (clients.bots.pricing).
    beta: float = 1.0


class FactoryData(PowerMember, frozen=True, tag_field="strategy", tag="factory", kw_only=True):
    """An enterprise (see `PowerMember`)."""


class GeneratorData(PowerMember, frozen=True, tag_field="strategy", tag="generator", kw_only=True):
    """PV or wind."""


class ZeroIntelligenceData(PowerMember, frozen=True, tag_field="strategy", tag="zero_intelligence", kw_only=True):
    """Priced by Gode and Sunder's rule."""


class ZipData(PowerMember, frozen=True, tag_field="strategy", tag="zip", kw_only=True):
    """Priced by Cliff's rule."""


class MarketMakerData(msgspec.Struct, frozen=True, tag_field="strategy", tag="market_maker", kw_only=True, forbid_unknown_fields=True):
    """Two-sided quotes within an inventory limit. `power` quotes contracts, `units` the listed certificates and credits with reference prices."""

    max_inventory_lots: int
    clip_lots: int
    half_spread_ticks: int
    power: bool = True
    unit_reference_ticks: dict[str, int] = {}
    unit_clip_lots: int = 0
    unit_max_inventory_lots: int = 0
    unit_half_spread_ticks: int = 0
    activity: Activity = Activity()


class StorageData(msgspec.Struct, frozen=True, tag_field="strategy", tag="storage", kw_only=True, forbid_unknown_fields=True):
    """A battery: state of charge at the start of the day, limits, rating, one-way efficiencies, and what it asks for a cycle."""

    first_period_ns: int
    soc_wh: int
    soc_min_wh: int
    soc_max_wh: int
    power_w: int
    charge_efficiency_ppm: int
    discharge_efficiency_ppm: int
    # Wear: asked on every discharged kWh.
    cycle_cost_ticks: int = 0
    # Whether it takes a quarter-hour to charge and a later one to discharge from the books as one basket where that gains.
    baskets: bool = False
    activity: Activity = Activity()


class UnitProgramme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Buy (positive) or sell (negative) `quantity_lots` of an instrument up to, or down to, `limit_ticks`, starting from `start_ticks`.

    The programme runs evenly from `first_ns` to `last_ns`.
    """

    symbol: str
    quantity_lots: int
    start_ticks: int
    limit_ticks: int
    first_ns: int
    last_ns: int


class ComplianceData(msgspec.Struct, frozen=True, tag_field="strategy", tag="compliance", kw_only=True, forbid_unknown_fields=True):
    """Obligations in certificates and credits, and surplus to sell, worked off over the day's sessions."""

    programmes: list[UnitProgramme]
    clips: int = 12


StrategyData = FactoryData | GeneratorData | ZeroIntelligenceData | ZipData | MarketMakerData | StorageData | ComplianceData


class RetirementPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Certificates to retire when the day, [first_ns, end_ns), is settled: granular ones of its hours, and all that is held of `symbols`."""

    first_ns: int
    end_ns: int
    purpose: str
    granular: bool = True
    symbols: list[str] = []


class MemberFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the bot of one member is given. `contract_lots`: its monthly contracts by symbol, bought positive.

    `retirement`: what it retires of its certificates when the day is settled; None: nothing.
    """

    name: str
    key_id: str
    private_key: bytes
    seed: int
    strategies: list[StrategyData]
    contract_lots: dict[str, int] = {}
    retirement: RetirementPlan | None = None
