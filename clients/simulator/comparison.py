"""Three bills on the same meters: each alone at retail, a pool without a market, and the market (docs/rules.md, "Comparison").

    comparison = compare_bills(park: ParkDay, tariff: DayTariff, market: MarketDay)
    print(comparison.describe("en"))

Input is plain arrays: n participants in rows, T quarter-hours in columns, int64, Wh, ticks of 0.0001 CNY/kWh and micro-CNY.
A bill is positive when the participant pays. The headline is `gain_micro` = pool minus market: netting behind one grid interface
happens without any trade, so the market is not credited with it.

Rounding: retail lines round half-even once a line and day. The pool splits each period's exact cost by largest remainder, after rounding
the cost half-even to a micro-CNY, so all bills, the operator and the grid differ by at most 2 micro-CNY a period: `pool_rounding_micro`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

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


class LineKind(StrEnum):
    MEMBER = "member"
    STORAGE = "storage"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One row of the comparison, paid positive. `soc_value_micro` is already subtracted from `market_micro`."""

    name: str
    kind: LineKind
    retail_micro: int
    pool_micro: int
    market_micro: int
    soc_value_micro: int

    @property
    def gain_micro(self) -> int:
        """Pool minus market: positive when the market serves the participant better than the pool."""
        return self.pool_micro - self.market_micro
