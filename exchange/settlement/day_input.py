"""What a day's settlement reads, and the business rules it must keep before a micro-CNY moves.

Arrays have one row an account, in increasing order of account ids, and one column a delivery period, in order of time.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import CheckFailedError
from exchange.metering.table import DayReadings
from exchange.units import POWER_LOT_WH

Int64Array = NDArray[np.int64]

# In `nomination_wh`: storage that did not nominate; its net position is the schedule.
NO_NOMINATION: Final = -(2**63)
# 1,000 CNY/kWh. Bounds what a tariff file may say; sums are exact beyond it.
ADDER_LIMIT_MICRO_PER_KWH: Final = 1_000_000_000


class ImbalanceRule(StrEnum):
    """What imbalance costs (docs/rules.md, "Imbalance"). Prices come from outside; a document says which rule holds from when on."""

    DUAL = "dual"
    SINGLE = "single"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class DayRules:
    """The rules a day is settled by. `version` is the number of the document that set them, 0: none did.

    `alpha_ppm`: of the dual prices.
    """

    version: int = 0
    imbalance: ImbalanceRule = ImbalanceRule.DUAL
    alpha_ppm: int = 0


class SettlementRule(IntEnum):
    """Why a day cannot be settled. Numbers are part of the protocol and never reused; checked in this order."""

    SETTLEMENT_NO_PERIODS = 1
    SETTLEMENT_PRICES_CROSSED = 2
    SETTLEMENT_ADDER_OUT_OF_RANGE = 3
    SETTLEMENT_GRID_READING_MISSING = 4
    SETTLEMENT_READING_MISSING = 5
    SETTLEMENT_PHYSICAL_BALANCE = 6


@dataclass(frozen=True, slots=True)
class DayProblem:
    """The broken rule, the period (empty: the whole day), the account (0: none) and for the physical balance the error in Wh."""

    rule: SettlementRule
    symbol: str = ""
    account: int = 0
    error_wh: int = 0

    def __str__(self) -> str:
        parts = [self.rule.name]
        if self.symbol:
            parts.append(f"period {self.symbol}")
        if self.account:
            parts.append(f"account {self.account}")
        if self.error_wh:
            parts.append(f"error {self.error_wh} Wh")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockTrades:
    """What of the day's positions came from trades of block contracts: [n] each, Wh and micro-CNY. Information: it is in the positions already."""

    bought_wh: Int64Array
    sold_wh: Int64Array
    bought_micro: Int64Array
    sold_micro: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GreenInput:
    """Renewable devices of the day and green contracts that are in force, both by increasing id. Rows are rows of the day's accounts.

    `contract_left_wh` is what the month's contract has left before the day; the contracts' energy price is in ticks of power contracts.
    """

    devices: Int64Array  # [d]
    account_row: Int64Array  # [d]
    generation_wh: Int64Array  # [d, T]
    contracts: Int64Array  # [c]
    contract_buyer_row: Int64Array  # [c]
    contract_generator_row: Int64Array  # [c]
    contract_left_wh: Int64Array  # [c]
    contract_price_ticks: Int64Array  # [c]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TradeTotals:
    """What the trades of the day moved and hold, by account: [n] each, lots and micro-CNY."""

    bought_lots: Int64Array
    sold_lots: Int64Array
    bought_value_micro: Int64Array
    sold_value_micro: Int64Array
    trading_fee_micro: Int64Array
    held_park_fee_micro: Int64Array
    held_guarantee_micro: Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayInput:
    """Positions, prices, cash and readings of one day: n accounts, T periods.

    Lots of 100 Wh, bought positive. Values and fees are what the trades of the exchange moved or hold. `available_micro` is each
    account's balance less all its holds before the run; the holds of this day are `held_park_fee_micro` and `held_guarantee_micro`.
    `green_contract_wh` is what green contracts deliver by the meters, bought positive: settled before ordinary energy. `restated`: in a later
    run, when the trades' own columns are gone, what they came to in the first. `curtailed_micro` is compensation for curtailed energy. `heat_wh`
    and `cold_wh` are metered, taken less given, and in no balance of power.
    """

    day: str
    accounts: Int64Array  # [n], increasing
    names: tuple[str, ...]  # n
    roles: tuple[str, ...]  # n
    symbols: tuple[str, ...]  # T
    period_starts_ns: Int64Array  # [T]
    deficit_price_ticks: Int64Array  # [T]
    surplus_price_ticks: Int64Array  # [T]
    park_fee_lot_micro: Int64Array  # [T]
    contract_price_ticks: Int64Array  # [T], information
    net_lots: Int64Array  # [n, T], trades only
    contract_lots: Int64Array  # [n, T]
    bought_lots: Int64Array  # [n, T]
    sold_lots: Int64Array  # [n, T]
    bought_value_micro: Int64Array  # [n, T]
    sold_value_micro: Int64Array  # [n, T]
    trading_fee_micro: Int64Array  # [n, T]
    held_park_fee_micro: Int64Array  # [n, T]
    held_guarantee_micro: Int64Array  # [n, T]
    nomination_wh: Int64Array  # [n, T], injection positive, or NO_NOMINATION
    voltage_adder_micro_per_kwh: Int64Array  # [n]
    available_micro: Int64Array  # [n]
    must_be_metered: NDArray[np.bool_]  # [n], such as MeterTable.metered_accounts()
    readings: DayReadings
    blocks: BlockTrades | None = None
    rules: DayRules = DayRules()
    environment_price_ticks: Int64Array | None = None  # [T]
    green: GreenInput | None = None
    green_contract_wh: Int64Array | None = None  # [n, T]
    curtailed_wh: Int64Array | None = None  # [n]
    curtailed_micro: Int64Array | None = None  # [n]
    heat_wh: Int64Array | None = None  # [n]
    cold_wh: Int64Array | None = None  # [n]
    restated: TradeTotals | None = None

    @property
    def trade_totals(self) -> TradeTotals:
        """Sums of the trades' columns over the day, or what a first run kept of them."""
        if self.restated is not None:
            return self.restated
        names = TradeTotals.__dataclass_fields__
        return TradeTotals(**{name: getattr(self, name).sum(axis=1) for name in names})

    @property
    def injection_wh(self) -> Int64Array:
        """Metered net injection, generation less consumption: [n, T]."""
        return self.readings.generation_wh - self.readings.consumption_wh

    @property
    def imbalance_wh(self) -> Int64Array:
        """Metered net - sold + bought (偏差电量), contracts included: surplus positive, [n, T]."""
        traded_wh: Int64Array = self.injection_wh + (self.net_lots + self.contract_lots) * POWER_LOT_WH
        return traded_wh if self.green_contract_wh is None else traded_wh + self.green_contract_wh

    @property
    def undelivered_wh(self) -> Int64Array:
        """Sold without generation: net sales beyond what the meter generated, part of the deficit. [n, T]."""
        undelivered: Int64Array = np.maximum(-(self.net_lots + self.contract_lots) * POWER_LOT_WH - self.readings.generation_wh, 0)
        return undelivered

    @property
    def unused_wh(self) -> Int64Array:
        """Bought without use: net purchases beyond what the meter consumed, part of the surplus. [n, T]."""
        unused: Int64Array = np.maximum((self.net_lots + self.contract_lots) * POWER_LOT_WH - self.readings.consumption_wh, 0)
        return unused


def balance_error_wh(readings: DayReadings) -> Int64Array:
    """Generation + import less consumption, export and losses of each period: zero when the readings agree. [T], Wh."""
    members: Int64Array = (readings.generation_wh - readings.consumption_wh).sum(axis=0)
    return members + readings.grid_import_wh - readings.grid_export_wh - readings.losses_wh


def check_day(day: DayInput) -> DayProblem | None:
    """The first business rule the day breaks, at its first period and account; None when it can be settled.

    Raises CheckFailedError when the positions of the fold do not balance: that is a fault of the exchange, not of the data.
    """
    _check_trades_balance(day)
    readings = day.readings
    if len(day.symbols) == 0:
        return DayProblem(SettlementRule.SETTLEMENT_NO_PERIODS)
    crossed = day.surplus_price_ticks > day.deficit_price_ticks
    if crossed.any():
        return DayProblem(SettlementRule.SETTLEMENT_PRICES_CROSSED, day.symbols[int(np.argmax(crossed))])
    adder = day.voltage_adder_micro_per_kwh
    outside = (adder < 0) | (adder > ADDER_LIMIT_MICRO_PER_KWH)
    if outside.any():
        return DayProblem(SettlementRule.SETTLEMENT_ADDER_OUT_OF_RANGE, account=int(day.accounts[np.argmax(outside)]))
    if not readings.grid_metered.all():
        return DayProblem(SettlementRule.SETTLEMENT_GRID_READING_MISSING, day.symbols[int(np.argmin(readings.grid_metered))])
    missing = day.must_be_metered[:, np.newaxis] & ~readings.metered
    if missing.any():
        period, row = np.argwhere(missing.T)[0]
        return DayProblem(SettlementRule.SETTLEMENT_READING_MISSING, day.symbols[period], int(day.accounts[row]))
    error_wh = balance_error_wh(readings)
    if error_wh.any():
        period = int(np.argmax(error_wh != 0))
        return DayProblem(SettlementRule.SETTLEMENT_PHYSICAL_BALANCE, day.symbols[period], error_wh=int(error_wh[period]))
    return None


def _check_trades_balance(day: DayInput) -> None:
    """Every lot bought was sold and every micro-CNY paid for energy is owed to a seller, period by period."""
    checks = {
        "net positions sum to zero": day.net_lots.sum(axis=0),
        "contracts sum to zero": day.contract_lots.sum(axis=0),
        "net position is bought less sold": day.net_lots - day.bought_lots + day.sold_lots,
        "value bought is value sold": (day.bought_value_micro - day.sold_value_micro).sum(axis=0),
    }
    for rule, difference in checks.items():
        if difference.any():
            raise CheckFailedError(f"settlement of {day.day}: not so: {rule}")
