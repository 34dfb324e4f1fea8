"""Money of a settled day by participant: what the exchange charged, and what the same meters would have cost without a market."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from clients.simulator.comparison import DayTariff, MarketDay, ParkDay, StorageUnit, compare_bills
from exchange.settlement.lines import STATUS, LineItem, LineStatus
from exchange.settlement.record import SettledDay
from exchange.units import POWER_LOT_WH, WH_PER_KWH

Integers = NDArray[np.int64]

_TRADE: Final = (LineItem.ENERGY_BOUGHT, LineItem.ENERGY_SOLD, LineItem.ENVIRONMENT, LineItem.ENVIRONMENT_SOLD)
_FEES: Final = (LineItem.TRADING_FEE, LineItem.PARK_FEE)
_IMBALANCE: Final = (LineItem.DEFICIT, LineItem.SURPLUS)


@dataclass(frozen=True, slots=True, eq=False)
class DayBills:
    """micro-CNY by participant, paid positive, [n] each."""

    retail_micro: Integers
    pool_micro: Integers
    market_micro: Integers
    fee_micro: Integers
    imbalance_micro: Integers
    trade_micro: Integers


def settled_amounts(record: SettledDay, accounts: list[int], items: tuple[LineItem, ...]) -> Integers:
    """What the lines of `items` come to by participant, paid positive, [n]; nothing for who had no part in the day."""
    rows = {int(account): row for row, account in enumerate(record.accounts.tolist())}
    total = -sum((record.amounts(item) for item in items), np.zeros(len(record.accounts), np.int64))
    return np.array([int(total[rows[account]]) if account in rows else 0 for account in accounts], np.int64)


def bill_day(
    scenario: Scenario, day: WorldDay, delivery: Delivery, record: SettledDay, accounts: list[int], payments_micro: Integers
) -> DayBills:
    """All bills of a day. What storage holds more at the end is in none of them: the measures price it."""
    charged = tuple(item for item in LineItem if STATUS[item] is LineStatus.CHARGED)
    market = settled_amounts(record, accounts, charged) + payments_micro
    retail, pool = _compared(scenario, day, delivery, market)
    return DayBills(
        retail, pool, market, settled_amounts(record, accounts, _FEES), settled_amounts(record, accounts, _IMBALANCE),
        settled_amounts(record, accounts, _TRADE) + payments_micro,
    )  # fmt: skip


def _compared(scenario: Scenario, day: WorldDay, delivery: Delivery, market_micro: Integers) -> tuple[Integers, Integers]:
    """(retail, pool) by participant, by the comparison of the demo. There each day of storage begins and ends as the first one began, so that what a
    market made of it moves neither bill.
    """
    participants = scenario.participants
    units = [
        StorageUnit(
            participant=row, soc_start_wh=entry.storage.soc_initial_wh, soc_end_wh=entry.storage.soc_initial_wh, soc_min_wh=entry.storage.soc_min_wh,
            soc_max_wh=entry.storage.soc_max_wh, power_w=entry.storage.power_w, charge_efficiency_ppm=entry.storage.charge_efficiency_ppm,
            discharge_efficiency_ppm=entry.storage.discharge_efficiency_ppm, charge_wh=delivery.charge_wh[row],
            discharge_wh=delivery.discharge_wh[row],
        )
        for row, entry in enumerate(participants)
        if entry.storage is not None
    ]  # fmt: skip
    names = [entry.id for entry in participants]
    fee_lot_micro = scenario.market.park_fee_micro_per_kwh * POWER_LOT_WH // WH_PER_KWH
    comparison = compare_bills(
        ParkDay(
            names, day.symbols, delivery.load_wh + delivery.charge_wh, delivery.generation_wh + delivery.discharge_wh, delivery.loss_wh, units
        ),
        DayTariff(
            day.deficit_price_ticks, day.surplus_price_ticks, np.full(day.n_periods, fee_lot_micro, np.int64),
            np.array([entry.voltage_adder_micro_per_kwh for entry in participants], np.int64),
            scenario.market.maker_fee_micro_per_kwh + scenario.market.taker_fee_micro_per_kwh,
        ),
        MarketDay(-market_micro, np.zeros(len(names), np.int64), 0, scenario.soc_value_micro_per_kwh // 100),
    )  # fmt: skip
    lines = {line.name: line for line in comparison.lines}
    found = [lines[name] for name in names]
    return np.array([line.retail_micro for line in found], np.int64), np.array([line.pool_micro for line in found], np.int64)
