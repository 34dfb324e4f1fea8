"""Three bills on the same meters: each alone at retail, a pool without a market, and the market (docs/rules.md, "Comparison").

    comparison = compare_bills(park: ParkDay, tariff: DayTariff, market: MarketDay)
    print(comparison.describe("en"))

Input is plain arrays: n participants in rows, T quarter-hours in columns, int64, Wh, ticks of 0.0001 CNY/kWh and micro-CNY.
A bill is positive when the participant pays. The headline is `gain_micro` = pool minus market: netting behind one grid interface
happens without any trade, so the market is not credited with it.

Rounding: retail lines round half-even once a line and day. The pool splits each period's exact cost by largest remainder, after rounding
the cost half-even to a micro-CNY, so all bills, the operator and the grid differ by at most 2 micro-CNY a period: `pool_rounding_micro`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clients.simulator.comparison_result import BillLine, Comparison, LineKind, NoGainPeriod, NoGainReason
from clients.simulator.comparison_storage import Schedule, StorageLimits, best_schedules
from exchange.settlement.netting import TICK_WH_PER_MICRO, cost_micro, exact_dot
from exchange.settlement.reference_prices import mid_market_columns
from exchange.settlement.shares import divide_half_even_columns, split_columns
from exchange.units import POWER_LOT_WH, POWER_TICK_MICRO_PER_KWH, WH_PER_KWH, divide_half_even

__all__ = [
    "BillLine", "Comparison", "DayTariff", "LineKind", "MarketDay", "NoGainPeriod", "NoGainReason", "ParkDay", "StorageUnit", "compare_bills",
    "market_day_of_report",
]

Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class StorageUnit:
    """Storage behind the meter of `participant` (row index), with what it did on the day (int64[T], Wh at the meter).

    The market bill takes the day as it was; the retail and the pool bill replace `charge_wh` and `discharge_wh` by the best schedule that
    ends at `soc_start_wh`. Efficiencies in parts per million, one way each.
    """

    participant: int
    soc_start_wh: int
    soc_end_wh: int
    soc_min_wh: int
    soc_max_wh: int
    power_w: int
    charge_efficiency_ppm: int
    discharge_efficiency_ppm: int
    charge_wh: Int64Array
    discharge_wh: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class ParkDay:
    """The meters of a day. `consumption_wh` and `generation_wh` int64[n, T] include charge and discharge; `losses_wh` int64[T]."""

    names: Sequence[str]
    symbols: Sequence[str]  # of the periods, such as GP-20260715-1015
    consumption_wh: Int64Array
    generation_wh: Int64Array
    losses_wh: Int64Array
    storage: Sequence[StorageUnit] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DayTariff:
    """Prices of the day: int64[T], and int64[n] for the voltage adders. `trading_fee_micro_per_kwh` is what a trade costs both sides together."""

    deficit_price_ticks: Int64Array
    surplus_price_ticks: Int64Array
    park_fee_lot_micro: Int64Array
    voltage_adder_micro_per_kwh: Int64Array
    trading_fee_micro_per_kwh: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class MarketDay:
    """What the exchange settled.

    `total_micro` int64[n]: total of each statement, received positive. `contract_cost_micro` int64[n]: bilateral contracts, paid positive.
    `operator_income_micro`: trading fees and park fees less the cost of losses. `soc_value_ticks`: price of a kWh more or less in the
    storage at the end of the day, stated by the caller.
    """

    total_micro: Int64Array
    contract_cost_micro: Int64Array
    operator_income_micro: int
    soc_value_ticks: int


def market_day_of_report(report: Mapping[str, Any], accounts: Sequence[int], soc_value_ticks: int) -> MarketDay:
    """The market's side from a settlement report (exchange.settlement.rendering.settlement_to_dict), rows in the order of `accounts`.

    Contracts are paid bilaterally at the price stated with them. Accounts without a statement had no day.
    """
    total = dict.fromkeys(accounts, 0)
    contract = dict.fromkeys(accounts, 0)
    for statement in report["statements"]:
        account = statement["account"]
        total[account] = statement["total_micro"]
        contract[account] = -next(line["amount_micro"] for line in statement["lines"] if line["item"] == "contract_energy")
    return MarketDay(
        total_micro=np.array([total[account] for account in accounts], dtype=np.int64),
        contract_cost_micro=np.array([contract[account] for account in accounts], dtype=np.int64),
        operator_income_micro=report["park_fee_micro"] + report["trading_fee_micro"] - report["losses_micro"],
        soc_value_ticks=soc_value_ticks,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _World:
    """Bills of one world: int per participant (paid positive), the operator's bill, and what the grid received."""

    bills_micro: list[int]
    operator_micro: int
    grid_micro: int

    @property
    def residual_micro(self) -> int:
        return sum(self.bills_micro) + self.operator_micro - self.grid_micro


def compare_bills(park: ParkDay, tariff: DayTariff, market: MarketDay) -> Comparison:
    """Compare the three bills.

    Raises ValueError when shapes disagree or a storage unit moved more energy than its meter, CheckFailedError when no schedule is optimal.
    """
    _check_shapes(park, tariff, market)
    base_wh = _net_withdrawal_without_storage(park)
    retail = _alone_at_retail(park, tariff, base_wh)
    pool, schedules = _pool(park, tariff, base_wh)
    traded, soc_value_micro = _market(park, tariff, market)
    storage_rows = {unit.participant for unit in park.storage if not base_wh[unit.participant].any()}
    lines = [
        BillLine(
            name, LineKind.STORAGE if row in storage_rows else LineKind.MEMBER, retail.bills_micro[row], pool.bills_micro[row],
            traded.bills_micro[row] - soc_value_micro[row], soc_value_micro[row],
        )
        for row, name in enumerate(park.names)
    ]
    lines.append(BillLine("operator", LineKind.OPERATOR, retail.operator_micro, pool.operator_micro, traded.operator_micro, 0))
    return Comparison(
        lines=tuple(sorted(lines, key=lambda line: (line.gain_micro, line.name))),
        no_gain_periods=_no_gain_periods(park, tariff),
        grid_retail_micro=retail.grid_micro,
        grid_pool_micro=pool.grid_micro,
        grid_market_micro=traded.grid_micro,
        pool_rounding_micro=pool.residual_micro,
        market_residual_micro=traded.residual_micro,
        pool_schedules=tuple(schedules),
        soc_value_ticks=market.soc_value_ticks,
    )


def _check_shapes(park: ParkDay, tariff: DayTariff, market: MarketDay) -> None:
    n, periods = len(park.names), len(park.symbols)
    expected: dict[str, tuple[Int64Array, tuple[int, ...]]] = {
        "consumption_wh": (park.consumption_wh, (n, periods)),
        "generation_wh": (park.generation_wh, (n, periods)),
        "losses_wh": (park.losses_wh, (periods,)),
        "deficit_price_ticks": (tariff.deficit_price_ticks, (periods,)),
        "surplus_price_ticks": (tariff.surplus_price_ticks, (periods,)),
        "park_fee_lot_micro": (tariff.park_fee_lot_micro, (periods,)),
        "voltage_adder_micro_per_kwh": (tariff.voltage_adder_micro_per_kwh, (n,)),
        "total_micro": (market.total_micro, (n,)),
        "contract_cost_micro": (market.contract_cost_micro, (n,)),
    }
    for name, (array, shape) in expected.items():
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, expected {shape}")


def _net_withdrawal_without_storage(park: ParkDay) -> Int64Array:
    """Withdrawal less injection as if the storage had stood still: int64[n, T]."""
    consumption_wh, generation_wh = park.consumption_wh.copy(), park.generation_wh.copy()
    for unit in park.storage:
        consumption_wh[unit.participant] -= unit.charge_wh
        generation_wh[unit.participant] -= unit.discharge_wh
    if (consumption_wh < 0).any() or (generation_wh < 0).any():
        raise ValueError("a storage unit moved more energy than the meter it stands behind")
    return consumption_wh - generation_wh


def _limits(unit: StorageUnit, charge_adder_micro_per_kwh: int) -> StorageLimits:
    return StorageLimits(
        unit.soc_start_wh, unit.soc_min_wh, unit.soc_max_wh, unit.power_w, unit.charge_efficiency_ppm, unit.discharge_efficiency_ppm,
        charge_adder_micro_per_kwh,
    )


def _adder_lines(net_wh: Int64Array, tariff: DayTariff) -> list[int]:
    """Voltage adder of each participant on its metered net withdrawal, rounded once."""
    withdrawal_wh = np.maximum(net_wh, 0).sum(axis=1).tolist()
    return [divide_half_even(wh * adder, WH_PER_KWH) for wh, adder in zip(withdrawal_wh, tariff.voltage_adder_micro_per_kwh.tolist(), strict=True)]


def _grid_energy_micro(net_wh: Int64Array, tariff: DayTariff) -> list[int]:
    """What net withdrawals ([n, T] or [T]) pay the grid: import at the deficit price less export at the surplus price."""
    paid = cost_micro(np.maximum(net_wh, 0), tariff.deficit_price_ticks)
    received = cost_micro(np.maximum(-net_wh, 0), tariff.surplus_price_ticks)
    return [out - back for out, back in zip(paid, received, strict=True)]


def _alone_at_retail(park: ParkDay, tariff: DayTariff, base_wh: Int64Array) -> _World:
    """Each behind its own meter against tariff and feed-in, its storage at its best; no park, so no fee and no losses of the park."""
    net_wh = base_wh.copy()
    for row in sorted({unit.participant for unit in park.storage}):
        own = [_limits(unit, 0) for unit in park.storage if unit.participant == row]
        buy = tariff.deficit_price_ticks * POWER_TICK_MICRO_PER_KWH + int(tariff.voltage_adder_micro_per_kwh[row])
        for schedule in best_schedules(base_wh[row], buy, tariff.surplus_price_ticks * POWER_TICK_MICRO_PER_KWH, own):
            net_wh[row] += schedule.charge_wh - schedule.discharge_wh
    energy, adders = _grid_energy_micro(net_wh, tariff), _adder_lines(net_wh, tariff)
    bills = [cost + adder for cost, adder in zip(energy, adders, strict=True)]
    return _World(bills, 0, sum(bills))


def _pool(park: ParkDay, tariff: DayTariff, base_wh: Int64Array) -> tuple[_World, list[Schedule]]:
    """Behind one grid point at the mid-market rate, storage at its best for the park as a whole, park fee on what comes from inside."""
    units = [_limits(unit, int(tariff.voltage_adder_micro_per_kwh[unit.participant])) for unit in park.storage]
    buy, sell = (ticks * POWER_TICK_MICRO_PER_KWH for ticks in (tariff.deficit_price_ticks, tariff.surplus_price_ticks))
    schedules = best_schedules(base_wh.sum(axis=0) + park.losses_wh, buy, sell, units) if units else []
    net_wh = base_wh.copy()
    for unit, schedule in zip(park.storage, schedules, strict=True):
        net_wh[unit.participant] += schedule.charge_wh - schedule.discharge_wh
    withdrawal_wh, injection_wh = np.maximum(net_wh, 0), np.maximum(-net_wh, 0)
    adders = _adder_lines(net_wh, tariff)
    paid, received = mid_market_columns(tariff.deficit_price_ticks, tariff.surplus_price_ticks, withdrawal_wh, injection_wh)
    fees = _inside_fees(withdrawal_wh, injection_wh, tariff.park_fee_lot_micro)
    inside = (paid - received + fees).sum(axis=1).tolist()
    bills = [adder + bill for adder, bill in zip(adders, inside, strict=True)]
    grid_micro = _grid_energy_micro(net_wh.sum(axis=0) + park.losses_wh, tariff)[0] + sum(adders)
    return _World(bills, _losses_micro(net_wh, park, tariff) - int(fees.sum()), grid_micro), schedules


def _inside_fees(withdrawal_wh: Int64Array, injection_wh: Int64Array, fee_lot_micro: Int64Array) -> Int64Array:
    """Park fee on the part of each withdrawal that members inject; the rest comes from the grid. [n, T]."""
    inside_wh = np.minimum(withdrawal_wh.sum(axis=0), injection_wh.sum(axis=0))
    return split_columns(divide_half_even_columns(inside_wh * fee_lot_micro, POWER_LOT_WH), withdrawal_wh)


def _losses_micro(net_wh: Int64Array, park: ParkDay, tariff: DayTariff) -> int:
    """Losses as the settlement charges them: from what members leave over at the surplus price, the rest at the deficit price."""
    left_over_wh = np.minimum(park.losses_wh, np.maximum(-net_wh.sum(axis=0), 0))
    spread_ticks = tariff.deficit_price_ticks - tariff.surplus_price_ticks
    tick_wh = exact_dot(park.losses_wh, tariff.deficit_price_ticks)[0] - exact_dot(left_over_wh, spread_ticks)[0]
    return divide_half_even(tick_wh, TICK_WH_PER_MICRO)


def _market(park: ParkDay, tariff: DayTariff, market: MarketDay) -> tuple[_World, list[int]]:
    """Statements with the contracts' own payments; and by participant the value of what its storage holds more than in the morning."""
    net_wh = park.consumption_wh - park.generation_wh
    grid_micro = _grid_energy_micro(net_wh.sum(axis=0) + park.losses_wh, tariff)[0] + sum(_adder_lines(net_wh, tariff))
    bills = [contract - total for contract, total in zip(market.contract_cost_micro.tolist(), market.total_micro.tolist(), strict=True)]
    soc_value_micro = [0] * len(bills)
    for unit in park.storage:
        change_wh = unit.soc_end_wh - unit.soc_start_wh
        soc_value_micro[unit.participant] += divide_half_even(change_wh * market.soc_value_ticks, TICK_WH_PER_MICRO)
    return _World(bills, -market.operator_income_micro, grid_micro), soc_value_micro


def _no_gain_periods(park: ParkDay, tariff: DayTariff) -> tuple[NoGainPeriod, ...]:
    """Periods in which a buyer's limit (retail less fees) is not above feed-in, or in which nobody injects or nobody withdraws."""
    net_wh = park.consumption_wh - park.generation_wh
    lots_per_kwh = WH_PER_KWH // POWER_LOT_WH
    limit_micro = (
        tariff.deficit_price_ticks * POWER_TICK_MICRO_PER_KWH - tariff.park_fee_lot_micro * lots_per_kwh - tariff.trading_fee_micro_per_kwh
    )
    found: list[NoGainPeriod] = []
    for period, symbol in enumerate(park.symbols):
        if limit_micro[period] <= tariff.surplus_price_ticks[period] * POWER_TICK_MICRO_PER_KWH:
            found.append(NoGainPeriod(symbol, NoGainReason.LIMIT_NOT_ABOVE_FEED_IN))
        elif not (net_wh[:, period] < 0).any():
            found.append(NoGainPeriod(symbol, NoGainReason.NO_SELLER))
        elif not (net_wh[:, period] > 0).any():
            found.append(NoGainPeriod(symbol, NoGainReason.NO_BUYER))
    return tuple(found)
