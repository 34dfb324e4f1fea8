"""A park on one day, as everything that plays it needs it: members, periods, prices, contracts, instruments.

Integers in the units of `exchange.units`. `load_wh` and `generation_wh` are the day's truth. Only the meters know it: whoever starts the participants
hands each of them its own forecasts and nothing else.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from clients.scenarios.tariff import Tariff
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor

Integers = NDArray[np.int64]

# A kW over a quarter-hour is 250 Wh, 2.5 lots of 100 Wh.
WH_PER_KW_QUARTER = 250


@dataclass(frozen=True, slots=True)
class Storage:
    """Storage behind a member's metering point; power is AC, efficiencies one way each."""

    energy_wh: int
    power_w: int
    soc_min_wh: int
    soc_max_wh: int
    soc_initial_wh: int
    charge_efficiency_ppm: int
    discharge_efficiency_ppm: int


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    """A strategy of `clients.bots` by name, with what the scenario sets of its data (integers; decimals stay text)."""

    name: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class UnitProgramme:
    """Certificates, allowances or credits that a member wants to buy (positive) or sell (negative) on the day, from a first price to its limit."""

    symbol: str
    quantity_lots: int
    start_price_ticks: int
    limit_price_ticks: int


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One participant. Arrays are int64[periods], read-only, Wh of one quarter-hour at its metering point; net injection is generation - load.

    `forecast_*` is what the member itself expects at 16:00 the day before, `updated_*` shortly before the gate, without suffix the meter.
    `contract_lots` is the net opening position from monthly contracts, bought positive. Position limits: net lots a quarter-hour, bought positive.
    """

    id: str
    name_en: str
    name_zh: str
    role: str
    permissions: tuple[str, ...]
    voltage_kv: str
    voltage_adder_micro_per_kwh: int
    connection_kw: int
    generation_kw: int
    annual_mwh: int
    cash_micro: int
    holdings_lots: Mapping[str, int]
    programmes: tuple[UnitProgramme, ...]
    flexible_ppm: int
    green_premium_micro_per_kwh: int
    willingness_ppm: int
    strategies: tuple[StrategyChoice, ...]
    storage: Storage | None
    min_net_power_lots: int
    max_net_power_lots: int
    load_wh: Integers
    generation_wh: Integers
    forecast_load_wh: Integers
    forecast_generation_wh: Integers
    updated_load_wh: Integers
    updated_generation_wh: Integers
    contract_lots: Integers
    is_metered_by_user: bool

    @property
    def net_injection_wh(self) -> Integers:
        """What the meter shows, injection positive."""
        return self.generation_wh - self.load_wh

    @property
    def forecast_consumption_wh(self) -> Integers:
        """What the member expects its meter to show at 16:00 the day before, consumption positive."""
        return self.forecast_load_wh - self.forecast_generation_wh

    @property
    def updated_consumption_wh(self) -> Integers:
        """What the member expects its meter to show shortly before the gate, consumption positive."""
        return self.updated_load_wh - self.updated_generation_wh


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """A monthly contract decomposed to quarter-hours (合同电量分解), settled bilaterally at its own price.

    `lots[period]` >= 0 go from seller to buyer; `month_lots` is the energy of the whole month.
    """

    id: str
    buyer: str
    seller: str
    price_micro_per_kwh: int
    month_lots: int
    lots: Integers


@dataclass(frozen=True, slots=True)
class PowerRules:
    """Rules of the green power contracts of the day. Fees are micro-CNY per kWh."""

    opens: datetime.time
    opening_auction_minutes: int
    gate_closure_minutes: int
    min_price_ticks: int
    max_price_ticks: int
    max_order_lots: int
    maker_fee_micro_per_kwh: int
    taker_fee_micro_per_kwh: int
    park_fee_micro_per_kwh: int
    environment_micro_per_kwh: int


@dataclass(frozen=True, slots=True)
class UnitInstrument:
    """Static data of a certificate, allowance or credit; prices in ticks of 0.01 CNY, fees in micro-CNY for a tick of a lot."""

    symbol: str
    name_en: str
    name_zh: str
    instrument_class: str
    venue: str
    calendar: str
    resale: str
    unit: str
    previous_close_ticks: int
    band_low_ticks: int
    band_high_ticks: int
    max_order_lots: int
    maker_fee_tick_lot_micro: int
    taker_fee_tick_lot_micro: int


@dataclass(frozen=True, slots=True, eq=False)
class Park:
    """A park on one day. Period arrays are int64[92, 96 or 100] in time order, read-only.

    In every period the surplus price is at most the deficit price, and `contract_lots` sum to zero over the members.
    """

    name: str
    name_en: str
    name_zh: str
    date: datetime.date
    seed: int
    zone: ZoneInfo
    tariff: Tariff
    start_ns: Integers
    symbols: tuple[str, ...]
    deficit_price_ticks: Integers
    surplus_price_ticks: Integers
    opens_ns: int
    gate_ns: Integers
    power: PowerRules
    members: tuple[Member, ...]
    contracts: tuple[Contract, ...]
    instruments: tuple[UnitInstrument, ...]
    emission_factor: EmissionFactor
    network_loss_ppm: int
    soc_value_micro_per_kwh: int
    notes: tuple[str, ...]

    def member(self, member_id: str) -> Member:
        """The member of the id. Raises InputError for an unknown one."""
        for member in self.members:
            if member.id == member_id:
                return member
        raise InputError(f"park {self.name} has no member {member_id!r}")
