"""The day's amounts by account: each line rounded half-even once (docs/rules.md, "Settlement of the day")."""

from dataclasses import dataclass

import numpy as np

from exchange.settlement.attributes import GreenFlows
from exchange.settlement.day_input import DayInput, Int64Array
from exchange.settlement.imbalance import Imbalance
from exchange.settlement.netting import TICK_WH_PER_MICRO
from exchange.settlement.shares import rounded_dot, split_columns
from exchange.units import POWER_LOT_WH, POWER_MULTIPLIER_MICRO, WH_PER_KWH


@dataclass(frozen=True, slots=True, eq=False)
class MemberAmounts:
    """Amounts of the day by account (int64[n], micro-CNY, received positive) and the energies they are for (int64[n], Wh).

    `environment_cost` and `environment_income` are those of the market's attribute; `contract` is information.
    """

    bought: Int64Array
    sold: Int64Array
    deficit: Int64Array
    surplus: Int64Array
    park_fee: Int64Array
    trading_fee: Int64Array
    voltage_adder: Int64Array
    refund: Int64Array
    contract: Int64Array
    environment_cost: Int64Array
    environment_income: Int64Array
    green_contract: Int64Array
    curtailed: Int64Array
    held_park_fee: Int64Array
    held_guarantee: Int64Array
    deficit_wh: Int64Array
    surplus_wh: Int64Array
    market_withdrawal_wh: Int64Array
    withdrawal_wh: Int64Array
    environment_bought_wh: Int64Array
    environment_sold_wh: Int64Array
    green_contract_wh: Int64Array
    curtailed_wh: Int64Array


def market_withdrawal_wh(day: DayInput) -> Int64Array:
    """What the park fee is charged on: net bought on the exchange, at most what the meter withdrew; [n, T]."""
    withdrawal_wh: Int64Array = np.minimum(np.maximum(day.net_lots, 0) * POWER_LOT_WH, np.maximum(-day.injection_wh, 0))
    return withdrawal_wh


def member_amounts(day: DayInput, imbalance: Imbalance, green: GreenFlows | None, market_wh: Int64Array) -> MemberAmounts:
    """All lines of all accounts. `market_wh` is market_withdrawal_wh of the day."""
    trades = day.trade_totals
    none = np.zeros(len(day.accounts), np.int64)
    withdrawal_wh = np.maximum(-day.injection_wh, 0).sum(axis=1)
    cost, income, bought_wh, sold_wh = none, none, none, none
    if green is not None and day.environment_price_ticks is not None:
        cost = rounded_dot(green.bought_wh, day.environment_price_ticks, TICK_WH_PER_MICRO)
        income = rounded_dot(green.sold_wh, day.environment_price_ticks, TICK_WH_PER_MICRO)
        bought_wh, sold_wh = green.bought_wh.sum(axis=1), green.sold_wh.sum(axis=1)
    contract, contract_wh = _green_contracts(day, green)
    return MemberAmounts(
        bought=-trades.bought_value_micro,
        sold=trades.sold_value_micro,
        deficit=imbalance.deficit,
        surplus=imbalance.surplus,
        park_fee=-rounded_dot(market_wh, day.park_fee_lot_micro, POWER_LOT_WH),
        trading_fee=-trades.trading_fee_micro,
        voltage_adder=-rounded_dot(withdrawal_wh[:, np.newaxis], day.voltage_adder_micro_per_kwh[:, np.newaxis], WH_PER_KWH),
        refund=refund_shares(day, imbalance.park.fund_micro),
        contract=-rounded_dot(day.contract_lots * POWER_MULTIPLIER_MICRO, day.contract_price_ticks, 1),
        environment_cost=-cost,
        environment_income=income,
        green_contract=contract,
        curtailed=none if day.curtailed_micro is None else day.curtailed_micro,
        held_park_fee=trades.held_park_fee_micro,
        held_guarantee=trades.held_guarantee_micro,
        deficit_wh=imbalance.deficit_wh,
        surplus_wh=imbalance.surplus_wh,
        market_withdrawal_wh=market_wh.sum(axis=1),
        withdrawal_wh=withdrawal_wh,
        environment_bought_wh=bought_wh,
        environment_sold_wh=sold_wh,
        green_contract_wh=contract_wh,
        curtailed_wh=none if day.curtailed_wh is None else day.curtailed_wh,
    )


def refund_shares(day: DayInput, fund_micro: int) -> Int64Array:
    """The fund by metered energy, consumption plus generation: one share an account, never by what was traded.

    Nobody metered anything: the shares are zero and the fund stays with the guarantee fund.
    """
    metered_wh = (day.readings.consumption_wh + day.readings.generation_wh).sum(axis=1)
    return split_columns(np.array([fund_micro], np.int64), metered_wh[:, np.newaxis])[:, 0]


def _green_contracts(day: DayInput, green: GreenFlows | None) -> tuple[Int64Array, Int64Array]:
    """Energy price and energy of green contracts by account, received and bought positive: each contract rounds once, the pair is exact."""
    amounts, energies = np.zeros(len(day.accounts), np.int64), np.zeros(len(day.accounts), np.int64)
    if green is not None and day.green is not None and len(day.green.contracts):
        volumes = green.contract_wh.sum(axis=1)
        values = rounded_dot(volumes[:, np.newaxis], day.green.contract_price_ticks[:, np.newaxis], TICK_WH_PER_MICRO)
        for rows, sign in ((day.green.contract_generator_row, 1), (day.green.contract_buyer_row, -1)):
            np.add.at(amounts, rows, sign * values)
            np.add.at(energies, rows, -sign * volumes)
    return amounts, energies
