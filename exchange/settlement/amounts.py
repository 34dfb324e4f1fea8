"""The day's amounts by account: each line rounded half-even once (docs/rules.md, "Settlement of the day")."""

from dataclasses import dataclass

import numpy as np

from exchange.settlement.day_input import DayInput, Int64Array
from exchange.settlement.netting import cost_micro, exact_dot
from exchange.units import POWER_LOT_WH, POWER_MULTIPLIER_MICRO, WH_PER_KWH, divide_half_even, split_by_largest_remainder


@dataclass(frozen=True, slots=True, eq=False)
class MemberAmounts:
    """Amounts of the day by account (lists of n, micro-CNY, received positive) and the energies they are for (int64[n], Wh)."""

    bought: list[int]
    sold: list[int]
    deficit: list[int]
    surplus: list[int]
    park_fee: list[int]
    trading_fee: list[int]
    voltage_adder: list[int]
    refund: list[int]
    contract: list[int]
    held_park_fee: list[int]
    held_guarantee: list[int]
    deficit_wh: Int64Array
    surplus_wh: Int64Array
    market_withdrawal_wh: Int64Array
    withdrawal_wh: Int64Array


def market_withdrawal_wh(day: DayInput) -> Int64Array:
    """What the park fee is charged on: net bought on the exchange, at most what the meter withdrew; [n, T]."""
    withdrawal_wh: Int64Array = np.minimum(np.maximum(day.net_lots, 0) * POWER_LOT_WH, np.maximum(-day.injection_wh, 0))
    return withdrawal_wh


def member_amounts(day: DayInput, fund_micro: int) -> MemberAmounts:
    """All lines of all accounts."""
    market_wh = market_withdrawal_wh(day)
    deficit_wh = np.maximum(-day.imbalance_wh, 0)
    surplus_wh = np.maximum(day.imbalance_wh, 0)
    withdrawal_wh = np.maximum(-day.injection_wh, 0).sum(axis=1)
    adders = zip(withdrawal_wh.tolist(), day.voltage_adder_micro_per_kwh.tolist(), strict=True)
    return MemberAmounts(
        bought=[-value for value in day.bought_value_micro.sum(axis=1).tolist()],
        sold=day.sold_value_micro.sum(axis=1).tolist(),
        deficit=[-cost for cost in cost_micro(deficit_wh, day.deficit_price_ticks)],
        surplus=cost_micro(surplus_wh, day.surplus_price_ticks),
        park_fee=[-divide_half_even(fee, POWER_LOT_WH) for fee in exact_dot(market_wh, day.park_fee_lot_micro)],
        trading_fee=[-fee for fee in day.trading_fee_micro.sum(axis=1).tolist()],
        voltage_adder=[-divide_half_even(energy_wh * adder, WH_PER_KWH) for energy_wh, adder in adders],
        refund=refund_shares(day, fund_micro),
        contract=[-POWER_MULTIPLIER_MICRO * cost for cost in exact_dot(day.contract_lots, day.contract_price_ticks)],
        held_park_fee=day.held_park_fee_micro.sum(axis=1).tolist(),
        held_guarantee=day.held_guarantee_micro.sum(axis=1).tolist(),
        deficit_wh=deficit_wh.sum(axis=1),
        surplus_wh=surplus_wh.sum(axis=1),
        market_withdrawal_wh=market_wh.sum(axis=1),
        withdrawal_wh=withdrawal_wh,
    )


def refund_shares(day: DayInput, fund_micro: int) -> list[int]:
    """The fund by metered energy, consumption plus generation: one share an account, never by what was traded.

    Nobody metered anything: the shares are zero and the fund stays with the guarantee fund.
    """
    metered_wh = (day.readings.consumption_wh + day.readings.generation_wh).sum(axis=1).tolist()
    return split_by_largest_remainder(fund_micro, metered_wh) if sum(metered_wh) > 0 else [0] * len(metered_wh)
