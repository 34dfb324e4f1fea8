"""What each member's bot is told: its own forecasts, limits and values, one private file a member. The day's truth stays here.

The only place that reads both the park and the bots' private data, so the only place where a secret could leak: tests compare the files of two
parks that differ in nothing but the truth.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from clients.bots.private import (
    Activity,
    ComplianceData,
    FactoryData,
    Forecast,
    GeneratorData,
    MarketMakerData,
    MemberFile,
    PowerMember,
    StorageData,
    StrategyData,
    UnitProgramme,
    ZeroIntelligenceData,
    ZipData,
)
from clients.scenarios.decimals import DecimalProblemError, parse_scaled
from clients.scenarios.model import Member, Park, StrategyChoice, UnitInstrument
from clients.simulator.listing import POWER_PRICE_DECIMALS, key_id
from exchange.errors import InputError
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, POWER_LOT_WH, POWER_TICK_MICRO_PER_KWH, PPM, WH_PER_KWH

# Sessions of the national markets on the day (docs/rules.md, "CEA"); a programme ends a little before the last of them.
_SESSION_START_NS: Final = 9 * NS_PER_HOUR + 30 * NS_PER_MINUTE
_SESSION_END_NS: Final = 14 * NS_PER_HOUR + 30 * NS_PER_MINUTE
# Sellers begin this share above the last close and give way to as much below it; buyers begin as far below.
_UNIT_OPENING_PPM: Final = 20_000
_UNIT_SELL_LIMIT_PPM: Final = 15_000
_MAKER_UNIT_CLIP: Final = 20
_MAKER_UNIT_SPREAD_PPM: Final = 8_000
_POWER_DATA: Final[dict[str, type[PowerMember]]] = {
    "factory": FactoryData,
    "generator": GeneratorData,
    "zero_intelligence": ZeroIntelligenceData,
    "zip": ZipData,
}


class _Parameters:
    """Parameters of one strategy of a scenario; every one must be used."""

    def __init__(self, member: Member, choice: StrategyChoice) -> None:
        self._left = dict(choice.parameters)
        self._where = f"scenario: member {member.id}: strategy {choice.name}"

    def whole(self, name: str, default: int) -> int:
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputError(f"{self._where}: {name}: expected a whole number, zero or more")
        return value

    def scaled(self, name: str, decimals: int, default: int) -> int:
        value = self._left.pop(name, None)
        if value is None:
            return default
        try:
            return parse_scaled(str(value), decimals)
        except DecimalProblemError as error:
            raise InputError(f"{self._where}: {name}: {error}") from None

    def activity(self, default: Activity) -> Activity:
        return Activity(near=self.whole("near", default.near), far=self.whole("far", default.far), levels=self.whole("levels", default.levels))

    def done(self) -> None:
        if self._left:
            raise InputError(f"{self._where}: unknown parameter {sorted(self._left)[0]!r}")


def member_file(park: Park, member: Member, private_key: bytes) -> MemberFile:
    """The private file of one member. Raises InputError naming an unknown strategy or parameter."""
    index = park.members.index(member)
    strategies = [data for choice in member.strategies if (data := _strategy_data(park, member, choice)) is not None]
    seed = int(np.random.SeedSequence([park.seed, index]).generate_state(1, np.uint64)[0])
    return MemberFile(
        name=member.id,
        key_id=key_id(member),
        private_key=private_key,
        seed=seed,
        strategies=strategies,
        contract_lots={s: int(lots) for s, lots in zip(park.symbols, member.contract_lots, strict=True) if lots},
    )


def _strategy_data(park: Park, member: Member, choice: StrategyChoice) -> StrategyData | None:
    build = _BUILDERS.get(choice.name)
    if build is None:
        raise InputError(f"scenario: member {member.id}: unknown strategy {choice.name!r}; expected one of {', '.join(sorted(_BUILDERS))}")
    parameters = _Parameters(member, choice)
    data = build(park, member, choice.name, parameters)
    parameters.done()
    return data


def _power_data(park: Park, member: Member, name: str, parameters: _Parameters) -> StrategyData:
    premium_ticks = member.green_premium_micro_per_kwh // POWER_TICK_MICRO_PER_KWH
    data = _POWER_DATA[name](
        forecast=Forecast(
            first_period_ns=int(park.start_ns[0]),
            day_ahead_wh=(member.forecast_load_wh - member.forecast_generation_wh).tolist(),
            intraday_wh=(member.updated_load_wh - member.updated_generation_wh).tolist(),
        ),
        min_net_lots=member.min_net_power_lots,
        max_net_lots=member.max_net_power_lots,
        activity=parameters.activity(Activity(near=2, far=2, levels=2)),
        willingness_ppm=member.willingness_ppm,
        green_premium_ticks=parameters.scaled("green_premium_cny_per_kwh", POWER_PRICE_DECIMALS, premium_ticks),
        marginal_cost_ticks=parameters.scaled("marginal_price_cny_per_kwh", POWER_PRICE_DECIMALS, 0),
        beta=parameters.whole("beta_permille", 1000) / 1000,
    )
    assert isinstance(data, FactoryData | GeneratorData | ZeroIntelligenceData | ZipData)
    return data


def _maker_data(park: Park, member: Member, _name: str, parameters: _Parameters) -> StrategyData:
    reference = {
        unit.symbol: unit.previous_close_ticks
        for unit in park.instruments
        if f"{unit.instrument_class}_buy" in member.permissions and unit.instrument_class != "gec"
    }
    clip_lots = parameters.whole("quote_kwh", 20) * WH_PER_KWH // POWER_LOT_WH
    return MarketMakerData(
        max_inventory_lots=min(member.max_net_power_lots, -member.min_net_power_lots, 4 * clip_lots),
        clip_lots=clip_lots,
        half_spread_ticks=parameters.whole("half_spread_ticks", 100),
        power="power_buy" in member.permissions,
        unit_reference_ticks=reference,
        unit_clip_lots=parameters.whole("quote_units", _MAKER_UNIT_CLIP),
        unit_max_inventory_lots=2 * max(member.holdings_lots.values(), default=0),
        unit_half_spread_ticks=max(1, max(reference.values(), default=0) * _MAKER_UNIT_SPREAD_PPM // PPM),
        activity=parameters.activity(Activity(near=6, far=4, levels=2)),
    )


def _storage_data(park: Park, member: Member, _name: str, parameters: _Parameters) -> StrategyData:
    storage = member.storage
    if storage is None:
        raise InputError(f"scenario: member {member.id}: strategy storage needs a storage")
    return StorageData(
        first_period_ns=int(park.start_ns[0]),
        soc_wh=storage.soc_initial_wh,
        soc_min_wh=storage.soc_min_wh,
        soc_max_wh=storage.soc_max_wh,
        power_w=storage.power_w,
        charge_efficiency_ppm=storage.charge_efficiency_ppm,
        discharge_efficiency_ppm=storage.discharge_efficiency_ppm,
        cycle_cost_ticks=parameters.scaled("cycle_cost_cny_per_kwh", POWER_PRICE_DECIMALS, 0),
        activity=parameters.activity(Activity(near=4, far=6, levels=2)),
    )


def _compliance_data(park: Park, member: Member, _name: str, parameters: _Parameters) -> StrategyData:
    units = {unit.symbol: unit for unit in park.instruments}
    programmes = []
    for need in member.needs:
        unit = units[need.symbol]
        start = min(need.limit_price_ticks, unit.previous_close_ticks * (PPM - _UNIT_OPENING_PPM) // PPM)
        programmes.append(_programme(park, unit, need.quantity_lots, start, need.limit_price_ticks))
    return ComplianceData(programmes=programmes, clips=parameters.whole("clips", 12))


def _issuer_data(park: Park, member: Member, _name: str, parameters: _Parameters) -> StrategyData:
    """Sells what the member owns and may sell: certificates of its own plant, left-over allowances, credits of its projects."""
    sell_ppm = parameters.whole("sell_permille", 500) * 1000
    programmes = []
    for unit in park.instruments:
        lots = member.holdings_lots.get(unit.symbol, 0) * sell_ppm // PPM
        if lots and f"{unit.instrument_class}_sell" in member.permissions:
            close = unit.previous_close_ticks
            start, limit = close * (PPM + _UNIT_OPENING_PPM) // PPM, close * (PPM - _UNIT_SELL_LIMIT_PPM) // PPM
            programmes.append(_programme(park, unit, -lots, start, limit))
    return ComplianceData(programmes=programmes, clips=parameters.whole("clips", 12))


def _programme(park: Park, unit: UnitInstrument, lots: int, start_ticks: int, limit_ticks: int) -> UnitProgramme:
    day_ns = int(park.start_ns[0])
    in_session = unit.calendar == "cea"
    return UnitProgramme(
        symbol=unit.symbol,
        quantity_lots=lots,
        start_ticks=start_ticks,
        limit_ticks=limit_ticks,
        first_ns=day_ns + _SESSION_START_NS if in_session else park.opens_ns,
        last_ns=day_ns + (_SESSION_END_NS if in_session else NS_PER_DAY - 2 * NS_PER_HOUR),
    )


_BUILDERS: Final[Mapping[str, Callable[[Park, Member, str, _Parameters], StrategyData]]] = {
    **dict.fromkeys(_POWER_DATA, _power_data),
    "market_maker": _maker_data,
    "storage": _storage_data,
    "compliance": _compliance_data,
    "issuer": _issuer_data,
}
