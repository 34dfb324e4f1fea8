"""What each member's bot is told: its own forecasts, limits and values, one private file a member. The day's truth stays here.

The only place that reads both the park and the bots' private data, so the only place where a secret could leak: tests compare the files of two
parks that differ in nothing but the truth.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from clients.bots.catalogue import STRATEGIES
from clients.bots.private import MemberFile, RetirementPlan, StrategyData
from clients.scenarios.model import Member, Park, StrategyChoice
from clients.simulator.listing import key_id
from exchange.errors import InputError
from exchange.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS, POWER_TICK_MICRO_PER_KWH

# Programmes run over the sessions of the national markets (docs/rules.md, "CEA"), ending a little early; the others run till evening.
_SESSION_START_NS: Final = 9 * NS_PER_HOUR + 30 * NS_PER_MINUTE
_SESSION_END_NS: Final = 14 * NS_PER_HOUR + 30 * NS_PER_MINUTE
_EVENING_NS: Final = NS_PER_DAY - 2 * NS_PER_HOUR
_MAKER_ACTIVITY: Final = {"near": 4, "far": 4, "levels": 2}
_STORAGE_ACTIVITY: Final = {"near": 4, "far": 4, "levels": 2}


def member_file(park: Park, member: Member, private_key: bytes) -> MemberFile:
    """The private file of one member. Raises InputError naming an unknown strategy or a parameter that does not fit."""
    index = [other.id for other in park.members].index(member.id)
    return MemberFile(
        name=member.id,
        key_id=key_id(member),
        private_key=private_key,
        seed=int(np.random.SeedSequence([park.seed, index]).generate_state(1, np.uint64)[0]),
        strategies=[_strategy_data(park, member, choice) for choice in member.strategies],
        contract_lots={symbol: int(lots) for symbol, lots in zip(park.symbols, member.contract_lots, strict=True) if lots},
        retirement=_retirement_plan(park, member),
    )


def _retirement_plan(park: Park, member: Member) -> RetirementPlan | None:
    """A member with a load claims its own and delivered green energy, and the certificates that it buys; issuers keep what they have for sale."""
    if not member.annual_mwh:
        return None
    certificates = {unit.symbol for unit in park.instruments if unit.instrument_class == "gec"}
    bought = [p.symbol for p in member.programmes if p.quantity_lots > 0 and p.symbol in certificates and not member.holdings_lots.get(p.symbol)]
    first_ns, end_ns = int(park.start_ns[0]), int(park.start_ns[-1]) + PERIOD_NS
    return RetirementPlan(first_ns=first_ns, end_ns=end_ns, purpose=f"Scope 2 of {park.date.isoformat()}", symbols=bought)


def _strategy_data(park: Park, member: Member, choice: StrategyChoice) -> StrategyData:
    """What the park knows of the member, and over it what the scenario sets for the strategy."""
    if choice.name not in STRATEGIES:
        raise InputError(f"scenario: member {member.id}: unknown strategy {choice.name!r}; expected one of {', '.join(STRATEGIES)}")
    content = {"strategy": choice.name, **_KNOWN_DATA.get(choice.name, _power_data)(park, member), **choice.parameters}
    try:
        data: StrategyData = msgspec.convert(content, StrategyData)
    except msgspec.ValidationError as error:
        raise InputError(f"scenario: member {member.id}: strategy {choice.name}: {error}") from None
    return data


def _power_data(park: Park, member: Member) -> dict[str, Any]:
    return {
        "forecast": {
            "first_period_ns": int(park.start_ns[0]),
            "day_ahead_wh": member.forecast_consumption_wh.tolist(),
            "intraday_wh": member.updated_consumption_wh.tolist(),
        },
        "min_net_lots": member.min_net_power_lots,
        "max_net_lots": member.max_net_power_lots,
        "willingness_ppm": member.willingness_ppm,
        "green_premium_ticks": member.green_premium_micro_per_kwh // POWER_TICK_MICRO_PER_KWH,
    }


def _maker_data(park: Park, member: Member) -> dict[str, Any]:
    return {
        "max_inventory_lots": min(member.max_net_power_lots, -member.min_net_power_lots),
        "power": "power_buy" in member.permissions,
        "unit_reference_ticks": {
            unit.symbol: unit.previous_close_ticks
            for unit in park.instruments
            if f"{unit.instrument_class}_buy" in member.permissions and unit.instrument_class != "gec"
        },
        "activity": _MAKER_ACTIVITY,
    }


def _storage_data(park: Park, member: Member) -> dict[str, Any]:
    storage = member.storage
    if storage is None:
        raise InputError(f"scenario: member {member.id}: strategy storage needs a storage")
    return {
        "first_period_ns": int(park.start_ns[0]),
        "soc_wh": storage.soc_initial_wh,
        "soc_min_wh": storage.soc_min_wh,
        "soc_max_wh": storage.soc_max_wh,
        "power_w": storage.power_w,
        "charge_efficiency_ppm": storage.charge_efficiency_ppm,
        "discharge_efficiency_ppm": storage.discharge_efficiency_ppm,
        "activity": _STORAGE_ACTIVITY,
    }


def _compliance_data(park: Park, member: Member) -> dict[str, Any]:
    day_ns = int(park.start_ns[0])
    calendars = {unit.symbol: unit.calendar for unit in park.instruments}
    windows = {
        "cea": (day_ns + _SESSION_START_NS, day_ns + _SESSION_END_NS),
        "continuous": (park.opens_ns, day_ns + _EVENING_NS),
    }
    return {
        "programmes": [
            {
                "symbol": programme.symbol,
                "quantity_lots": programme.quantity_lots,
                "start_ticks": programme.start_price_ticks,
                "limit_ticks": programme.limit_price_ticks,
                "first_ns": windows[calendars[programme.symbol]][0],
                "last_ns": windows[calendars[programme.symbol]][1],
            }
            for programme in member.programmes
        ]
    }


_KNOWN_DATA: Final[Mapping[str, Callable[[Park, Member], dict[str, Any]]]] = {
    "market_maker": _maker_data,
    "storage": _storage_data,
    "compliance": _compliance_data,
}
